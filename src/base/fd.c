/* SPDX-License-Identifier: Apache-2.0
 * File descriptors and unix listeners. */
#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
    if (*fd >= 0) {
        int kept = errno;
        (void)close(*fd);
        errno = kept;
    }
    *fd = -1;
}

int fd_steal(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

bool fd_unix_address(const char *path, struct sockaddr_un *address)
{
    size_t len = strlen(path);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len == 0 || len >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(address->sun_path, path, len);
    return true;
}

/* Whether somebody listens there: a second instance must not take the first one's place. */
static bool is_served(const char *path)
{
    struct sockaddr_un address;
    FD_CLEANUP int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool served =
        fd >= 0 && fd_unix_address(path, &address) &&
        (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN);
    if (served) {
        errno = EADDRINUSE;
    }
    return served;
}

static bool make_way(const char *path)
{
    struct stat there;
    if (lstat(path, &there) != 0) {
        return errno == ENOENT;
    }
    if (!S_ISSOCK(there.st_mode)) {
        errno = EEXIST;
        return false;
    }
    return !is_served(path) && unlink(path) == 0;
}

int fd_listen_unix(const char *path, unsigned int mode, int backlog)
{
    struct sockaddr_un address;
    if (!fd_unix_address(path, &address) || !make_way(path)) {
        return -1;
    }
    FD_CLEANUP int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* fchmod before bind sets the mode the file is created with: there is no moment at which it is
     * wider. */
    if (fd < 0 || fchmod(fd, mode) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(path, mode) != 0 || listen(fd, backlog) != 0) {
        return -1;
    }
    return fd_steal(&fd);
}

bool fd_take_rights(int fd, bool may)
{
    enum { PASS_RIGHTS = 83 /* asm-generic/socket.h; libc does not know it yet */ };
    int value = may ? 1 : 0;
    return setsockopt(fd, SOL_SOCKET, PASS_RIGHTS, &value, sizeof value) == 0;
}
