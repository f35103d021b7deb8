/* SPDX-License-Identifier: Apache-2.0
 * The certificates beside a key. What the file may hold is in test_keyring_store_key.c. */
#include "keyring/keyring.h"
#include "keyring_support.h"

#define BLOCK "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"

static const uint32_t es256 = 1U << ALG_ES256;

static void a_chain_is_set_wherever_the_key_is(void **state)
{
    (void)state;
    struct keyring *keyring = empty_keyring();
    struct keyring *next = NULL;
    struct keyring *last = NULL;
    struct reason why = {0};
    struct public_key *shared = new_public_key(KEY_P256);
    add_key(&keyring, key_of("tls", "hsm-a", 1, es256, public_key_ref(shared)));
    add_key(&keyring, key_of("other", "hsm-a", 2, es256, new_public_key(KEY_P256)));
    add_key(&keyring, key_of("tls", "hsm-b", 1, es256, public_key_ref(shared)));
    assert_done(keyring_set_chain(keyring, shared, BLOCK, NULL, 0, &next, &why), why);
    assert_null(keyring->keys[0].chain_pem);
    assert_int_equal(next->generation, keyring->generation + 1);
    assert_string_equal(next->keys[0].chain_pem, BLOCK);
    assert_null(next->keys[1].chain_pem);
    assert_string_equal(next->keys[2].chain_pem, BLOCK);
    keyring_free(keyring);
    assert_done(keyring_set_chain(next, shared, BLOCK BLOCK, NULL, 0, &last, &why), why);
    keyring_free(next);
    add_key(&last, key_of("third", "hsm-b", 3, es256, new_public_key(KEY_P256)));
    assert_string_equal(last->keys[2].chain_pem, BLOCK BLOCK);

    assert_refused(keyring_set_chain(last, shared, "x", NULL, 0, &next, &why), OUTCOME_RULE, why,
                   "\"chain_pem\" must be 1 to 16 PEM blocks CERTIFICATE");
    assert_null(next);
    struct public_key *stranger = new_public_key(KEY_P256);
    assert_refused(keyring_set_chain(last, stranger, BLOCK, NULL, 0, &next, &why),
                   OUTCOME_NOT_FOUND, why, "the keyring has no such key");
    assert_null(next);
    public_key_free(stranger);
    public_key_free(shared);
    keyring_free(last);
}

/* With the certificate comes a change, or neither comes. */
static void steps_are_taken_with_it(void **state)
{
    (void)state;
    struct keyring *keyring = empty_keyring();
    struct keyring *next = NULL;
    struct reason why = {0};
    struct public_key *own = new_public_key(KEY_P256);
    add_key(&keyring, key_of("tls", "hsm-a", 1, es256, public_key_ref(own)));
    const struct keyring_step good = {0, {.state = KEY_RETIRING, .at = 300, .reason = "renewed"}};
    const struct keyring_step bad = {0, {.state = KEY_GENERATED, .at = 300, .reason = "renewed"}};
    assert_refused(keyring_set_chain(keyring, own, BLOCK, &bad, 1, &next, &why), OUTCOME_RULE, why,
                   "a key that is active does not become generated: states go forward only");
    assert_null(next);
    assert_null(keyring->keys[0].chain_pem);
    assert_done(keyring_set_chain(keyring, own, BLOCK, &good, 1, &next, &why), why);
    assert_int_equal(next->keys[0].state, KEY_RETIRING);
    assert_string_equal(next->keys[0].chain_pem, BLOCK);
    assert_int_equal(keyring->keys[0].state, KEY_ACTIVE);
    public_key_free(own);
    keyring_free(next);
    keyring_free(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_set_wherever_the_key_is),
        cmocka_unit_test(steps_are_taken_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
