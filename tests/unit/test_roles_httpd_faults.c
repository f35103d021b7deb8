/* SPDX-License-Identifier: Apache-2.0
 * qseal-httpd when others fail, leave or are greedy. */
#include "httpd_rig.h"

#include "base/clock.h"
#include "base/fd.h"
#include "wire/frame.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct door_settings usual = {RIG_USUAL, .connections = 64};

static void test_deadline_in_a_lane(void **state)
{
    (void)state;
    struct door_settings settings = usual;
    settings.deadline_ms = 200;
    settings.channels = 1;
    struct rig rig;
    struct asked asked;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &settings);
    struct client client = rig_caller(&rig, 1000, 8);
    struct client waiting = rig_caller(&rig, 1000, 8);
    int64_t began_ms = clock_monotonic_ms();
    client_send(&client, get);
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    asked_fini(&asked);
    assert_false(client_hears(&client, 100));
    client_send(&waiting, get); /* its own time ends 100 ms later */
    assert_int_equal(client_read(&client, text), 504);
    assert_true(clock_monotonic_ms() - began_ms >= 199);
    assert_has(text, "urn:qseal:problem:deadline");
    assert_has(text, "no answer within the deadline");
    assert_lacks(text, "Connection: close");

    /* The silent lane is closed; whatever waits gets a new one. */
    struct client closed = {.fd = lane};
    client_expect_end(&closed);
    int again = rig_accept(&rig);
    rig_read(again, &asked);
    assert_int_equal(asked.request.connection, waiting.number);
    asked_fini(&asked);
    assert_int_equal(client_read(&waiting, text), 504);
    fd_close(&again);
    client_send(&client, get); /* the connection is still good */
    again = rig_accept(&rig);
    rig_answer_next(again, 0, "{}");
    client_expect_json(&client, "{}");
    fd_close(&again);
    fd_close(&lane);
    fd_close(&client.fd);
    fd_close(&waiting.fd);
    rig_stop(&rig);
}

static void test_lane_breaks(void **state)
{
    (void)state;
    struct rig rig;
    struct asked asked;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    struct client client = rig_caller(&rig, 1000, 8);
    client_send(&client, get);
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    asked_fini(&asked);
    fd_close(&lane);
    lane = rig_accept(&rig); /* asked once more */
    rig_answer_next(lane, 0, "{\"second\":1}");
    client_expect_json(&client, "{\"second\":1}");

    client_send(&client, get);
    rig_read(lane, &asked);
    asked_fini(&asked);
    fd_close(&lane);
    lane = rig_accept(&rig);
    rig_read(lane, &asked);
    asked_fini(&asked);
    fd_close(&lane); /* and no more */
    assert_int_equal(client_read(&client, text), 503);
    assert_has(text, "urn:qseal:problem:unavailable");
    assert_has(text, "the signing service did not answer");
    assert_has(text, "Retry-After: 1\r\n");

    /* An idle lane that ended is not used. */
    client_send(&client, get);
    lane = rig_accept(&rig);
    rig_answer_next(lane, 0, "{}");
    client_expect_json(&client, "{}");
    fd_close(&lane);
    client_send(&client, get);
    lane = rig_accept(&rig);
    rig_answer_next(lane, 0, "{\"third\":1}");
    client_expect_json(&client, "{\"third\":1}");

    /* Nonsense is no answer: the lane is closed, the question asked again. */
    client_send(&client, get);
    rig_read(lane, &asked);
    assert_int_equal(send(lane, "HTTP/1.1 200 OK\r\n", 17, MSG_NOSIGNAL), 17);
    struct client liar = {.fd = lane};
    client_expect_end(&liar);
    fd_close(&lane);
    lane = rig_accept(&rig);
    asked_fini(&asked);
    rig_answer_next(lane, 0, "{\"truth\":1}");
    client_expect_json(&client, "{\"truth\":1}");
    fd_close(&lane);
    fd_close(&client.fd);
    rig_stop(&rig);
}

