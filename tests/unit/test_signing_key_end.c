/* SPDX-License-Identifier: Apache-2.0
 * Ends of keys, to the second. */
#include "signing/key_end.h"

#include "certificate_support.h"
#include "keyring_support.h"

#include "base/utc.h"
#include "pki/certificate.h"

#include <stdlib.h>

enum { DAY_S = 86400, MADE = 1795253400 /* 2026-11-21T09:30:00Z */ };

static const struct config_role stern = {
    .name = "seal", .cryptoperiod_days = 10, .warn_days = 3, .stops_at_end = true};
static const struct config_role mild = {.name = "seal", .cryptoperiod_days = 10, .warn_days = 3};
static const struct config_role endless = {.name = "seal", .warn_days = 30, .stops_at_end = true};

/* Active since MADE; its certificate, if it has one, ends so many seconds from now. */
static struct key make_key(long certificate_s)
{
    EVP_PKEY *pkey = make_pkey(KEY_P256);
    struct key key = key_of("seal", "hsm-a", 1, 1U << ALG_ES256, public_key_of(pkey));
    const struct issue issue = {.subject = "tpp", .issuer = "ca", .to_s = certificate_s};
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(8192);
    if (certificate_s != 0) {
        put_issued(&pem, &issue, pkey, pkey);
        key.chain_pem = strdup(buffer_text(&pem));
    }
    EVP_PKEY_free(pkey);
    return key;
}

static void change(struct key *key, enum key_state state, int64_t at)
{
    const struct key_change next = {.state = state, .at = at};
    struct reason why = {0};
    assert_done(key_note(key, &next, &why), why);
}

static void a_cryptoperiod_counts_from_the_first_use(void **state)
{
    (void)state;
    struct key key = make_key(0);
    struct key_end end = key_end_of(&stern, &key);
    assert_true(end.at[KEY_END_CERTIFICATE] == KEY_END_NEVER);
    assert_int_equal(end.at[KEY_END_CRYPTOPERIOD], MADE + 10 * DAY_S);
    change(&key, KEY_SUSPENDED, MADE + 100);
    change(&key, KEY_PUBLISHED, MADE + 200);
    end = key_end_of(&stern, &key);
    assert_int_equal(end.at[KEY_END_CRYPTOPERIOD], MADE + 10 * DAY_S);
    change(&key, KEY_ACTIVE, MADE + 300);
    end = key_end_of(&stern, &key);
    assert_int_equal(end.at[KEY_END_CRYPTOPERIOD], MADE + 10 * DAY_S);
    key_fini(&key);

    key = make_key(0);
    free(key.history);
    key.history = NULL;
    key.n_history = 0;
    change(&key, KEY_GENERATED, MADE);
    end = key_end_of(&stern, &key);
    assert_true(end.at[KEY_END_CRYPTOPERIOD] == KEY_END_NEVER);
    key_fini(&key);
}

static void levels_to_the_second(void **state)
{
    (void)state;
    struct key key = make_key(0);
    const struct key_end end = key_end_of(&stern, &key);
    const int64_t at = MADE + 10 * DAY_S;
    assert_int_equal(key_end_level(&end, KEY_END_CRYPTOPERIOD, at - 3 * DAY_S - 1), KEY_END_FAR);
    assert_int_equal(key_end_level(&end, KEY_END_CRYPTOPERIOD, at - 3 * DAY_S), KEY_END_NEAR);
    assert_int_equal(key_end_level(&end, KEY_END_CRYPTOPERIOD, at), KEY_END_NEAR);
    assert_false(key_end_is_over(&end, at));
    assert_int_equal(key_end_level(&end, KEY_END_CRYPTOPERIOD, at + 1), KEY_END_PAST);
    assert_true(key_end_is_over(&end, at + 1));
    assert_int_equal(key_end_level(&end, KEY_END_CERTIFICATE, at + 1), KEY_END_FAR);
    const struct key_end warned = key_end_of(&mild, &key);
    assert_int_equal(key_end_level(&warned, KEY_END_CRYPTOPERIOD, at + 1), KEY_END_PAST);
    assert_false(key_end_is_over(&warned, at + 1000L * DAY_S));
    const struct key_end none = key_end_of(&endless, &key);
    assert_int_equal(key_end_level(&none, KEY_END_CRYPTOPERIOD, INT64_MAX - 1), KEY_END_FAR);
    assert_false(key_end_is_over(&none, INT64_MAX - 1));
    key_fini(&key);
}

static void the_earlier_end_counts(void **state)
{
    (void)state;
    struct key key = make_key(5L * DAY_S);
    struct certificate_facts facts;
    assert_true(certificate_facts(span_of_text(key.chain_pem), &facts));
    struct key_end end = key_end_of(&endless, &key);
    assert_int_equal(end.at[KEY_END_CERTIFICATE], facts.not_after);
    assert_int_equal(end.stop_at, facts.not_after);
    key.history[0].at = facts.not_after - 10 * DAY_S - 1;
    end = key_end_of(&stern, &key);
    assert_int_equal(end.stop_at, facts.not_after - 1);
    key.history[0].at += 2;
    end = key_end_of(&stern, &key);
    assert_int_equal(end.stop_at, facts.not_after);
    assert_true(key_end_of(&mild, &key).stop_at == KEY_END_NEVER);
    key_fini(&key);
}

