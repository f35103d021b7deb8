/* SPDX-License-Identifier: Apache-2.0
 * Callers' connections: their life, and every time limit on them. libmicrohttpd knows only
 * inactivity, which one byte per second defeats, so it gets no time limits at all; whoever is over
 * ours is shut down, and the library sees an end of file. */
#include "roles/httpd/httpd.h"

#include "base/fd.h"
#include "base/log.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* While we stop, what has no request on its way is not closed at once: the next request gets its
 * answer and is told to use another connection, so a busy caller loses nothing. */
enum {
    LAST_IDLE_MS = 250,  /* for callers who have been here */
    LATE_IDLE_MS = 1000, /* for the first byte of one who was handed over after that */
};

bool peer_may_ask(const struct httpd *httpd, const struct peer *peer)
{
    return peer->door == httpd->door.generation && httpd->door.ready && !httpd->door.draining;
}

bool peer_is_closing(const struct httpd *httpd, const struct peer *peer)
{
    return httpd->stop_at_ms != 0 || !peer_may_ask(httpd, peer);
}

/* Whether libmicrohttpd still has to read of it or to write to it. */
static bool is_in_engine(enum peer_state state)
{
    return state == PEER_HEAD || state == PEER_BODY || state == PEER_SWALLOW ||
           state == PEER_REPLYING;
}

void peer_enter(struct httpd *httpd, struct peer *peer, enum peer_state state, int64_t for_ms)
{
    httpd->n_in_engine -= is_in_engine(peer->state) ? 1 : 0;
    httpd->n_in_engine += is_in_engine(state) ? 1 : 0;
    peer->state = state;
    peer->deadline_ms = httpd->now_ms + for_ms;
    loop_arm(httpd, peer->deadline_ms);
}

static void peer_link(struct httpd *httpd, struct peer *peer)
{
    peer->next = httpd->peers;
    if (peer->next != NULL) {
        peer->next->previous = peer;
    }
    httpd->peers = peer;
    httpd->n_peers++;
}

static void peer_unlink(struct httpd *httpd, struct peer *peer)
{
    if (peer->next != NULL) {
        peer->next->previous = peer->previous;
    }
    if (peer->previous != NULL) {
        peer->previous->next = peer->next;
    } else {
        httpd->peers = peer->next;
    }
    httpd->n_peers--;
}

/* Before it is linked and known to libmicrohttpd. */
static struct peer *peer_new(struct httpd *httpd, int fd, const struct door_caller *caller)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL) {
        return NULL;
    }
    peer->queue = queue_of(httpd, caller->uid);
    if (peer->queue == NULL) {
        free(peer);
        return NULL;
    }
    peer->watch = WATCH_PEER;
    peer->number = caller->connection;
    peer->in_flight_max = caller->in_flight;
    peer->door = httpd->door.generation;
    peer->fd = fd;
    return peer;
}

void peer_drop_question(struct httpd *httpd, struct peer *peer)
{
    struct question *question = peer->question;
    peer->question = NULL;
    if (question == NULL) {
        return;
    }
    question->peer = NULL;
    if (question->queue == NULL) { /* answered */
        question_give_back(httpd, question);
        return;
    }
    if (question->lane == NULL) {
        question_withdraw(httpd, question);
        question_done(httpd, question);
    }
}

void peer_free(struct httpd *httpd, struct peer *peer)
{
    httpd->n_in_engine -= is_in_engine(peer->state) ? 1 : 0;
    loop_unwatch(httpd, peer->fd);
    peer_drop_question(httpd, peer);
    peer_unlink(httpd, peer);
    door_say_closed(httpd, peer);
    queue_release(httpd, peer->queue);
    free(peer);
}

static void peer_shut(struct peer *peer)
{
    (void)shutdown(peer->fd, SHUT_RDWR);
}

/* Ends an idle connection. A request that is already in the socket is still served, and the next
 * one cannot be sent any more: none is swallowed in between. */
static void peer_hush(struct httpd *httpd, struct peer *peer)
{
    (void)shutdown(peer->fd, SHUT_RD);
    httpd->engine_pending = true;
}

static int64_t idle_ms(const struct httpd *httpd, int64_t last_ms)
{
    int64_t usual_ms = httpd->settings.idle_ms;
    return httpd->stop_at_ms == 0 || usual_ms < last_ms ? usual_ms : last_ms;
}

/* A connection that never became a peer. */
static void turn_away(struct httpd *httpd, uint64_t number)
{
    struct peer nobody = {.number = number, .door = httpd->door.generation};
    door_say_closed(httpd, &nobody);
}

/* libmicrohttpd reads it before the loop comes to its first edge, which then says nothing. */
static bool has_begun(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    return poll(&look, 1, 0) > 0 && (look.revents & POLLIN) != 0;
}

