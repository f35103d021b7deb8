/* SPDX-License-Identifier: Apache-2.0
 * What was not done, and on which tokens. */
#include "custody/failures.h"

#include "check.h"
#include "jose/json.h"

static void add(struct failures *failures, const char *token, enum outcome outcome,
                const char *detail)
{
    struct reason why = {0};
    (void)refuse(&why, outcome, "%s", detail);
    failures_add(failures, token, outcome, &why);
}

static void none_is_nothing_to_say(void **state)
{
    (void)state;
    FAILURES_CLEANUP struct failures failures = FAILURES_INIT;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(1000);
    struct reason why = {0};
    failures_put(&failures, &out);
    assert_int_equal(out.len, 0);
    assert_done(failures_outcome(&failures, 0, &why), why);
    assert_done(failures_outcome(&failures, 1, &why), why);
}

static void each_is_told_and_the_first_is_the_outcome(void **state)
{
    (void)state;
    FAILURES_CLEANUP struct failures failures = FAILURES_INIT;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(1000);
    struct reason why = {0};
    add(&failures, "hsm-a", OUTCOME_DEADLINE, "it was \"slow\"");
    add(&failures, "hsm-b", OUTCOME_TOKEN_UNAVAILABLE, "it was away\n");
    failures_put(&failures, &out);
    assert_string_equal(buffer_text(&out),
                        ",\"failed\":["
                        "{\"token\":\"hsm-a\",\"outcome\":\"deadline\",\"detail\":\"it was "
                        "\\\"slow\\\"\"},"
                        "{\"token\":\"hsm-b\",\"outcome\":\"token-unavailable\",\"detail\":\"it "
                        "was away\\n\"}]");
    assert_refused(failures_outcome(&failures, 0, &why), OUTCOME_DEADLINE, why, "it was \"slow\"");
    why = (struct reason){0};
    assert_done(failures_outcome(&failures, 1, &why), why);
    assert_string_equal(why.detail, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_nothing_to_say),
        cmocka_unit_test(each_is_told_and_the_first_is_the_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