static void refusals_say_which_end_when_and_what_to_do(void **state)
{
    (void)state;
    struct reason why = {0};
    char want[512];
    char at[UTC_SIZE];
    struct key key = make_key(5L * DAY_S);
    const char *kid = public_key_thumbprint(key.public_key);
    struct key_end end = key_end_of(&endless, &key);
    (void)snprintf(want, sizeof want,
                   "key %s of role seal in token hsm-a signs nothing any more: its certificate "
                   "ended at %s; a custodian imports a renewed one (qsealctl key csr, qsealctl key "
                   "import-certificate), or activates another key",
                   kid, utc_text(end.stop_at, at));
    assert_refused(key_end_refuse(&key, &end, &why), OUTCOME_NO_KEY, why, want);
    key.history[0].at = MADE - 100L * DAY_S;
    end = key_end_of(&stern, &key);
    (void)snprintf(want, sizeof want,
                   "key %s of role seal in token hsm-a signs nothing any more: its cryptoperiod "
                   "ended at 2026-08-23T09:30:00Z; a custodian activates another key (qsealctl key "
                   "generate, publish, activate)",
                   kid);
    assert_refused(key_end_refuse(&key, &end, &why), OUTCOME_NO_KEY, why, want);
    key_fini(&key);
}

static void warnings_say_the_same(void **state)
{
    (void)state;
    char text[KEY_END_TEXT_SIZE];
    struct key key = make_key(0);
    const struct key_end stops = key_end_of(&stern, &key);
    const struct key_end warns = key_end_of(&mild, &key);
    key_end_text(&stops, KEY_END_CRYPTOPERIOD, MADE + 7 * DAY_S, text);
    assert_string_equal(text,
                        "its cryptoperiod ends at 2026-12-01T09:30:00Z, in 3 days, and the key "
                        "then signs nothing; a custodian activates another key (qsealctl key "
                        "generate, publish, activate)");
    key_end_text(&warns, KEY_END_CRYPTOPERIOD, MADE + 10 * DAY_S, text);
    assert_non_null(strstr(text, "ends at 2026-12-01T09:30:00Z, in 0 days; a custodian"));
    key_end_text(&stops, KEY_END_CRYPTOPERIOD, MADE + 10 * DAY_S + 1, text);
    assert_non_null(strstr(text, "ended at 2026-12-01T09:30:00Z, and the key signs nothing; a "));
    key_end_text(&warns, KEY_END_CRYPTOPERIOD, MADE + 10 * DAY_S + 1, text);
    assert_non_null(strstr(text, "ended at 2026-12-01T09:30:00Z, and the key signs on; a "));
    key_fini(&key);
}

static void only_keys_in_use_or_about_to_be_are_warned_of(void **state)
{
    (void)state;
    struct key key = make_key(1);
    const int64_t late = MADE + 1000L * DAY_S;
    change(&key, KEY_RETIRING, MADE + 1);
    struct key_end end = key_end_of(&stern, &key);
    assert_int_equal(key_end_level(&end, KEY_END_CERTIFICATE, late), KEY_END_FAR);
    assert_int_equal(key_end_level(&end, KEY_END_CRYPTOPERIOD, late), KEY_END_FAR);
    assert_true(key_end_is_over(&end, late)); /* a retiring transport key signs, until then */
    change(&key, KEY_RETIRED, MADE + 2);
    end = key_end_of(&stern, &key);
    assert_true(end.at[KEY_END_CERTIFICATE] == KEY_END_NEVER);
    assert_true(end.at[KEY_END_CRYPTOPERIOD] == KEY_END_NEVER);
    key_fini(&key);
}

static void a_role_that_is_gone_warns_of_nothing(void **state)
{
    (void)state;
    struct key key = make_key(1);
    const struct key_end end = key_end_of(NULL, &key);
    assert_true(end.at[KEY_END_CERTIFICATE] != KEY_END_NEVER);
    assert_int_equal(key_end_level(&end, KEY_END_CERTIFICATE, INT64_MAX - 1), KEY_END_FAR);
    assert_false(key_end_is_over(&end, INT64_MAX - 1));
    key_fini(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cryptoperiod_counts_from_the_first_use),
        cmocka_unit_test(levels_to_the_second),
        cmocka_unit_test(the_earlier_end_counts),
        cmocka_unit_test(refusals_say_which_end_when_and_what_to_do),
        cmocka_unit_test(warnings_say_the_same),
        cmocka_unit_test(only_keys_in_use_or_about_to_be_are_warned_of),
        cmocka_unit_test(a_role_that_is_gone_warns_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
