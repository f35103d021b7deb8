/* SPDX-License-Identifier: Apache-2.0
 * What a folder has of listing. */
#include "audit/listing.h"

#include "base/fd.h"
#include "base/file.h"
#include "folder.h"

#include <errno.h>
#include <fcntl.h>

static void put(const struct folder *folder, const char *name, const char *text)
{
    char path[128];
    folder_path(folder, name, path);
    assert_int_equal(file_replace(path, span_of_text(text), 0600), 0);
}

static void a_folder_is_listed(void **state)
{
    (void)state;
    struct audit_listing listing;
    struct folder folder = folder_make();
    FD_CLEANUP int fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(audit_listing_read(fd, &listing), 0);
    assert_int_equal(listing.count, 0);
    assert_int_equal(listing.first, 0);
    put(&folder, "audit-0000000003.jsonl", "abc");
    put(&folder, "audit-0000000012.jsonl", "defg");
    put(&folder, "audit-0000000005.jsonl", "");
    put(&folder, "audit-0000000001.torn", "hijkl");
    put(&folder, "checkpoint", "m");
    for (int i = 0; i < 2; i++) { /* the same when it is asked again */
        assert_int_equal(audit_listing_read(fd, &listing), 0);
        assert_int_equal(listing.count, 3);
        assert_int_equal(listing.first, 3);
        assert_int_equal(listing.last, 12);
        assert_int_equal(listing.bytes, 7);
        assert_string_equal(listing.odd, "");
    }
    assert_int_equal(audit_listing_after(fd, 0), 3);
    assert_int_equal(audit_listing_after(fd, 3), 5);
    assert_int_equal(audit_listing_after(fd, 5), 12);
    assert_int_equal(audit_listing_after(fd, 12), 0);
    folder_remove(&folder);
}

static void names_that_are_none_are_told(void **state)
{
    (void)state;
    static const char *const odd[] = {"audit-0000000000.jsonl", "audit-13.jsonl", "audit-.jsonl",
                                      "audit-00000000x1.jsonl", "audit-00000000001.jsonl"};
    static const char *const others[] = {"audit-0000000001.json", "Audit-0000000001.jsonl",
                                         "audit-0000000001.jsonl~", "checkpoint.new"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct audit_listing listing;
        struct folder folder = folder_make();
        FD_CLEANUP int fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
            put(&folder, others[k], "");
        }
        assert_int_equal(audit_listing_read(fd, &listing), 0);
        assert_string_equal(listing.odd, "");
        put(&folder, odd[i], "");
        assert_int_equal(audit_listing_read(fd, &listing), 0);
        assert_string_equal(listing.odd, odd[i]);
        assert_int_equal(listing.count, 0);
        folder_remove(&folder);
    }
}

static void what_is_no_folder_is_not_listed(void **state)
{
    (void)state;
    struct audit_listing listing;
    errno = 0;
    assert_int_equal(audit_listing_read(-1, &listing), -1);
    assert_int_equal(errno, EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_listed),
        cmocka_unit_test(names_that_are_none_are_told),
        cmocka_unit_test(what_is_no_folder_is_not_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
