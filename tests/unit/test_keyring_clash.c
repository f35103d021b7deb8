/* SPDX-License-Identifier: Apache-2.0
 * The rules between keys, for one key more and for a file of them. */
#include "keyring/store.h"

#include "keyring_support.h"

#include <stdlib.h>

enum { KEYS = 12 };

/* Roles r0 to r3 in turn, tokens a to c in turn, so that some share one; no two clash. */
static struct keyring *many_keys(void)
{
    struct keyring *keyring = calloc(1, sizeof *keyring);
    struct reason why = {0};
    for (size_t i = 0; i < KEYS; i++) {
        char role[8];
        char token[8];
        (void)snprintf(role, sizeof role, "r%zu", i % 4);
        (void)snprintf(token, sizeof token, "%c", (char)('a' + i % 3));
        struct key key =
            key_of(role, token, (uint8_t)(i + 1), 1U << ALG_ES256, new_public_key(KEY_P256));
        assert_done(keyring_append(keyring, &key, &why), why);
        assert_null(key.public_key);
    }
    assert_int_equal(keyring->n_keys, KEYS);
    return keyring;
}

static void make_twins(struct keyring *keyring, size_t i, size_t j)
{
    public_key_free(keyring->keys[j].public_key);
    keyring->keys[j].public_key = public_key_ref(keyring->keys[i].public_key);
}

static void same_purpose(struct keyring *keyring, size_t i, size_t j)
{
    make_twins(keyring, i, j);
    keyring->keys[j].purpose = PURPOSE_TRANSPORT;
}

static void same_key_of_audit(struct keyring *keyring, size_t i, size_t j)
{
    make_twins(keyring, i, j);
    keyring->keys[j].purpose = PURPOSE_AUDIT;
}

static void same_id(struct keyring *keyring, size_t i, size_t j)
{
    memcpy(keyring->keys[j].key_id, keyring->keys[i].key_id, KEYRING_ID_LEN);
    memcpy(keyring->keys[j].token, keyring->keys[i].token, sizeof keyring->keys[j].token);
    keyring->keys[j].state = KEY_RETIRED;
}

static void same_active(struct keyring *keyring, size_t i, size_t j)
{
    memcpy(keyring->keys[j].token, keyring->keys[i].token, sizeof keyring->keys[j].token);
    memcpy(keyring->keys[j].role, keyring->keys[i].role, sizeof keyring->keys[j].role);
}

/* Of any two keys of the file the later one is named, and so it is when it comes last. */
static void each_rule_is_found_between_any_two(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(struct keyring *keyring, size_t i, size_t j);
        const char *fragment;
    } rules[] = {
        {same_purpose, "its public key already serves purpose "},
        {same_key_of_audit, "its public key already serves purpose "},
        {make_twins, "its public key already belongs to role r"},
        {same_id, "its CKA_ID is in use on token "},
        {same_active, "already has an active key on token "},
    };
    for (size_t i = 0; i < KEYS; i++) {
        size_t j = (i + 5) % KEYS; /* of another role and another token */
        for (size_t rule = 0; rule < COUNT_OF(rules); rule++) {
            struct keyring *keyring = many_keys();
            struct reason why = {0};
            size_t at = KEYS;
            assert_done(clash_check_all(keyring, &at, &why), why);
            rules[rule].spoil(keyring, i, j);
            assert_refused(clash_check_all(keyring, &at, &why), OUTCOME_RULE, why,
                           rules[rule].fragment);
            assert_int_equal(at, i > j ? i : j);
            struct key last = keyring->keys[at];
            keyring->keys[at] = keyring->keys[--keyring->n_keys];
            assert_done(clash_check_all(keyring, &at, &why), why);
            assert_refused(clash_check_new(keyring, &last, &why), OUTCOME_RULE, why, "role r");
            key_fini(&last);
            keyring_free(keyring);
        }
    }
}

static void equal_things_that_may_be(void **state)
{
    (void)state;
    struct keyring *keyring = many_keys();
    struct reason why = {0};
    size_t at = 0;
    make_twins(keyring, 0, 4);  /* a replica: the same role on another token */
    same_active(keyring, 1, 6); /* the same role and token, and only one of them signs */
    keyring->keys[1].state = KEY_RETIRING;
    memcpy(keyring->keys[2].key_id, keyring->keys[3].key_id, KEYRING_ID_LEN); /* tokens c and a */
    assert_done(clash_check_all(keyring, &at, &why), why);
    keyring_free(keyring);
    struct keyring none = {.n_keys = 0};
    assert_done(clash_check_all(&none, &at, &why), why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_found_between_any_two),
        cmocka_unit_test(equal_things_that_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
