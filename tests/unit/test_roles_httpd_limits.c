/* SPDX-License-Identifier: Apache-2.0
 * qseal-httpd and callers who want too much: of its memory, its lanes, its descriptors. */
#include "httpd_rig.h"

#include "base/clock.h"
#include "base/fd.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ThreadSanitizer keeps several bytes of shadow for each byte that was touched. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SHADOW 5
#endif
#endif
#ifndef SHADOW
#define SHADOW 1
#endif

enum { MIB = 1024 * 1024 };

static const struct door_settings usual = {.channels = 2,
                                           .connections = 128,
                                           .body_max = MIB,
                                           .head_ms = 5000,
                                           .body_ms = 30000,
                                           .idle_ms = 30000,
                                           .deadline_ms = 30000};

static const char none[] = "GET /none HTTP/1.1\r\nHost: x\r\n\r\n";
static const char large[] = "POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n";
static const char large_if_it_may[] = "POST /v1/jar/a HTTP/1.1\r\nHost: x\r\n"
                                      "Expect: 100-continue\r\nContent-Length: 1048576\r\n\r\n";
static const char chunked[] = "POST /v1/jar/a HTTP/1.1\r\nHost: x\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n";

static void expect_refusal(const struct client *client, int status, const char *detail)
{
    char text[RIG_TEXT_SIZE];
    assert_int_equal(client_read(client, text), status);
    assert_has(text, status == 429 ? "urn:qseal:problem:limit-exceeded"
                                   : "urn:qseal:problem:unavailable");
    assert_has(text, detail);
    assert_has(text, "Retry-After: 1\r\n");
}

