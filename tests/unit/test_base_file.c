/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "check.h"
#include "folder.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static void expect_content(const char *path, const char *content)
{
    BUFFER_CLEANUP struct buffer in = BUFFER_INIT(100000);
    assert_int_equal(file_read(path, &in), 0);
    assert_string_equal(buffer_text(&in), content);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    folder_path(&folder, "f", path);
    mode_t old = umask(0);
    assert_int_equal(file_replace(path, span_of_text("one"), 0640), 0);
    expect_content(path, "one");
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0640);
    assert_int_equal(file_replace(path, span_of_text("second"), 0600), 0);
    expect_content(path, "second");
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0600);
    assert_int_equal(file_replace(path, span_of(NULL, 0), 0600), 0);
    expect_content(path, "");
    (void)umask(old);
    assert_int_equal(folder_count(&folder), 1); /* no .new stays behind */
    folder_remove(&folder);
}

static void large_files_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    folder_path(&folder, "f", path);
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(10000);
    for (int i = 0; i < 10000; i++) {
        buffer_put_u8(&out, (uint8_t)i);
    }
    assert_int_equal(file_replace(path, buffer_span(&out), 0600), 0);
    BUFFER_CLEANUP struct buffer exact = BUFFER_INIT(10000);
    assert_int_equal(file_read(path, &exact), 0);
    assert_true(span_equal(buffer_span(&exact), buffer_span(&out)));
    BUFFER_CLEANUP struct buffer small = BUFFER_INIT(9999);
    errno = 0;
    assert_int_equal(file_read(path, &small), -1);
    assert_int_equal(errno, EFBIG);
    folder_remove(&folder);
}

static void a_missing_file_is_enoent(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer in = BUFFER_INIT(10);
    errno = 0;
    assert_int_equal(file_read("/nonexistent/file", &in), -1);
    assert_int_equal(errno, ENOENT);
    errno = 0;
    assert_int_equal(file_read("/", &in), -1);
    assert_int_equal(errno, EISDIR);
    errno = 0;
    assert_int_equal(file_replace("/nonexistent/file", span_of_text("x"), 0600), -1);
    assert_int_equal(errno, ENOENT);
}

static void the_old_file_survives_a_failure(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    char fresh[128];
    folder_path(&folder, "f", path);
    folder_path(&folder, "f.new", fresh);
    assert_int_equal(file_replace(path, span_of_text("old"), 0600), 0);
    assert_int_equal(symlink("elsewhere", fresh), 0); /* somebody's trap */
    errno = 0;
    assert_int_equal(file_replace(path, span_of_text("new"), 0600), -1);
    assert_int_equal(errno, ELOOP);
    expect_content(path, "old");
    assert_int_equal(unlink(fresh), 0);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0); /* rename(2) of a file over a folder fails */
    errno = 0;
    assert_int_equal(file_replace(path, span_of_text("new"), 0600), -1);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(folder_count(&folder), 1); /* and .new is cleared away */
    assert_int_equal(rmdir(path), 0);
    folder_remove(&folder);
}

static void a_path_too_long_is_refused(void **state)
{
    (void)state;
    char path[PATH_MAX];
    memset(path, 'x', sizeof path);
    path[PATH_MAX - 1] = '\0';
    errno = 0;
    assert_int_equal(file_replace(path, span_of_text("x"), 0600), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(large_files_are_read_whole_or_not_at_all),
        cmocka_unit_test(a_missing_file_is_enoent),
        cmocka_unit_test(the_old_file_survives_a_failure),
        cmocka_unit_test(a_path_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
