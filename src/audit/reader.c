/* SPDX-License-Identifier: Apache-2.0
 * The records of an audit log in order. */
#include "audit/reader.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024 };
_Static_assert(READ_SIZE >= 2 * AUDIT_LINE_MAX, "a line fits behind what is left of another");

static enum audit_read fault(struct audit_reader *reader, const char *name, int number)
{
    (void)snprintf(reader->why, sizeof reader->why, "%.100s: %.100s", name, strerror(number));
    return AUDIT_READ_FAULT;
}

static enum audit_read segment_fault(struct audit_reader *reader, uint64_t segment, int number)
{
    char name[SEGMENT_NAME_SIZE];
    return fault(reader, audit_segment_name(segment, name), number);
}

/* --- the folder --- */

enum audit_read audit_reader_open(struct audit_reader *reader, const char *folder)
{
    *reader = (struct audit_reader){.fd = -1};
    reader->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (reader->folder < 0 || audit_listing_read(reader->folder, &reader->segments) != 0) {
        return fault(reader, folder, errno);
    }
    if (reader->segments.odd[0] != '\0') {
        (void)snprintf(reader->why, sizeof reader->why,
                       "%s is not the name of a segment: audit-, ten digits, .jsonl",
                       reader->segments.odd);
        return AUDIT_READ_MISSING;
    }
    if (reader->segments.count == 0) {
        (void)snprintf(reader->why, sizeof reader->why,
                       "there is no segment of a log (audit-0000000001.jsonl) in %.100s", folder);
        return AUDIT_READ_MISSING;
    }
    reader->data = malloc(READ_SIZE);
    return reader->data == NULL ? fault(reader, folder, ENOMEM) : AUDIT_READ_END;
}

void audit_reader_close(struct audit_reader *reader)
{
    fd_close(&reader->fd);
    fd_close(&reader->folder);
    free(reader->data);
    reader->data = NULL;
}

void audit_reader_seek(struct audit_reader *reader, uint64_t segment)
{
    fd_close(&reader->fd);
    reader->is_closed = false;
    reader->segment = segment - 1;
}

/* A pipe or a device of that name is no segment, and must not hold the reader. */
static int open_segment(int folder, uint64_t segment, int flags)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat status;
    FD_CLEANUP int fd = openat(folder, audit_segment_name(segment, name),
                               O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
    if (fd < 0 || fstat(fd, &status) != 0) {
        return -1;
    }
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return fd_steal(&fd);
}

