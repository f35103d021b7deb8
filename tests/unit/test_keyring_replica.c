/* SPDX-License-Identifier: Apache-2.0
 * One key on one token more: what it has of its key, and what becomes of it. */
#include "keyring/store.h"
#include "keyring_support.h"

#include <string.h>

enum { MADE = 1795253400, ADOPTED = MADE + 1000 };

static struct key_change step(enum key_state state, int64_t at)
{
    return (struct key_change){.state = state, .at = at, .by = 1000};
}

/* A key of role seal on hsm-a that went this way, a step each second. */
static struct keyring *keyring_through(const enum key_state *states, size_t n)
{
    struct keyring *keyring = empty_keyring();
    struct reason why = {0};
    struct key key = key_of("seal", "hsm-a", 1, 1U << ALG_ES256, new_public_key(KEY_P256));
    key.n_history = 0;
    for (size_t i = 0; i < n; i++) {
        struct key_change change = step(states[i], MADE + (int64_t)i);
        change.wait_s = states[i] == KEY_PUBLISHED ? 300 : 0;
        assert_done(key_note(&key, &change, &why), why);
    }
    key.proofs[KEY_PROOF_BACKUP] = (struct key_record){.recorded = true, .at = 5, .by = 6};
    add_key(&keyring, key);
    return keyring;
}

static struct keyring *with_replica(struct keyring *keyring, size_t index, const char *token,
                                    enum key_state state)
{
    struct keyring *next = NULL;
    struct reason why = {0};
    struct key_change adoption = step(state, ADOPTED);
    adoption.by = 4711;
    adoption.approved = true;
    adoption.approved_by = 4712;
    (void)snprintf(adoption.reason, sizeof adoption.reason, "cloned");
    assert_done(keyring_add_replica(keyring, index, token, &adoption, &next, &why), why);
    keyring_free(keyring);
    return next;
}

static void it_is_as_its_key_is(void **state)
{
    (void)state;
    static const enum key_state states[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE};
    struct keyring *keyring = keyring_through(states, COUNT_OF(states));
    uint64_t generation = keyring->generation;
    keyring = with_replica(keyring, 0, "hsm-b", KEY_ACTIVE);
    assert_int_equal(keyring->generation, generation + 1);
    const struct key *key = keyring_active(keyring, "seal", "hsm-a");
    const struct key *replica = keyring_active(keyring, "seal", "hsm-b");
    assert_true(key_is_twin(key, replica));
    assert_memory_equal(key->key_id, replica->key_id, sizeof key->key_id);
    assert_int_equal(replica->algs, key->algs);
    assert_int_equal(replica->created, MADE);
    assert_int_equal(replica->proofs[KEY_PROOF_BACKUP].at, 5);
    assert_int_equal(replica->n_history, 4);
    assert_int_equal(replica->history[2].at, MADE + 2);
    const struct key_change *last = &replica->history[3];
    assert_string_equal(last->replica_of, "hsm-a");
    assert_string_equal(last->reason, "cloned");
    assert_int_equal(last->by, 4711);
    assert_int_equal(last->approved_by, 4712);
    assert_int_equal(key_since(replica), ADOPTED);
    int64_t at = 0;
    assert_true(key_shown_since(replica, &at));
    assert_int_equal(at, MADE + 1);
    assert_false(key_stopped_at(replica, &at));
    keyring_free(keyring);
}

/* As it was before it was active, where the token has another that is. */
static void an_active_key_s_replica_may_be_published(void **state)
{
    (void)state;
    static const enum key_state states[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE};
    struct keyring *keyring = keyring_through(states, COUNT_OF(states));
    struct keyring *next = NULL;
    struct reason why = {0};
    add_key(&keyring, key_of("seal", "hsm-b", 2, 1U << ALG_ES256, new_public_key(KEY_P256)));
    struct key_change adoption = step(KEY_ACTIVE, ADOPTED);
    assert_refused(keyring_add_replica(keyring, 0, "hsm-b", &adoption, &next, &why), OUTCOME_RULE,
                   why, "role seal already has an active key on token hsm-b; one at a time");
    adoption.state = KEY_CERTIFIED;
    assert_refused(keyring_add_replica(keyring, 0, "hsm-b", &adoption, &next, &why), OUTCOME_RULE,
                   why, "a replica begins in the state that its key is in");
    keyring = with_replica(keyring, 0, "hsm-b", KEY_PUBLISHED);
    const struct key *replica = &keyring->keys[2];
    assert_int_equal(replica->state, KEY_PUBLISHED);
    assert_int_equal(replica->n_history, 3);
    assert_int_equal(key_wait_s(replica), 300);
    int64_t at = 0;
    assert_true(key_shown_since(replica, &at));
    assert_int_equal(at, MADE + 1);
    keyring_free(keyring);
}

