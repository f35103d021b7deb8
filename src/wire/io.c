/* SPDX-License-Identifier: Apache-2.0
 * Whole reads and writes with a deadline. */
#include "wire/io.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

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

bool io_receive(int fd, struct buffer *in, size_t want, struct deadline deadline)
{
    while (in->len < want) {
        size_t had = in->len;
        size_t room = want - had > IO_CHUNK ? want - had : IO_CHUNK;
        uint8_t *at = buffer_extend(in, room);
        if (at == NULL) {
            errno = ENOMEM;
            return false;
        }
        ssize_t got = recv(fd, at, room, MSG_DONTWAIT);
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
