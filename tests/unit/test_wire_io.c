/* SPDX-License-Identifier: Apache-2.0
 * Whole reads and writes: short ones are joined, closed ones and slow ones are told apart. */
#include "wire/io.h"

#include "base/fd.h"
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

enum { PATIENCE_MS = 10000 };

static int pair[2];

static int setup(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
}

static int teardown(void **state)
{
    (void)state;
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    return 0;
}

static void pieces_are_joined_and_more_is_taken(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer in = BUFFER_INIT(64 * 1024);
    assert_true(io_send(pair[0], span_of_text("abc"), deadline_in_ms(PATIENCE_MS)));
    assert_true(io_send(pair[0], span_of_text("defgh"), deadline_in_ms(PATIENCE_MS)));
    assert_true(io_receive(pair[1], &in, 5, deadline_in_ms(PATIENCE_MS)));
    assert_true(in.len >= 5);
    assert_memory_equal(in.data, "abcde", 5);
}

static void silence_ends_at_the_deadline(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer in = BUFFER_INIT(64 * 1024);
    assert_true(io_send(pair[0], span_of_text("ab"), deadline_in_ms(PATIENCE_MS)));
    assert_false(io_receive(pair[1], &in, 3, deadline_in_ms(20)));
    assert_int_equal(errno, ETIMEDOUT);
    assert_int_equal(in.len, 2);
}

static void a_closed_peer_is_no_error_number(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer in = BUFFER_INIT(64 * 1024);
    fd_close(&pair[0]);
    assert_false(io_receive(pair[1], &in, 1, deadline_in_ms(PATIENCE_MS)));
    assert_int_equal(errno, 0);
}

static void a_buffer_that_is_full_is_enomem(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer in = BUFFER_INIT(16);
    assert_false(io_receive(pair[1], &in, 1, deadline_in_ms(PATIENCE_MS)));
    assert_int_equal(errno, ENOMEM);
}

static void writing_to_a_closed_peer_is_epipe_and_no_signal(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_DFL);
    fd_close(&pair[1]);
    assert_false(io_send(pair[0], span_of_text("x"), deadline_in_ms(PATIENCE_MS)));
    assert_int_equal(errno, EPIPE);
}

static void writing_to_a_full_socket_ends_at_the_deadline(void **state)
{
    (void)state;
    static const uint8_t much[4 * 1024 * 1024];
    assert_false(io_send(pair[0], span_of(much, sizeof much), deadline_in_ms(20)));
    assert_int_equal(errno, ETIMEDOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_are_joined_and_more_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(silence_ends_at_the_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_peer_is_no_error_number, setup, teardown),
        cmocka_unit_test_setup_teardown(a_buffer_that_is_full_is_enomem, setup, teardown),
        cmocka_unit_test_setup_teardown(writing_to_a_closed_peer_is_epipe_and_no_signal, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(writing_to_a_full_socket_ends_at_the_deadline, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
