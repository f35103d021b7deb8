/* SPDX-License-Identifier: Apache-2.0
 * Publish before use and keep after use, to the second. */
#include "custody/change.h"

#include "base/clock.h"
#include "certificate_support.h"
#include "custody_support.h"
#include "keyring_support.h"

static const uint32_t es256 = 1U << ALG_ES256;
enum { LONG_AGO = 1000000 };

/* A policy without a keyring, and two keys of it: one that went through these states, one second
 * after the other from LONG_AGO on, and an active one on hsm-b if `other`. */
struct stage {
    struct instance instance;
    struct view *view;
    struct keyring *keyring;
};

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    instance_init(&stage->instance, "[\"*\"]", "[custodian]");
    stage->view = view_cell_get(stage->instance.views);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    keyring_free(stage->keyring);
    view_unref(stage->view);
    instance_fini(&stage->instance);
    free(stage);
    return 0;
}

static struct change_question ask(struct stage *stage, const char *role,
                                  const enum key_state *states, size_t n, bool other, int64_t now)
{
    struct reason why = {0};
    struct key key = key_of(role, "hsm-a", 1, es256, new_public_key(KEY_P256));
    key.n_history = 0;
    for (size_t i = 0; i < n; i++) {
        const struct key_change change = {.state = states[i], .at = LONG_AGO + (int64_t)i};
        assert_done(key_note(&key, &change, &why), why);
    }
    keyring_free(stage->keyring);
    stage->keyring = empty_keyring();
    add_key(&stage->keyring, key);
    if (other) {
        add_key(&stage->keyring, key_of(role, "hsm-b", 2, es256, new_public_key(KEY_P256)));
    }
    return (struct change_question){.policy = stage->view->policy,
                                    .keyring = stage->keyring,
                                    .key = &stage->keyring->keys[0],
                                    .now = now};
}

static const enum key_state life[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE, KEY_RETIRING};

static void a_key_is_published_long_enough_before_it_signs(void **state)
{
    struct stage *stage = *state;
    struct reason why = {0};
    int64_t since = LONG_AGO + 1;
    struct change_question question = ask(stage, "seal-ec", life, 2, true, since + 300);
    assert_refused(rule_time(&question, KEY_ACTIVE, &why), OUTCOME_RULE, why,
                   "the key was published 300 s ago; verifiers may hold the old JWK Set for 300 s: "
                   "from 1970-01-12T13:51:42Z on");
    question.now++;
    assert_done(rule_time(&question, KEY_ACTIVE, &why), why);
    /* No key of the role signs on any token: nobody's set is older. */
    question = ask(stage, "seal-ec", life, 2, false, since);
    assert_done(rule_time(&question, KEY_ACTIVE, &why), why);
    question = ask(stage, "unknown", life, 2, true, since);
    assert_refused(rule_time(&question, KEY_ACTIVE, &why), OUTCOME_RULE, why,
                   "role unknown is not in the configuration any more");
    assert_refused(rule_step(&question, KEY_PUBLISHED, &why), OUTCOME_RULE, why,
                   "role unknown is not in the configuration any more");
}

/* As one that was suspended and has come back. */
static void a_key_past_its_end_is_not_activated(void **state)
{
    enum { DAY_S = 86400 };
    static const enum key_state again[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE, KEY_SUSPENDED,
                                           KEY_PUBLISHED};
    struct stage *stage = *state;
    struct reason why = {0};
    stage->instance.seal_ec_more = ", cryptoperiod_days: 1, at_end: stop";
    instance_configure(&stage->instance, "[\"*\"]", "[custodian]");
    assert_done(custody_reload(stage->instance.custody, &why), why);
    view_unref(stage->view);
    stage->view = view_cell_get(stage->instance.views);
    int64_t end = LONG_AGO + 2 + DAY_S;
    struct change_question question = ask(stage, "seal-ec", again, COUNT_OF(again), false, end);
    assert_done(rule_time(&question, KEY_ACTIVE, &why), why);
    question.now++;
    assert_refused(rule_time(&question, KEY_ACTIVE, &why), OUTCOME_RULE, why,
                   "the key is not activated: its cryptoperiod ended at 1970-01-13T13:46:42Z, and "
                   "the key signs nothing; a custodian activates another key");
}

/* Its certificate is valid from and to so many seconds from now. */
static struct change_question with_certificate(struct stage *stage, size_t n_states, long from_s,
                                               long to_s)
{
    struct change_question question = ask(stage, "seal-ec", life, n_states, false, clock_wall_s());
    const struct issue issue = {.subject = "leaf", .issuer = "ca", .from_s = from_s, .to_s = to_s};
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(8192);
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    put_issued(&pem, &issue, pair, pair);
    stage->keyring->keys[0].chain_pem = strdup(buffer_text(&pem));
    EVP_PKEY_free(pair);
    return question;
}

