/* SPDX-License-Identifier: Apache-2.0
 * What is on record of keys, and what is to come for them. */
#include "keyring/store.h"
#include "keyring_support.h"

static const uint32_t es256 = 1U << ALG_ES256;

static struct key_planned planned(enum key_state state, int64_t at)
{
    return (struct key_planned){.change = {.state = state, .at = at, .by = 7, .reason = "yearly"},
                                .made_at = 50};
}

static void note(struct key *key, enum key_state state)
{
    const struct key_change change = {.state = state, .at = 100, .by = 1000};
    struct reason why = {0};
    assert_done(key_note(key, &change, &why), why);
}

/* 0 is active, 1 is generated. */
static struct keyring *two_keys(void)
{
    struct keyring *keyring = empty_keyring();
    struct key key = key_of("seal", "hsm-a", 2, es256, new_public_key(KEY_P256));
    key.n_history = 0;
    note(&key, KEY_GENERATED);
    add_key(&keyring, key_of("seal", "hsm-a", 1, es256, new_public_key(KEY_P256)));
    add_key(&keyring, key);
    return keyring;
}

static struct keyring *with_rotation(void)
{
    struct keyring *keyring = two_keys();
    struct keyring *next = NULL;
    struct reason why = {0};
    const struct keyring_schedule schedules[] = {
        {0, {planned(KEY_RETIRING, 300), planned(KEY_RETIRED, 400)}, 2},
        {1, {planned(KEY_PUBLISHED, 200), planned(KEY_ACTIVE, 300)}, 2},
    };
    assert_done(keyring_set_schedules(keyring, schedules, 2, &next, &why), why);
    assert_int_equal(next->generation, keyring->generation + 1);
    assert_int_equal(keyring->keys[1].n_schedule, 0); /* the old one is as it was */
    keyring_free(keyring);
    return next;
}

static void take(struct keyring **keyring, const struct keyring_step *steps, size_t n)
{
    struct keyring *next = NULL;
    struct reason why = {0};
    assert_done(keyring_change(*keyring, steps, n, &next, &why), why);
    keyring_free(*keyring);
    *keyring = next;
}

static struct keyring_step step(size_t index, enum key_state state)
{
    return (struct keyring_step){.index = index, .change = {.state = state, .at = 300, .by = 7}};
}

static void a_step_that_is_done_is_to_come_no_more(void **state)
{
    (void)state;
    struct keyring *keyring = with_rotation();
    const struct keyring_step publish = step(1, KEY_PUBLISHED);
    take(&keyring, &publish, 1);
    assert_int_equal(keyring->keys[1].n_schedule, 1);
    assert_int_equal(keyring->keys[1].schedule[0].change.state, KEY_ACTIVE);
    assert_int_equal(keyring->keys[1].schedule[0].change.at, 300);
    assert_int_equal(keyring->keys[1].schedule[0].made_at, 50);
    const struct keyring_step both[] = {step(0, KEY_RETIRING), step(1, KEY_ACTIVE)};
    take(&keyring, both, 2);
    assert_int_equal(keyring->keys[1].n_schedule, 0);
    assert_null(keyring->keys[1].schedule);
    assert_int_equal(keyring->keys[0].n_schedule, 1);
    assert_int_equal(keyring->keys[0].schedule[0].change.state, KEY_RETIRED);
    keyring_free(keyring);
}

/* By hand, and sooner: what is to come after it stays. */
static void a_step_may_be_overtaken(void **state)
{
    (void)state;
    struct keyring *keyring = with_rotation();
    const struct keyring_step certified = step(1, KEY_CERTIFIED);
    take(&keyring, &certified, 1);
    assert_int_equal(keyring->keys[1].n_schedule, 2);
    const struct keyring_step hand[] = {step(1, KEY_PUBLISHED), step(0, KEY_RETIRING),
                                        step(1, KEY_ACTIVE)};
    take(&keyring, hand, 3);
    assert_int_equal(keyring->keys[1].n_schedule, 0);
    assert_int_equal(keyring->keys[0].n_schedule, 1);
    keyring_free(keyring);
}

/* Also when the table has a way from there: people have stopped it, and people let it go on. */
static void a_key_that_is_stopped_has_nothing_to_come(void **state)
{
    (void)state;
    static const enum key_state stops[] = {KEY_SUSPENDED, KEY_COMPROMISED, KEY_DESTROYED};
    for (size_t i = 0; i < COUNT_OF(stops); i++) {
        struct keyring *keyring = with_rotation();
        const struct keyring_step stop = step(1, stops[i]);
        take(&keyring, &stop, 1);
        assert_int_equal(keyring->keys[1].n_schedule, 0);
        /* Nor does the other one go for it. */
        assert_int_equal(keyring->keys[0].n_schedule, 0);
        keyring_free(keyring);
        keyring = with_rotation();
        const struct keyring_step first = step(0, KEY_SUSPENDED);
        take(&keyring, &first, 1);
        assert_int_equal(keyring->keys[0].n_schedule, 0);
        assert_int_equal(keyring->keys[1].n_schedule, 2);
        keyring_free(keyring);
    }
}

static void refuse_schedule(const struct keyring_schedule *schedule, enum outcome outcome,
                            const char *fragment)
{
    struct keyring *keyring = two_keys();
    struct keyring *next = NULL;
    struct reason why = {0};
    assert_refused(keyring_set_schedules(keyring, schedule, 1, &next, &why), outcome, why,
                   fragment);
    assert_null(next);
    keyring_free(keyring);
}

