/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/public_key.h"
#include "jose_support.h"

#include <openssl/sha.h>

static const char vectors[] = QSEAL_SOURCE_DIR "/tests/vectors/";

static json_t *rfc_vector(const char *name)
{
    char path[1000];
    (void)snprintf(path, sizeof path, "%s%s", vectors, name);
    json_t *root = vector_load(path);
    assert_non_null(root);
    return root;
}

static struct public_key *key_of_jwk(const json_t *jwk)
{
    struct public_key *key = NULL;
    struct reason why = {0};
    assert_done(public_key_from_jwk(jwk, &key, &why), why);
    return key;
}

static void thumbprint_of_rfc_7638(void **state)
{
    (void)state;
    json_t *root JSON_CLEANUP = rfc_vector("rfc7638_3_1.json");
    struct public_key *key = key_of_jwk(json_object_get(root, "jwk"));
    assert_int_equal(public_key_type(key), KEY_RSA_2048);
    assert_string_equal(public_key_thumbprint(key),
                        json_string_value(json_object_get(root, "thumbprint")));
    public_key_free(key);
}

/* RFC 8037 A.2 and A.3: the canonical text too. */
static void thumbprint_of_rfc_8037(void **state)
{
    (void)state;
    json_t *root JSON_CLEANUP = rfc_vector("rfc8037_a.json");
    struct public_key *key = key_of_jwk(json_object_get(root, "jwk"));
    assert_int_equal(public_key_type(key), KEY_ED25519);
    assert_string_equal(public_key_thumbprint(key),
                        json_string_value(json_object_get(root, "thumbprint")));
    assert_string_equal(public_key_jwk(key), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":"
                                             "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    public_key_free(key);
}

/* From OpenSSL's DER to a key, to a JWK, to a key: the same in every name. */
static void spki_and_jwk_are_the_same_key(void **state)
{
    (void)state;
    static const enum key_type types[] = {KEY_RSA_2048, KEY_RSA_3072, KEY_P256,
                                          KEY_P384,     KEY_P521,     KEY_ED25519};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        EVP_PKEY *pkey = make_pkey(types[i]);
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(2000);
        spki_of(pkey, &der);
        struct public_key *a = public_key_of(pkey);
        json_t *jwk JSON_CLEANUP = json_of(public_key_jwk(a));
        struct public_key *b = key_of_jwk(jwk);
        assert_int_equal(public_key_type(a), types[i]);
        assert_int_equal(public_key_type(b), types[i]);
        assert_true(span_equal(public_key_spki(a), buffer_span(&der)));
        assert_true(span_equal(public_key_spki(b), buffer_span(&der)));
        assert_string_equal(public_key_thumbprint(a), public_key_thumbprint(b));
        assert_int_equal(strlen(public_key_thumbprint(a)), THUMBPRINT_LEN);
        assert_string_equal(public_key_jwk(a), public_key_jwk(b));
        uint8_t digest[SPKI_SHA256_LEN];
        (void)SHA256(der.data, der.len, digest);
        assert_memory_equal(public_key_spki_sha256(a), digest, sizeof digest);
        public_key_free(a);
        public_key_free(b);
        EVP_PKEY_free(pkey);
    }
}

/* A coordinate with leading zero bytes keeps them (RFC 7518 §6.2.1.2): found by making keys. */
static void coordinates_keep_their_length(void **state)
{
    (void)state;
    bool found = false;
    for (int i = 0; i < 5000 && !found; i++) {
        EVP_PKEY *pkey = make_pkey(KEY_P256);
        struct public_key *key = public_key_of(pkey);
        json_t *jwk JSON_CLEANUP = json_of(public_key_jwk(key));
        const char *x = json_string_value(json_object_get(jwk, "x"));
        assert_int_equal(strlen(x), 43);
        assert_int_equal(json_string_length(json_object_get(jwk, "y")), 43);
        found = x[0] == 'A' && strchr("ABCD", x[1]) != NULL; /* 8 zero bits */
        public_key_free(key);
        EVP_PKEY_free(pkey);
    }
    assert_true(found);
}

static void the_last_owner_frees(void **state)
{
    (void)state;
    EVP_PKEY *pkey = make_pkey(KEY_P256);
    struct public_key *key = public_key_of(pkey);
    struct public_key *again = public_key_ref(key);
    assert_ptr_equal(again, key);
    public_key_free(key);
    assert_int_equal(public_key_type(again), KEY_P256); /* ASan says if it is gone */
    public_key_free(again);
    public_key_free(NULL);
    EVP_PKEY_free(pkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thumbprint_of_rfc_7638),
        cmocka_unit_test(thumbprint_of_rfc_8037),
        cmocka_unit_test(spki_and_jwk_are_the_same_key),
        cmocka_unit_test(coordinates_keep_their_length),
        cmocka_unit_test(the_last_owner_frees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
