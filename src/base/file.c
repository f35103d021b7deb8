/* SPDX-License-Identifier: Apache-2.0
 * Whole small files. */
#include "base/file.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read_from(int fd, struct buffer *out)
{
    for (;;) {
        uint8_t chunk[4096];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            explicit_bzero(chunk, sizeof chunk); /* it may have been a PIN */
            return (int)got;
        }
        buffer_put(out, chunk, (size_t)got);
        if (!buffer_ok(out)) {
            errno = EFBIG;
            return -1;
        }
    }
}

int file_read(const char *path, struct buffer *out)
{
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -1 : file_read_from(fd, out);
}

static int write_all(int fd, struct span content)
{
    while (content.len > 0) {
        ssize_t put = write(fd, content.data, content.len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return -1;
        }
        content = span_part(content, (size_t)put, content.len);
    }
    return 0;
}

static int sync_folder_of(const char *path)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) {
        errno = ENAMETOOLONG;
        return -1;
    }
    FD_CLEANUP int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder < 0 ? -1 : fsync(folder);
}

int file_replace(const char *path, struct span content, mode_t mode)
{
    char fresh[PATH_MAX];
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh) {
        errno = ENAMETOOLONG;
        return -1;
    }
    FD_CLEANUP int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return -1;
    }
    if (fchmod(fd, mode) != 0 || write_all(fd, content) != 0 || fsync(fd) != 0 ||
        rename(fresh, path) != 0) {
        int kept = errno;
        (void)unlink(fresh);
        errno = kept;
        return -1;
    }
    return sync_folder_of(path) == 0 ? 0 : FILE_NOT_SYNCED;
}