static void a_certificate_is_valid_when_its_key_is_shown_and_used(void **state)
{
    struct stage *stage = *state;
    struct reason why = {0};
    static const enum key_state steps[] = {KEY_PUBLISHED, KEY_ACTIVE};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct change_question question = with_certificate(stage, 1 + i, 0, 0);
        assert_done(rule_time(&question, steps[i], &why), why);
        question.now += 100 * 365 * 86400LL;
        assert_refused(rule_time(&question, steps[i], &why), OUTCOME_RULE, why, "ended at 20");
        assert_refused(rule_time(&question, steps[i], &why), OUTCOME_RULE, why,
                       ": a renewed one comes first (qsealctl key csr, then");
        question = with_certificate(stage, 1 + i, 600, 3600);
        assert_refused(rule_time(&question, steps[i], &why), OUTCOME_RULE, why,
                       " is not valid before 20");
        question.now += 600;
        assert_done(rule_time(&question, steps[i], &why), why);
        free(stage->keyring->keys[0].chain_pem);
        stage->keyring->keys[0].chain_pem = strdup("no certificate");
        assert_refused(rule_time(&question, steps[i], &why), OUTCOME_RULE, why, "cannot be read");
    }
    /* What was published goes on where it was. */
    static const enum key_state again[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_SUSPENDED};
    struct change_question question = ask(stage, "seal-ec", again, 3, false, clock_wall_s());
    stage->keyring->keys[0].chain_pem = strdup("no certificate");
    assert_done(rule_time(&question, KEY_PUBLISHED, &why), why);
}

/* The role has come to ask for one since the key was published. */
static void a_certificate_is_asked_for_again(void **state)
{
    struct stage *stage = *state;
    struct reason why = {0};
    stage->instance.seal_ec_more = ", certificate: required";
    instance_configure(&stage->instance, "[\"*\"]", "[custodian]");
    assert_done(custody_reload(stage->instance.custody, &why), why);
    view_unref(stage->view);
    stage->view = view_cell_get(stage->instance.views);
    struct change_question question = ask(stage, "seal-ec", life, 2, false, clock_wall_s());
    assert_refused(rule_time(&question, KEY_ACTIVE, &why), OUTCOME_RULE, why,
                   "keys of role seal-ec need a certificate first");
}

static void a_key_is_kept_as_long_as_what_it_signed(void **state)
{
    struct stage *stage = *state;
    struct reason why = {0};
    const struct profiles *profiles = stage->view->policy->profiles;
    int64_t longest = 0;
    for (size_t i = 0; i < profiles_count(profiles); i++) {
        const struct profile *profile = profiles_at(profiles, i);
        bool of_role = strcmp(profile_role(profile), "seal-ec") == 0;
        longest = of_role && profile_longest_lifetime_s(profile) > longest
                      ? profile_longest_lifetime_s(profile)
                      : longest;
    }
    assert_true(longest > 0);
    int64_t from = LONG_AGO + 3 + longest + 10 + 1; /* a request's deadline, and the cut second */
    struct change_question question = ask(stage, "seal-ec", life, 4, true, from - 1);
    char text[160];
    (void)snprintf(text, sizeof text,
                   "the key stopped signing %lld s ago, and what it signed is valid for up to "
                   "%lld s: from ",
                   (long long)(longest + 10), (long long)(longest + 11));
    assert_refused(rule_time(&question, KEY_RETIRED, &why), OUTCOME_RULE, why, text);
    question.now = from;
    assert_done(rule_time(&question, KEY_RETIRED, &why), why);
    /* It never signed. */
    question = ask(stage, "seal-ec", life, 2, true, LONG_AGO + 1);
    assert_done(rule_time(&question, KEY_RETIRED, &why), why);
    /* No profile makes anything with it. */
    question = ask(stage, "unknown", life, 4, true, LONG_AGO + 3);
    assert_done(rule_time(&question, KEY_RETIRED, &why), why);
    /* When it stopped signing there was a profile. */
    stage->keyring->keys[0].history[3].wait_s = 1000;
    assert_refused(rule_time(&question, KEY_RETIRED, &why), OUTCOME_RULE, why,
                   "what it signed is valid for up to 1000 s");
    question.now += 1000;
    assert_done(rule_time(&question, KEY_RETIRED, &why), why);
}

static void a_suspended_key_resumes_where_it_was(void **state)
{
    struct stage *stage = *state;
    static const enum key_state before[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE, KEY_RETIRING};
    static const enum key_state after[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_PUBLISHED,
                                           KEY_RETIRING};
    for (size_t i = 0; i < COUNT_OF(before); i++) {
        enum key_state states[5];
        enum key_state to = KEY_DESTROYED;
        struct reason why = {0};
        memcpy(states, life, sizeof life);
        states[i + 1] = KEY_SUSPENDED;
        struct change_question question = ask(stage, "seal-ec", states, i + 2, false, 0);
        assert_done(rule_resume(question.key, &to, &why), why);
        assert_int_equal(to, after[i]);
        question = ask(stage, "seal-ec", states, i + 1, false, 0);
        assert_refused(rule_resume(question.key, &to, &why), OUTCOME_RULE, why,
                       "and not suspended: there is nothing to resume");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_published_long_enough_before_it_signs),
        TEST(a_key_past_its_end_is_not_activated),
        TEST(a_certificate_is_valid_when_its_key_is_shown_and_used),
        TEST(a_certificate_is_asked_for_again),
        TEST(a_key_is_kept_as_long_as_what_it_signed),
        TEST(a_suspended_key_resumes_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
