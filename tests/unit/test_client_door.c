/* SPDX-License-Identifier: Apache-2.0
 * One deadline for everything: full backlogs, silent peers, full buffers; and early refusals are
 * heard. */
#include "client/door.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, SHORT_MS = 60 };

static char folder[64];
static char path[96];
static int listener;

static int setup(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(folder, sizeof(folder), P_tmpdir "/qseal-door-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/s", folder);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 0), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)close(listener);
    (void)unlink(path);
    return rmdir(folder);
}

static int connected(int *peer)
{
    int fd = door_connect(path, deadline_in_ms(PATIENCE_MS));
    assert_true(fd >= 0);
    *peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(*peer >= 0);
    return fd;
}

static void what_does_not_exist_is_said(void **state)
{
    (void)state;
    char too_long[120];
    memset(too_long, 'x', sizeof(too_long));
    too_long[108] = '\0';
    assert_int_equal(door_connect("/nowhere/at/all", deadline_in_ms(PATIENCE_MS)), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(door_connect(too_long, deadline_in_ms(PATIENCE_MS)), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(door_connect("", deadline_in_ms(PATIENCE_MS)), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

static void the_descriptor_is_not_inherited(void **state)
{
    (void)state;
    int peer;
    int fd = connected(&peer);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    (void)close(fd);
    (void)close(peer);
}

static void *accept_two(void *unused)
{
    (void)unused;
    for (int i = 0; i < 2; i++) {
        (void)close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    }
    return NULL;
}

static void a_full_backlog_is_waited_for(void **state)
{
    (void)state;
    pthread_t thread;
    int first = door_connect(path, deadline_in_ms(PATIENCE_MS));
    assert_true(first >= 0);
    int64_t before = clock_monotonic_ms();
    assert_int_equal(door_connect(path, deadline_in_ms(SHORT_MS)), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_in_range(clock_monotonic_ms() - before, SHORT_MS, PATIENCE_MS / 2);
    assert_int_equal(pthread_create(&thread, NULL, accept_two, NULL), 0);
    int second = door_connect(path, deadline_in_ms(PATIENCE_MS));
    assert_true(second >= 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(first);
    (void)close(second);
}

static void silence_ends_at_the_deadline(void **state)
{
    (void)state;
    int peer;
    char byte;
    int fd = connected(&peer);
    assert_int_equal(door_receive(fd, &byte, 1, deadline_in_ms(SHORT_MS)), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_int_equal(send(peer, "x", 1, 0), 1);
    assert_int_equal(door_receive(fd, &byte, 1, deadline_in_ms(PATIENCE_MS)), 1);
    (void)close(peer);
    assert_int_equal(door_receive(fd, &byte, 1, deadline_in_ms(PATIENCE_MS)), 0);
    (void)close(fd);
}

static void sending_to_who_does_not_read_ends_at_the_deadline(void **state)
{
    (void)state;
    enum { MUCH = 8 * 1024 * 1024 };
    int peer;
    int fd = connected(&peer);
    char *much = calloc(1, MUCH);
    assert_false(door_send(fd, span_of("a", 1), span_of(much, MUCH), deadline_in_ms(SHORT_MS)));
    assert_int_equal(errno, ETIMEDOUT);
    /* who answers before it has read all has decided already */
    assert_int_equal(send(peer, "x", 1, 0), 1);
    assert_true(door_send(fd, span_of(NULL, 0), span_of(much, MUCH), deadline_in_ms(PATIENCE_MS)));
    free(much);
    (void)close(fd);
    (void)close(peer);
}

static void a_closed_peer_raises_no_signal(void **state)
{
    (void)state;
    int peer;
    char byte;
    (void)signal(SIGPIPE, SIG_DFL);
    int fd = connected(&peer);
    assert_int_equal(send(peer, "x", 1, 0), 1);
    (void)close(peer);
    assert_true(door_send(fd, span_of("a", 1), span_of("b", 1), deadline_in_ms(PATIENCE_MS)));
    assert_int_equal(door_receive(fd, &byte, 1, deadline_in_ms(PATIENCE_MS)), 1);
    (void)close(fd);
}

static void both_parts_arrive_in_order(void **state)
{
    (void)state;
    int peer;
    char got[8] = "";
    int fd = connected(&peer);
    assert_true(door_send(fd, span_of("abc", 3), span_of("de", 2), deadline_in_ms(PATIENCE_MS)));
    assert_true(door_send(fd, span_of("f", 1), span_of(NULL, 0), deadline_in_ms(PATIENCE_MS)));
    assert_int_equal(recv(peer, got, 6, MSG_WAITALL), 6);
    assert_string_equal(got, "abcdef");
    (void)close(fd);
    (void)close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_does_not_exist_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(the_descriptor_is_not_inherited, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_backlog_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(silence_ends_at_the_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(sending_to_who_does_not_read_ends_at_the_deadline, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_closed_peer_raises_no_signal, setup, teardown),
        cmocka_unit_test_setup_teardown(both_parts_arrive_in_order, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
