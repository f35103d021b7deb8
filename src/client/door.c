/* SPDX-License-Identifier: Apache-2.0
 * A unix socket with a deadline. */
#include "client/door.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Events that came, or -1 with errno. With fd -1 it only waits, and 0 is no error then. */
static int wait_for(int fd, short events, int most_ms, struct deadline deadline)
{
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = events};
        int left = deadline_left_ms(deadline);
        int ready = left == 0 ? 0 : poll(&wait, fd < 0 ? 0 : 1, left < most_ms ? left : most_ms);
        if (ready > 0) {
            return wait.revents;
        }
        if (ready == 0 && deadline_passed(deadline)) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (ready == 0) {
            return 0;
        }
        if (errno != EINTR) {
            return -1;
        }
    }
}

enum { FOREVER_MS = 1 << 30 };

/* A non-blocking connect to a unix socket is done at once, or EAGAIN when its backlog is full, and
 * nothing tells when there is room again. */
static bool connect_until(int fd, const struct sockaddr_un *address, struct deadline deadline)
{
    enum { FIRST_WAIT_MS = 1, LONGEST_WAIT_MS = 16 };
    int wait_ms = FIRST_WAIT_MS;
    while (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0) {
        if (errno != EAGAIN && errno != EINTR) {
            return errno == EISCONN;
        }
        if (wait_for(-1, 0, wait_ms, deadline) < 0) {
            return false;
        }
        wait_ms = wait_ms < LONGEST_WAIT_MS ? wait_ms * 2 : wait_ms;
    }
    return true;
}

int door_connect(const char *path, struct deadline deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    if (!connect_until(fd, &address, deadline)) {
        int why = errno;
        (void)close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static void advance(struct iovec parts[2], size_t sent)
{
    for (int i = 0; i < 2; i++) {
        size_t here = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        if (here == 0) {
            continue;
        }
        parts[i].iov_base = (char *)parts[i].iov_base + here;
        parts[i].iov_len -= here;
        sent -= here;
    }
}

/* sendmsg() only reads what an iovec points to, but its type cannot say so. */
static struct iovec part_of(struct span bytes)
{
    union {
        const uint8_t *in;
        void *out;
    } cast = {.in = bytes.data};
    return (struct iovec){.iov_base = cast.out, .iov_len = bytes.len};
}

bool door_send(int fd, struct span head, struct span body, struct deadline deadline)
{
    struct iovec parts[2] = {part_of(head), part_of(body)};
    while (parts[0].iov_len + parts[1].iov_len > 0) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent >= 0) {
            advance(parts, (size_t)sent);
            continue;
        }
        if (errno == EPIPE) {
            return true;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return false;
        }
        int events =
            errno == EINTR ? POLLOUT : wait_for(fd, POLLIN | POLLOUT, FOREVER_MS, deadline);
        if (events < 0) {
            return false;
        }
        if ((events & POLLOUT) == 0) {
            return true;
        }
    }
    return true;
}

ssize_t door_receive(int fd, void *at, size_t room, struct deadline deadline)
{
    for (;;) {
        ssize_t got = recv(fd, at, room, 0);
        if (got >= 0 || (errno != EAGAIN && errno != EINTR)) {
            return got;
        }
        if (errno == EAGAIN && wait_for(fd, POLLIN, FOREVER_MS, deadline) < 0) {
            return -1;
        }
    }
}