/* Where it was before, whatever lies between. */
static void a_suspended_key_s_replica_is_resumed_as_the_key(void **state)
{
    (void)state;
    static const enum key_state states[] = {KEY_GENERATED, KEY_CERTIFIED, KEY_SUSPENDED};
    struct keyring *keyring = keyring_through(states, COUNT_OF(states));
    keyring = with_replica(keyring, 0, "hsm-b", KEY_SUSPENDED);
    keyring = with_replica(keyring, 1, "hsm-c", KEY_SUSPENDED);
    struct key *replica = &keyring->keys[2];
    struct reason why = {0};
    enum key_state to = KEY_ACTIVE;
    assert_string_equal(replica->history[4].replica_of, "hsm-b");
    assert_true(key_resumes_to(replica, &to));
    assert_int_equal(to, KEY_CERTIFIED);
    const struct key_change resumed = step(KEY_CERTIFIED, ADOPTED + 1);
    assert_done(key_note(replica, &resumed, &why), why);
    assert_false(key_resumes_to(replica, &to));
    keyring_free(keyring);
}

static void what_retires_is_kept_as_long(void **state)
{
    (void)state;
    static const enum key_state states[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE, KEY_RETIRING};
    struct keyring *keyring = keyring_through(states, COUNT_OF(states));
    keyring->keys[0].history[3].wait_s = 911;
    keyring = with_replica(keyring, 0, "hsm-b", KEY_RETIRING);
    int64_t at = 0;
    assert_true(key_stopped_at(&keyring->keys[1], &at));
    assert_int_equal(at, MADE + 3);
    assert_int_equal(key_keep_s(&keyring->keys[1]), 911);
    keyring_free(keyring);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const enum key_state states[] = {KEY_GENERATED, KEY_PUBLISHED};
    struct keyring *keyring = keyring_through(states, COUNT_OF(states));
    keyring = with_replica(keyring, 0, "hsm-b", KEY_PUBLISHED);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(10000);
    key_put(&keyring->keys[1], &text);
    json_t *object JSON_CLEANUP = json_of(buffer_text(&text));
    struct key again;
    struct reason why = {0};
    assert_done(read_key(object, FORMAT, &again, &why), why);
    assert_int_equal(again.n_history, 3);
    assert_string_equal(again.history[2].replica_of, "hsm-a");
    assert_string_equal(again.history[1].replica_of, "");
    assert_int_equal(key_wait_s(&again), 300);
    key_fini(&again);
    /* Nothing but a token's name, and only where the state stays. */
    json_t *last = json_at_pointer(object, "/history/2");
    (void)json_object_set_new(last, "replica_of", json_string("../x"));
    assert_refused(read_key(object, FORMAT, &again, &why), OUTCOME_RULE, why,
                   "\"history\"[2]: \"replica_of\" must be the name of a token");
    (void)json_object_set_new(last, "replica_of", json_string("hsm-a"));
    (void)json_object_set_new(last, "state", json_string("active"));
    assert_refused(read_key(object, FORMAT, &again, &why), OUTCOME_RULE, why,
                   "\"history\"[2]: only state, at, by, approved_by and reason stand here, and "
                   "perhaps replica_of");
    (void)json_object_del(last, "wait_s");
    assert_refused(read_key(object, FORMAT, &again, &why), OUTCOME_RULE, why,
                   "\"history\"[2]: a replica begins in the state that its key is in");
    keyring_free(keyring);
}

static void a_replica_is_no_way_out_of_the_rules(void **state)
{
    (void)state;
    static const enum key_state states[] = {KEY_GENERATED};
    struct keyring *keyring = keyring_through(states, COUNT_OF(states));
    struct keyring *next = NULL;
    struct reason why = {0};
    struct key_change adoption = step(KEY_GENERATED, ADOPTED);
    assert_refused(keyring_add_replica(keyring, 0, "hsm-a", &adoption, &next, &why), OUTCOME_RULE,
                   why, "its CKA_ID is in use on token hsm-a");
    assert_null(next);
    memset(adoption.reason, 'a', sizeof adoption.reason);
    assert_refused(keyring_add_replica(keyring, 0, "hsm-b", &adoption, &next, &why), OUTCOME_RULE,
                   why, "a reason has at most 200 printable ASCII characters");
    struct key key = {.n_history = 0};
    struct key_change first = {.state = KEY_GENERATED, .replica_of = "hsm-a"};
    assert_refused(key_note(&key, &first, &why), OUTCOME_RULE, why,
                   "a replica begins in the state that its key is in");
    keyring_free(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_as_its_key_is),
        cmocka_unit_test(an_active_key_s_replica_may_be_published),
        cmocka_unit_test(a_suspended_key_s_replica_is_resumed_as_the_key),
        cmocka_unit_test(what_retires_is_kept_as_long),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_replica_is_no_way_out_of_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
