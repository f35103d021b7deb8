/* SPDX-License-Identifier: Apache-2.0
 * Lanes: connections to qseald that carry one question each at a time. They are opened when they
 * are needed and kept. The last one that became free is used first, so that few of them are busy
 * when little is asked. */
#include "roles/httpd/httpd.h"

#include "base/fd.h"
#include "base/log.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { READ_CHUNK = 8 * 1024, RETRY_MS = 20 };

bool lanes_init(struct httpd *httpd)
{
    httpd->lanes = calloc(LANES_MAX, sizeof *httpd->lanes);
    for (size_t i = 0; httpd->lanes != NULL && i < LANES_MAX; i++) {
        httpd->lanes[i] = (struct lane){.watch = WATCH_LANE, .fd = -1};
    }
    return httpd->lanes != NULL;
}

void lanes_fini(struct httpd *httpd)
{
    free(httpd->lanes);
    httpd->lanes = NULL;
}

static void lane_close(struct httpd *httpd, struct lane *lane)
{
    for (struct lane **at = &httpd->idle; *at != NULL; at = &(*at)->idle) {
        if (*at == lane) {
            *at = lane->idle;
            break;
        }
    }
    fd_close(&lane->fd);
    lane->idle = NULL;
    lane->question = NULL;
    httpd->n_lanes--;
}

static void lane_free(struct httpd *httpd, struct lane *lane)
{
    lane->question = NULL;
    bool leaving = httpd->stop_at_ms != 0 && httpd->turn_first == NULL;
    if (leaving || httpd->n_lanes > httpd->settings.channels) { /* or the limit was lowered */
        lane_close(httpd, lane);
        return;
    }
    lane->idle = httpd->idle;
    httpd->idle = lane;
    httpd->dispatch_pending = true;
}

/* The lane's peer has gone or spoke nonsense. A signature that was made and not received is made
 * again and released once. */
static void lane_break(struct httpd *httpd, struct lane *lane)
{
    struct question *question = lane->question;
    lane_close(httpd, lane);
    if (question == NULL) {
        return;
    }
    if (question->peer == NULL) {
        question_done(httpd, question);
        return;
    }
    if (!question->asked_again && peer_may_ask(httpd, question->peer)) {
        question->asked_again = true;
        question_wait_again(httpd, question);
        return;
    }
    struct peer *peer = question->peer;
    question_done(httpd, question);
    peer_refuse_asked(httpd, peer, OUTCOME_UNAVAILABLE, "the signing service did not answer");
}

static int lane_connect(const struct httpd *httpd)
{
    struct sockaddr_un address;
    if (!fd_unix_address(httpd->path, &address)) {
        return -1;
    }
    FD_CLEANUP int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        return -1;
    }
    /* Numbers of callers mean nothing to a qseald that did not give them: if the one that did is
     * gone, this may already be the next one's ear. */
    if (!door_is_alive(httpd)) {
        errno = ECONNREFUSED;
        return -1;
    }
    return fd_steal(&fd);
}

static bool lane_is_free(const struct httpd *httpd)
{
    return httpd->idle != NULL ||
           (httpd->n_lanes < httpd->settings.channels && httpd->n_lanes < LANES_MAX);
}

/* A free lane, opened if need be. NULL with errno, EAGAIN when qseald's backlog is full. */
static struct lane *lane_take(struct httpd *httpd)
{
    struct lane *lane = httpd->idle;
    if (lane != NULL) {
        httpd->idle = lane->idle;
        lane->idle = NULL;
        return lane;
    }
    FD_CLEANUP int fd = lane_connect(httpd);
    if (fd < 0) {
        return NULL;
    }
    lane = httpd->lanes;
    while (lane->fd >= 0) {
        lane++;
    }
    if (!loop_watch(httpd, fd, &lane->watch, EPOLLIN)) {
        return NULL;
    }
    lane->fd = fd_steal(&fd);
    lane->wants_room = false;
    httpd->n_lanes++;
    return lane;
}

/* EPOLLOUT is asked for only while a question does not fit into the socket: otherwise each one that
 * qseald reads would wake us for nothing. */
