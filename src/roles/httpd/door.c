/* SPDX-License-Identifier: Apache-2.0
 * The door: the connection over which qseald hands in callers, each with the number by which we
 * name it and the descriptor that is its socket. Losing it means that qseald is gone and the
 * numbers with it, so everything that hangs on it ends, and we knock again until there is one.
 *
 * When we stop we say so through it. qseald then hands over nobody any more and shuts its side for
 * writing: we read to that end, so that no caller is lost on the way, and go on saying CLOSED. */
#include "roles/httpd/httpd.h"

#include "base/fd.h"
#include "base/log.h"
#include "wire/frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

enum {
    BACKOFF_FIRST_MS = 50,
    BACKOFF_LAST_MS = 1000,
    FRAME_MAX = 256, /* no frame of the door is near this */
    CONTROL_FDS = 4,
    SPARE_FDS = 16, /* beside callers and lanes: signals, epoll sets, the door, the log */
};

/* Closes it, with everything that hangs on it. */
static void lose(struct httpd *httpd, const char *why)
{
    struct door *door = &httpd->door;
    bool had_it = door->ready;
    fd_close(&door->fd);
    while (door->n_fds > 0) {
        fd_close(&door->fds[--door->n_fds]);
    }
    door->generation++;
    door->ready = false;
    door->draining = false;
    door->leaving = false;
    door->ended = false;
    door->backoff_ms *= 2;
    if (door->backoff_ms < BACKOFF_FIRST_MS || had_it) {
        door->backoff_ms = BACKOFF_FIRST_MS;
    }
    if (door->backoff_ms > BACKOFF_LAST_MS) {
        door->backoff_ms = BACKOFF_LAST_MS;
    }
    door->retry_at_ms = httpd->now_ms + door->backoff_ms;
    loop_arm(httpd, door->retry_at_ms);
    if (!had_it) {
        log_debug("no door to qseald: %s", why);
        return;
    }
    log_warning("the door to qseald is lost: %s", why);
    (void)sd_notify(0, "STATUS=waiting for qseald");
    peers_refuse_all(httpd, "the signing service was lost");
    lanes_close(httpd);
    peers_drain(httpd);
}

static bool door_connect(struct httpd *httpd)
{
    struct door *door = &httpd->door;
    struct sockaddr_un address;
    if (!fd_unix_address(httpd->path, &address)) {
        return false;
    }
    FD_CLEANUP int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        !loop_watch(httpd, fd, &door->watch, EPOLLIN)) {
        return false;
    }
    door->wants_room = false;
    door->fd = fd_steal(&fd);
    buffer_reset(&door->in);
    frame_begin(&door->out, SIGNING_KIND_DOOR);
    door_put_front(&door->out, &httpd->about);
    return frame_end(&door->out);
}

void door_tick(struct httpd *httpd)
{
    struct door *door = &httpd->door;
    if (door->fd >= 0 || httpd->stop_at_ms != 0) {
        return;
    }
    if (httpd->now_ms < door->retry_at_ms) {
        loop_arm(httpd, door->retry_at_ms);
        return;
    }
    if (!door_connect(httpd)) {
        lose(httpd, strerror(errno));
    }
}

/* The other side has closed, which is more than that it will write no more. */
static bool is_hung_up(int fd)
{
    struct pollfd look = {.fd = fd};
    return poll(&look, 1, 0) > 0;
}

bool door_is_alive(const struct httpd *httpd)
{
    return httpd->door.fd >= 0 && !is_hung_up(httpd->door.fd);
}

bool door_is_done(const struct httpd *httpd)
{
    return httpd->door.fd < 0 || httpd->door.ended;
}

void door_leave(struct httpd *httpd)
{
    struct door *door = &httpd->door;
    if (door->fd < 0) {
        return;
    }
    door->leaving = true;
    frame_begin(&door->one, DOOR_KIND_DRAIN);
    door->out.failed |= !frame_end(&door->one);
    buffer_put_span(&door->out, buffer_span(&door->one));
}

void door_say_closed(struct httpd *httpd, const struct peer *peer)
{
    struct door *door = &httpd->door;
    if (door->fd < 0 || peer->door != door->generation) {
        return;
    }
    frame_begin(&door->one, DOOR_KIND_CLOSED);
    buffer_put_u64(&door->one, peer->number);
    door->out.failed |= !frame_end(&door->one);
    buffer_put_span(&door->out, buffer_span(&door->one));
}

