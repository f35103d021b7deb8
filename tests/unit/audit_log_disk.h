/* SPDX-License-Identifier: Apache-2.0
 * A log on a disk that fails as a test wants it, and a checker of the tests' own, which shares
 * nothing with the log but the form of a line. For a program that is linked with
 * --wrap=pwrite,--wrap=fdatasync,--wrap=openat,--wrap=ftruncate; once per program. */
#ifndef QSEAL_TESTS_UNIT_AUDIT_LOG_DISK_H
#define QSEAL_TESTS_UNIT_AUDIT_LOG_DISK_H

#include "audit_log_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/types.h>

/* --- faults --- */

static atomic_int fail_pwrite; /* errno, 0: none */
static atomic_int fail_fdatasync;
static atomic_int fail_open; /* of new files */
static atomic_int fail_ftruncate;
static atomic_int fail_next; /* writes, from the next new file on */
static atomic_bool has_next;
static atomic_bool short_writes;
static atomic_int slow_sync_ms;
static atomic_bool sync_hangs;
static atomic_bool syncs; /* slowly, now */

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __real_openat(int folder, const char *name, int flags, ...);
int __wrap_openat(int folder, const char *name, int flags, mode_t mode);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    int error = atomic_load(atomic_load(&has_next) ? &fail_next : &fail_pwrite);
    if (error != 0) {
        (void)__real_pwrite(fd, data, len / 2, at);
        errno = error;
        return -1;
    }
    return __real_pwrite(fd, data, atomic_load(&short_writes) && len > 7 ? 7 : len, at);
}

int __wrap_fdatasync(int fd)
{
    int error = atomic_load(&fail_fdatasync);
    if (error != 0) {
        errno = error;
        return -1;
    }
    int ms = atomic_load(&slow_sync_ms);
    atomic_store(&syncs, ms > 0);
    while (atomic_load(&sync_hangs)) {
        (void)poll(NULL, 0, 1);
    }
    (void)poll(NULL, 0, ms); /* the disk is slow */
    return __real_fdatasync(fd);
}

int __wrap_openat(int folder, const char *name, int flags, mode_t mode)
{
    int error = atomic_load(&fail_open);
    if ((flags & O_CREAT) != 0 && error != 0) {
        errno = error;
        return -1;
    }
    if ((flags & O_CREAT) != 0 && atomic_load(&fail_next) != 0) {
        atomic_store(&has_next, true);
    }
    return __real_openat(folder, name, flags, mode);
}

int __wrap_ftruncate(int fd, off_t len)
{
    int error = atomic_load(&fail_ftruncate);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return __real_ftruncate(fd, len);
}

static inline int set_up(void **state)
{
    (void)state;
    atomic_store(&fail_pwrite, 0);
    atomic_store(&fail_fdatasync, 0);
    atomic_store(&fail_open, 0);
    atomic_store(&fail_next, 0);
    atomic_store(&has_next, false);
    atomic_store(&fail_ftruncate, 0);
    atomic_store(&short_writes, false);
    atomic_store(&slow_sync_ms, 0);
    atomic_store(&sync_hangs, false);
    atomic_store(&syncs, false);
    return 0;
}

/* --- what is in it --- */

struct found {
    uint64_t segments;
    uint64_t seq;
    char head[AUDIT_HASH_SIZE];
    struct buffer text; /* of all records, one after the other */
};

/* Where the next segment says that this one holds, its length if there is none. */
static inline size_t holds_of(const struct folder *folder, uint64_t number,
                              const struct buffer *own)
{
    BUFFER_CLEANUP struct buffer next = BUFFER_INIT(LOG_MAX);
    struct audit_line line;
    uint64_t bytes;
    read_segment(folder, number + 1, &next);
    struct span text = buffer_span(&next);
    if (text.len == 0) {
        return own->len;
    }
    assert_null(audit_line_read(span_part(text, 0, span_find(text, '\n') + 1), &line));
    assert_true(audit_line_number(&line, "previous_bytes", &bytes));
    return (size_t)bytes;
}

static inline void check_segment(struct span text, struct found *found)
{
    bool first = true;
    while (text.len > 0 && text.data[0] != '\0') {
        struct span own = span_part(text, 0, span_find(text, '\n') + 1);
        struct audit_line line;
        const char *fault = audit_line_read(own, &line);
        if (fault != NULL) {
            print_error("after %llu: %s: %.*s\n", (unsigned long long)found->seq, fault,
                        (int)own.len, (const char *)own.data);
        }
        assert_null(fault);
        assert_int_equal(line.seq, found->seq + 1);
        assert_true(span_is_text(line.prev, found->seq == 0 ? audit_no_hash : found->head));
        assert_int_equal(span_is_text(line.kind, "segment"), first);
        assert_true(sha256_text(own, found->head));
        found->seq = line.seq;
        buffer_put_span(&found->text, own);
        text = span_part(text, own.len, text.len);
        first = false;
    }
    for (size_t i = 0; i < text.len; i++) {
        assert_int_equal(text.data[i], 0);
    }
}

static inline struct found check_log(const struct folder *folder)
{
    struct found found = {.text = BUFFER_INIT(LOG_MAX)};
    for (;;) {
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(LOG_MAX);
        read_segment(folder, found.segments + 1, &text);
        if (text.len == 0) {
            return found;
        }
        found.segments++;
        size_t holds = holds_of(folder, found.segments, &text);
        assert_true(holds <= text.len);
        check_segment(span_part(buffer_span(&text), 0, holds), &found);
    }
}

static inline size_t count_of(struct found *found, const char *text)
{
    size_t n = 0;
    for (const char *at = buffer_text(&found->text); (at = strstr(at, text)) != NULL; at++) {
        n++;
    }
    return n;
}

/* Of all the numbers behind that text. */
static inline uint64_t sum_of(struct found *found, const char *text)
{
    uint64_t sum = 0;
    for (const char *at = buffer_text(&found->text); (at = strstr(at, text)) != NULL; at++) {
        sum += strtoull(at + strlen(text), NULL, 10);
    }
    return sum;
}

static inline void forget(struct found *found)
{
    buffer_fini(&found->text);
}

/* A segment that is full with one record of this text. */
enum { SMALL = 1000 };

static inline const char *long_text(char out[SMALL + 1])
{
    memset(out, 'x', SMALL);
    out[SMALL] = '\0';
    return out;
}

#endif
