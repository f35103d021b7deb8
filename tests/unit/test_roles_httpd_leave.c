/* SPDX-License-Identifier: Apache-2.0
 * qseal-httpd when it is told to end, and what it tells the service manager and the log. */
#include "httpd_rig.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct door_settings usual = {RIG_USUAL, .connections = 64};

/* 200 with this JSON, and the connection is told to close and closes. */
static void expect_last(const struct client *client, const char *json)
{
    char text[RIG_TEXT_SIZE];
    assert_int_equal(client_read(client, text), 200);
    assert_has(text, "Connection: close\r\n");
    assert_string_equal(strstr(text, "\r\n\r\n") + 4, json);
    client_expect_end(client);
}

static void test_sigterm_finishes_what_is_in_flight(void **state)
{
    (void)state;
    struct rig rig;
    struct asked asked;
    rig_start(&rig, &usual);
    struct client asking = rig_caller(&rig, 1000, 8);
    struct client sending = rig_caller(&rig, 1000, 8);
    struct client idle = rig_caller(&rig, 1000, 8);
    client_send(&sending, "POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{");
    client_send(&asking, get);
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    assert_int_equal(kill(rig.pid, SIGTERM), 0);
    rig_expect_drain(&rig);
    client_expect_end(&idle);
    rig_answer_json(&asked, "{\"last\":1}");
    asked_fini(&asked);
    expect_last(&asking, "{\"last\":1}");
    struct client old_lane = {.fd = lane}; /* the next httpd needs its place */
    client_expect_end(&old_lane);
    assert_int_equal(kill(rig.pid, SIGTERM), 0); /* a second one changes nothing */
    client_send(&sending, "}");
    fd_close(&lane);
    lane = rig_accept(&rig);
    rig_answer_next(lane, sending.number, "{\"sent\":1}");
    expect_last(&sending, "{\"sent\":1}");
    rig_end_door(&rig);
    rig_expect_exit(&rig);
    fd_close(&lane);
    fd_close(&asking.fd);
    fd_close(&sending.fd);
    fd_close(&idle.fd);
}

/* Everybody who was handed over before the door's end is served, also those who were on their way
 * when it was told to stop, and those who are between two requests. */
static void test_nobody_is_lost_on_the_way(void **state)
{
    (void)state;
    enum { LATE = 20 };
    struct rig rig;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    struct client busy = rig_caller(&rig, 1000, 8);
    client_send(&busy, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(client_read(&busy, text), 404);
    assert_int_equal(kill(rig.pid, SIGTERM), 0);
    rig_expect_drain(&rig);
    client_send(&busy, get);
    int lane = rig_accept(&rig);
    rig_answer_next(lane, busy.number, "{\"busy\":1}");
    expect_last(&busy, "{\"busy\":1}");
    fd_close(&lane);
    struct client late[LATE];
    for (size_t i = 0; i < LATE; i++) {
        late[i] = rig_caller(&rig, 1000, 64);
    }
    rig_end_door(&rig);
    for (size_t i = 0; i < LATE; i++) {
        client_send(&late[i], get);
        lane = rig_accept(&rig);
        rig_answer_next(lane, late[i].number, "{}");
        expect_last(&late[i], "{}");
        fd_close(&late[i].fd);
        fd_close(&lane);
    }
    for (size_t i = 0; i <= LATE; i++) { /* each number is given back, in this order */
        rig_expect_closed(&rig, busy.number + i);
    }
    rig_expect_exit(&rig);
    fd_close(&busy.fd);
}

/* qseald ends in the middle of it: no answer will come, and the rest is not waited for. */
static void test_qseald_dies_while_httpd_leaves(void **state)
{
    (void)state;
    struct rig rig;
    struct asked asked;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    struct client asking = rig_caller(&rig, 1000, 8);
    client_send(&asking, get);
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    asked_fini(&asked);
    assert_int_equal(kill(rig.pid, SIGTERM), 0);
    rig_expect_drain(&rig);
    rig_end_door(&rig);
    fd_close(&rig.door);
    assert_int_equal(client_read(&asking, text), 503);
    assert_has(text, "the signing service was lost");
    client_expect_end(&asking);
    rig_expect_exit(&rig);
    fd_close(&lane);
    fd_close(&asking.fd);
}

static int notify_listen(char path[64])
{
    (void)snprintf(path, 64, "/tmp/qseal-notify-%d", (int)getpid());
    struct sockaddr_un address;
    (void)unlink(path);
    assert_true(fd_unix_address(path, &address));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Reads messages until one has this line. */
static void expect_notice(int fd, const char *line)
{
    char text[512];
    struct deadline end = deadline_in_ms(RIG_WAIT_MS);
    do {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, deadline_left_ms(end)), 1);
        ssize_t got = recv(fd, text, sizeof text - 1, 0);
        assert_true(got >= 0);
        text[got] = '\0';
    } while (strstr(text, line) == NULL);
}

