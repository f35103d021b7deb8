/* SPDX-License-Identifier: Apache-2.0 */
#include "base/name.h"

#include "check.h"

static void names_of_things_are_narrow(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "op-jar", "0", "x_y.z", "-"};
    static const char *const bad[] = {"",   ".",   ".a",  "A",    "a b",
                                      "a/", "../", "a\n", "\xc3", "a\"b"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(name_is_valid(span_of_text(good[i])));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(name_is_valid(span_of_text(bad[i])));
    }
    assert_false(name_is_valid(span_of("a\0", 2)));
    char longest[NAME_LEN_MAX + 1];
    memset(longest, 'a', sizeof longest);
    assert_true(name_is_valid(span_of(longest, NAME_LEN_MAX)));
    assert_false(name_is_valid(span_of(longest, NAME_LEN_MAX + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_things_are_narrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
