/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "model/outcome.h"

#include <string.h>

struct row {
    enum outcome outcome;
    const char *name;
    int status;
    int retry_after_s;
};

/* The callers' contract, docs/api.md: a change here breaks them. */
static const struct row rows[] = {
    {OUTCOME_OK, "ok", 200, 0},
    {OUTCOME_MALFORMED, "malformed", 400, 0},
    {OUTCOME_NOT_GRANTED, "not-granted", 403, 0},
    {OUTCOME_NOT_FOUND, "not-found", 404, 0},
    {OUTCOME_METHOD, "method-not-allowed", 405, 0},
    {OUTCOME_TOO_LARGE, "too-large", 413, 0},
    {OUTCOME_MEDIA_TYPE, "unsupported-media-type", 415, 0},
    {OUTCOME_RULE, "rule-refused", 422, 0},
    {OUTCOME_LIMIT, "limit-exceeded", 429, 1},
    {OUTCOME_TOKEN_UNAVAILABLE, "token-unavailable", 503, 1},
    {OUTCOME_NO_KEY, "no-active-key", 503, 30},
    {OUTCOME_UNAVAILABLE, "unavailable", 503, 1},
    {OUTCOME_DEADLINE, "deadline", 504, 0},
    {OUTCOME_VERIFY, "signature-not-verified", 500, 0},
    {OUTCOME_SHAPE, "shape-refused", 500, 0},
    {OUTCOME_KEY_MISMATCH, "key-mismatch", 503, 30},
    {OUTCOME_PIN, "pin-refused", 503, 30},
    {OUTCOME_CLOCK, "clock-unconfirmed", 503, 30},
    {OUTCOME_AUDIT, "audit-unavailable", 503, 5},
    {OUTCOME_INTERNAL, "internal", 500, 0},
};

static void the_list_is_the_contract(void **state)
{
    (void)state;
    assert_int_equal(COUNT_OF(rows), OUTCOME_COUNT);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(rows[i].outcome, i);
        assert_string_equal(outcome_name(rows[i].outcome), rows[i].name);
        assert_int_equal(outcome_status(rows[i].outcome), rows[i].status);
        assert_int_equal(outcome_retry_after_s(rows[i].outcome), rows[i].retry_after_s);
        assert_true(strlen(outcome_title(rows[i].outcome)) > 0);
        assert_true(outcome_is_known((unsigned int)i));
    }
    assert_false(outcome_is_known(OUTCOME_COUNT));
}

/* RFC 9110 §10.2.3: 503 says when to come back. */
static void every_503_says_when(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum outcome outcome = rows[i].outcome;
        assert_true(outcome_status(outcome) != 503 || outcome_retry_after_s(outcome) > 0);
    }
}

static void refuse_writes_detail_and_clears_claim(void **state)
{
    (void)state;
    struct reason why = {.claim = "/old", .detail = "old"};
    assert_int_equal(refuse(&why, OUTCOME_LIMIT, "%d per %s", 5, "second"), OUTCOME_LIMIT);
    assert_string_equal(why.claim, "");
    assert_string_equal(why.detail, "5 per second");
}

static void refuse_claim_names_the_claim(void **state)
{
    (void)state;
    struct reason why = {0};
    assert_int_equal(refuse_claim(&why, OUTCOME_RULE, "/a~1b/0", "must be %s", "short"),
                     OUTCOME_RULE);
    assert_string_equal(why.claim, "/a~1b/0");
    assert_string_equal(why.detail, "must be short");
}

static void overlong_reasons_are_cut(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    struct reason why;
    (void)refuse_claim(&why, OUTCOME_RULE, text, "%s", text);
    assert_int_equal(strlen(why.claim), REASON_CLAIM_SIZE - 1);
    assert_int_equal(strlen(why.detail), REASON_DETAIL_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_the_contract),
        cmocka_unit_test(every_503_says_when),
        cmocka_unit_test(refuse_writes_detail_and_clears_claim),
        cmocka_unit_test(refuse_claim_names_the_claim),
        cmocka_unit_test(overlong_reasons_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
