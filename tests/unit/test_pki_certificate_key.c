/* SPDX-License-Identifier: Apache-2.0
 * The key in a certificate, beside what OpenSSL finds there. */
#include "pki/certificate_key.h"

#include "check.h"
#include "tls_rig.h"

#include <stdlib.h>

static struct rig_identity made[RIG_KINDS];

static size_t encode(const X509 *certificate, unsigned char **der)
{
    *der = NULL;
    int len = i2d_X509(certificate, der);
    assert_true(len > 0);
    return (size_t)len;
}

static void test_kinds(void **state)
{
    (void)state;
    static const enum certificate_key_kind kinds[] = {
        [RIG_RSA] = CERTIFICATE_RSA,   [RIG_RSA_PSS] = CERTIFICATE_RSA_PSS,
        [RIG_P256] = CERTIFICATE_P256, [RIG_P384] = CERTIFICATE_P384,
        [RIG_P521] = CERTIFICATE_P521, [RIG_ED25519] = CERTIFICATE_ED25519,
    };
    for (int i = 0; i < RIG_KINDS; i++) {
        unsigned char *der;
        size_t len = encode(made[i].certificate, &der);
        struct certificate_key key;
        uint8_t digest[32];
        uint8_t expected[32];
        assert_null(certificate_key_read(span_of(der, len), &key));
        assert_int_equal(key.kind, kinds[i]);
        rig_certificate_digest(made[i].certificate, expected);
        assert_true(certificate_key_digest(&key, digest));
        assert_memory_equal(digest, expected, sizeof digest);
        /* as the certificate names it, and for RSA-PSS as the token does */
        assert_true(certificate_key_is(&key, expected));
        assert_true(certificate_key_is(&key, made[i].spki_sha256));
        assert_int_equal(memcmp(expected, made[i].spki_sha256, 32) != 0, i == RIG_RSA_PSS);
        for (int other = 0; other < RIG_KINDS; other++) {
            assert_int_equal(certificate_key_is(&key, made[other].spki_sha256), other == i);
        }
        OPENSSL_free(der);
    }
}

static void test_other_types(void **state)
{
    (void)state;
    static const char *const curves[] = {"P-224", "secp256k1", NULL};
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        EVP_PKEY *pkey = curves[i] != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i])
                                           : EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
        assert_non_null(pkey);
        X509 *certificate = X509_dup(made[RIG_P256].certificate);
        assert_int_equal(X509_set_pubkey(certificate, pkey), 1);
        assert_true(X509_sign(certificate, made[RIG_P256].pkey, EVP_sha256()) > 0);
        unsigned char *der;
        size_t len = encode(certificate, &der);
        struct certificate_key key;
        const char *fault = certificate_key_read(span_of(der, len), &key);
        assert_string_equal(fault, "its key is of a type that is not taken");
        OPENSSL_free(der);
        X509_free(certificate);
        EVP_PKEY_free(pkey);
    }
}

/* Cut and changed certificates: no read past the end, and never another key than OpenSSL's. */
static void test_changes(void **state)
{
    (void)state;
    unsigned char *der;
    size_t len = encode(made[RIG_P256].certificate, &der);
    size_t faults = 0;
    for (size_t i = 0; i < len * 8; i++) {
        size_t cut = i % 8 == 7 ? i / 8 : len;
        uint8_t *exact = malloc(cut + 1);
        assert_non_null(exact);
        uint8_t *bytes = exact + 1; /* its end is the end of the memory */
        memcpy(bytes, der, cut);
        if (cut == len) {
            bytes[i / 8] ^= (uint8_t)(1U << i % 8);
        }
        struct certificate_key key;
        uint8_t ours[32];
        uint8_t theirs[32];
        const char *fault = certificate_key_read(span_of(bytes, cut), &key);
        faults += fault != NULL;
        const unsigned char *at = bytes;
        X509 *certificate = d2i_X509(NULL, &at, (long)cut);
        if (cut < len) {
            assert_string_equal(fault, "it is not DER");
        } else if (fault == NULL && certificate != NULL) {
            rig_certificate_digest(certificate, theirs);
            assert_true(certificate_key_digest(&key, ours));
            assert_memory_equal(ours, theirs, sizeof ours);
        }
        X509_free(certificate);
        free(exact);
    }
    assert_true(faults > len);
    OPENSSL_free(der);
}

static void test_public_key_not_der(void **state)
{
    (void)state;
    unsigned char *der;
    size_t len = encode(made[RIG_ED25519].certificate, &der);
    struct certificate_key key;
    assert_null(certificate_key_read(span_of(der, len), &key));
    der[key.value.data - 1 - der] = 1; /* unused bits of the BIT STRING */
    assert_string_equal(certificate_key_read(span_of(der, len), &key), "its public key is not DER");
    OPENSSL_free(der);
}

/* No RSA key is so long; its other form is not even made. */
static void test_long_pss_key(void **state)
{
    (void)state;
    static uint8_t value[70000];
    for (size_t len = 5000; len <= sizeof value; len += sizeof value - 5000) {
        struct certificate_key key = {
            .kind = CERTIFICATE_RSA_PSS, .spki = span_of(value, len), .value = span_of(value, len)};
        assert_false(certificate_key_is(&key, made[RIG_RSA_PSS].spki_sha256));
    }
}

static int setup(void **state)
{
    (void)state;
    const struct rig_certificate plain = {.san = "DNS:a.example"};
    for (int i = 0; i < RIG_KINDS; i++) {
        rig_identity_make((enum rig_kind)i, &plain, &made[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < RIG_KINDS; i++) {
        rig_identity_free(&made[i]);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),        cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_changes),      cmocka_unit_test(test_public_key_not_der),
        cmocka_unit_test(test_long_pss_key),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
