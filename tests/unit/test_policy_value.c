/* SPDX-License-Identifier: Apache-2.0
 * One value against its type and limits: exact types, lengths in characters, patterns last. */
#include "policy_support.h"

#include "policy/compiled.h"

static const int64_t five = 5;
static const int64_t nine = 9;

static void check(struct claim claim, const char *json, const char *detail)
{
    claim.pointer = (char *)"/x";
    claim.limits.max_length = claim.limits.max_length == 0 ? 4 : claim.limits.max_length;
    JSON_CLEANUP json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    struct reason why = {.claim = "", .detail = ""};
    enum outcome outcome = value_check(&claim, value, &why);
    if (detail == NULL && outcome != OUTCOME_OK) {
        fail_msg("%s: %s", json, why.detail);
    }
    if (detail != NULL && (outcome != OUTCOME_RULE || strstr(why.detail, detail) == NULL ||
                           strcmp(why.claim, "/x") != 0)) {
        fail_msg("%s: got %d %s %s", json, (int)outcome, why.claim, why.detail);
    }
}

static void test_types_are_exact(void **state)
{
    (void)state;
    check((struct claim){.type = TYPE_STRING}, "\"a\"", NULL);
    check((struct claim){.type = TYPE_STRING}, "1", "must be a string");
    check((struct claim){.type = TYPE_STRING}, "null", "must be a string");
    check((struct claim){.type = TYPE_INTEGER}, "1", NULL);
    check((struct claim){.type = TYPE_INTEGER}, "1.0", "must be an integer");
    check((struct claim){.type = TYPE_INTEGER}, "1e3", "must be an integer");
    check((struct claim){.type = TYPE_INTEGER}, "\"1\"", "must be an integer");
    check((struct claim){.type = TYPE_INTEGER}, "true", "must be an integer");
    check((struct claim){.type = TYPE_NUMBER}, "1.5", NULL);
    check((struct claim){.type = TYPE_NUMBER}, "1", NULL);
    check((struct claim){.type = TYPE_NUMBER}, "\"1\"", "must be a number");
    check((struct claim){.type = TYPE_BOOLEAN}, "false", NULL);
    check((struct claim){.type = TYPE_BOOLEAN}, "0", "must be true or false");
    check((struct claim){.type = TYPE_BOOLEAN}, "\"true\"", "must be true or false");
    check((struct claim){.type = TYPE_OBJECT}, "{}", NULL);
    check((struct claim){.type = TYPE_OBJECT}, "[]", "must be an object");
    check((struct claim){.type = TYPE_ARRAY}, "[1]", NULL);
    check((struct claim){.type = TYPE_ARRAY}, "{}", "must be an array");
    check((struct claim){.type = TYPE_STRING_ARRAY}, "[\"a\"]", NULL);
    check((struct claim){.type = TYPE_STRING_ARRAY}, "\"a\"", "must be an array of strings");
}

static void test_lengths_count_characters(void **state)
{
    (void)state;
    check((struct claim){.type = TYPE_STRING}, "\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\"", NULL);
    check((struct claim){.type = TYPE_STRING},
          "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"", NULL);
    check((struct claim){.type = TYPE_STRING}, "\"abcde\"", "is longer than 4 characters");
    check((struct claim){.type = TYPE_STRING}, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
          "is longer than 4 characters");
    check((struct claim){.type = TYPE_STRING, .limits.min_length = 2}, "\"a\"",
          "is shorter than 2 characters");
    check((struct claim){.type = TYPE_STRING, .limits.min_length = 2}, "\"ab\"", NULL);
}

static void test_numbers_have_bounds(void **state)
{
    (void)state;
    struct claim claim = {.type = TYPE_INTEGER, .min_value = &five, .max_value = &nine};
    check(claim, "5", NULL);
    check(claim, "9", NULL);
    check(claim, "4", "is below 5");
    check(claim, "10", "is above 9");
    check(claim, "-9223372036854775808", "is below 5");
    claim.type = TYPE_NUMBER;
    check(claim, "8.5", NULL);
    check(claim, "4.9", "is below 5");
    check(claim, "9.1", "is above 9");
    check(claim, "10", "is above 9");
}

static void test_choices_and_patterns(void **state)
{
    (void)state;
    JSON_CLEANUP json_t *choices = json_pack("[s,s]", "a", "b");
    struct claim claim = {.type = TYPE_STRING, .limits.choices = choices};
    check(claim, "\"b\"", NULL);
    check(claim, "\"c\"", "is not one of the values");
    check(claim, "\"A\"", "is not one of the values");
    struct pattern *pattern = NULL;
    assert_null(pattern_compile("a+b", &pattern));
    claim = (struct claim){.type = TYPE_STRING, .limits.pattern = pattern};
    check(claim, "\"aab\"", NULL);
    check(claim, "\"aac\"", "does not match the pattern a+b");
    check(claim, "\"aaaab\"", "is longer than 4");
    pattern_free(pattern);
}

static void test_items_of_a_string_array(void **state)
{
    (void)state;
    struct claim claim = {.type = TYPE_STRING_ARRAY, .pointer = (char *)"/x"};
    check(claim, "[]", "must have 1 to 64 items");
    claim.limits.max_length = 4;
    struct reason why;
    JSON_CLEANUP json_t *value = json_pack("[s,i]", "a", 1);
    assert_int_equal(value_check(&claim, value, &why), OUTCOME_RULE);
    assert_string_equal(why.claim, "/x/1");
    assert_string_equal(why.detail, "must be a string");
    JSON_CLEANUP json_t *many = json_array();
    for (int i = 0; i <= ITEMS_MAX; i++) {
        assert_int_equal(json_array_append_new(many, json_string("a")), 0);
    }
    assert_int_equal(value_check(&claim, many, &why), OUTCOME_RULE);
    assert_string_equal(why.detail, "must have 1 to 64 items");
    assert_int_equal(json_array_remove(many, 0), 0);
    assert_int_equal(value_check(&claim, many, &why), OUTCOME_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_are_exact),
        cmocka_unit_test(test_lengths_count_characters),
        cmocka_unit_test(test_numbers_have_bounds),
        cmocka_unit_test(test_choices_and_patterns),
        cmocka_unit_test(test_items_of_a_string_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
