/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/public_key.h"
#include "jose_support.h"

#include <openssl/core_names.h>

static void expect_spki_refused(struct span der, const char *fragment)
{
    struct public_key *key = NULL;
    struct reason why = {0};
    assert_refused(public_key_from_spki(der, &key, &why), OUTCOME_RULE, why, fragment);
    assert_null(key);
}

static void expect_jwk_refused(const json_t *jwk, const char *fragment)
{
    struct public_key *key = NULL;
    struct reason why = {0};
    assert_refused(public_key_from_jwk(jwk, &key, &why), OUTCOME_RULE, why, fragment);
    assert_null(key);
}

static void expect_pkey_refused(EVP_PKEY *pkey, const char *fragment)
{
    assert_non_null(pkey);
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(4000);
    spki_of(pkey, &der);
    expect_spki_refused(buffer_span(&der), fragment);
    EVP_PKEY_free(pkey);
}

static void bytes_behind_and_before_the_end_are_refused(void **state)
{
    (void)state;
    static const enum key_type types[] = {KEY_RSA_2048, KEY_P256, KEY_ED25519};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        EVP_PKEY *pkey = make_pkey(types[i]);
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(2000);
        spki_of(pkey, &der);
        expect_spki_refused(span_part(buffer_span(&der), 0, der.len - 1), "not the DER");
        buffer_put_u8(&der, 0);
        expect_spki_refused(buffer_span(&der), "bytes behind");
        EVP_PKEY_free(pkey);
    }
    expect_spki_refused(span_of(NULL, 0), "not the DER");
    expect_spki_refused(span_of_text("garbage"), "not the DER");
    static const uint8_t large[5000] = {0x30, 0x82, 0x13, 0x84};
    expect_spki_refused(span_of(large, sizeof large), "not the DER");
}

static void a_second_spelling_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *pkey = make_pkey(KEY_P256);
    assert_int_equal(EVP_PKEY_set_utf8_string_param(
                         pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
                     1);
    expect_pkey_refused(pkey, "not the canonical DER");
    pkey = make_pkey(KEY_P256);
    assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"),
                     1);
    expect_pkey_refused(pkey, "not the canonical DER");

    /* BER: the outer length in two bytes where one is enough */
    pkey = make_pkey(KEY_P256);
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(2000);
    BUFFER_CLEANUP struct buffer ber = BUFFER_INIT(2000);
    spki_of(pkey, &der);
    buffer_put(&ber, "\x30\x81", 2);
    buffer_put_u8(&ber, der.data[1]);
    buffer_put_span(&ber, span_part(buffer_span(&der), 2, der.len));
    expect_spki_refused(buffer_span(&ber), "not the DER");
    EVP_PKEY_free(pkey);
}

static void other_types_are_refused(void **state)
{
    (void)state;
    expect_pkey_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), "a key type other than");
    expect_pkey_refused(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "a key type other than");
    expect_pkey_refused(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1"), "curve other than");
    expect_pkey_refused(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-224"), "curve other than");
    expect_pkey_refused(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024), "modulus of 1024 bits");
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *pkey = NULL;
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
    EVP_PKEY_CTX_free(ctx);
    expect_pkey_refused(pkey, "a key type other than");
}

static void a_flipped_point_is_refused(void **state)
{
    (void)state;
    static const enum key_type types[] = {KEY_P256, KEY_P384, KEY_P521};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        EVP_PKEY *pkey = make_pkey(types[i]);
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(2000);
        spki_of(pkey, &der);
        der.data[der.len - 1] ^= 1;
        expect_spki_refused(buffer_span(&der), "are no point of the curve");
        struct public_key *key = public_key_of(pkey);
        json_t *jwk JSON_CLEANUP = json_of(public_key_jwk(key));
        (void)json_object_set(jwk, "y", json_object_get(jwk, "x"));
        expect_jwk_refused(jwk, "are no point of the curve");
        public_key_free(key);
        EVP_PKEY_free(pkey);
    }
    static const uint8_t bad_ed25519[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b,
                                            0x65, 0x70, 0x03, 0x21, 0x00, 2};
    expect_spki_refused(span_of(bad_ed25519, sizeof bad_ed25519), "are no point of the curve");
}

/* A JWK whose n has this many bytes of 0xFF, but for its ends. */
static json_t *rsa_jwk(size_t len, uint8_t first, uint8_t last, const char *e)
{
    uint8_t n[600];
    memset(n, 0xFF, sizeof n);
    n[0] = first;
    n[len - 1] = last;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1000);
    base64url_encode(&text, span_of(n, len));
    return json_pack("{s:s,s:s,s:s}", "kty", "RSA", "n", buffer_text(&text), "e", e);
}

static void expect_rsa_refused(json_t *jwk, const char *fragment)
{
    expect_jwk_refused(jwk, fragment);
    json_decref(jwk);
}

