/* SPDX-License-Identifier: Apache-2.0
 * Every pair of states, allowed or with its reason, written down here a second time from
 * docs/keys.md; and every act in every state. */
#include "model/key_state.h"

#include "check.h"

#include <stdio.h>

static const char *const names[] = {"generated", "certified", "published", "active",     "retiring",
                                    "retired",   "destroyed", "suspended", "compromised"};

static void every_state_has_its_name(void **state)
{
    (void)state;
    assert_int_equal(COUNT_OF(names), KEY_STATE_COUNT);
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        enum key_state read = KEY_GENERATED;
        assert_string_equal(key_state_name((enum key_state)i), names[i]);
        assert_true(key_state_from_name(span_of_text(names[i]), &read));
        assert_int_equal(read, i);
    }
    static const char *const strange[] = {"", "Active", "activ", "actives", "deleted"};
    for (size_t i = 0; i < COUNT_OF(strange); i++) {
        enum key_state read = KEY_GENERATED;
        assert_false(key_state_from_name(span_of_text(strange[i]), &read));
    }
}

static void every_act_in_every_state(void **state)
{
    (void)state;
    /* sign, sign TLS, certificate request, in the JWK Set */
    static const char *const may[] = {
        [KEY_GENERATED] = "--c-", [KEY_CERTIFIED] = "--c-", [KEY_PUBLISHED] = "--cj",
        [KEY_ACTIVE] = "stcj",    [KEY_RETIRING] = "-tcj",  [KEY_RETIRED] = "--c-",
        [KEY_DESTROYED] = "----", [KEY_SUSPENDED] = "--c-", [KEY_COMPROMISED] = "----"};
    assert_int_equal(COUNT_OF(may), KEY_STATE_COUNT);
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        for (unsigned int act = 0; act < KEY_ACT_COUNT; act++) {
            assert_int_equal(key_state_may((enum key_state)i, (enum key_act)act),
                             may[i][act] != '-');
        }
    }
    assert_int_equal(key_act_of(PURPOSE_SEAL), KEY_ACT_SIGN);
    assert_int_equal(key_act_of(PURPOSE_TRANSPORT), KEY_ACT_SIGN_TLS);
    assert_int_equal(key_act_of(PURPOSE_AUDIT), KEY_ACT_SIGN);
}

/* Rows: from; columns: to. '+' is allowed, a letter one of the reasons below. */
static const char *const pairs[] = {
    [KEY_GENERATED] = "s++poU+++", [KEY_CERTIFIED] = "fs+poU+++", [KEY_PUBLISHED] = "ffs+o+r++",
    [KEY_ACTIVE] = "fffs+aA++",    [KEY_RETIRING] = "ffffs+r++",  [KEY_RETIRED] = "fffffs+q+",
    [KEY_DESTROYED] = "ggggggsgg", [KEY_SUSPENDED] = "+++e+mrs+", [KEY_COMPROMISED] = "tttttt+ts",
};

static const char *reason_of(char letter)
{
    static const struct {
        char letter;
        const char *text;
    } reasons[] = {
        {'s', "it is in that state already"},
        {'f', "states go forward only; generate another key"},
        {'p', "publish it first"},
        {'o', "only an active key becomes so, when its successor is activated"},
        {'U', "it was never published: destroy it as it is"},
        {'r', "retire it first, or declare it compromised"},
        {'a', "activate its successor first, which makes this one retiring"},
        {'A', "activate its successor, then retire it first, or declare it compromised"},
        {'q', "it signs nothing any more; destroy it, or declare it compromised"},
        {'e', "resume it first: it is then published, and can be activated"},
        {'m', "resume it first"},
        {'g', "a destroyed key is gone for good; generate another key"},
        {'t', "a compromised key can only be destroyed; generate another key"},
    };
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (reasons[i].letter == letter) {
            return reasons[i].text;
        }
    }
    fail();
    return NULL;
}

static void every_pair_is_allowed_or_refused_with_what_comes_first(void **state)
{
    (void)state;
    unsigned int allowed = 0;
    assert_int_equal(COUNT_OF(pairs), KEY_STATE_COUNT);
    for (unsigned int from = 0; from < KEY_STATE_COUNT; from++) {
        assert_int_equal(strlen(pairs[from]), KEY_STATE_COUNT);
        for (unsigned int to = 0; to < KEY_STATE_COUNT; to++) {
            struct reason why = {0};
            enum outcome outcome = key_state_check((enum key_state)from, (enum key_state)to, &why);
            if (pairs[from][to] == '+') {
                assert_done(outcome, why);
                allowed++;
                continue;
            }
            char want[REASON_DETAIL_SIZE];
            (void)snprintf(want, sizeof want, "a key that is %s does not become %s: %s",
                           names[from], names[to], reason_of(pairs[from][to]));
            assert_int_equal(outcome, OUTCOME_RULE);
            assert_string_equal(why.detail, want);
        }
    }
    assert_int_equal(allowed, 27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_its_name),
        cmocka_unit_test(every_act_in_every_state),
        cmocka_unit_test(every_pair_is_allowed_or_refused_with_what_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
