/* SPDX-License-Identifier: Apache-2.0
 * How a segment begins. */
#include "audit/inside.h"

#include "audit/record.h"
#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static enum outcome refuse_errno(const char *what, struct reason *why)
{
    return refuse(why, OUTCOME_AUDIT, "%s: %s", what, strerror(errno));
}

/* Two services that write one log would both be right, and the chain broken. */
static enum outcome open_folder(struct audit *audit, struct reason *why)
{
    if (audit->folder_fd >= 0) {
        return OUTCOME_OK;
    }
    FD_CLEANUP int fd = open(audit->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return refuse_errno(audit->folder, why);
    }
    /* A file of our own: who may only read the folder could lock the folder itself. */
    FD_CLEANUP int lock = openat(fd, ".lock", O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) {
        return refuse_errno(".lock", why);
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? refuse(why, OUTCOME_AUDIT,
                                             "another process writes the log in %s", audit->folder)
                                    : refuse_errno(audit->folder, why);
    }
    audit->folder_fd = fd_steal(&fd);
    audit->lock_fd = fd_steal(&lock);
    return OUTCOME_OK;
}

/* Where the log stands. It is looked for once: later this process knows. */
static enum outcome find_end(struct audit *audit, struct recovered *found, struct reason *why)
{
    enum outcome outcome = recover(audit->folder, audit->folder_fd, found, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    pthread_mutex_lock(&audit->lock);
    audit->number = found->next - 1;
    audit->bytes = found->bytes;
    audit->durable = found->seq;
    audit->covered = found->covered;
    memcpy(audit->durable_head, found->any ? found->head : audit_no_hash,
           sizeof audit->durable_head);
    if (found->any) {
        memcpy(audit->chain, found->chain, sizeof audit->chain);
    } else {
        random_uuid(audit->chain);
    }
    pthread_mutex_unlock(&audit->lock);
    return OUTCOME_OK;
}

static void put_first(struct audit *audit, const struct recovered *found, struct buffer *members)
{
    bool fault = audit->recovered;
    record_put_number(members, "segment", (int64_t)audit->number + 1);
    record_put_number(members, "version", AUDIT_VERSION);
    record_put_text(members, "chain", audit->chain);
    record_put_text(members, "cause", fault ? "fault" : found->any ? "start" : "begin");
    if (fault || found->any) {
        record_put_number(members, "previous_bytes", (int64_t)audit->bytes);
    }
    if (fault) {
        record_put_text(members, "fault", audit->fault);
    }
    if (fault || audit->unrecorded > 0) {
        record_put_number(members, "unrecorded", (int64_t)audit->unrecorded);
    }
    audit->said = audit->unrecorded;
}

static void put_repair(const struct audit_cut *cut, struct buffer *members)
{
    buffer_reset(members);
    record_put_number(members, "segment", (int64_t)cut->number);
    record_put_number(members, "kept_bytes", (int64_t)cut->kept);
    record_put_number(members, "cut_bytes", (int64_t)cut->bytes);
}

/* The first records, in memory. */
static bool put_records(struct audit *audit, const struct recovered *found)
{
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    audit->seq = audit->durable;
    memcpy(audit->head, audit->durable_head, sizeof audit->head);
    buffer_reset(&audit->pending);
    put_first(audit, found, &members);
    bool put = buffer_ok(&members) && audit_put_locked(audit, "segment", buffer_span(&members));
    for (size_t i = 0; put && i < found->n_cuts; i++) {
        put_repair(&found->cuts[i], &members);
        put = buffer_ok(&members) && audit_put_locked(audit, "repair", buffer_span(&members));
    }
    return put;
}

/* A file of that number can only be one that an attempt before has left: nothing in it was
 * acknowledged. */
static enum outcome write_first(struct audit *audit, struct segment *segment, struct reason *why)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(audit->number + 1, ".jsonl", name);
    if (unlinkat(audit->folder_fd, name, 0) != 0 && errno != ENOENT) {
        return refuse_errno(name, why);
    }
    if (segment_create(audit->folder_fd, audit->number + 1, segment) != 0) {
        return refuse_errno(name, why);
    }
    if (segment_append(segment, buffer_span(&audit->writing)) != 0) {
        (void)refuse_errno(name, why);
        segment_abandon(segment);
        (void)unlinkat(audit->folder_fd, name, 0);
        return OUTCOME_AUDIT;
    }
    return OUTCOME_OK;
}

static void note_begun_locked(struct audit *audit, const struct segment *segment)
{
    audit->segment = *segment;
    audit->number = segment->number;
    audit->bytes = segment->end;
    audit->first = audit->durable + 1;
    audit->durable = audit->seq;
    memcpy(audit->durable_head, audit->head, sizeof audit->durable_head);
    audit->segment_at = clock_wall_s();
    audit->full_ms = 0;
    audit->close_now = false;
    audit->ok = true;
    audit->since = clock_wall_s();
    audit->unrecorded -= audit->said; /* more may have come meanwhile */
    audit->recovered = true;
    audit->detail[0] = '\0';
    audit_note_news_locked(audit);
}

enum outcome audit_begin(struct audit *audit, struct reason *why)
{
    struct recovered found = {.next = 0};
    struct segment segment = SEGMENT_NONE;
    enum outcome outcome = open_folder(audit, why);
    if (outcome == OUTCOME_OK && !audit->recovered) {
        outcome = find_end(audit, &found, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    pthread_mutex_lock(&audit->lock);
    bool put = put_records(audit, &found);
    struct buffer batch = audit->writing;
    audit->writing = audit->pending;
    audit->pending = batch;
    pthread_mutex_unlock(&audit->lock);
    outcome = put ? write_first(audit, &segment, why)
                  : refuse(why, OUTCOME_AUDIT, "a record could not be made: out of memory");
    buffer_reset(&audit->writing);
    if (outcome == OUTCOME_OK) {
        pthread_mutex_lock(&audit->lock);
        note_begun_locked(audit, &segment);
        pthread_mutex_unlock(&audit->lock);
    }
    return outcome;
}
