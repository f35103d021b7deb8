/* SPDX-License-Identifier: Apache-2.0
 * Every quirk has a name of its own and a sentence. */
#include "model/quirk.h"

#include "check.h"

static void each_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < QUIRK_COUNT; i++) {
        const char *text = quirk_text((enum quirk)i);
        assert_true(strlen(quirk_name((enum quirk)i)) > 0);
        assert_int_equal(text[strlen(text) - 1], '.');
        for (unsigned int j = 0; j < i; j++) {
            assert_string_not_equal(quirk_name((enum quirk)i), quirk_name((enum quirk)j));
        }
    }
    assert_string_equal(quirk_name(QUIRK_NO_RAW_ECDSA), "no-raw-ecdsa");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_has_a_name_and_a_sentence)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
