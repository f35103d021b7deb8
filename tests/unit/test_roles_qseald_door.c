/* SPDX-License-Identifier: Apache-2.0
 * The callers' door, with this test as httpd: who is handed over, with what, and what happens when
 * httpd leaves or misbehaves. */
#include "roles/qseald/door.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "check.h"
#include "wire/channel.h"
#include "wire/frame.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

struct fixture {
    char folder[64];
    char path[96];
    struct config_caller row;
    struct config config;
    struct policy policy;
    struct view view;
    struct view_cell *views;
    struct callers *callers;
    struct door *door;
    int front; /* httpd's end */
};

static int setup(void **state)
{
    static char name[] = "flow";
    static const struct door_settings settings = {.channels = 3,
                                                  .connections = 5,
                                                  .body_max = 1000,
                                                  .head_ms = 1,
                                                  .body_ms = 2,
                                                  .idle_ms = 3,
                                                  .deadline_ms = 77};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct reason why = {0};
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/qseal-door-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/callers", fixture->folder);
    fixture->row =
        (struct config_caller){.name = name, .uid = geteuid(), .in_flight = 9, .connections = 3};
    fixture->config.callers = &fixture->row;
    fixture->config.n_callers = 1;
    fixture->policy.config = &fixture->config;
    fixture->view.policy = &fixture->policy;
    atomic_init(&fixture->view.references, 2); /* never freed: it is part of the fixture */
    fixture->views = view_cell_new(&fixture->view);
    fixture->callers = callers_new(5);
    fixture->front = -1;
    int listeners[DOOR_LISTENERS_MAX] = {fd_listen_unix(fixture->path, 0600, 16), -1};
    fixture->door = door_new(listeners, fixture->views, fixture->callers, &settings, &why);
    assert_non_null(fixture->door);
    log_set_level(LOG_LEVEL_ERROR);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    door_free(fixture->door);
    fd_close(&fixture->front);
    callers_free(fixture->callers);
    view_cell_free(fixture->views);
    (void)unlink(fixture->path);
    (void)rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static void wait_readable(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
}

/* One frame from the door; *passed is the descriptor beside it, or -1. */
static uint8_t hear(int front, struct buffer *payload, int *passed)
{
    uint8_t bytes[512];
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = FRAME_HEADER_LEN};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    struct frame_header header;
    wait_readable(front);
    assert_int_equal(recvmsg(front, &message, MSG_CMSG_CLOEXEC), FRAME_HEADER_LEN);
    assert_true(frame_parse_header(bytes, sizeof bytes, &header));
    if (header.length > 0) {
        assert_int_equal(recv(front, bytes, header.length, MSG_WAITALL), header.length);
    }
    *passed = -1;
    if (CMSG_FIRSTHDR(&message) != NULL) {
        memcpy(passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof *passed);
    }
    buffer_reset(payload);
    buffer_put(payload, bytes, header.length);
    return header.kind;
}

static void bring_front(struct fixture *fixture)
{
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(512);
    struct door_settings settings;
    int pair[2];
    int passed = -1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    fd_close(&fixture->front);
    fixture->front = pair[0];
    door_adopt(fixture->door, pair[1],
               &(struct door_front){.version = "1.2.3", .started = 1767225600});
    assert_int_equal(hear(fixture->front, &payload, &passed), DOOR_KIND_SETTINGS);
    struct reader reader = reader_of(buffer_span(&payload));
    assert_true(door_get_settings(&reader, &settings));
    assert_int_equal(settings.channels, 3);
    assert_int_equal(settings.connections, 5);
    assert_int_equal(settings.body_max, 1000);
    assert_int_equal(settings.deadline_ms, 77);
    struct door_front about;
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    while (!door_about(fixture->door, &about) && !deadline_passed(end)) {
        (void)poll(NULL, 0, 1);
    }
    assert_string_equal(about.version, "1.2.3");
    assert_int_equal(about.started, 1767225600);
}

static struct door_caller take_caller(struct fixture *fixture, int *passed)
{
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(512);
    struct door_caller caller;
    assert_int_equal(hear(fixture->front, &payload, passed), DOOR_KIND_CALLER);
    struct reader reader = reader_of(buffer_span(&payload));
    assert_true(door_get_caller(&reader, &caller));
    assert_true(*passed >= 0);
    return caller;
}

