/* SPDX-License-Identifier: Apache-2.0
 * Peers and questions of qseal-httpd where the program as a whole cannot be brought to fail: its
 * library and its other parts are played by the test. */
#include "roles/httpd/httpd.h"

#include "base/fd.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* How MHD_add_connection() ends: as libmicrohttpd does it without memory, and when its own
 * epoll_ctl(2) fails after it has announced the connection. */
static enum { ADD_GOOD, ADD_FAILS_FIRST, ADD_FAILS_LAST } adding;
static struct httpd *room;
static unsigned int watched, closed;

enum MHD_Result MHD_add_connection(struct MHD_Daemon *daemon, MHD_socket fd,
                                   const struct sockaddr *address, socklen_t address_len)
{
    (void)daemon;
    (void)address;
    (void)address_len;
    struct peer *peer = room->adding;
    if (adding != ADD_FAILS_FIRST) {
        room->adding = NULL; /* engine.c, at STARTED */
    }
    if (adding == ADD_FAILS_LAST) {
        peer_free(room, peer); /* engine.c, at CLOSED */
    }
    if (adding != ADD_GOOD) {
        fd_close(&fd);
    }
    return adding == ADD_GOOD ? MHD_YES : MHD_NO;
}

void MHD_resume_connection(struct MHD_Connection *connection)
{
    (void)connection;
}

void loop_arm(struct httpd *httpd, int64_t at_ms)
{
    (void)httpd;
    (void)at_ms;
}

bool loop_watch(struct httpd *httpd, int fd, enum watch *watch, uint32_t events)
{
    (void)httpd;
    (void)events;
    watched++;
    return fd >= 0 && *watch == WATCH_PEER;
}

void loop_unwatch(struct httpd *httpd, int fd)
{
    (void)httpd;
    (void)fd;
}

void door_say_closed(struct httpd *httpd, const struct peer *peer)
{
    (void)httpd;
    assert_int_equal(peer->number, 7);
    closed++;
}

bool answers_refuse(struct httpd *httpd, struct peer *peer, enum outcome outcome,
                    const char *detail)
{
    (void)httpd;
    (void)peer;
    (void)outcome;
    (void)detail;
    return true;
}

static const struct door_caller caller = {.connection = 7, .uid = 1000, .in_flight = 100};

/* The caller's end. */
static int add(struct httpd *httpd)
{
    int ends[2] = {-1, -1};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    room = httpd;
    watched = closed = 0;
    peer_add(httpd, ends[1], &caller);
    return ends[0];
}

static void assert_gone(const struct httpd *httpd, int fd)
{
    char byte;
    assert_int_equal(closed, 1);
    assert_int_equal(watched, 0);
    assert_int_equal(httpd->n_peers, 0);
    assert_null(httpd->peers);
    assert_null(httpd->adding);
    assert_null(httpd->queues);
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
}

static void test_library_refuses_a_connection(void **state)
{
    (void)state;
    struct httpd httpd = {.settings = {.connections = 2, .idle_ms = 1}};
    adding = ADD_FAILS_FIRST;
    FD_CLEANUP int first = add(&httpd);
    assert_gone(&httpd, first);
    adding = ADD_FAILS_LAST; /* the peer is freed when the call is over */
    FD_CLEANUP int second = add(&httpd);
    assert_gone(&httpd, second);
    closed = 0;
    peer_add(&httpd, -1, &caller); /* its descriptor did not arrive */
    assert_int_equal(closed, 1);
    assert_int_equal(httpd.n_peers, 0);
}

static void test_a_head_that_was_there_before(void **state)
{
    (void)state;
    struct httpd httpd = {.settings = {.connections = 2, .idle_ms = 5000, .head_ms = 100}};
    int ends[2] = {-1, -1};
    adding = ADD_GOOD;
    FD_CLEANUP int quiet = add(&httpd);
    assert_int_equal(httpd.peers->state, PEER_IDLE);
    assert_int_equal(httpd.peers->deadline_ms, 5000);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(send(ends[0], "GET", 3, MSG_NOSIGNAL), 3);
    peer_add(&httpd, ends[1], &caller);
    assert_int_equal(httpd.peers->state, PEER_HEAD);
    assert_int_equal(httpd.peers->deadline_ms, 100);
    while (httpd.peers != NULL) {
        int fd = httpd.peers->fd;
        peer_free(&httpd, httpd.peers);
        fd_close(&fd);
    }
    fd_close(&ends[0]);
    assert_true(quiet >= 0);
}

static void test_few_idle_questions_are_kept(void **state)
{
    (void)state;
    enum { MANY = 100, KEPT = 64 };
    struct httpd httpd = {.settings = {.connections = MANY, .idle_ms = 1, .channels = 1}};
    const char *detail = NULL;
    adding = ADD_GOOD;
    int ends[MANY];
    for (size_t i = 0; i < MANY; i++) {
        ends[i] = add(&httpd);
        assert_int_equal(question_begin(&httpd, httpd.peers, 10, &detail), OUTCOME_OK);
        assert_int_equal(httpd.held, 10 * (i + 1));
    }
    assert_int_equal(httpd.queues->in_flight, MANY);
    assert_int_equal(question_begin(&httpd, httpd.peers, 0, &detail), OUTCOME_LIMIT);
    assert_string_equal(detail, "too many requests of this user at once");
    while (httpd.peers != NULL) {
        int fd = httpd.peers->fd;
        peer_free(&httpd, httpd.peers);
        fd_close(&fd);
    }
    assert_int_equal(httpd.n_pool, KEPT);
    assert_int_equal(httpd.held, 0);
    assert_null(httpd.queues);
    for (size_t i = 0; i < MANY; i++) {
        fd_close(&ends[i]);
    }
    questions_free(&httpd);
    assert_null(httpd.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_library_refuses_a_connection),
        cmocka_unit_test(test_a_head_that_was_there_before),
        cmocka_unit_test(test_few_idle_questions_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