static void test_service_manager_is_told(void **state)
{
    (void)state;
    char path[64];
    struct rig rig;
    FD_CLEANUP int notices = notify_listen(path);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "100000", 1), 0);
    rig_start(&rig, &usual);
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
    expect_notice(notices, "READY=1");
    int64_t began_ms = clock_monotonic_ms();
    for (int i = 0; i < 4; i++) { /* with nothing else to do */
        expect_notice(notices, "WATCHDOG=1");
    }
    assert_true(clock_monotonic_ms() - began_ms >= 100);
    fd_close(&rig.door);
    expect_notice(notices, "STATUS=waiting for qseald");
    rig_open_door(&rig);
    expect_notice(notices, "STATUS=serving");
    struct client client = rig_caller(&rig, 1000, 8);
    client_send(&client, get);
    int lane = rig_accept(&rig);
    assert_int_equal(kill(rig.pid, SIGTERM), 0);
    expect_notice(notices, "STOPPING=1");
    expect_notice(notices, "WATCHDOG=1"); /* it is still watched while it finishes */
    rig_answer_next(lane, client.number, "{}");
    expect_last(&client, "{}");
    rig_expect_drain(&rig);
    rig_end_door(&rig);
    rig_expect_exit(&rig);
    fd_close(&lane);
    fd_close(&client.fd);
    (void)unlink(path);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) {
        n++;
    }
    return n;
}

static void test_refusals_do_not_flood_the_log(void **state)
{
    (void)state;
    static char log[65536];
    static const char notice[] = "more lines like these were left out\n";
    struct rig rig;
    char text[RIG_TEXT_SIZE];
    int log_fd = -1;
    rig_start_logged(&rig, &usual, &log_fd);
    struct client client = rig_caller(&rig, 1000, 8);
    struct deadline second =
        deadline_in_ms(2100); /* a second of httpd's own begins and ends within */
    size_t refusals = 0;
    while (refusals < 2 * LOG_LIMIT_LINES || !deadline_passed(second)) {
        client_send(&client, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_int_equal(client_read(&client, text), 404);
        refusals++;
    }
    rig_read_log(log_fd, log, sizeof log, notice);
    fd_close(&client.fd);
    rig_stop(&rig);
    size_t len = strlen(log);
    ssize_t got = read(log_fd, log + len, sizeof log - 1 - len); /* the rest: it has ended */
    log[len + (got > 0 ? (size_t)got : 0)] = '\0';
    /* Each refusal is a line or is counted as left out; of lines there are few in each second. */
    size_t lines = count(log, "there is no such path");
    size_t seconds = count(log, notice) + 1;
    assert_true(lines >= LOG_LIMIT_LINES && lines <= LOG_LIMIT_LINES * (seconds + 1));
    assert_true(lines < refusals);
    fd_close(&log_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sigterm_finishes_what_is_in_flight),
        cmocka_unit_test(test_nobody_is_lost_on_the_way),
        cmocka_unit_test(test_qseald_dies_while_httpd_leaves),
        cmocka_unit_test(test_service_manager_is_told),
        cmocka_unit_test(test_refusals_do_not_flood_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