static void wait_connected(struct fixture *fixture, uint32_t want)
{
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    while (callers_connected(fixture->callers) != want && !deadline_passed(end)) {
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(callers_connected(fixture->callers), want);
}

static void a_caller_is_handed_over_with_its_number(void **state)
{
    struct fixture *fixture = *state;
    int passed = -1;
    bring_front(fixture);
    FD_CLEANUP int client = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    struct door_caller caller = take_caller(fixture, &passed);
    assert_int_equal(caller.uid, geteuid());
    assert_int_equal(caller.in_flight, 9);
    struct caller found;
    assert_true(callers_find(fixture->callers, caller.connection, &found));
    assert_int_equal(found.uid, geteuid());
    assert_int_equal(found.pid, getpid());
    assert_int_equal(send(passed, "x", 1, MSG_NOSIGNAL), 1);
    wait_readable(client);
    fd_close(&passed);
}

static void a_closed_number_is_free_again(void **state)
{
    struct fixture *fixture = *state;
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(64);
    int passed = -1;
    bring_front(fixture);
    FD_CLEANUP int client = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    assert_true(client >= 0);
    struct door_caller caller = take_caller(fixture, &passed);
    frame_begin(&frame, DOOR_KIND_CLOSED);
    buffer_put_u64(&frame, caller.connection);
    assert_true(frame_end(&frame));
    /* In two pieces: a stream has no frame borders. */
    assert_int_equal(send(fixture->front, frame.data, 5, MSG_NOSIGNAL), 5);
    assert_int_equal(send(fixture->front, frame.data + 5, frame.len - 5, MSG_NOSIGNAL),
                     frame.len - 5);
    wait_connected(fixture, 0);
    fd_close(&passed);
}

static void callers_wait_while_there_is_no_httpd(void **state)
{
    struct fixture *fixture = *state;
    int passed = -1;
    FD_CLEANUP int client = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    assert_true(client >= 0);
    assert_int_equal(callers_connected(fixture->callers), 0);
    bring_front(fixture);
    (void)take_caller(fixture, &passed);
    fd_close(&passed);
}

static void when_httpd_leaves_its_callers_are_forgotten_and_a_new_one_is_served(void **state)
{
    struct fixture *fixture = *state;
    int passed = -1;
    bring_front(fixture);
    FD_CLEANUP int first = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    assert_true(first >= 0);
    struct door_caller old = take_caller(fixture, &passed);
    fd_close(&passed);
    fd_close(&fixture->front);
    wait_connected(fixture, 0);
    struct caller found;
    assert_false(callers_find(fixture->callers, old.connection, &found));
    bring_front(fixture);
    FD_CLEANUP int second = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    assert_true(second >= 0);
    assert_true(take_caller(fixture, &passed).connection != old.connection);
    fd_close(&passed);
}

static void nonsense_on_the_door_closes_it(void **state)
{
    struct fixture *fixture = *state;
    char byte;
    bring_front(fixture);
    assert_int_equal(send(fixture->front, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 18);
    wait_readable(fixture->front);
    assert_int_equal(recv(fixture->front, &byte, 1, 0), 0);
    bring_front(fixture);
}

static void over_its_connections_a_caller_is_closed(void **state)
{
    struct fixture *fixture = *state;
    int clients[4];
    bring_front(fixture);
    for (int i = 0; i < 4; i++) {
        clients[i] = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
        assert_true(clients[i] >= 0);
        if (i < 3) {
            int passed = -1;
            (void)take_caller(fixture, &passed);
            fd_close(&passed);
        }
    }
    char byte;
    wait_readable(clients[3]);
    assert_int_equal(recv(clients[3], &byte, 1, 0), 0);
    for (int i = 0; i < 4; i++) {
        fd_close(&clients[i]);
    }
}

/* Whoever is turned away comes again at once: that must not fill the log. */
static void turning_away_does_not_flood_the_log(void **state)
{
    struct fixture *fixture = *state;
    enum { ALLOWED = 3, MANY = 300 };
    static char log[256 * 1024];
    int kept[ALLOWED];
    char byte;
    bring_front(fixture);
    for (int i = 0; i < ALLOWED; i++) {
        int passed = -1;
        kept[i] = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
        (void)take_caller(fixture, &passed);
        fd_close(&passed);
    }
    FILE *file = tmpfile();
    FD_CLEANUP int before = dup(STDERR_FILENO);
    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    log_set_level(LOG_LEVEL_INFO);
    int64_t began_ms = clock_monotonic_ms();
    for (int i = 0; i < MANY; i++) {
        FD_CLEANUP int client = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
        wait_readable(client);
        assert_int_equal(recv(client, &byte, 1, 0), 0);
    }
    int64_t seconds = (clock_monotonic_ms() - began_ms) / 1000 + 1;
    log_set_level(LOG_LEVEL_ERROR);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    ssize_t len = pread(fileno(file), log, sizeof log - 1, 0);
    (void)fclose(file);
    assert_true(len > 0);
    log[len] = '\0';
    size_t lines = 0;
    for (const char *at = log; (at = strstr(at, "was turned away: ")) != NULL; at++) {
        lines++;
    }
    assert_true(lines >= LOG_LIMIT_LINES);
    assert_true(lines <= LOG_LIMIT_LINES * ((size_t)seconds + 1) && lines < MANY);
    for (int i = 0; i < ALLOWED; i++) {
        fd_close(&kept[i]);
    }
}

static void draining_tells_httpd_and_accepts_nobody(void **state)
{
    struct fixture *fixture = *state;
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(512);
    int passed = -1;
    bring_front(fixture);
    door_drain(fixture->door);
    assert_int_equal(hear(fixture->front, &payload, &passed), DOOR_KIND_DRAIN);
    FD_CLEANUP int client = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    assert_true(client >= 0);
    /* Freed with the client still in the backlog: it was never handed over. */
    door_free(fixture->door);
    fixture->door = NULL;
    char byte;
    wait_readable(fixture->front);
    assert_int_equal(recv(fixture->front, &byte, 1, 0), 0);
}

static void say(int front, uint8_t kind, uint64_t number)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(64);
    frame_begin(&frame, kind);
    if (kind == DOOR_KIND_CLOSED) {
        buffer_put_u64(&frame, number);
    }
    assert_true(frame_end(&frame));
    assert_int_equal(send(front, frame.data, frame.len, MSG_NOSIGNAL), frame.len);
}

static void expect_end(int front)
{
    char byte;
    wait_readable(front);
    assert_int_equal(recv(front, &byte, 1, 0), 0);
}

static void a_leaving_httpd_keeps_its_callers_beside_the_next_one(void **state)
{
    struct fixture *fixture = *state;
    struct caller found;
    int passed = -1;
    bring_front(fixture);
    FD_CLEANUP int first = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    uint64_t old = take_caller(fixture, &passed).connection;
    fd_close(&passed);
    say(fixture->front, DOOR_KIND_DRAIN, 0);
    expect_end(fixture->front); /* nobody else will come */

    /* The next caller waits for the next httpd, which comes while the old one is still there. */
    FD_CLEANUP int second = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    assert_true(first >= 0 && second >= 0);
    FD_CLEANUP int leaving = fixture->front;
    fixture->front = -1;
    assert_true(door_is_connected(fixture->door));
    assert_int_equal(callers_connected(fixture->callers), 1);
    bring_front(fixture);
    uint64_t new = take_caller(fixture, &passed).connection;
    fd_close(&passed);
    assert_int_equal(callers_connected(fixture->callers), 2);
    assert_true(callers_find(fixture->callers, old, &found));

    /* Neither can give back what is the other's. */
    say(fixture->front, DOOR_KIND_CLOSED, old);
    say(leaving, DOOR_KIND_CLOSED, new);
    FD_CLEANUP int third = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    uint64_t newest = take_caller(fixture, &passed).connection;
    fd_close(&passed);
    say(fixture->front, DOOR_KIND_CLOSED, newest); /* read after the other one */
    wait_connected(fixture, 2);
    assert_true(third >= 0 && callers_find(fixture->callers, old, &found));
    fd_close(&leaving);
    wait_connected(fixture, 1);
    assert_false(callers_find(fixture->callers, old, &found));
    assert_true(callers_find(fixture->callers, new, &found));
}

static void a_leaving_httpd_gives_its_numbers_back_one_by_one(void **state)
{
    struct fixture *fixture = *state;
    struct caller found;
    int passed = -1;
    uint64_t numbers[2];
    bring_front(fixture);
    int clients[2];
    for (int i = 0; i < 2; i++) {
        clients[i] = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
        numbers[i] = take_caller(fixture, &passed).connection;
        fd_close(&passed);
    }
    say(fixture->front, DOOR_KIND_DRAIN, 0);
    expect_end(fixture->front);
    say(fixture->front, DOOR_KIND_CLOSED, numbers[0]);
    wait_connected(fixture, 1);
    assert_true(callers_find(fixture->callers, numbers[1], &found));
    say(fixture->front, DOOR_KIND_CLOSED, numbers[1]);
    wait_connected(fixture, 0);
    fd_close(&clients[0]);
    fd_close(&clients[1]);
}

/* Three in a row: only one leaving httpd is kept beside the current one. */
static void of_two_leaving_httpds_the_older_one_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    struct caller found;
    int passed = -1;
    int leaving[2];
    int clients[2];
    uint64_t numbers[2];
    for (int i = 0; i < 2; i++) {
        bring_front(fixture);
        clients[i] = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
        numbers[i] = take_caller(fixture, &passed).connection;
        fd_close(&passed);
        say(fixture->front, DOOR_KIND_DRAIN, 0);
        expect_end(fixture->front);
        leaving[i] = fixture->front;
        fixture->front = -1;
    }
    bring_front(fixture);
    wait_connected(fixture, 1);
    assert_false(callers_find(fixture->callers, numbers[0], &found));
    assert_true(callers_find(fixture->callers, numbers[1], &found));
    for (int i = 0; i < 2; i++) {
        fd_close(&leaving[i]);
        fd_close(&clients[i]);
    }
    wait_connected(fixture, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_caller_is_handed_over_with_its_number, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_number_is_free_again, setup, teardown),
        cmocka_unit_test_setup_teardown(callers_wait_while_there_is_no_httpd, setup, teardown),
        cmocka_unit_test_setup_teardown(
            when_httpd_leaves_its_callers_are_forgotten_and_a_new_one_is_served, setup, teardown),
        cmocka_unit_test_setup_teardown(nonsense_on_the_door_closes_it, setup, teardown),
        cmocka_unit_test_setup_teardown(over_its_connections_a_caller_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(turning_away_does_not_flood_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(a_leaving_httpd_keeps_its_callers_beside_the_next_one,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_leaving_httpd_gives_its_numbers_back_one_by_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(of_two_leaving_httpds_the_older_one_is_dropped, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(draining_tells_httpd_and_accepts_nobody, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
