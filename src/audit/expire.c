/* SPDX-License-Identifier: Apache-2.0
 * Retention: sealed segments that are old enough are removed, the oldest first. */
#include "audit/inside.h"

#include "audit/reader.h"
#include "audit/record.h"
#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEADLINE_MS = 10000, US = 1000000 };

/* What the first record of a segment says. */
struct first_record {
    uint64_t seq;
    int64_t at;  /* wall seconds */
    bool starts; /* the first segment of a run */
};

/* A link is not followed: it may lead out of the folder. */
static bool read_first(int folder, uint64_t number, struct first_record *out)
{
    uint8_t text[AUDIT_LINE_MAX];
    struct audit_line line;
    struct span cause;
    if (!audit_reader_head(folder, number, O_NOFOLLOW, text, &line)) {
        return false;
    }
    *out = (struct first_record){.seq = line.seq, .at = line.time_us / US};
    out->starts = audit_line_text(&line, "cause", &cause) &&
                  (span_is_text(cause, "start") || span_is_text(cause, "begin"));
    return true;
}

static bool is_there(int folder, uint64_t number)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat about;
    segment_name(number, ".jsonl", name);
    return fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The oldest one: they have no gaps, so it is found from the newest down. */
static uint64_t oldest_of(int folder, uint64_t newest)
{
    uint64_t oldest = newest;
    while (oldest > 1 && is_there(folder, oldest - 1)) {
        oldest--;
    }
    return oldest;
}

static bool put_record(struct audit *audit, uint64_t number, uint64_t first, uint64_t last)
{
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    struct audit_ticket ticket;
    struct reason why;
    record_put_number(&members, "segment", (int64_t)number);
    record_put_number(&members, "first", (int64_t)first);
    record_put_number(&members, "last", (int64_t)last);
    return audit_append_durable(audit, "retention", &members, deadline_in_ms(DEADLINE_MS), &ticket,
                                &why) == OUTCOME_OK;
}

static bool remove_segment(int folder, uint64_t number)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(number, ".torn", name);
    (void)unlinkat(folder, name, 0);
    segment_name(number, ".jsonl", name);
    if (unlinkat(folder, name, 0) != 0 || fsync(folder) != 0) {
        log_warning("audit log: %s could not be removed: %s", name, strerror(errno));
        return false;
    }
    return true;
}

/* The log's folder, and what it says of itself now; -1. */
static int open_folder(struct audit *audit, uint64_t *covered, uint64_t *newest)
{
    pthread_mutex_lock(&audit->lock);
    *covered = audit->covered;
    *newest = audit->number;
    bool ok = audit->ok;
    pthread_mutex_unlock(&audit->lock);
    return ok ? open(audit->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

int64_t audit_time_before(struct audit *audit)
{
    uint64_t covered;
    uint64_t number;
    struct first_record first = {.starts = false};
    FD_CLEANUP int folder = open_folder(audit, &covered, &number);
    for (; folder >= 0 && !first.starts; number--) {
        if (!read_first(folder, number, &first)) {
            return 0;
        }
    }
    return folder < 0 || (is_there(folder, number) && !read_first(folder, number, &first))
               ? 0
               : first.at;
}

void audit_expire(struct audit *audit, int64_t before)
{
    uint64_t covered;
    uint64_t newest;
    FD_CLEANUP int folder = open_folder(audit, &covered, &newest);
    if (folder < 0) {
        return;
    }
    struct first_record own;
    struct first_record next;
    for (uint64_t number = oldest_of(folder, newest); number < newest; number++) {
        if (!read_first(folder, number, &own) || !read_first(folder, number + 1, &next) ||
            next.at >= before || next.seq > covered ||
            !put_record(audit, number, own.seq, next.seq - 1) || !remove_segment(folder, number)) {
            return;
        }
        log_info("audit log: segment %llu was removed, sealed and over its age",
                 (unsigned long long)number);
    }
}