static void lane_want_room(struct httpd *httpd, struct lane *lane, bool wanted)
{
    if (lane->wants_room == wanted) {
        return;
    }
    lane->wants_room = wanted;
    loop_rewatch(httpd, lane->fd, &lane->watch, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void lane_send(struct httpd *httpd, struct lane *lane)
{
    const struct buffer *frame = &lane->question->frame;
    while (lane->sent < frame->len) {
        ssize_t sent = send(lane->fd, frame->data + lane->sent, frame->len - lane->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && errno == EAGAIN) {
            lane_want_room(httpd, lane, true);
            return;
        }
        if (sent < 0) {
            lane_break(httpd, lane);
            return;
        }
        lane->sent += (size_t)sent;
    }
    lane_want_room(httpd, lane, false);
}

static void lane_ask(struct httpd *httpd, struct lane *lane, struct question *question)
{
    buffer_reset(&question->reply);
    lane->question = question;
    lane->sent = 0;
    lane->want = 0;
    question_carried(question, lane);
    lane_send(httpd, lane);
}

/* No lane can be opened, and none is there that will become free. */
static void refuse_waiting(struct httpd *httpd)
{
    log_warning("qseald cannot be reached: %s", strerror(errno));
    struct question *question;
    while ((question = question_next(httpd)) != NULL) {
        struct peer *peer = question->peer;
        question_done(httpd, question);
        peer_refuse_asked(httpd, peer, OUTCOME_UNAVAILABLE, "the signing service is not there");
    }
}

void lanes_dispatch(struct httpd *httpd)
{
    httpd->dispatch_pending = false;
    while (lane_is_free(httpd) && questions_turn(httpd)) {
        struct lane *lane = lane_take(httpd);
        if (lane != NULL) {
            lane_ask(httpd, lane, question_next(httpd));
            continue;
        }
        if (httpd->n_lanes > 0) {
            return;
        }
        if (errno != EAGAIN) {
            refuse_waiting(httpd);
            return;
        }
        httpd->dispatch_pending = true; /* qseald's backlog is full */
        loop_arm(httpd, httpd->now_ms + RETRY_MS);
        return;
    }
}

/* Learns the length of the reply from its header. False: not a reply of ours. */
static bool lane_measure(struct lane *lane)
{
    const struct buffer *reply = &lane->question->reply;
    struct frame_header header;
    if (lane->want > 0 || reply->len < FRAME_HEADER_LEN) {
        return lane->want == 0 || reply->len <= lane->want;
    }
    if (!frame_parse_header(reply->data, FRAME_PAYLOAD_MAX, &header) ||
        header.kind != (SIGNING_KIND_ASK | FRAME_ANSWER)) {
        return false;
    }
    lane->want = FRAME_HEADER_LEN + header.length;
    return reply->len <= lane->want;
}

static void lane_finish(struct httpd *httpd, struct lane *lane)
{
    struct question *question = lane->question;
    struct peer *peer = question->peer;
    struct reader reader =
        reader_of(span_part(buffer_span(&question->reply), FRAME_HEADER_LEN, question->reply.len));
    struct signing_answer answer;
    if (!signing_get_answer(&reader, &answer)) {
        log_error("an answer of qseald could not be read");
        lane_break(httpd, lane);
        return;
    }
    lane_free(httpd, lane);
    question_done(httpd, question);
    if (peer != NULL) {
        answers_give(httpd, peer, &answer);
    }
}

enum progress { PROGRESS_WAIT, PROGRESS_DONE, PROGRESS_BROKEN };

static enum progress lane_receive(struct lane *lane)
{
    struct buffer *reply = &lane->question->reply;
    for (;;) {
        size_t had = reply->len;
        size_t room = lane->want > had ? lane->want - had : READ_CHUNK;
        uint8_t *at = buffer_extend(reply, room);
        if (at == NULL) {
            return PROGRESS_BROKEN;
        }
        ssize_t got = recv(lane->fd, at, room, MSG_DONTWAIT);
        buffer_cut(reply, had + (got > 0 ? (size_t)got : 0));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EAGAIN) {
            return PROGRESS_WAIT;
        }
        if (got <= 0 || !lane_measure(lane)) {
            return PROGRESS_BROKEN;
        }
        if (lane->want > 0 && reply->len == lane->want) {
            return PROGRESS_DONE;
        }
        if ((size_t)got < room) { /* the socket is empty; more will be a new edge */
            return PROGRESS_WAIT;
        }
    }
}

/* An idle lane has nothing to say: bytes or an end are both the end of it. */
static bool lane_is_quiet(const struct lane *lane)
{
    char byte;
    return recv(lane->fd, &byte, sizeof byte, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

void lane_event(struct httpd *httpd, struct lane *lane)
{
    if (lane->fd < 0) {
        return;
    }
    if (lane->question == NULL) {
        if (!lane_is_quiet(lane)) {
            lane_close(httpd, lane);
        }
        return;
    }
    if (lane->sent < lane->question->frame.len) {
        lane_send(httpd, lane);
        if (lane->question == NULL) {
            return;
        }
    }
    switch (lane_receive(lane)) {
    case PROGRESS_WAIT:
        return;
    case PROGRESS_DONE:
        lane_finish(httpd, lane);
        return;
    case PROGRESS_BROKEN:
        lane_break(httpd, lane);
        return;
    }
}

void lanes_scan(struct httpd *httpd, int64_t *next_ms)
{
    for (size_t i = 0; httpd->n_lanes > 0 && i < LANES_MAX; i++) {
        struct lane *lane = &httpd->lanes[i];
        struct question *question = lane->question;
        if (question == NULL) {
            continue;
        }
        if (question->deadline_ms > httpd->now_ms) {
            *next_ms = question->deadline_ms < *next_ms ? question->deadline_ms : *next_ms;
            continue;
        }
        struct peer *peer = question->peer;
        log_warning("qseald did not answer within %u ms", httpd->settings.deadline_ms);
        lane_close(httpd, lane);
        httpd->dispatch_pending = true; /* another one may be opened now */
        question_done(httpd, question);
        if (peer != NULL) {
            peer_refuse_asked(httpd, peer, OUTCOME_DEADLINE, "no answer within the deadline");
        }
    }
}

void lanes_trim(struct httpd *httpd)
{
    while (httpd->idle != NULL) {
        lane_close(httpd, httpd->idle);
    }
}

void lanes_close(struct httpd *httpd)
{
    for (size_t i = 0; i < LANES_MAX; i++) {
        struct lane *lane = &httpd->lanes[i];
        struct question *question = lane->question;
        if (lane->fd >= 0) {
            lane_close(httpd, lane);
        }
        if (question != NULL) {
            question_done(httpd, question);
        }
    }
}
