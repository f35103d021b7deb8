/* SPDX-License-Identifier: Apache-2.0
 * JSON pointers for answers. */
#include "policy_support.h"

#include "policy/pointer.h"

static void test_steps_are_escaped(void **state)
{
    (void)state;
    char out[REASON_CLAIM_SIZE];
    assert_true(pointer_step(out, "", "a"));
    assert_string_equal(out, "/a");
    assert_true(pointer_step(out, "/a", "b/c~d"));
    assert_string_equal(out, "/a/b~1c~0d");
    assert_true(pointer_step(out, "", ""));
    assert_string_equal(out, "/");
}

static void test_a_cut_is_between_characters(void **state)
{
    (void)state;
    char step[400];
    for (size_t i = 0; i + 2 < sizeof step; i += 2) {
        memcpy(step + i, "\xc3\xa4", 2);
    }
    step[sizeof step - 2] = '\0';
    char out[REASON_CLAIM_SIZE];
    assert_false(pointer_step(out, "", step));
    assert_int_equal(strlen(out), 255);
    assert_false(pointer_step(out, "x", step));
    assert_int_equal(strlen(out), 254);
    JSON_CLEANUP json_t *text = json_string(out);
    assert_non_null(text);
}

static void test_a_full_base_stays(void **state)
{
    (void)state;
    char base[REASON_CLAIM_SIZE];
    memset(base, 'a', sizeof base - 1);
    base[sizeof base - 1] = '\0';
    char out[REASON_CLAIM_SIZE];
    assert_false(pointer_step(out, base, "b"));
    assert_string_equal(out, base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_are_escaped),
        cmocka_unit_test(test_a_cut_is_between_characters),
        cmocka_unit_test(test_a_full_base_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
