/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"
#include "check.h"

#include <string.h>

static void bytes_differ_and_stay_inside(void **state)
{
    (void)state;
    uint8_t a[40] = {0};
    uint8_t b[40] = {0};
    random_bytes(a, 32);
    random_bytes(b, 32);
    assert_memory_not_equal(a, b, 32);
    for (size_t i = 32; i < sizeof a; i++) {
        assert_int_equal(a[i], 0);
    }
    random_bytes(a, 0);
}

/* RFC 9562 §5.4; more than one pool of bytes. */
static void uuids_are_version_4_and_all_different(void **state)
{
    (void)state;
    static char seen[100][UUID_TEXT_SIZE];
    for (size_t i = 0; i < 100; i++) {
        random_uuid(seen[i]);
        assert_int_equal(strlen(seen[i]), UUID_TEXT_LEN);
        assert_true(uuid_is_valid(span_of_text(seen[i])));
        assert_int_equal(seen[i][14], '4');
        assert_non_null(strchr("89ab", seen[i][19]));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(seen[i], seen[j]);
        }
    }
}

static void other_texts_are_no_uuid(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf",   /* one short */
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf66", /* one long */
        "f81d4fae-7dec-11d0-a765-00a0c91e6bfg",  /* no hex digit */
        "f81d4fae07dec011d00a765000a0c91e6bf6",  /* no dashes */
        "f81d4fae--dec-11d0-a765-00a0c91e6bf6",  /* a dash too many */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(uuid_is_valid(span_of_text(bad[i])));
    }
    assert_true(uuid_is_valid(span_of_text("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")));
    assert_true(uuid_is_valid(span_of_text("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_differ_and_stay_inside),
        cmocka_unit_test(uuids_are_version_4_and_all_different),
        cmocka_unit_test(other_texts_are_no_uuid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