static void schedules_are_checked(void **state)
{
    (void)state;
    struct keyring_schedule schedule = {1, {planned(KEY_ACTIVE, 1)}, 1};
    refuse_schedule(&schedule, OUTCOME_RULE,
                    "a key that is generated does not become active: publish it first");
    schedule =
        (struct keyring_schedule){1, {planned(KEY_PUBLISHED, 2), planned(KEY_RETIRING, 3)}, 2};
    refuse_schedule(&schedule, OUTCOME_RULE, "a key that is published does not become retiring");
    schedule = (struct keyring_schedule){1, {planned(KEY_PUBLISHED, 2), planned(KEY_ACTIVE, 1)}, 2};
    refuse_schedule(&schedule, OUTCOME_RULE,
                    "the steps of a key are scheduled in the order of time");
    schedule = (struct keyring_schedule){1, {planned(KEY_PUBLISHED, 2)}, 1};
    schedule.steps[0].change.reason[0] = '\t';
    refuse_schedule(&schedule, OUTCOME_RULE, "a reason has at most 200 printable ASCII characters");
    schedule = (struct keyring_schedule){1, {planned(KEY_DESTROYED, 2)}, 1};
    refuse_schedule(&schedule, OUTCOME_RULE, "the clock makes no key destroyed");
    schedule = (struct keyring_schedule){1, {planned(KEY_CERTIFIED, 2)}, 1};
    refuse_schedule(&schedule, OUTCOME_RULE, "the clock makes no key certified");
    schedule = (struct keyring_schedule){2, {planned(KEY_PUBLISHED, 2)}, 1};
    refuse_schedule(&schedule, OUTCOME_INTERNAL, "no key 2 in the keyring");
}

static void a_schedule_has_an_end(void **state)
{
    (void)state;
    struct key key = key_of("seal", "hsm-a", 2, es256, new_public_key(KEY_P256));
    struct reason why = {0};
    for (size_t i = 0; i < KEYRING_SCHEDULE_MAX; i++) {
        struct key_planned next = planned(i % 2 == 0 ? KEY_SUSPENDED : KEY_PUBLISHED, 9);
        assert_done(schedule_append(&key, &next, &why), why);
    }
    struct key_planned more = planned(KEY_ACTIVE, 9);
    assert_refused(schedule_append(&key, &more, &why), OUTCOME_RULE, why,
                   "at most 8 steps of a key are scheduled");
    key_fini(&key);
}

static void a_record_stands_beside_the_key(void **state)
{
    (void)state;
    struct keyring *keyring = two_keys();
    struct keyring *next = NULL;
    struct reason why = {0};
    const size_t indexes[] = {0, 1};
    const struct key_record record = {.at = 99, .by = 7, .text = "safe 2"};
    assert_done(keyring_set_record(keyring, indexes, 2, KEY_PROOF_BACKUP, &record, &next, &why),
                why);
    assert_int_equal(next->generation, keyring->generation + 1);
    for (size_t i = 0; i < 2; i++) {
        assert_true(next->keys[i].proofs[KEY_PROOF_BACKUP].recorded);
        assert_int_equal(next->keys[i].proofs[KEY_PROOF_BACKUP].at, 99);
        assert_string_equal(next->keys[i].proofs[KEY_PROOF_BACKUP].text, "safe 2");
        assert_false(next->keys[i].proofs[KEY_PROOF_SEEN].recorded);
        assert_false(keyring->keys[i].proofs[KEY_PROOF_BACKUP].recorded);
    }
    keyring_free(next);
    struct key_record bad = record;
    bad.text[0] = '\n';
    assert_refused(keyring_set_record(keyring, indexes, 1, KEY_PROOF_SEEN, &bad, &next, &why),
                   OUTCOME_RULE, why, "printable ASCII");
    assert_null(next);
    const size_t nobody = 2;
    assert_refused(keyring_set_record(keyring, &nobody, 1, KEY_PROOF_SEEN, &record, &next, &why),
                   OUTCOME_INTERNAL, why, "no key 2 in the keyring");
    assert_null(next);
    keyring_free(keyring);
}

/* What was seen before a break was another publication. */
static void a_key_was_seen_when_it_was_shown(void **state)
{
    (void)state;
    struct key key = key_of("seal", "hsm-a", 2, es256, new_public_key(KEY_P256));
    key.n_history = 0;
    note(&key, KEY_GENERATED);
    key.proofs[KEY_PROOF_SEEN] = (struct key_record){.recorded = true, .at = 99};
    assert_false(key_is_seen(&key)); /* not shown */
    note(&key, KEY_PUBLISHED);
    assert_false(key_is_seen(&key)); /* at 100 */
    key.proofs[KEY_PROOF_SEEN].at = 100;
    assert_true(key_is_seen(&key));
    key.proofs[KEY_PROOF_SEEN].recorded = false;
    assert_false(key_is_seen(&key));
    key_fini(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_that_is_done_is_to_come_no_more),
        cmocka_unit_test(a_step_may_be_overtaken),
        cmocka_unit_test(a_key_that_is_stopped_has_nothing_to_come),
        cmocka_unit_test(schedules_are_checked),
        cmocka_unit_test(a_schedule_has_an_end),
        cmocka_unit_test(a_record_stands_beside_the_key),
        cmocka_unit_test(a_key_was_seen_when_it_was_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