static ssize_t read_at(int fd, void *out, size_t len, uint64_t offset)
{
    ssize_t got;
    do {
        got = pread(fd, out, len, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    return got;
}

bool audit_reader_head(int folder, uint64_t segment, int flags, uint8_t text[AUDIT_LINE_MAX],
                       struct audit_line *out)
{
    FD_CLEANUP int fd = open_segment(folder, segment, flags);
    ssize_t got = fd < 0 ? -1 : read_at(fd, text, AUDIT_LINE_MAX, 0);
    if (got <= 0) {
        return false;
    }
    struct span read = span_of(text, (size_t)got);
    return audit_line_read(span_part(read, 0, span_find(read, '\n') + 1), out) == NULL;
}

void audit_reader_seek_record(struct audit_reader *reader, uint64_t seq)
{
    uint8_t text[AUDIT_LINE_MAX];
    struct audit_line head;
    uint64_t low = reader->segments.first;
    uint64_t high = reader->segments.last;
    while (low < high) {
        uint64_t middle = high - (high - low) / 2;
        bool is_before =
            audit_reader_head(reader->folder, middle, 0, text, &head) && head.seq <= seq;
        low = is_before ? middle : low;
        high = is_before ? high : middle - 1;
    }
    audit_reader_seek(reader, low);
}

/* Whether another segment follows, and what it says about this one. */
static bool look_for_next(struct audit_reader *reader)
{
    char name[SEGMENT_NAME_SIZE];
    uint8_t text[AUDIT_LINE_MAX];
    struct audit_line head;
    uint64_t next = reader->segment + 1;
    reader->has_next =
        faccessat(reader->folder, audit_segment_name(next, name), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    reader->has_limit = reader->has_next &&
                        audit_reader_head(reader->folder, next, 0, text, &head) &&
                        span_is_text(head.kind, "segment") &&
                        audit_line_number(&head, "previous_bytes", &reader->limit);
    return reader->has_next;
}

static uint64_t size_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* AUDIT_READ_RECORD: go on. */
static enum audit_read open_next(struct audit_reader *reader)
{
    uint64_t next = reader->segment == 0 ? reader->segments.first : reader->segment + 1;
    reader->bytes_before += reader->fd < 0 ? 0 : size_of(reader->fd);
    fd_close(&reader->fd);
    reader->fd = open_segment(reader->folder, next, 0);
    if (reader->fd < 0) {
        return segment_fault(reader, next, errno);
    }
    reader->is_closed = false;
    reader->segment = next;
    reader->line_number = 0;
    reader->offset = 0;
    reader->begin = 0;
    reader->end = 0;
    (void)look_for_next(reader);
    return AUDIT_READ_RECORD;
}

/* --- the lines --- */

/* What has been read and is not taken, up to where the segment holds. */
static struct span left_of(const struct audit_reader *reader)
{
    struct span left = span_of(reader->data + reader->begin, reader->end - reader->begin);
    uint64_t holds = reader->limit > reader->offset ? reader->limit - reader->offset : 0;
    if (reader->has_limit && holds < left.len) {
        left.len = (size_t)holds;
    }
    return left;
}

static bool take_line(struct audit_reader *reader)
{
    struct span left = span_part(left_of(reader), 0, AUDIT_LINE_MAX);
    size_t len = span_find(left, '\n') + 1;
    if (len > left.len || left.data[0] == '\0') {
        return false;
    }
    reader->line = span_part(left, 0, len);
    reader->begin += len;
    reader->offset += len;
    reader->line_number++;
    return true;
}

/* Whether a line may follow that is not read to its end yet. */
static bool wants_more(const struct audit_reader *reader)
{
    struct span left = left_of(reader);
    bool is_all = reader->has_limit && reader->offset + left.len >= reader->limit;
    return !is_all && left.len < AUDIT_LINE_MAX && (left.len == 0 || left.data[0] != '\0');
}

static ssize_t refill(struct audit_reader *reader)
{
    size_t kept = reader->end - reader->begin;
    if (kept > 0) {
        memmove(reader->data, reader->data + reader->begin, kept);
    }
    reader->begin = 0;
    reader->end = kept;
    ssize_t got = read_at(reader->fd, reader->data + kept, READ_SIZE - kept, reader->offset + kept);
    reader->end += got > 0 ? (size_t)got : 0;
    return got;
}

static enum audit_read say_never_held(struct audit_reader *reader)
{
    char name[SEGMENT_NAME_SIZE];
    (void)snprintf(reader->why, sizeof reader->why,
                   "%s: writing it failed while it was read, and its end was never acknowledged: "
                   "read the log again",
                   audit_segment_name(reader->segment, name));
    return AUDIT_READ_FAULT;
}

/* A segment that follows since just now may say that the one before never held what was read. */
static enum audit_read judge_next(struct audit_reader *reader)
{
    return reader->has_limit && reader->limit < reader->offset ? say_never_held(reader)
                                                               : AUDIT_READ_RECORD;
}

/* A start makes the last segment anew; and one whose first batch failed, or that a crash left
 * without a record, is removed, and its number taken again: the file that is open is no part of the
 * log any more. */
static bool is_made_anew(const struct audit_reader *reader)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat opened;
    struct stat named;
    return fstat(reader->fd, &opened) == 0 &&
           fstatat(reader->folder, audit_segment_name(reader->segment, name), &named,
                   AT_SYMLINK_NOFOLLOW) == 0 &&
           (opened.st_ino != named.st_ino || opened.st_dev != named.st_dev);
}

/* Whether what was read stands in this file as well. */
static bool is_as_read(const struct audit_reader *reader, int fd)
{
    enum { PART = READ_SIZE / 2 };
    uint8_t *other = reader->data + PART;
    for (uint64_t at = 0; at < reader->offset;) {
        size_t len = reader->offset - at < PART ? (size_t)(reader->offset - at) : (size_t)PART;
        ssize_t got = read_at(reader->fd, reader->data, len, at);
        if (got <= 0 || read_at(fd, other, (size_t)got, at) != got ||
            memcmp(reader->data, other, (size_t)got) != 0) {
            return false;
        }
        at += (uint64_t)got;
    }
    return true;
}

static enum audit_read go_on_in_new_file(struct audit_reader *reader)
{
    FD_CLEANUP int fd = open_segment(reader->folder, reader->segment, 0);
    if (fd < 0) {
        return segment_fault(reader, reader->segment, errno);
    }
    if (!is_as_read(reader, fd)) {
        return say_never_held(reader);
    }
    fd_close(&reader->fd);
    reader->fd = fd_steal(&fd);
    (void)look_for_next(reader);
    return judge_next(reader);
}

/* Nothing follows in this segment. If another one does, its writer was done with this one before;
 * what was read of it last may be older than that, and is read again. */
static enum audit_read end_of_segment(struct audit_reader *reader)
{
    reader->begin = 0;
    reader->end = 0;
    if (is_made_anew(reader)) {
        return go_on_in_new_file(reader);
    }
    if (reader->has_next) {
        reader->is_closed = true;
        return AUDIT_READ_CLOSED;
    }
    if (look_for_next(reader)) {
        return judge_next(reader);
    }
    uint64_t later = audit_listing_after(reader->folder, reader->segment);
    if (later > reader->segment + 1) {
        char missing[SEGMENT_NAME_SIZE];
        char there[SEGMENT_NAME_SIZE];
        (void)snprintf(reader->why, sizeof reader->why, "%s is missing; the next one there is %s",
                       audit_segment_name(reader->segment + 1, missing),
                       audit_segment_name(later, there));
        return AUDIT_READ_MISSING;
    }
    return AUDIT_READ_END;
}

enum audit_read audit_reader_next(struct audit_reader *reader)
{
    enum audit_read read = AUDIT_READ_RECORD;
    reader->line = (struct span){0};
    if (reader->fd < 0 || reader->is_closed) {
        read = open_next(reader);
    }
    while (read == AUDIT_READ_RECORD && !take_line(reader)) {
        ssize_t got = wants_more(reader) ? refill(reader) : 0;
        if (got < 0) {
            return segment_fault(reader, reader->segment, errno);
        }
        read = got > 0 ? AUDIT_READ_RECORD : end_of_segment(reader);
    }
    return read;
}

struct tail_scan {
    uint64_t text; /* bytes that are no NUL */
    bool has_line_end;
    bool has_nul;
    bool is_mixed; /* one of them comes behind a NUL */
};

static void scan_tail(struct tail_scan *scan, struct span bytes)
{
    for (size_t i = 0; i < bytes.len && !scan->is_mixed; i++) {
        bool is_nul = bytes.data[i] == '\0';
        scan->is_mixed = scan->has_nul && !is_nul;
        scan->has_nul = scan->has_nul || is_nul;
        scan->has_line_end = scan->has_line_end || bytes.data[i] == '\n';
        scan->text += is_nul ? 0 : 1;
    }
}

int audit_reader_tail(const struct audit_reader *reader, struct audit_tail *out)
{
    struct tail_scan scan = {0};
    ssize_t got;
    *out = (struct audit_tail){0};
    while ((got = read_at(reader->fd, reader->data, READ_SIZE, reader->offset + out->len)) > 0) {
        scan_tail(&scan, span_of(reader->data, (size_t)got));
        out->len += (uint64_t)got;
    }
    bool is_torn = !scan.is_mixed && !scan.has_line_end && scan.text < AUDIT_LINE_MAX;
    out->is_nul = scan.text == 0 && !scan.is_mixed;
    out->torn_bytes = is_torn ? scan.text : 0;
    return got == 0 ? 0 : -1;
}

uint64_t audit_reader_done(const struct audit_reader *reader)
{
    return reader->bytes_before + reader->offset;
}
