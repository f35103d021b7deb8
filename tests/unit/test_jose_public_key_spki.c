/* SPDX-License-Identifier: Apache-2.0
 * The reader of SubjectPublicKeyInfo beside OpenSSL's: both take the same bytes, as the same key.
 */
#include "jose/ed25519_point.h"
#include "jose/public_key.h"
#include "jose_support.h"
#include "pki/pkey.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

enum { SPKI_MAX = 1024, KEYS = 12, NUMBER_MAX = 512 };

static void put_number(struct buffer *jwk, const char *before, const EVP_PKEY *pkey,
                       const char *name, size_t len)
{
    BIGNUM *number = NULL;
    uint8_t bytes[NUMBER_MAX * 2];
    assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &number), 1);
    size_t real = len == 0 ? (size_t)BN_num_bytes(number) : len;
    assert_int_equal(BN_bn2binpad(number, bytes, (int)real), real);
    buffer_put_format(jwk, "%s\":\"", before);
    base64url_encode(jwk, span_of(bytes, real));
    BN_free(number);
}

/* Which RSA keys are taken: those of the three sizes with odd numbers, 3 <= e < 2^64. */
static bool rsa_is_good(const EVP_PKEY *pkey)
{
    BIGNUM *n = NULL;
    BIGNUM *e = NULL;
    bool good = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
                (BN_num_bits(n) == 2048 || BN_num_bits(n) == 3072 || BN_num_bits(n) == 4096) &&
                BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) && BN_num_bits(e) <= 64;
    BN_free(n);
    BN_free(e);
    return good;
}

static bool put_rsa(const EVP_PKEY *pkey, struct buffer *jwk)
{
    if (!rsa_is_good(pkey)) {
        return false;
    }
    put_number(jwk, "{\"e", pkey, OSSL_PKEY_PARAM_RSA_E, 0);
    put_number(jwk, "\",\"kty\":\"RSA\",\"n", pkey, OSSL_PKEY_PARAM_RSA_N, 0);
    return true;
}

static bool put_ec(const EVP_PKEY *pkey, struct buffer *jwk)
{
    static const struct {
        const char *group;
        const char *crv;
        size_t len;
    } curves[] = {
        {"prime256v1", "P-256", 32}, {"secp384r1", "P-384", 48}, {"secp521r1", "P-521", 66}};
    char group[64] = "";
    (void)EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL);
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (strcmp(group, curves[i].group) == 0) {
            buffer_put_format(jwk, "{\"crv\":\"%s\",\"kty\":\"EC", curves[i].crv);
            put_number(jwk, "\",\"x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, curves[i].len);
            put_number(jwk, "\",\"y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, curves[i].len);
            return true;
        }
    }
    return false;
}

static bool put_ed25519(const EVP_PKEY *pkey, struct buffer *jwk)
{
    uint8_t raw[ED25519_KEY_LEN];
    size_t len = sizeof raw;
    assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, raw, &len), 1);
    buffer_put_text(jwk, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"");
    base64url_encode(jwk, span_of(raw, len));
    return ed25519_point_is_good(raw);
}

/* Whether OpenSSL reads the bytes as a key that it would write as the same bytes, and that key's
 * JWK. */
static bool openssl_reads(struct span der, struct buffer *jwk)
{
    const unsigned char *at = der.data;
    unsigned char *again = NULL;
    EVP_PKEY *pkey = der.len > SPKI_MAX ? NULL : d2i_PUBKEY(NULL, &at, (long)der.len);
    int len = pkey == NULL ? -1 : i2d_PUBKEY(pkey, &again);
    bool good = len > 0 && span_equal(der, span_of(again, (size_t)len));
    if (good && EVP_PKEY_is_a(pkey, "RSA")) {
        good = put_rsa(pkey, jwk);
    } else if (good && EVP_PKEY_is_a(pkey, "EC")) {
        good = put_ec(pkey, jwk);
    } else {
        good = good && EVP_PKEY_is_a(pkey, "ED25519") && put_ed25519(pkey, jwk);
    }
    buffer_put_text(jwk, "\"}");
    OPENSSL_free(again);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return good;
}

