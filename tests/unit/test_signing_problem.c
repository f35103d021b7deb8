/* SPDX-License-Identifier: Apache-2.0
 * Problem details are JSON whatever the reason holds. */
#include "signing/problem.h"

#include "check.h"
#include "jose/json.h"

#include <stdio.h>

static json_t *problem_of(enum outcome outcome, const struct reason *why)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(8192);
    json_t *problem = NULL;
    struct reason parse = {0};
    problem_put(&text, outcome, why, NULL, "00000000-0000-4000-8000-000000000000");
    assert_true(buffer_ok(&text));
    assert_done(json_parse_object(buffer_span(&text), &problem, &parse), parse);
    return problem;
}

static void every_outcome_makes_a_problem(void **state)
{
    (void)state;
    for (unsigned int i = 1; i < OUTCOME_COUNT; i++) {
        struct reason why = {.claim = "/claims", .detail = "said \"so\""};
        JSON_CLEANUP json_t *problem = problem_of((enum outcome)i, &why);
        char type[64];
        (void)snprintf(type, sizeof type, "urn:qseal:problem:%s", outcome_name((enum outcome)i));
        assert_string_equal(json_string_value(json_object_get(problem, "type")), type);
        assert_int_equal(json_integer_value(json_object_get(problem, "status")),
                         outcome_status((enum outcome)i));
        assert_string_equal(json_string_value(json_object_get(problem, "detail")), why.detail);
        assert_string_equal(json_string_value(json_object_get(problem, "claim")), "/claims");
        assert_int_equal(json_object_size(problem), 6);
    }
}

static void without_a_claim_there_is_no_member(void **state)
{
    (void)state;
    struct reason why = {.detail = "no"};
    JSON_CLEANUP json_t *problem = problem_of(OUTCOME_NOT_FOUND, &why);
    assert_null(json_object_get(problem, "claim"));
}

/* A pointer to a long member name is cut to its field, maybe inside a character. */
static void a_character_cut_in_two_is_left_out(void **state)
{
    (void)state;
    static const char *const whole[] = {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        for (size_t cut = 1; cut <= strlen(whole[i]); cut++) {
            struct reason why = {.claim = "/"};
            memcpy(why.claim + 1, whole[i], cut);
            JSON_CLEANUP json_t *problem = problem_of(OUTCOME_RULE, &why);
            const char *claim = json_string_value(json_object_get(problem, "claim"));
            assert_string_equal(claim, cut == strlen(whole[i]) ? why.claim : "/");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_makes_a_problem),
        cmocka_unit_test(without_a_claim_there_is_no_member),
        cmocka_unit_test(a_character_cut_in_two_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
