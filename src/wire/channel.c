/* SPDX-License-Identifier: Apache-2.0
 * The calling side of a door. */
#include "wire/channel.h"

#include "base/fd.h"
#include "wire/frame.h"
#include "wire/io.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { KEEP_ROOM = 32 * 1024, US_PER_S = 1000000 };

/* How one attempt over the connection went, as far as asking again is concerned. */
enum attempt { ATTEMPT_DONE, ATTEMPT_STALE, ATTEMPT_FAILED };

void channel_init(struct channel *channel, const char *path, const char *peer)
{
    *channel = (struct channel){
        .path = path,
        .peer = peer,
        .fd = -1,
        .passed = -1,
        .out = BUFFER_INIT(FRAME_HEADER_LEN + FRAME_PAYLOAD_MAX),
        .in = BUFFER_INIT(FRAME_HEADER_LEN + FRAME_PAYLOAD_MAX + IO_CHUNK),
    };
}

void channel_fini(struct channel *channel)
{
    fd_close(&channel->fd);
    buffer_fini(&channel->out);
    buffer_fini(&channel->in);
}

int channel_connect(const char *path, struct deadline deadline)
{
    struct sockaddr_un address;
    if (!fd_unix_address(path, &address)) {
        return -1;
    }
    FD_CLEANUP int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    /* A full backlog blocks connect(2); the send timeout is what bounds it. Zero would mean for
     * ever. */
    int64_t left = deadline_left_us(deadline) + 1;
    struct timeval timeout = {.tv_sec = left / US_PER_S, .tv_usec = left % US_PER_S};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        return -1;
    }
    return fd_steal(&fd);
}

struct buffer *channel_begin(struct channel *channel, uint8_t kind)
{
    channel->passed = -1;
    frame_begin(&channel->out, kind);
    return &channel->out;
}

void channel_pass(struct channel *channel, int fd)
{
    channel->passed = fd;
}

static bool receive_frame(struct channel *channel, uint8_t kind, struct deadline deadline)
{
    struct frame_header header;
    /* The answer is never there yet: to wait first saves a recv(2) in vain. */
    if (!io_wait(channel->fd, POLLIN, deadline) ||
        !io_receive(channel->fd, &channel->in, FRAME_HEADER_LEN, deadline)) {
        return false;
    }
    if (!frame_parse_header(channel->in.data, FRAME_PAYLOAD_MAX, &header) ||
        header.kind != (kind | FRAME_ANSWER)) {
        errno = EPROTO;
        return false;
    }
    if (!io_receive(channel->fd, &channel->in, FRAME_HEADER_LEN + (size_t)header.length,
                    deadline)) {
        return false;
    }
    if (channel->in.len != FRAME_HEADER_LEN + (size_t)header.length) {
        errno = EPROTO;
        return false;
    }
    return true;
}

/* A connection from before the peer's restart fails without one byte of an answer: then, and only
 * then, it is asked again. */
static enum attempt attempt(struct channel *channel, uint8_t kind, struct deadline deadline)
{
    buffer_reset(&channel->in);
    if (io_send_with(channel->fd, buffer_span(&channel->out), channel->passed, deadline) &&
        receive_frame(channel, kind, deadline)) {
        return ATTEMPT_DONE;
    }
    bool stale = channel->in.len == 0 && (errno == 0 || errno == EPIPE || errno == ECONNRESET);
    fd_close(&channel->fd);
    return stale ? ATTEMPT_STALE : ATTEMPT_FAILED;
}

static enum outcome describe_failure(const struct channel *channel, int error, struct reason *why)
{
    switch (error) {
    case ETIMEDOUT:
    case EAGAIN: /* connect(2) behind a full backlog */
        return refuse(why, OUTCOME_DEADLINE, "%s did not answer in time", channel->peer);
    case EPROTO:
        return refuse(why, OUTCOME_INTERNAL, "%s answered in an unknown form", channel->peer);
    default:
        return refuse(why, OUTCOME_UNAVAILABLE, "%s is not there: %s", channel->peer,
                      error == 0 ? "it closed the connection" : strerror(error));
    }
}

static enum attempt ask(struct channel *channel, uint8_t kind, struct deadline deadline)
{
    bool fresh = channel->fd < 0;
    for (;;) {
        if (channel->fd < 0) {
            channel->fd = channel_connect(channel->path, deadline);
        }
        if (channel->fd < 0) {
            return ATTEMPT_FAILED;
        }
        enum attempt result = attempt(channel, kind, deadline);
        if (result != ATTEMPT_STALE || fresh) {
            return result;
        }
        fresh = true;
    }
}

enum outcome channel_call(struct channel *channel, struct deadline deadline, struct reader *answer,
                          struct reason *why)
{
    buffer_trim(&channel->in, KEEP_ROOM);
    if (!frame_end(&channel->out)) {
        return refuse(why, OUTCOME_TOO_LARGE, "a question to %s is too large", channel->peer);
    }
    enum attempt result = ask(channel, channel->out.data[3], deadline);
    int error = errno;
    buffer_trim(&channel->out, KEEP_ROOM);
    if (result != ATTEMPT_DONE) {
        return describe_failure(channel, error, why);
    }
    *answer = reader_of(span_part(buffer_span(&channel->in), FRAME_HEADER_LEN, SIZE_MAX));
    enum outcome outcome = frame_get_outcome(answer, why);
    if (answer->failed) {
        fd_close(&channel->fd);
    }
    return outcome;
}
