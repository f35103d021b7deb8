/* SPDX-License-Identifier: Apache-2.0
 * Whole reads and writes: short ones are joined, closed ones and slow ones are told apart. */
#include "wire/io.h"

#include "base/fd.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

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

static int count_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 64; fd++) {
        n += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    }
    return n;
}

static void a_descriptor_travels_with_the_bytes(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(io_send_with(pair[0], span_of_text("abc"), ends[0], deadline_in_ms(PATIENCE_MS)));
    assert_true(io_send_with(pair[0], span_of_text("def"), -1, deadline_in_ms(PATIENCE_MS)));
    BUFFER_CLEANUP struct buffer in = BUFFER_INIT(64 * 1024);
    FD_CLEANUP int passed = -1;
    assert_true(io_receive_with(pair[1], &in, 6, &passed, deadline_in_ms(PATIENCE_MS)));
    assert_memory_equal(in.data, "abcdef", 6);
    assert_true(passed >= 0 && passed != ends[0]);
    assert_int_equal(fcntl(passed, F_GETFD), FD_CLOEXEC);
    char byte = 'x';
    assert_int_equal(write(ends[1], &byte, 1), 1);
    assert_int_equal(read(passed, &byte, 1), 1);
    fd_close(&ends[0]);
    fd_close(&ends[1]);
}

static void a_descriptor_that_nobody_wants_is_dropped(void **state)
{
    (void)state;
    int before = count_descriptors();
    BUFFER_CLEANUP struct buffer in = BUFFER_INIT(64 * 1024);
    assert_true(io_send_with(pair[0], span_of_text("abc"), pair[0], deadline_in_ms(PATIENCE_MS)));
    assert_true(io_receive(pair[1], &in, 3, deadline_in_ms(PATIENCE_MS)));
    assert_int_equal(count_descriptors(), before);
}

/* As a peer may send them, in one message or in two. */
static void two_descriptors_are_refused_and_closed(void **state)
{
    (void)state;
    enum { MOST = 9 };
    int before = count_descriptors();
    for (int n = 2; n <= MOST; n++) {
        BUFFER_CLEANUP struct buffer in = BUFFER_INIT(64 * 1024);
        struct iovec part = {.iov_base = &n, .iov_len = 1};
        union {
            struct cmsghdr align;
            char space[CMSG_SPACE(MOST * sizeof(int))];
        } control = {0};
        size_t len = CMSG_LEN((size_t)n * sizeof(int));
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = len};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header =
            (struct cmsghdr){.cmsg_len = len, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        for (int i = 0; i < n; i++) {
            memcpy(CMSG_DATA(header) + (size_t)i * sizeof(int), &pair[0], sizeof pair[0]);
        }
        assert_int_equal(sendmsg(pair[0], &message, MSG_NOSIGNAL), 1);
        FD_CLEANUP int passed = -1;
        assert_false(io_receive_with(pair[1], &in, 1, &passed, deadline_in_ms(PATIENCE_MS)));
        assert_int_equal(errno, EPROTO);
    }
    BUFFER_CLEANUP struct buffer in = BUFFER_INIT(64 * 1024);
    FD_CLEANUP int passed = -1;
    for (int i = 0; i < 2; i++) {
        assert_true(io_send_with(pair[0], span_of_text("a"), pair[0], deadline_in_ms(PATIENCE_MS)));
    }
    assert_false(io_receive_with(pair[1], &in, 2, &passed, deadline_in_ms(PATIENCE_MS)));
    assert_int_equal(errno, EPROTO);
    fd_close(&passed);
    assert_int_equal(count_descriptors(), before);
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
        cmocka_unit_test_setup_teardown(a_descriptor_travels_with_the_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_descriptor_that_nobody_wants_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(two_descriptors_are_refused_and_closed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
