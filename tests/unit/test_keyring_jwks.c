/* SPDX-License-Identifier: Apache-2.0
 * Which keys are published, and their certificates. */
#include "keyring_support.h"

#include "base/base64url.h"
#include "base/pem.h"

#include <openssl/sha.h>

static json_t *jwks_of(const struct keyring *keyring)
{
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(65536);
    keyring_put_jwks(keyring, &out);
    assert_true(buffer_ok(&out));
    return json_of(buffer_text(&out));
}

static void only_keys_from_published_to_retiring_are_shown(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        struct keyring *keyring = empty_keyring();
        struct public_key *shared = new_public_key(KEY_P256);
        add_key(&keyring, key_of("seal", "hsm-a", 1, 1U << ALG_ES256, public_key_ref(shared)));
        add_key(&keyring, key_of("seal", "hsm-b", 1, 1U << ALG_ES256, shared));
        keyring->keys[0].state = (enum key_state)i; /* its twin is shown in any case */
        json_t *jwks JSON_CLEANUP = jwks_of(keyring);
        assert_int_equal(json_array_size(json_object_get(jwks, "keys")), 1);
        keyring->keys[1].state = (enum key_state)i;
        json_t *both JSON_CLEANUP = jwks_of(keyring);
        bool shown = i == KEY_PUBLISHED || i == KEY_ACTIVE || i == KEY_RETIRING;
        assert_int_equal(json_array_size(json_object_get(both, "keys")), shown ? 1 : 0);
        keyring_free(keyring);
    }
}

/* Others' programs have nothing to verify with a transport key or an audit key. */
static void only_seal_keys_are_shown(void **state)
{
    (void)state;
    for (unsigned int purpose = 0; purpose < PURPOSE_COUNT; purpose++) {
        for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
            struct keyring *keyring = empty_keyring();
            struct key key = key_of("role", "hsm-a", 1, 1U << ALG_ES256, new_public_key(KEY_P256));
            key.purpose = (enum purpose)purpose;
            add_key(&keyring, key);
            keyring->keys[0].state = (enum key_state)i;
            json_t *jwks JSON_CLEANUP = jwks_of(keyring);
            bool shown = purpose == PURPOSE_SEAL &&
                         (i == KEY_PUBLISHED || i == KEY_ACTIVE || i == KEY_RETIRING);
            assert_int_equal(json_array_size(json_object_get(jwks, "keys")), shown ? 1 : 0);
            keyring_free(keyring);
        }
    }
}

/* RFC 7517 §4.7: base64, not base64url, with padding; §4.9: the digest of the first one. */
static void certificates_go_with_the_key(void **state)
{
    (void)state;
    static const uint8_t leaf[] = {0x30, 0xfb, 0xff, 0x01};
    static const uint8_t issuer[] = {0x30, 0x02, 0x05};
    struct keyring *keyring = empty_keyring();
    struct key key = key_of("seal", "hsm-a", 1, 1U << ALG_ES256, new_public_key(KEY_P256));
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(1000);
    pem_put(&pem, "CERTIFICATE", span_of(leaf, sizeof leaf));
    pem_put(&pem, "CERTIFICATE", span_of(issuer, sizeof issuer));
    key.chain_pem = strdup(buffer_text(&pem));
    add_key(&keyring, key);
    json_t *jwks JSON_CLEANUP = jwks_of(keyring);
    json_t *jwk = json_at_pointer(jwks, "/keys/0");
    assert_int_equal(json_array_size(json_object_get(jwk, "x5c")), 2);
    assert_string_equal(json_string_value(json_at_pointer(jwk, "/x5c/0")), "MPv/AQ==");
    assert_string_equal(json_string_value(json_at_pointer(jwk, "/x5c/1")), "MAIF");
    uint8_t digest[SHA256_DIGEST_LENGTH];
    BUFFER_CLEANUP struct buffer want = BUFFER_INIT(100);
    (void)SHA256(leaf, sizeof leaf, digest);
    base64url_encode(&want, span_of(digest, sizeof digest));
    assert_string_equal(json_string_value(json_object_get(jwk, "x5t#S256")), buffer_text(&want));
    keyring_free(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_keys_from_published_to_retiring_are_shown),
        cmocka_unit_test(only_seal_keys_are_shown),
        cmocka_unit_test(certificates_go_with_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
