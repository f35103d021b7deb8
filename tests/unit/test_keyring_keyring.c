/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring/keyring.h"
#include "keyring_support.h"

static const uint32_t es256 = 1U << ALG_ES256;

static void adding_copies_and_counts(void **state)
{
    (void)state;
    struct keyring *first = empty_keyring();
    struct keyring *second = NULL;
    struct keyring *third = NULL;
    struct reason why = {0};
    struct key a = key_of("seal", "hsm-a", 1, es256, new_public_key(KEY_P256));
    struct key b = key_of("seal", "hsm-b", 1, es256, new_public_key(KEY_P256));
    assert_done(keyring_add(first, &a, &second, &why), why);
    assert_null(a.public_key);
    assert_done(keyring_add(second, &b, &third, &why), why);
    assert_int_equal(first->n_keys, 0);
    assert_int_equal(first->generation, 0);
    assert_int_equal(second->n_keys, 1);
    assert_int_equal(second->generation, 1);
    assert_int_equal(third->n_keys, 2);
    assert_int_equal(third->generation, 2);
    assert_ptr_equal(third->keys[0].public_key, second->keys[0].public_key);
    keyring_free(second); /* the third lives on its own (ASan) */
    assert_int_equal(public_key_type(third->keys[0].public_key), KEY_P256);
    keyring_free(third);
    keyring_free(first);
    keyring_free(NULL);
}

static void active_is_by_role_and_token(void **state)
{
    (void)state;
    struct keyring *keyring = empty_keyring();
    add_key(&keyring, key_of("seal", "hsm-a", 1, es256, new_public_key(KEY_P256)));
    add_key(&keyring, key_of("seal", "hsm-b", 2, es256, new_public_key(KEY_P256)));
    add_key(&keyring, key_of("seal-ec", "hsm-a", 3, es256, new_public_key(KEY_P256)));
    assert_int_equal(keyring_active(keyring, "seal", "hsm-a")->key_id[0], 1);
    assert_int_equal(keyring_active(keyring, "seal", "hsm-b")->key_id[0], 2);
    assert_int_equal(keyring_active(keyring, "seal-ec", "hsm-a")->key_id[0], 3);
    assert_null(keyring_active(keyring, "seal-ec", "hsm-b"));
    assert_null(keyring_active(keyring, "sea", "hsm-a"));
    assert_null(keyring_active(keyring, "", ""));
    assert_string_equal(key_state_name(KEY_ACTIVE), "active");
    keyring_free(keyring);
}

/* The key keeps its public key when it is refused. */
static void expect_refused(const struct keyring *keyring, struct key key, const char *fragment)
{
    struct keyring *next = NULL;
    struct reason why = {0};
    assert_refused(keyring_add(keyring, &key, &next, &why), OUTCOME_RULE, why, fragment);
    assert_null(next);
    assert_non_null(key.public_key);
    key_fini(&key);
}

static void rules_of_adding(void **state)
{
    (void)state;
    struct keyring *keyring = empty_keyring();
    struct public_key *shared = new_public_key(KEY_P256);
    add_key(&keyring, key_of("seal", "hsm-a", 1, es256, public_key_ref(shared)));
    expect_refused(keyring, key_of("other", "hsm-b", 2, es256, public_key_ref(shared)),
                   "role other: its public key already belongs to role seal");
    expect_refused(keyring, key_of("other", "hsm-a", 1, es256, new_public_key(KEY_P256)),
                   "role other: its CKA_ID is in use on token hsm-a, by role seal");
    expect_refused(keyring, key_of("seal", "hsm-a", 2, es256, new_public_key(KEY_P256)),
                   "role seal already has an active key on token hsm-a");
    struct key transport = key_of("seal", "hsm-b", 2, es256, public_key_ref(shared));
    transport.purpose = PURPOSE_TRANSPORT;
    expect_refused(keyring, transport,
                   "role seal: its public key already serves purpose seal; a key has one purpose");
    /* the same key of the same role on another token, and the same id there, are no clash */
    add_key(&keyring, key_of("seal", "hsm-b", 1, es256, public_key_ref(shared)));
    assert_int_equal(keyring->n_keys, 2);
    assert_int_equal(keyring->generation, 2);
    public_key_free(shared);
    keyring_free(keyring);
}