void peer_add(struct httpd *httpd, int fd, const struct door_caller *caller)
{
    static const struct sockaddr nowhere = {.sa_family = AF_UNIX};
    FD_CLEANUP int owned = fd;
    if (fd < 0 || httpd->n_peers >= httpd->settings.connections || httpd->door.draining) {
        turn_away(httpd, caller->connection);
        return;
    }
    struct peer *peer = peer_new(httpd, fd, caller);
    if (peer == NULL) {
        turn_away(httpd, caller->connection);
        return;
    }
    peer_link(httpd, peer);
    peer_enter(httpd, peer, PEER_IDLE, idle_ms(httpd, LATE_IDLE_MS));
    httpd->adding = peer;
    /* libmicrohttpd closes it in any case. */
    enum MHD_Result added =
        MHD_add_connection(httpd->engine, fd_steal(&owned), &nowhere, sizeof nowhere.sa_family);
    if (httpd->adding != NULL) { /* refused before it was announced */
        httpd->adding = NULL;
        peer_free(httpd, peer);
        return;
    }
    if (added != MHD_YES) { /* or after that, and the peer is freed already */
        return;
    }
    httpd->engine_pending = true;
    if (!loop_watch(httpd, fd, &peer->watch, EPOLLIN)) { /* bytes that are there already count */
        peer_shut(peer);
    }
    if (has_begun(fd)) {
        peer_enter(httpd, peer, PEER_HEAD, httpd->settings.head_ms);
    }
}

/* A suspended connection does not notice that its caller left. */
static void peer_leave(struct httpd *httpd, struct peer *peer)
{
    peer_drop_question(httpd, peer);
    peer_enter(httpd, peer, PEER_LEFT, httpd->settings.idle_ms);
    MHD_resume_connection(peer->connection);
    httpd->engine_pending = true;
}

void peer_event(struct httpd *httpd, struct peer *peer, uint32_t events)
{
    if (peer->state == PEER_ASKED) { /* suspended: more bytes can wait */
        if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
            peer_leave(httpd, peer);
        }
        return;
    }
    httpd->engine_pending = true;
    /* The kernel looks once more when it delivers an edge, so in between requests this is a byte
     * that has not been read yet: a head has begun. */
    if (peer->state == PEER_IDLE && (events & EPOLLIN) != 0) {
        peer_enter(httpd, peer, PEER_HEAD, httpd->settings.head_ms);
    }
}

void peer_request_over(struct httpd *httpd, struct peer *peer)
{
    peer_drop_question(httpd, peer);
    peer_enter(httpd, peer, PEER_IDLE, idle_ms(httpd, LAST_IDLE_MS));
    if (!peer_may_ask(httpd, peer)) {
        peer_hush(httpd, peer);
    }
}

void peers_drain(struct httpd *httpd)
{
    for (struct peer *peer = httpd->peers; peer != NULL; peer = peer->next) {
        if (peer->state != PEER_IDLE || !peer_is_closing(httpd, peer)) {
            continue;
        }
        if (!peer_may_ask(httpd, peer)) {
            peer_hush(httpd, peer);
            continue;
        }
        peer_enter(httpd, peer, PEER_IDLE, idle_ms(httpd, LAST_IDLE_MS));
    }
}

void peer_refuse_asked(struct httpd *httpd, struct peer *peer, enum outcome outcome,
                       const char *detail)
{
    if (!answers_refuse(httpd, peer, outcome, detail)) {
        peer_shut(peer);
        peer_leave(httpd, peer);
    }
}

void peers_refuse_all(struct httpd *httpd, const char *detail)
{
    for (struct peer *peer = httpd->peers; peer != NULL; peer = peer->next) {
        if (peer->state != PEER_ASKED) {
            continue;
        }
        struct question *question = peer->question;
        if (question->lane == NULL) {
            question_withdraw(httpd, question);
            question_done(httpd, question);
        } else { /* the lane keeps it until it is closed */
            question->peer = NULL;
            peer->question = NULL;
        }
        peer_refuse_asked(httpd, peer, OUTCOME_UNAVAILABLE, detail);
    }
}

static void peer_overdue(struct httpd *httpd, struct peer *peer)
{
    static const char *const doing[] = {
        [PEER_IDLE] = NULL,
        [PEER_HEAD] = "sending a request head",
        [PEER_BODY] = "sending a request body",
        [PEER_SWALLOW] = "sending a body that was refused",
        [PEER_ASKED] = NULL,
        [PEER_REPLYING] = "taking an answer",
        [PEER_LEFT] = NULL,
    };
    if (peer->state == PEER_ASKED) { /* in a lane it is the lane's deadline: lanes_scan() */
        question_withdraw(httpd, peer->question);
        question_done(httpd, peer->question);
        peer_refuse_asked(httpd, peer, OUTCOME_DEADLINE, "no answer within the deadline");
        return;
    }
    peer->deadline_ms = INT64_MAX;
    if (peer->state == PEER_IDLE) {
        peer_hush(httpd, peer);
        return;
    }
    if (doing[peer->state] != NULL && log_limit_allows(&httpd->said)) {
        log_info("uid %u is too slow in %s; its connection is closed", peer->queue->uid,
                 doing[peer->state]);
    }
    peer_shut(peer);
    httpd->engine_pending = true;
}

void peers_scan(struct httpd *httpd, int64_t *next_ms)
{
    for (struct peer *peer = httpd->peers; peer != NULL; peer = peer->next) {
        if (peer->deadline_ms <= httpd->now_ms &&
            (peer->state != PEER_ASKED || peer->question->lane == NULL)) {
            peer_overdue(httpd, peer);
        }
        *next_ms = peer->deadline_ms < *next_ms ? peer->deadline_ms : *next_ms;
    }
}