void door_flush(struct httpd *httpd)
{
    struct door *door = &httpd->door;
    if (door->fd < 0 || door->out.len == 0) {
        return;
    }
    if (!buffer_ok(&door->out)) {
        lose(httpd, "it does not read what we say");
        return;
    }
    ssize_t sent = send(door->fd, door->out.data, door->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        lose(httpd, strerror(errno));
        return;
    }
    size_t done = sent > 0 ? (size_t)sent : 0;
    memmove(door->out.data, door->out.data + done, door->out.len - done);
    door->out.len -= done;
    bool wants_room = door->out.len > 0;
    if (wants_room != door->wants_room) {
        door->wants_room = wants_room;
        loop_rewatch(httpd, door->fd, &door->watch, wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
}

/* Each caller and each lane is a descriptor. With too few of them callers are turned away that
 * qseald let in. */
static void compare_with_descriptors(const struct door_settings *settings)
{
    struct rlimit files;
    rlim_t needed = (rlim_t)settings->connections + settings->channels + SPARE_FDS;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < needed) {
        log_warning("%llu descriptors are too few for %u connections: raise LimitNOFILE to %llu",
                    (unsigned long long)files.rlim_cur, settings->connections,
                    (unsigned long long)needed);
    }
}

static bool take_settings(struct httpd *httpd, struct reader *frame)
{
    struct door *door = &httpd->door;
    if (!door_get_settings(frame, &httpd->settings)) {
        return false;
    }
    compare_with_descriptors(&httpd->settings);
    if (door->ready) {
        log_info("qseald sent new settings");
        return true;
    }
    door->ready = true;
    door->backoff_ms = 0;
    log_info("the door to qseald is open");
    (void)sd_notify(0, httpd->ready_said ? "STATUS=serving" : "READY=1\nSTATUS=serving");
    httpd->ready_said = true;
    return true;
}

static bool take_caller(struct httpd *httpd, struct reader *frame)
{
    struct door *door = &httpd->door;
    struct door_caller caller;
    if (!door_get_caller(frame, &caller) || !door->ready || door->n_fds == 0) {
        return false;
    }
    int fd = door->fds[0];
    door->fds[0] = door->fds[1];
    door->n_fds--;
    if (fd < 0 && log_limit_allows(&httpd->said)) {
        log_warning("uid %u is turned away: there is no descriptor left for it", caller.uid);
    }
    peer_add(httpd, fd, &caller);
    return true;
}

static bool take_drain(struct httpd *httpd, struct reader *frame)
{
    if (!reader_done(frame)) {
        return false;
    }
    log_info("qseald is draining");
    (void)sd_notify(0, "STATUS=draining");
    httpd->door.draining = true;
    peers_drain(httpd);
    return true;
}

static bool take_frame(struct httpd *httpd, uint8_t kind, struct span payload)
{
    struct reader frame = reader_of(payload);
    switch (kind) {
    case DOOR_KIND_SETTINGS:
        return take_settings(httpd, &frame);
    case DOOR_KIND_CALLER:
        return take_caller(httpd, &frame);
    case DOOR_KIND_DRAIN:
        return take_drain(httpd, &frame);
    default:
        return false;
    }
}

/* Takes the whole frames that are there. A descriptor arrives with the first byte of its frame and
 * at most one more can be waiting for the rest of its own. */
static bool take_frames(struct httpd *httpd)
{
    struct buffer *in = &httpd->door.in;
    size_t at = 0;
    while (in->len - at >= FRAME_HEADER_LEN) {
        struct frame_header header;
        if (!frame_parse_header(in->data + at, FRAME_MAX, &header)) {
            return false;
        }
        struct span rest = span_part(buffer_span(in), at + FRAME_HEADER_LEN, in->len);
        if (rest.len < header.length) {
            break;
        }
        if (!take_frame(httpd, header.kind, span_part(rest, 0, header.length))) {
            return false;
        }
        at += FRAME_HEADER_LEN + header.length;
    }
    if (at > 0) {
        memmove(in->data, in->data + at, in->len - at);
        buffer_cut(in, in->len - at);
    }
    return in->len > 0 || httpd->door.n_fds == 0;
}

static bool keep_fd(struct door *door, int fd)
{
    if (door->n_fds == COUNT_OF(door->fds)) {
        fd_close(&fd);
        return false;
    }
    door->fds[door->n_fds++] = fd;
    return true;
}

/* Keeps the descriptors of one message; more than there is room for are closed, and refused. Of one
 * that the kernel could not give us, as we have too many (unix(7)), -1 keeps the place: its frame
 * comes all the same. */
static bool keep_fds(struct door *door, struct msghdr *message)
{
    bool lost = (message->msg_flags & MSG_CTRUNC) != 0;
    bool good = true;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            good = keep_fd(door, fd) && good && !lost; /* none is lost while others come */
        }
    }
    return good && (!lost || keep_fd(door, -1));
}

/* One recvmsg: 1 something came, 0 nothing is there, -1 with a reason. */
static int door_receive(struct door *door, const char **why)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
    } control;
    size_t had = door->in.len;
    size_t room = door->in.max - had;
    uint8_t *at = buffer_extend(&door->in, room);
    if (at == NULL) {
        *why = strerror(ENOMEM);
        return -1;
    }
    struct iovec part = {.iov_base = at, .iov_len = room};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got = recvmsg(door->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    buffer_cut(&door->in, had + (got > 0 ? (size_t)got : 0));
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return errno == EINTR ? 1 : 0;
    }
    if (got == 0 && door->leaving && door->n_fds == 0 && had == 0 && !is_hung_up(door->fd)) {
        door->ended = true;
        return 0;
    }
    if (got <= 0) {
        *why = got == 0 ? "qseald closed it" : strerror(errno);
        return -1;
    }
    if (!keep_fds(door, &message)) {
        *why = "descriptors that belong to no frame came through it";
        return -1;
    }
    return 1;
}

void door_event(struct httpd *httpd)
{
    struct door *door = &httpd->door;
    const char *why = "";
    int got = door->fd >= 0 ? 1 : 0;
    while (got > 0) {
        got = door_receive(door, &why);
        if (got > 0 && !take_frames(httpd)) {
            why = "it does not speak as it should";
            got = -1;
        }
    }
    if (got < 0) {
        lose(httpd, why);
    }
}
