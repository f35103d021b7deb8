/* SPDX-License-Identifier: Apache-2.0
 * What the kernel says of a peer, and its groups, of which there may be too many. */
#include "wire/serve.h"

#include "base/fd.h"
#include "check.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_peer_is_who_it_is(void **state)
{
    (void)state;
    struct caller peer = {0};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_true(serve_peer_of(pair[0], &peer));
    assert_int_equal(peer.uid, geteuid());
    assert_int_equal(peer.gid, getegid());
    assert_int_equal(peer.pid, getpid());
    assert_null(peer.groups);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    assert_false(serve_peer_of(pair[0], &peer));
}

/* In a child: what this process is in stays as it is. 0: as it must be; 77: may not. */
static int look_at_groups(size_t n)
{
    static gid_t many[CALLER_GROUPS_MAX + 1];
    struct caller_groups groups = {0};
    int pair[2];
    for (size_t i = 0; i < n; i++) {
        many[i] = (gid_t)(1000 + i);
    }
    if (setgroups(n, many) != 0) {
        return 77;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || !serve_groups_of(pair[0], &groups)) {
        return 1;
    }
    bool fits = n <= CALLER_GROUPS_MAX;
    return groups.too_many == !fits && groups.n == (fits ? n : 0) &&
                   memcmp(groups.list, many, groups.n * sizeof many[0]) == 0
               ? 0
               : 2;
}

static void more_groups_than_fit_are_none(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, CALLER_GROUPS_MAX, CALLER_GROUPS_MAX + 1};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            _exit(look_at_groups(counts[i]));
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77) {
            print_message("only root may choose its groups: not tested here\n");
            return;
        }
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void a_socket_without_a_peer_has_no_groups(void **state)
{
    (void)state;
    struct caller_groups groups = {.n = 3};
    FD_CLEANUP int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_false(serve_groups_of(fd, &groups));
    assert_int_equal(groups.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_is_who_it_is),
        cmocka_unit_test(more_groups_than_fit_are_none),
        cmocka_unit_test(a_socket_without_a_peer_has_no_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