static void rsa_numbers_are_checked(void **state)
{
    (void)state;
    static const size_t good[] = {256, 384, 512};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        json_t *jwk JSON_CLEANUP = rsa_jwk(good[i], 0x80, 1, "AQAB");
        struct public_key *key = NULL;
        struct reason why = {0};
        assert_done(public_key_from_jwk(jwk, &key, &why), why);
        assert_int_equal(key_type_bits(public_key_type(key)), good[i] * 8);
        public_key_free(key);
    }
    expect_rsa_refused(rsa_jwk(128, 0x80, 1, "AQAB"), "modulus of 1024 bits");
    expect_rsa_refused(rsa_jwk(256, 0x7F, 1, "AQAB"), "modulus of 2047 bits");
    expect_rsa_refused(rsa_jwk(257, 0x01, 1, "AQAB"), "modulus of 2049 bits");
    expect_rsa_refused(rsa_jwk(257, 0x00, 1, "AQAB"), "\"n\" has a leading zero byte");
    expect_rsa_refused(rsa_jwk(513, 0x01, 1, "AQAB"), "\"n\" is not base64url of 1 to 512 bytes");
    expect_rsa_refused(rsa_jwk(256, 0x80, 2, "AQAB"), "modulus is even");
    expect_rsa_refused(rsa_jwk(256, 0x80, 1, "AQ"), "odd and at least 3");   /* 1 */
    expect_rsa_refused(rsa_jwk(256, 0x80, 1, "Ag"), "odd and at least 3");   /* 2 */
    expect_rsa_refused(rsa_jwk(256, 0x80, 1, "AQAA"), "odd and at least 3"); /* 65536 */
    expect_rsa_refused(rsa_jwk(256, 0x80, 1, "AAEAAQ"), "\"e\" has a leading zero byte");
    expect_rsa_refused(rsa_jwk(256, 0x80, 1, "AQAAAAAAAAAB"), "\"e\" is not base64url of 1 to 8");
    expect_rsa_refused(rsa_jwk(256, 0x80, 1, ""), "\"e\" is not base64url of 1 to 8");
    expect_rsa_refused(rsa_jwk(256, 0x80, 1, "AQAB="), "\"e\" is not base64url");
}

static void private_members_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    json_t *root JSON_CLEANUP = vector_load(QSEAL_SOURCE_DIR "/tests/vectors/rfc8037_a.json");
    expect_jwk_refused(json_object_get(root, "private_jwk"), "private member \"d\"");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char fragment[50];
        json_t *jwk JSON_CLEANUP = json_copy(json_object_get(root, "jwk"));
        (void)json_object_set_new(jwk, names[i], json_null());
        (void)snprintf(fragment, sizeof fragment, "private member \"%s\"", names[i]);
        expect_jwk_refused(jwk, fragment);
    }
}

static void expect_text_refused(const char *text, const char *fragment)
{
    json_t *jwk JSON_CLEANUP = json_of(text);
    expect_jwk_refused(jwk, fragment);
}

static void members_are_strict(void **state)
{
    (void)state;
    expect_text_refused("{}", "no member \"kty\"");
    expect_text_refused("{\"kty\":1}", "no member \"kty\"");
    expect_text_refused("{\"kty\":\"oct\"}", "are none of RSA, EC");
    expect_text_refused("{\"kty\":\"rsa\"}", "are none of RSA, EC");
    expect_text_refused("{\"kty\":\"RSA\"}", "no member \"n\"");
    expect_text_refused("{\"kty\":\"RSA\",\"n\":5}", "no member \"n\"");
    expect_text_refused("{\"kty\":\"EC\"}", "are none of RSA, EC");
    expect_text_refused("{\"kty\":\"EC\",\"crv\":\"Ed25519\"}", "are none of RSA, EC");
    expect_text_refused("{\"kty\":\"OKP\",\"crv\":\"P-256\"}", "are none of RSA, EC");
    expect_text_refused("{\"kty\":\"EC\",\"crv\":\"secp256k1\"}", "are none of RSA, EC");
    expect_text_refused("{\"kty\":\"EC\",\"crv\":\"P-256\"}", "no member \"x\"");
    expect_text_refused("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\"}",
                        "\"x\" has 1 bytes and must have 32");
    expect_text_refused(
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
        "no member \"y\"");
    expect_text_refused("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
                        "\"x\" has 3 bytes and must have 32");
    /* coordinates of 32 bytes that are not below the prime */
    expect_text_refused(
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"__________________________________________8\","
        "\"y\":\"__________________________________________8\"}",
        "are no point of the curve");
    expect_jwk_refused(NULL, "no member \"kty\"");
    json_t *array JSON_CLEANUP = json_array();
    expect_jwk_refused(array, "no member \"kty\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_behind_and_before_the_end_are_refused),
        cmocka_unit_test(a_second_spelling_is_refused),
        cmocka_unit_test(other_types_are_refused),
        cmocka_unit_test(a_flipped_point_is_refused),
        cmocka_unit_test(rsa_numbers_are_checked),
        cmocka_unit_test(private_members_are_refused),
        cmocka_unit_test(members_are_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
