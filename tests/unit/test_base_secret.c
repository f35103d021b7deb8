/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"
#include "check.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void a_secret_has_a_page_of_its_own(void **state)
{
    (void)state;
    struct secret secret = {0};
    assert_true(secret_make(&secret));
    assert_non_null(secret.page);
    assert_int_equal((uintptr_t)secret.page % (uintptr_t)sysconf(_SC_PAGESIZE), 0);
    assert_int_equal(secret.room, 4096);
    assert_int_equal(secret.len, 0);
    memset(secret.page, 'x', secret.room);
    secret.len = secret.room;
    uint8_t *page = secret.page;
    secret_wipe(&secret);
    assert_null(secret.page);
    assert_int_equal(secret.len, 0);
    unsigned char resident;
    assert_int_equal(mincore(page, 1, &resident), -1); /* nothing is mapped there any more */
}

static void an_empty_one_is_wiped_too(void **state)
{
    (void)state;
    struct secret secret = {0};
    secret_wipe(&secret);
    assert_null(secret.page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_has_a_page_of_its_own),
        cmocka_unit_test(an_empty_one_is_wiped_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