static void expect_same_names(const struct public_key *key, struct buffer *jwk)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    BUFFER_CLEANUP struct buffer thumbprint = BUFFER_INIT(THUMBPRINT_SIZE);
    (void)SHA256(jwk->data, jwk->len, digest);
    base64url_encode(&thumbprint, span_of(digest, sizeof digest));
    assert_string_equal(public_key_jwk(key), buffer_text(jwk));
    assert_string_equal(public_key_thumbprint(key), buffer_text(&thumbprint));
}

/* What may be wrong with bytes that were those of a key. */
static bool is_known(const char *detail)
{
    static const char *const reasons[] = {
        "not the DER SubjectPublicKeyInfo of a public key",
        "the SubjectPublicKeyInfo is not the canonical DER of its key",
        "bytes behind the SubjectPublicKeyInfo",
        "an RSA modulus of ",
        "an RSA exponent of over 64 bits",
        "the RSA modulus is even",
        "the RSA exponent must be odd and at least 3",
        "an EC curve other than P-256, P-384 and P-521",
        "a key type other than RSA, EC and Ed25519",
        " key's numbers are no point of the curve",
    };
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (strstr(detail, reasons[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Returns whether both take it; where OpenSSL does not, this fragment is in the reason. */
static bool expect_agreement(struct span der, const char *fragment)
{
    struct public_key *key = NULL;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer jwk = BUFFER_INIT(2000);
    bool theirs = openssl_reads(der, &jwk);
    enum outcome outcome = public_key_from_spki(der, &key, &why);
    if ((outcome == OUTCOME_OK) != theirs) {
        fail_msg("OpenSSL %s what is %s here", theirs ? "takes" : "refuses",
                 outcome == OUTCOME_OK ? "taken" : why.detail);
    }
    if (!theirs) {
        assert_refused(outcome, OUTCOME_RULE, why, fragment);
        if (!is_known(why.detail)) {
            fail_msg("refused, but why: \"%s\"", why.detail);
        }
        return false;
    }
    assert_true(span_equal(public_key_spki(key), der));
    expect_same_names(key, &jwk);
    assert_done(public_key_prepare(key, &why), why);
    public_key_free(key);
    return true;
}

/* Each byte another one, each one left out or said twice, the end missing, more behind. */
static void mutate(struct span der, size_t step)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xFF};
    for (size_t at = 0; at < der.len; at += at < 40 ? 1 : step) {
        uint8_t copy[SPKI_MAX + 1];
        for (size_t i = 0; i < COUNT_OF(changes); i++) {
            memcpy(copy, der.data, der.len);
            copy[at] ^= changes[i];
            (void)expect_agreement(span_of(copy, der.len), "");
        }
        memcpy(copy, der.data, at);
        memcpy(copy + at, der.data + at + 1, der.len - at - 1);
        assert_false(expect_agreement(span_of(copy, der.len - 1), ""));
        memcpy(copy, der.data, at + 1);
        memcpy(copy + at + 1, der.data + at, der.len - at);
        assert_false(expect_agreement(span_of(copy, der.len + 1), ""));
        assert_false(expect_agreement(span_of(der.data, at), "not the DER SubjectPublicKeyInfo"));
    }
}

static void curves_are_read_as_openssl_reads_them(void **state)
{
    (void)state;
    static const enum key_type types[] = {KEY_P256, KEY_P384, KEY_P521, KEY_ED25519};
    for (size_t i = 0; i < COUNT_OF(types) * KEYS; i++) {
        EVP_PKEY *pkey = make_pkey(types[i / KEYS]);
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(SPKI_MAX);
        spki_of(pkey, &der);
        assert_true(expect_agreement(buffer_span(&der), ""));
        mutate(buffer_span(&der), i % KEYS == 0 ? 1 : 9);
        EVP_PKEY_free(pkey);
    }
}

/* Numbers are enough: no prime is looked for. */
static EVP_PKEY *rsa_of(size_t n_len, size_t e_len)
{
    uint8_t n[NUMBER_MAX + 1];
    uint8_t e[16];
    assert_int_equal(RAND_bytes(n, sizeof n), 1);
    assert_int_equal(RAND_bytes(e, sizeof e), 1);
    n[0] |= 0x80;
    n[n_len - 1] |= 1;
    e[0] |= 2;
    e[e_len - 1] |= 1;
    EVP_PKEY *pkey = pkey_of_rsa(span_of(n, n_len), span_of(e, e_len));
    assert_non_null(pkey);
    return pkey;
}

static void rsa_is_read_as_openssl_reads_it(void **state)
{
    (void)state;
    static const size_t good[] = {256, 384, 512};
    for (size_t i = 0; i < COUNT_OF(good) * 8; i++) {
        EVP_PKEY *pkey = rsa_of(good[i / 8], 1 + i % 8);
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(SPKI_MAX);
        spki_of(pkey, &der);
        assert_true(expect_agreement(buffer_span(&der), ""));
        mutate(buffer_span(&der), 61);
        EVP_PKEY_free(pkey);
    }
    static const struct {
        size_t n_len;
        size_t e_len;
        const char *fragment;
    } bad[] = {{128, 3, "an RSA modulus of 1024 bits; 2048, 3072 and 4096 are accepted"},
               {255, 3, "an RSA modulus of 2040 bits"},
               {257, 3, "an RSA modulus of 2056 bits"},
               {511, 3, "an RSA modulus of 4088 bits"},
               {513, 3, "an RSA modulus of over 4096 bits"},
               {256, 9, "an RSA exponent of over 64 bits"},
               {256, 16, "an RSA exponent of over 64 bits"}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        EVP_PKEY *pkey = rsa_of(bad[i].n_len, bad[i].e_len);
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(SPKI_MAX);
        spki_of(pkey, &der);
        assert_false(expect_agreement(buffer_span(&der), bad[i].fragment));
        EVP_PKEY_free(pkey);
    }
}

static void expect_refused(const uint8_t *der, size_t len, const char *fragment)
{
    struct public_key *key = NULL;
    struct reason why = {0};
    assert_refused(public_key_from_spki(span_of(der, len), &key, &why), OUTCOME_RULE, why,
                   fragment);
    assert_null(key);
}

static void each_refusal_says_what_is_wrong(void **state)
{
    (void)state;
    enum { BITS = 8, PARAMETER = 9, UNUSED = 11 };
    uint8_t der[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    der[UNUSED] = 1;
    expect_refused(der, sizeof der, "not the DER SubjectPublicKeyInfo");
    der[UNUSED] = 0;
    der[BITS] = 0x6e; /* X25519 */
    expect_refused(der, sizeof der, "a key type other than RSA, EC and Ed25519");
    static const uint8_t null_behind_ed25519[] = {0x30, 0x0d, 0x30, 0x07, 0x06, 0x03, 0x2b, 0x65,
                                                  0x70, 0x05, 0x00, 0x03, 0x02, 0x00, 0x01};
    expect_refused(null_behind_ed25519, sizeof null_behind_ed25519, "not the canonical DER");
    static const uint8_t short_ed25519[] = {0x30, 0x0b, 0x30, 0x05, 0x06, 0x03, 0x2b,
                                            0x65, 0x70, 0x03, 0x02, 0x00, 0x01};
    expect_refused(short_ed25519, sizeof short_ed25519, "not the DER SubjectPublicKeyInfo");
    static const uint8_t rsa_without_null[] = {
        0x30, 0x19, 0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
        0x01, 0x03, 0x0a, 0x00, 0x30, 0x07, 0x02, 0x01, 0x0f, 0x02, 0x02, 0x01, 0x01};
    expect_refused(rsa_without_null, sizeof rsa_without_null, "not the canonical DER");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves_are_read_as_openssl_reads_them),
        cmocka_unit_test(rsa_is_read_as_openssl_reads_it),
        cmocka_unit_test(each_refusal_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