static void expect_continue(const struct client *client)
{
    static const char wanted[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char text[sizeof wanted] = "";
    assert_true(client_hears(client, RIG_WAIT_MS));
    assert_int_equal(recv(client->fd, text, sizeof wanted - 1, MSG_WAITALL), sizeof wanted - 1);
    assert_string_equal(text, wanted);
}

static void test_in_flight_counts_from_the_head_on(void **state)
{
    (void)state;
    static const char over[] = "too many requests of this user at once";
    static char body[MIB];
    struct rig rig;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    struct client first = rig_caller(&rig, 1000, 1);
    client_send(&first, large_if_it_may);
    expect_continue(&first); /* its head is read, and nothing else of it */

    struct client second = rig_caller(&rig, 1000, 1);
    client_send(&second, large);
    expect_refusal(&second, 429, over);            /* no byte of the body was sent */
    client_send_bytes(&second, body, sizeof body); /* and who sends it nevertheless may */
    client_expect_end(&second);
    rig_expect_closed(&rig, second.number);

    struct client third = rig_caller(&rig, 1000, 1);
    client_send(&third, chunked);
    expect_refusal(&third, 429, over);
    fd_close(&third.fd);
    rig_expect_closed(&rig, third.number);

    /* With little to read to its end, the connection can be used on. */
    struct client fourth = rig_caller(&rig, 1000, 1);
    client_send(&fourth, "POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(client_read(&fourth, text), 429);
    assert_has(text, over);
    assert_lacks(text, "Connection: close");
    client_send(&fourth, get);
    expect_refusal(&fourth, 429, over);
    struct client other = rig_caller(&rig, 1001, 1); /* who does not pay for that */
    client_send(&other, get);
    int lane = rig_accept(&rig);
    rig_answer_next(lane, other.number, "{}");
    client_expect_json(&other, "{}");

    client_send_bytes(&first, body, sizeof body);
    rig_answer_next(lane, first.number, "{}");
    client_expect_json(&first, "{}");
    client_send(&fourth, get);
    rig_answer_next(lane, fourth.number, "{}");
    client_expect_json(&fourth, "{}");
    fd_close(&first.fd);
    fd_close(&second.fd);
    fd_close(&fourth.fd);
    fd_close(&other.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

/* Whoever left while its body was on its way counts no more. */
static void test_in_flight_ends_with_the_connection(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, &usual);
    for (int i = 0; i < 3; i++) {
        struct client client = rig_caller(&rig, 1000, 1);
        client_send(&client, large_if_it_may);
        expect_continue(&client);
        fd_close(&client.fd);
        rig_expect_closed(&rig, client.number);
    }
    rig_stop(&rig);
}

static long peak_kib(pid_t pid)
{
    char path[64];
    char line[256];
    long kib = -1;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kib = strtol(line + 6, NULL, 10);
        }
    }
    (void)fclose(file);
    assert_true(kib > 0);
    return kib;
}

static void test_bodies_are_held_once_and_only_within_the_limit(void **state)
{
    (void)state;
    enum { CALLERS = 48, IN_FLIGHT = 8, SLACK_KIB = 6 * 1024 };
    static char body[MIB];
    memset(body, 'x', sizeof body);
    struct rig rig;
    rig_start(&rig, &usual);
    struct client probe = rig_caller(&rig, 1000, IN_FLIGHT);
    char text[RIG_TEXT_SIZE];
    client_send(&probe, none);
    assert_int_equal(client_read(&probe, text), 404);
    long before_kib = peak_kib(rig.pid);
    struct client clients[CALLERS];
    for (size_t i = 0; i < CALLERS; i++) {
        clients[i] = rig_caller(&rig, 1000, IN_FLIGHT);
        client_send(&clients[i], large);
        client_send_bytes(&clients[i], body, sizeof body);
        if (i >= IN_FLIGHT) {
            expect_refusal(&clients[i], 429, "too many requests of this user at once");
        }
    }
    long grown_kib = peak_kib(rig.pid) - before_kib;
    print_message("httpd grew by %ld KiB\n", grown_kib);
    assert_true(grown_kib < (IN_FLIGHT * 1024 + SLACK_KIB) * SHADOW);
    for (size_t i = 0; i < CALLERS; i++) {
        fd_close(&clients[i].fd);
    }
    fd_close(&probe.fd);
    rig_stop(&rig);
}

/* 64 MiB of one user and 96 MiB of all, as announced or as received. */
static void test_bytes_of_all_bodies(void **state)
{
    (void)state;
    enum { OF_ONE = 64, OF_ALL = 96, IN_FLIGHT = 1000 };
    struct rig rig;
    struct client clients[OF_ALL];
    rig_start(&rig, &usual);
    for (size_t i = 0; i < OF_ALL; i++) {
        clients[i] = rig_caller(&rig, i < OF_ONE ? 1000 : 1001, IN_FLIGHT);
        client_send(&clients[i], large_if_it_may);
        expect_continue(&clients[i]);
    }
    struct client greedy = rig_caller(&rig, 1000, IN_FLIGHT);
    client_send(&greedy, large);
    expect_refusal(&greedy, 429, "too many bytes of this user at once");
    struct client other = rig_caller(&rig, 1002, IN_FLIGHT);
    client_send(&other, large);
    expect_refusal(&other, 503, "too many bytes of requests at once");
    struct client piecewise = rig_caller(&rig, 1002, IN_FLIGHT);
    client_send(&piecewise, chunked);
    client_send(&piecewise, "2\r\n{}\r\n");
    expect_refusal(&piecewise, 503, "too many bytes of requests at once");

    struct client bare = rig_caller(&rig, 1002, IN_FLIGHT); /* what has no body is served */
    client_send(&bare, get);
    int lane = rig_accept(&rig);
    rig_answer_next(lane, bare.number, "{}");
    client_expect_json(&bare, "{}");
    fd_close(&clients[0].fd);
    rig_expect_closed(&rig, clients[0].number);
    client_send(&bare, large_if_it_may);
    expect_continue(&bare);
    for (size_t i = 1; i < OF_ALL; i++) {
        fd_close(&clients[i].fd);
    }
    fd_close(&greedy.fd);
    fd_close(&other.fd);
    fd_close(&piecewise.fd);
    fd_close(&bare.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

static bool somebody_knocks(const struct rig *rig)
{
    struct pollfd look = {.fd = rig->listener, .events = POLLIN};
    return poll(&look, 1, 0) > 0;
}

/* Of four lanes one user has three while another was there within the last second. */
static void test_lanes_are_left_for_others(void **state)
{
    (void)state;
    enum { GREEDY = 8, LANES = 4, ACTIVE_MS = 1000 };
    struct door_settings settings = usual;
    settings.channels = LANES;
    struct rig rig;
    struct asked asked[LANES];
    struct client greedy[GREEDY];
    char text[RIG_TEXT_SIZE];
    int lanes[LANES];
    rig_start(&rig, &settings);
    struct client modest = rig_caller(&rig, 1001, 64);
    client_send(&modest, get);
    lanes[0] = rig_accept(&rig);
    rig_answer_next(lanes[0], modest.number, "{}");
    client_expect_json(&modest, "{}");
    for (size_t i = 0; i < GREEDY; i++) {
        greedy[i] = rig_caller(&rig, 1000, 64);
        client_send(&greedy[i], get);
    }
    for (size_t i = 0; i < LANES - 1; i++) {
        lanes[i] = i > 0 ? rig_accept(&rig) : lanes[i];
        rig_read(lanes[i], &asked[i]);
        assert_int_equal(asked[i].request.connection, greedy[i].number);
    }
    client_send(&modest, none); /* once it is answered, all before it have been read */
    assert_int_equal(client_read(&modest, text), 404);
    assert_false(somebody_knocks(&rig));

    int64_t asked_ms = clock_monotonic_ms();
    client_send(&modest, get); /* is answered, though nobody else is */
    lanes[LANES - 1] = rig_accept(&rig);
    rig_answer_next(lanes[LANES - 1], modest.number, "{}");
    client_expect_json(&modest, "{}");

    rig_read(lanes[LANES - 1], &asked[LANES - 1]); /* alone again, the greedy one gets it */
    assert_int_equal(asked[LANES - 1].request.connection, greedy[LANES - 1].number);
    assert_true(clock_monotonic_ms() - asked_ms >= ACTIVE_MS - 1);
    for (size_t i = 0; i < LANES; i++) {
        rig_answer_json(&asked[i], "{}");
        asked_fini(&asked[i]);
        client_expect_json(&greedy[i], "{}");
        fd_close(&lanes[i]);
    }
    for (size_t i = 0; i < GREEDY; i++) {
        fd_close(&greedy[i].fd);
    }
    fd_close(&modest.fd);
    rig_stop(&rig);
}

/* Whether it is served; otherwise it has been closed. */
static bool is_served(const struct client *client)
{
    char text[RIG_TEXT_SIZE];
    char byte;
    client_send(client, none);
    assert_true(client_hears(client, RIG_WAIT_MS));
    if (recv(client->fd, &byte, 1, MSG_PEEK) <= 0) {
        return false;
    }
    assert_int_equal(client_read(client, text), 404);
    return true;
}

static void test_out_of_descriptors(void **state)
{
    (void)state;
    enum { CALLERS = 24 };
    static const struct rlimit few = {16, 16};
    static char log[65536];
    struct rig rig;
    int log_fd = -1;
    rig_start_logged(&rig, &usual, &log_fd);
    assert_int_equal(prlimit(rig.pid, RLIMIT_NOFILE, &few, NULL), 0);
    rig_send_settings(&rig);
    rig_read_log(log_fd, log, sizeof log,
                 "16 descriptors are too few for 128 connections: raise LimitNOFILE to 146");
    struct client clients[CALLERS];
    size_t served = 0;
    for (size_t i = 0; i < CALLERS; i++) {
        clients[i] = rig_caller(&rig, 1000, 64);
        if (is_served(&clients[i])) {
            assert_int_equal(served, i); /* whoever came first */
            served++;
            continue;
        }
        rig_expect_closed(&rig, clients[i].number);
    }
    assert_true(served > 0 && served < CALLERS);
    rig_read_log(log_fd, log, sizeof log, "uid 1000 is turned away: there is no descriptor left");

    /* The door is still the same, as are those who came through it, and there is room again. */
    assert_true(is_served(&clients[0]));
    fd_close(&clients[1].fd);
    rig_expect_closed(&rig, clients[1].number);
    struct client next = rig_caller(&rig, 1000, 64);
    assert_true(is_served(&next));
    for (size_t i = 0; i < CALLERS; i++) {
        fd_close(&clients[i].fd);
    }
    fd_close(&next.fd);
    rig_stop(&rig);
    fd_close(&log_fd);
}

static void read_name(pid_t pid, char name[32])
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    name[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        name[fread(name, 1, 31, file)] = '\0';
        (void)fclose(file);
    }
}

/* What may not be traced belongs to root in /proc, whoever runs it. */
static void test_it_cannot_be_traced(void **state)
{
    (void)state;
    enum { NOBODY = 65534 };
    char path[64];
    char name[32] = "";
    struct stat there = {.st_uid = NOBODY};
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 && setuid(NOBODY) != 0) {
            _exit(126);
        }
        (void)execl(QSEAL_HTTPD, QSEAL_HTTPD, "--qseald", "/nonexistent", (char *)NULL);
        _exit(127);
    }
    (void)snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    struct deadline end = deadline_in_ms(RIG_WAIT_MS);
    while (strcmp(name, "qseal-httpd\n") != 0 || there.st_uid != 0) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
        read_name(pid, name);
        assert_int_equal(stat(path, &there), 0);
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_flight_counts_from_the_head_on),
        cmocka_unit_test(test_in_flight_ends_with_the_connection),
        cmocka_unit_test(test_bodies_are_held_once_and_only_within_the_limit),
        cmocka_unit_test(test_bytes_of_all_bodies),
        cmocka_unit_test(test_lanes_are_left_for_others),
        cmocka_unit_test(test_out_of_descriptors),
        cmocka_unit_test(test_it_cannot_be_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
