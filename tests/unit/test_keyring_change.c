/* SPDX-License-Identifier: Apache-2.0
 * Keys on their way, alone and together. */
#include "keyring_support.h"

static const uint32_t es256 = 1U << ALG_ES256;

static struct key_change change_to(enum key_state state, int64_t at)
{
    return (struct key_change){.state = state, .at = at, .by = 1000, .reason = "test"};
}

/* A key that has gone through these states, one second after the other from 100 on. */
static struct key key_through(const char *role, uint8_t id, const enum key_state *states, size_t n)
{
    struct key key = key_of(role, "hsm-a", id, es256, new_public_key(KEY_P256));
    struct reason why = {0};
    key.n_history = 0;
    for (size_t i = 0; i < n; i++) {
        const struct key_change change = change_to(states[i], 100 + (int64_t)i);
        assert_done(key_note(&key, &change, &why), why);
    }
    return key;
}

static void what_is_noted_is_known(void **state)
{
    (void)state;
    static const enum key_state states[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE,
                                            KEY_SUSPENDED, KEY_PUBLISHED, KEY_ACTIVE,
                                            KEY_RETIRING};
    struct key key = key_through("seal", 1, states, COUNT_OF(states));
    int64_t at = 0;
    assert_int_equal(key.state, KEY_RETIRING);
    assert_int_equal(key_since(&key), 106);
    assert_true(key_shown_since(&key, &at));
    assert_int_equal(at, 104); /* the break of its suspension counts */
    assert_true(key_stopped_at(&key, &at));
    assert_int_equal(at, 106);
    key_fini(&key);

    key = key_through("seal", 1, states, 1);
    assert_false(key_shown_since(&key, &at));
    assert_false(key_stopped_at(&key, &at));
    key_fini(&key);

    key = key_through("seal", 1, states, 6);
    assert_false(key_stopped_at(&key, &at)); /* it signs */
    assert_true(key_shown_since(&key, &at));
    key_fini(&key);

    key = key_through("seal", 1, states, 5);
    assert_true(key_stopped_at(&key, &at));
    assert_int_equal(at, 103);
    key_fini(&key);
}

static void what_cannot_be_noted_changes_nothing(void **state)
{
    (void)state;
    static const enum key_state states[] = {KEY_GENERATED};
    struct key key = key_through("seal", 1, states, 1);
    struct reason why = {0};
    struct key_change change = change_to(KEY_ACTIVE, 200);
    assert_refused(key_note(&key, &change, &why), OUTCOME_RULE, why,
                   "a key that is generated does not become active: publish it first");
    change = change_to(KEY_PUBLISHED, 200);
    memset(change.reason, 'a', KEYRING_REASON_MAX);
    change.reason[3] = '\n';
    assert_refused(key_note(&key, &change, &why), OUTCOME_RULE, why,
                   "a reason has at most 200 printable ASCII characters");
    memset(change.reason, 'a', sizeof change.reason);
    assert_refused(key_note(&key, &change, &why), OUTCOME_RULE, why, "at most 200 printable");
    assert_int_equal(key.state, KEY_GENERATED);
    assert_int_equal(key.n_history, 1);
    change.reason[KEYRING_REASON_MAX] = '\0';
    assert_done(key_note(&key, &change, &why), why);
    key_fini(&key);
}

static void a_history_has_an_end(void **state)
{
    (void)state;
    static const enum key_state states[] = {KEY_GENERATED};
    struct key key = key_through("seal", 1, states, 1);
    struct reason why = {0};
    for (size_t i = 1; i < KEYRING_HISTORY_FREE; i++) {
        const struct key_change change = change_to(i % 2 == 1 ? KEY_SUSPENDED : KEY_GENERATED, 200);
        assert_done(key_note(&key, &change, &why), why);
    }
    const struct key_change more = change_to(KEY_GENERATED, 200);
    assert_refused(key_note(&key, &more, &why), OUTCOME_RULE, why,
                   "this key has changed 90 times: generate another");
    /* Its end is never refused for want of room. */
    static const enum key_state end[] = {KEY_COMPROMISED, KEY_DESTROYED};
    for (size_t i = 0; i < COUNT_OF(end); i++) {
        const struct key_change change = change_to(end[i], 200);
        assert_done(key_note(&key, &change, &why), why);
    }
    key_fini(&key);
}