static void test_client_leaves_while_it_waits(void **state)
{
    (void)state;
    struct door_settings settings = usual;
    settings.channels = 1;
    struct rig rig;
    struct asked asked;
    rig_start(&rig, &settings);
    struct client client = rig_caller(&rig, 1000, 8);
    struct client queued = rig_caller(&rig, 1000, 8);
    struct client other = rig_caller(&rig, 1000, 8);
    client_send(&client, get);
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    client_send(&queued, get);
    fd_close(&client.fd);
    rig_expect_closed(&rig, client.number); /* at once, not when the answer comes */
    fd_close(&queued.fd);
    rig_expect_closed(&rig, queued.number);
    client_send(&other, get);
    rig_answer_json(&asked, "{\"late\":1}"); /* thrown away */
    asked_fini(&asked);
    rig_read(lane, &asked); /* the queued question is never asked */
    assert_int_equal(asked.request.connection, other.number);
    rig_answer_json(&asked, "{\"mine\":1}");
    asked_fini(&asked);
    client_expect_json(&other, "{\"mine\":1}");

    /* Half-closing after the request is not leaving. */
    client_send(&other, get);
    assert_int_equal(shutdown(other.fd, SHUT_WR), 0);
    rig_answer_next(lane, 0, "{\"half\":1}");
    client_expect_json(&other, "{\"half\":1}");
    client_expect_end(&other);
    fd_close(&other.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

static void test_qseald_lost_and_back(void **state)
{
    (void)state;
    struct rig rig;
    struct asked asked;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    struct client asking = rig_caller(&rig, 1000, 8);
    struct client idle = rig_caller(&rig, 1000, 8);
    struct client sending = rig_caller(&rig, 1000, 8);
    client_send(&sending, "POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{");
    client_send(&asking, get);
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    asked_fini(&asked);
    fd_close(&rig.listener);
    fd_close(&rig.door);
    assert_int_equal(client_read(&asking, text), 503);
    assert_has(text, "the signing service was lost");
    assert_has(text, "Connection: close\r\n");
    client_expect_end(&asking);
    client_expect_end(&idle);
    struct client closed = {.fd = lane};
    client_expect_end(&closed);

    /* A new qseald: the numbers of the old one are never asked about. */
    rig_listen(&rig);
    rig_open_door(&rig);
    client_send(&sending, "}");
    assert_int_equal(client_read(&sending, text), 503);
    assert_has(text, "the signing service is not there");
    assert_has(text, "Connection: close\r\n");
    client_expect_end(&sending);
    rig.numbers = 100;
    struct client fresh = rig_caller(&rig, 1000, 8);
    client_send(&fresh, get);
    fd_close(&lane);
    lane = rig_accept(&rig);
    rig_read(lane, &asked);
    assert_int_equal(asked.request.connection, fresh.number);
    rig_answer_json(&asked, "{}");
    asked_fini(&asked);
    client_expect_json(&fresh, "{}");
    fd_close(&fresh.fd);
    rig_expect_closed(&rig, fresh.number); /* and nothing about the old ones */
    fd_close(&asking.fd);
    fd_close(&idle.fd);
    fd_close(&sending.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

static void test_drain(void **state)
{
    (void)state;
    struct rig rig;
    struct asked asked;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    struct client asking = rig_caller(&rig, 1000, 8);
    struct client idle = rig_caller(&rig, 1000, 8);
    client_send(&asking, get);
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    rig_say(&rig, DOOR_KIND_DRAIN);
    client_expect_end(&idle);
    rig_expect_closed(&rig, idle.number);
    rig_answer_json(&asked, "{\"last\":1}");
    asked_fini(&asked);
    assert_int_equal(client_read(&asking, text), 200);
    assert_has(text, "{\"last\":1}");
    assert_has(text, "Connection: close\r\n");
    client_expect_end(&asking);
    rig_expect_closed(&rig, asking.number);
    fd_close(&asking.fd);
    fd_close(&idle.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

/* One lane; a greedy user has eight questions waiting when a modest one asks twice. */
static void test_turns_between_users(void **state)
{
    (void)state;
    enum { GREEDY = 8 };
    struct door_settings settings = usual;
    settings.channels = 1;
    struct rig rig;
    struct asked asked;
    rig_start(&rig, &settings);
    struct client greedy[GREEDY];
    for (size_t i = 0; i < GREEDY; i++) {
        greedy[i] = rig_caller(&rig, 1000, 64);
        client_send(&greedy[i], get);
    }
    int lane = rig_accept(&rig);
    rig_read(lane, &asked); /* the rest of the greedy ones wait, or are on their way */
    assert_int_equal(asked.request.connection, greedy[0].number);
    struct client modest[2];
    for (size_t i = 0; i < 2; i++) {
        modest[i] = rig_caller(&rig, 1001, 64);
        client_send(&modest[i], get);
    }
    /* All of them are in httpd once it has answered somebody who came later. */
    struct client probe = rig_caller(&rig, 1002, 64);
    client_send(&probe, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    char text[RIG_TEXT_SIZE];
    assert_int_equal(client_read(&probe, text), 404);

    const uint64_t order[] = {greedy[1].number, modest[0].number, greedy[2].number,
                              modest[1].number, greedy[3].number, greedy[4].number,
                              greedy[5].number, greedy[6].number, greedy[7].number};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        rig_answer_json(&asked, "{}");
        asked_fini(&asked);
        rig_read(lane, &asked);
        assert_int_equal(asked.request.connection, order[i]);
    }
    rig_answer_json(&asked, "{}");
    asked_fini(&asked);
    for (size_t i = 0; i < GREEDY; i++) {
        client_expect_json(&greedy[i], "{}");
        fd_close(&greedy[i].fd);
    }
    for (size_t i = 0; i < 2; i++) {
        client_expect_json(&modest[i], "{}");
        fd_close(&modest[i].fd);
    }
    fd_close(&probe.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

/* Each caller's questions bear the number its own descriptor came with, whatever it sends. */
static void test_number_of_the_connection(void **state)
{
    (void)state;
    struct rig rig;
    struct asked asked;
    rig_start(&rig, &usual);
    struct client first = rig_caller(&rig, 1000, 8);
    struct client second = rig_caller(&rig, 1001, 8);
    int lane = -1;
    const struct client *const turns[] = {&second, &first, &first, &second};
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        client_send(turns[i], "GET /v1/keys HTTP/1.1\r\nHost: x\r\nQseal-Connection: 1\r\n\r\n");
        lane = lane < 0 ? rig_accept(&rig) : lane;
        rig_read(lane, &asked);
        assert_int_equal(asked.request.connection, turns[i]->number);
        rig_answer_json(&asked, "{}");
        asked_fini(&asked);
        client_expect_json(turns[i], "{}");
    }
    fd_close(&first.fd);
    fd_close(&second.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

static void send_caller_frame(struct rig *rig)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(64);
    struct door_caller caller = {.connection = 7, .uid = 1, .in_flight = 1};
    frame_begin(&frame, DOOR_KIND_CALLER);
    door_put_caller(&frame, &caller);
    assert_true(frame_end(&frame));
    assert_int_equal(send(rig->door, frame.data, frame.len, MSG_NOSIGNAL), frame.len);
}

/* A caller without a descriptor, an unknown frame, a frame of another protocol. */
static void test_door_that_speaks_nonsense(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, &usual);
    for (int i = 0; i < 3; i++) {
        struct client old = {.fd = rig.door};
        if (i == 0) {
            send_caller_frame(&rig);
        } else if (i == 1) {
            rig_say(&rig, 99);
        } else {
            assert_int_equal(send(rig.door, "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL), 16);
        }
        client_expect_end(&old);
        fd_close(&rig.door);
        rig_open_door(&rig);
    }
    struct client client = rig_caller(&rig, 1000, 8);
    client_send(&client, get);
    int lane = rig_accept(&rig);
    rig_answer_next(lane, 0, "{}");
    client_expect_json(&client, "{}");
    fd_close(&client.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

/* New settings on an open door hold from then on. */
static void test_new_settings(void **state)
{
    (void)state;
    struct rig rig;
    char text[RIG_TEXT_SIZE];
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(256);
    rig_start(&rig, &usual);
    rig.settings.body_max = 1;
    frame_begin(&frame, DOOR_KIND_SETTINGS);
    door_put_settings(&frame, &rig.settings);
    assert_true(frame_end(&frame));
    assert_int_equal(send(rig.door, frame.data, frame.len, MSG_NOSIGNAL), frame.len);
    struct client client = rig_caller(&rig, 1000, 8);
    client_send(&client, "POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(client_read(&client, text), 413);
    fd_close(&client.fd);
    rig_stop(&rig);
}

/* A large answer to a caller who takes its time: written as it reads, others are not held up. */
static void test_slow_reader(void **state)
{
    (void)state;
    static char big[1024 * 1024];
    struct rig rig;
    struct asked asked;
    rig_start(&rig, &usual);
    memset(big, 'x', sizeof big - 1);
    struct client slow = rig_caller(&rig, 1000, 8);
    client_send(&slow, get);
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    rig_answer_json(&asked, big);
    asked_fini(&asked);
    struct client other = rig_caller(&rig, 1000, 8);
    client_send(&other, get);
    rig_answer_next(lane, 0, "{}");
    client_expect_json(&other, "{}");
    size_t total = 0;
    while (total < sizeof big - 1) {
        assert_true(client_hears(&slow, RIG_WAIT_MS));
        static char piece[65536];
        ssize_t got = read(slow.fd, piece, sizeof piece);
        assert_true(got > 0);
        total += (size_t)got;
    }
    fd_close(&slow.fd);
    fd_close(&other.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadline_in_a_lane),
        cmocka_unit_test(test_lane_breaks),
        cmocka_unit_test(test_client_leaves_while_it_waits),
        cmocka_unit_test(test_qseald_lost_and_back),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_turns_between_users),
        cmocka_unit_test(test_number_of_the_connection),
        cmocka_unit_test(test_door_that_speaks_nonsense),
        cmocka_unit_test(test_new_settings),
        cmocka_unit_test(test_slow_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
