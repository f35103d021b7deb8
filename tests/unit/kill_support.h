/* SPDX-License-Identifier: Apache-2.0
 * Calls that change files, linked in front of libc's by -Wl,--wrap: they count down to a SIGKILL.
 * For one file of a program. */
#ifndef QSEAL_TESTS_UNIT_KILL_SUPPORT_H
#define QSEAL_TESTS_UNIT_KILL_SUPPORT_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static int calls_left = -1; /* less than 0: nobody is killed */
static bool folders_fail;   /* fsync(2) of a folder is EIO */

static void count_call(void)
{
    if (calls_left >= 0 && calls_left-- == 0) {
        (void)raise(SIGKILL);
    }
}

int __real_rename(const char *from, const char *to);
int __real_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_unlink(const char *path);
int __wrap_rename(const char *from, const char *to);
int __wrap_fsync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_unlink(const char *path);

int __wrap_rename(const char *from, const char *to)
{
    count_call();
    return __real_rename(from, to);
}

int __wrap_fsync(int fd)
{
    struct stat there;
    count_call();
    if (folders_fail && fstat(fd, &there) == 0 && S_ISDIR(there.st_mode)) {
        errno = EIO;
        return -1;
    }
    return __real_fsync(fd);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    count_call();
    return __real_fchmod(fd, mode);
}

/* Half of it, too: a write is no atomic thing. */
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    count_call();
    if (calls_left == 0) {
        (void)__real_write(fd, data, len / 2);
    }
    count_call();
    return __real_write(fd, data, len);
}

int __wrap_unlink(const char *path)
{
    count_call();
    return __real_unlink(path);
}

#endif
