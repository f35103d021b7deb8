/* SPDX-License-Identifier: Apache-2.0
 * Files of the audit log. */
#include "audit/segment.h"

#include "audit/line.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_MODE = 0640,
    FILL_MIN = 256 * 1024, /* bytes filled at a time; more, the longer the file has become */
    FILL_MAX = 4 * 1024 * 1024,
    ZEROS = 64 * 1024,
};

void segment_name(uint64_t number, const char *ending, char out[SEGMENT_NAME_SIZE])
{
    (void)snprintf(out, SEGMENT_NAME_SIZE, "audit-%010" PRIu64 "%s", number, ending);
}

bool segment_name_read(const char *name, uint64_t *number)
{
    static const char before[] = "audit-";
    char again[SEGMENT_NAME_SIZE];
    if (strncmp(name, before, sizeof before - 1) != 0) {
        return false;
    }
    struct span digits = span_of_text(name + sizeof before - 1);
    while (digits.len > 1 && digits.data[0] == '0') {
        digits = span_part(digits, 1, digits.len); /* it has ten at least */
    }
    if (!audit_take_number(&digits, number)) {
        return false;
    }
    segment_name(*number, ".jsonl", again);
    return *number > 0 && strcmp(again, name) == 0;
}

static int write_all(int fd, struct span bytes, uint64_t at)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(fd, bytes.data, bytes.len, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return -1;
        }
        bytes = span_part(bytes, (size_t)n, bytes.len);
        at += (uint64_t)n;
    }
    return 0;
}

static uint64_t fill_size(uint64_t end)
{
    return end < FILL_MIN ? FILL_MIN : end > FILL_MAX ? FILL_MAX : end;
}

/* A disk that has no room for NULs may still have some for the records. */
static int fill(struct segment *segment)
{
    static const uint8_t zeros[ZEROS];
    uint64_t until = segment->filled + fill_size(segment->filled);
    while (segment->filled < until) {
        uint64_t left = until - segment->filled;
        size_t len = left < ZEROS ? (size_t)left : (size_t)ZEROS;
        if (write_all(segment->fd, span_of(zeros, len), segment->filled) != 0) {
            return errno == ENOSPC || errno == EDQUOT ? 0 : -1;
        }
        segment->filled += len;
    }
    return 0;
}

int segment_create(int folder, uint64_t number, struct segment *out)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(number, ".jsonl", name);
    *out = (struct segment){.number = number};
    out->fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (out->fd < 0) {
        return -1;
    }
    /* Whatever the umask: the folder's group may read it (docs/audit.md). */
    if (fchmod(out->fd, FILE_MODE) != 0 || fsync(folder) != 0) {
        int kept = errno;
        segment_abandon(out);
        (void)unlinkat(folder, name, 0);
        errno = kept;
        return -1;
    }
    return 0;
}

/* Who removes or cuts the file from outside does not make us write where nobody reads. */
static bool is_there(const struct segment *segment, uint64_t end)
{
    struct stat about;
    if (fstat(segment->fd, &about) != 0) {
        return false;
    }
    if (about.st_nlink == 0) {
        errno = ENOENT;
    } else if ((uint64_t)about.st_size < end) {
        errno = EIO;
    } else {
        return true;
    }
    return false;
}

int segment_append(struct segment *segment, struct span bytes)
{
    uint64_t end = segment->end + bytes.len;
    if (write_all(segment->fd, bytes, segment->end) != 0) {
        return -1;
    }
    if (end > segment->filled) {
        segment->filled = end;
        if (fill(segment) != 0) {
            return -1;
        }
    }
    if (fdatasync(segment->fd) != 0 || !is_there(segment, end)) {
        return -1;
    }
    segment->end = end;
    return 0;
}

int segment_finish(struct segment *segment)
{
    int done = ftruncate(segment->fd, (off_t)segment->end);
    if (done == 0) {
        done = fsync(segment->fd);
    }
    int kept = errno;
    segment_abandon(segment);
    errno = kept;
    return done;
}

void segment_abandon(struct segment *segment)
{
    fd_close(&segment->fd);
}
