/* SPDX-License-Identifier: Apache-2.0
 * Whole reads and writes with a deadline. */
#include "wire/io.h"

#include "base/fd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { KNOWN_MS = 2000 /* until the other side knows us */, NOT_YET_MS = 2 };

bool io_wait(int fd, short events, struct deadline deadline)
{
    struct pollfd wait = {.fd = fd, .events = events};
    int ready = poll(&wait, 1, deadline_left_ms(deadline));
    while (ready < 0 && errno == EINTR) {
        ready = poll(&wait, 1, deadline_left_ms(deadline));
    }
    if (ready == 0) {
        errno = ETIMEDOUT;
    }
    return ready > 0;
}

bool io_send(int fd, struct span bytes, struct deadline deadline)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            bytes = span_part(bytes, (size_t)sent, bytes.len);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return false;
        }
        if (errno == EAGAIN && !io_wait(fd, POLLOUT, deadline)) {
            return false;
        }
    }
    return true;
}

/* Room for one descriptor, as the kernel wants it. */
union control {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(int))];
};

bool io_send_with(int fd, struct span bytes, int passed, struct deadline deadline)
{
    if (passed < 0) {
        return io_send(fd, bytes, deadline);
    }
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes.data, .iov_len = bytes.len};
    union control control = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
    const struct deadline known_by = deadline_in_ms(KNOWN_MS);
    for (;;) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            return io_send(fd, span_part(bytes, (size_t)sent, bytes.len), deadline);
        }
        if (errno == EPERM && !deadline_passed(known_by)) {
            (void)poll(NULL, 0, NOT_YET_MS); /* we are not yet known there: serve.h, `trusts` */
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return false;
        }
        if (errno == EAGAIN && !io_wait(fd, POLLOUT, deadline)) {
            return false;
        }
    }
}

/* The first one is kept; more are closed here, or by the kernel when there is no room for them. */
static bool keep_descriptor(struct msghdr *message, int *passed)
{
    bool alone = (message->msg_flags & MSG_CTRUNC) == 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        bool rights = header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS;
        size_t n = rights ? (header->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
        for (size_t i = 0; i < n; i++) {
            FD_CLEANUP int fd = -1;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            alone = alone && *passed < 0;
            *passed = *passed < 0 ? fd_steal(&fd) : *passed;
        }
    }
    return alone;
}

/* recv(2), which drops descriptors, or with `passed` the one that keeps them. */
static ssize_t receive_some(int fd, uint8_t *at, size_t room, int *passed)
{
    if (passed == NULL) {
        return recv(fd, at, room, MSG_DONTWAIT);
    }
    struct iovec part = {.iov_base = at, .iov_len = room};
    union control control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got >= 0 && !keep_descriptor(&message, passed)) {
        errno = EPROTO;
        return -1;
    }
    return got;
}

bool io_receive_with(int fd, struct buffer *in, size_t want, int *passed, struct deadline deadline)
{
    while (in->len < want) {
        size_t had = in->len;
        size_t room = want - had > IO_CHUNK ? want - had : IO_CHUNK;
        uint8_t *at = buffer_extend(in, room);
        if (at == NULL) {
            errno = ENOMEM;
            return false;
        }
        ssize_t got = receive_some(fd, at, room, passed);
        buffer_cut(in, had + (got > 0 ? (size_t)got : 0));
        if (got == 0) {
            errno = 0;
            return false;
        }
        if (got < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        if (got < 0 && errno == EAGAIN && !io_wait(fd, POLLIN, deadline)) {
            return false;
        }
    }
    return true;
}

bool io_receive(int fd, struct buffer *in, size_t want, struct deadline deadline)
{
    return io_receive_with(fd, in, want, NULL, deadline);
}
