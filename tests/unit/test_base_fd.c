/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"
#include "check.h"
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static void close_closes_once_and_keeps_errno(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int old = fd;
    errno = EPERM;
    fd_close(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(fcntl(old, F_GETFD), -1);
    fd_close(&fd);
    assert_int_equal(errno, EBADF); /* of the fcntl: a second close touches nothing */
}

static void steal_hands_out(void **state)
{
    (void)state;
    int fd = 42;
    assert_int_equal(fd_steal(&fd), 42);
    assert_int_equal(fd, -1);
}

static void addresses_have_at_most_107_bytes(void **state)
{
    (void)state;
    struct sockaddr_un address;
    char path[109];
    memset(path, 'x', sizeof path);
    path[107] = '\0';
    assert_true(fd_unix_address(path, &address));
    assert_int_equal(address.sun_family, AF_UNIX);
    assert_string_equal(address.sun_path, path);
    path[107] = 'x';
    path[108] = '\0';
    errno = 0;
    assert_false(fd_unix_address(path, &address));
    assert_int_equal(errno, ENAMETOOLONG);
    errno = 0;
    assert_false(fd_unix_address("", &address)); /* would be an abstract or unnamed socket */
    assert_int_equal(errno, ENAMETOOLONG);
    errno = 0;
    assert_int_equal(fd_listen_unix(path, 0600, 1), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address;
    assert_true(fd_unix_address(path, &address));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        fd_close(&fd);
    }
    return fd;
}

static void a_listener_has_its_mode_and_takes_connections(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    folder_path(&folder, "s", path);
    FD_CLEANUP int listener = fd_listen_unix(path, 0640, 4);
    assert_true(listener >= 0);
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    assert_true(S_ISSOCK(there.st_mode));
    assert_int_equal(there.st_mode & 07777, 0640);
    assert_int_equal(fcntl(listener, F_GETFD), FD_CLOEXEC);
    FD_CLEANUP int peer = connect_to(path);
    assert_true(peer >= 0);

    assert_int_equal(fd_listen_unix(path, 0666, 4), -1); /* one that is served is not replaced */
    assert_int_equal(errno, EADDRINUSE);
    fd_close(&listener);
    FD_CLEANUP int second = fd_listen_unix(path, 0666, 4); /* an old socket file is */
    assert_true(second >= 0);
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0666);
    FD_CLEANUP int other = connect_to(path);
    assert_true(other >= 0);
    assert_int_equal(accept4(second, NULL, NULL, SOCK_CLOEXEC) >= 0, 1);
    folder_remove(&folder);
}

static void no_other_file_is_replaced(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    char link[128];
    folder_path(&folder, "file", path);
    folder_path(&folder, "link", link);
    FD_CLEANUP int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(file, "x", 1), 1);
    errno = 0;
    assert_int_equal(fd_listen_unix(path, 0600, 1), -1);
    assert_int_equal(errno, EEXIST);
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_size, 1);
    assert_int_equal(symlink("nowhere", link), 0);
    assert_int_equal(fd_listen_unix(link, 0600, 1), -1);
    assert_int_equal(errno, EEXIST);
    folder_remove(&folder);
}

static void a_missing_folder_is_said_by_errno(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(fd_listen_unix("/nonexistent/folder/s", 0600, 1), -1);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(close_closes_once_and_keeps_errno),
        cmocka_unit_test(steal_hands_out),
        cmocka_unit_test(addresses_have_at_most_107_bytes),
        cmocka_unit_test(a_listener_has_its_mode_and_takes_connections),
        cmocka_unit_test(no_other_file_is_replaced),
        cmocka_unit_test(a_missing_folder_is_said_by_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