static void the_key_set_is_published(void **state)
{
    (void)state;
    struct keyring *keyring = empty_keyring();
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(10000);
    keyring_put_jwks(keyring, &out);
    assert_string_equal(buffer_text(&out), "{\"keys\":[]}");

    struct public_key *shared = new_public_key(KEY_P256);
    add_key(&keyring, key_of("a", "hsm-a", 1, 1U << ALG_RS256 | 1U << ALG_PS256,
                             new_public_key(KEY_RSA_2048)));
    add_key(&keyring, key_of("b", "hsm-a", 2, es256, public_key_ref(shared)));
    add_key(&keyring, key_of("b", "hsm-b", 2, es256, public_key_ref(shared)));
    add_key(&keyring, key_of("c", "hsm-a", 3, 1U << ALG_ED25519, new_public_key(KEY_ED25519)));
    buffer_reset(&out);
    keyring_put_jwks(keyring, &out);
    json_t *jwks JSON_CLEANUP = json_of(buffer_text(&out));
    const json_t *keys = json_object_get(jwks, "keys");
    assert_int_equal(json_object_size(jwks), 1);
    assert_int_equal(json_array_size(keys), 3); /* the shared one once */
    static const char *const algs[] = {NULL, "ES256", "Ed25519"};
    static const size_t sizes[] = {5, 7, 6};
    for (size_t i = 0; i < 3; i++) {
        const json_t *jwk = json_array_get(keys, i);
        struct public_key *key = NULL;
        struct reason why = {0};
        assert_done(public_key_from_jwk(jwk, &key, &why), why);
        assert_string_equal(json_string_value(json_object_get(jwk, "kid")),
                            public_key_thumbprint(key));
        assert_string_equal(json_string_value(json_object_get(jwk, "use")), "sig");
        const char *alg = json_string_value(json_object_get(jwk, "alg"));
        assert_int_equal(alg == NULL, algs[i] == NULL);
        assert_true(alg == NULL || strcmp(alg, algs[i]) == 0);
        assert_int_equal(json_object_size(jwk), sizes[i]);
        public_key_free(key);
    }
    public_key_free(shared);
    keyring_free(keyring);
}

static void transport_keys_are_not_published(void **state)
{
    (void)state;
    struct keyring *keyring = empty_keyring();
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(10000);
    struct key transport = key_of("tls", "hsm-a", 1, es256, new_public_key(KEY_P256));
    transport.purpose = PURPOSE_TRANSPORT;
    add_key(&keyring, transport);
    keyring_put_jwks(keyring, &out);
    assert_string_equal(buffer_text(&out), "{\"keys\":[]}");
    keyring_free(keyring);
}

static void the_newest_time_is_of_any_key(void **state)
{
    (void)state;
    struct keyring *keyring = empty_keyring();
    struct reason why = {0};
    assert_int_equal(keyring_newest_time(keyring), 0);
    struct key old = key_of("seal", "hsm-a", 1, es256, new_public_key(KEY_P256));
    const struct key_change suspended = {.state = KEY_SUSPENDED, .at = old.created + 700};
    assert_done(key_note(&old, &suspended, &why), why);
    add_key(&keyring, old);
    add_key(&keyring, key_of("seal", "hsm-b", 2, es256, new_public_key(KEY_P256)));
    assert_int_equal(keyring_newest_time(keyring), keyring->keys[1].created + 700);
    keyring_free(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_copies_and_counts),
        cmocka_unit_test(active_is_by_role_and_token),
        cmocka_unit_test(rules_of_adding),
        cmocka_unit_test(the_key_set_is_published),
        cmocka_unit_test(transport_keys_are_not_published),
        cmocka_unit_test(the_newest_time_is_of_any_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