static void an_active_key_with_a_long_history_can_be_stopped_and_replaced(void **state)
{
    (void)state;
    static const enum key_state stops[] = {KEY_SUSPENDED, KEY_COMPROMISED, KEY_RETIRING};
    for (size_t n = 0; n < COUNT_OF(stops); n++) {
        static const enum key_state states[] = {KEY_GENERATED, KEY_SUSPENDED, KEY_GENERATED,
                                                KEY_PUBLISHED};
        struct key key = key_through("seal", 1, states, COUNT_OF(states));
        struct reason why = {0};
        while (key.n_history < KEYRING_HISTORY_FREE - 2) {
            const struct key_change change =
                change_to(key.state == KEY_SUSPENDED ? KEY_PUBLISHED : KEY_SUSPENDED, 200);
            assert_done(key_note(&key, &change, &why), why);
        }
        const struct key_change active = change_to(KEY_ACTIVE, 200);
        assert_done(key_note(&key, &active, &why), why);
        const struct key_change stop = change_to(stops[n], 200);
        assert_done(key_note(&key, &stop, &why), why);
        key_fini(&key);
    }
}

static void a_suspended_key_goes_on_where_it_was(void **state)
{
    (void)state;
    static const enum key_state states[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE,
                                            KEY_SUSPENDED};
    struct key key = key_through("seal", 1, states, COUNT_OF(states));
    struct reason why = {0};
    enum key_state to = KEY_GENERATED;
    assert_true(key_resumes_to(&key, &to));
    assert_int_equal(to, KEY_PUBLISHED);
    const struct key_change wrong = change_to(KEY_RETIRING, 200);
    assert_refused(key_note(&key, &wrong, &why), OUTCOME_RULE, why,
                   "a suspended key goes on as published here, and not as retiring");
    const struct key_change right = change_to(KEY_PUBLISHED, 200);
    assert_done(key_note(&key, &right, &why), why);
    assert_false(key_resumes_to(&key, &to));
    key_fini(&key);
}

static struct keyring *two_keys(void)
{
    static const enum key_state published[] = {KEY_GENERATED, KEY_PUBLISHED};
    struct keyring *keyring = empty_keyring();
    add_key(&keyring, key_of("seal", "hsm-a", 1, es256, new_public_key(KEY_P256)));
    add_key(&keyring, key_through("seal", 2, published, 2));
    return keyring;
}

static void a_switch_is_one_generation(void **state)
{
    (void)state;
    struct keyring *keyring = two_keys();
    struct keyring *next = NULL;
    struct reason why = {0};
    const struct keyring_step steps[] = {{0, change_to(KEY_RETIRING, 300)},
                                         {1, change_to(KEY_ACTIVE, 300)}};
    assert_done(keyring_change(keyring, steps, 2, &next, &why), why);
    assert_int_equal(next->generation, keyring->generation + 1);
    assert_int_equal(next->keys[0].state, KEY_RETIRING);
    assert_int_equal(next->keys[1].state, KEY_ACTIVE);
    assert_ptr_equal(keyring_active(next, "seal", "hsm-a"), &next->keys[1]);
    assert_string_equal(next->keys[0].history[1].reason, "test");
    assert_int_equal(keyring->keys[0].state, KEY_ACTIVE); /* the old one is as it was */
    assert_int_equal(keyring->keys[0].n_history, 1);
    keyring_free(next);
    keyring_free(keyring);
}

static void expect_refused(const struct keyring *keyring, const struct keyring_step *steps,
                           size_t n, enum outcome outcome, const char *fragment)
{
    struct keyring *next = NULL;
    struct reason why = {0};
    assert_refused(keyring_change(keyring, steps, n, &next, &why), outcome, why, fragment);
    assert_null(next);
}

static void two_active_keys_are_one_too_many(void **state)
{
    (void)state;
    struct keyring *keyring = two_keys();
    const struct keyring_step both[] = {{1, change_to(KEY_ACTIVE, 300)}};
    const struct keyring_step wrong[] = {{0, change_to(KEY_RETIRING, 300)},
                                         {1, change_to(KEY_RETIRED, 300)},
                                         {1, change_to(KEY_ACTIVE, 300)}};
    const struct keyring_step nobody[] = {{2, change_to(KEY_ACTIVE, 300)}};
    expect_refused(keyring, both, 1, OUTCOME_RULE,
                   "role seal already has an active key on token hsm-a; one at a time");
    expect_refused(keyring, wrong, 3, OUTCOME_RULE,
                   "a key that is retired does not become active: states go forward only");
    expect_refused(keyring, nobody, 1, OUTCOME_INTERNAL, "no key 2 in the keyring");
    keyring_free(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_noted_is_known),
        cmocka_unit_test(what_cannot_be_noted_changes_nothing),
        cmocka_unit_test(a_history_has_an_end),
        cmocka_unit_test(an_active_key_with_a_long_history_can_be_stopped_and_replaced),
        cmocka_unit_test(a_suspended_key_goes_on_where_it_was),
        cmocka_unit_test(a_switch_is_one_generation),
        cmocka_unit_test(two_active_keys_are_one_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
