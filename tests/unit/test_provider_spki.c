/* SPDX-License-Identifier: Apache-2.0
 * SubjectPublicKeyInfo as libcrypto writes it, and all that is not quite it. */
#include "provider/spki.h"

#include "check.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

static EVP_PKEY *make_pss(const char *md)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    assert_int_equal(EVP_PKEY_keygen_init(making), 1);
    if (md != NULL) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_keygen_md_name(making, md, NULL), 1);
    }
    assert_int_equal(EVP_PKEY_generate(making, &key), 1);
    EVP_PKEY_CTX_free(making);
    return key;
}

/* The SPKI in memory of its own size; frees the key. */
static uint8_t *spki_of(EVP_PKEY *key, size_t *len)
{
    unsigned char *der = NULL;
    int der_len = i2d_PUBKEY(key, &der);
    assert_true(der_len > 0);
    uint8_t *out = malloc((size_t)der_len);
    memcpy(out, der, (size_t)der_len);
    *len = (size_t)der_len;
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return out;
}

static struct spki expect(EVP_PKEY *key, enum key_kind kind, int bits, int max_size)
{
    struct spki spki;
    size_t len;
    uint8_t *der = spki_of(key, &len);
    assert_true(spki_read(span_of(der, len), &spki));
    assert_int_equal(spki.kind, kind);
    assert_int_equal(spki.bits, bits);
    assert_int_equal(spki.max_size, max_size);
    for (size_t part = 0; part < len; part++) {
        struct spki nothing;
        assert_false(spki_read(span_of(der, part), &nothing));
    }
    free(der);
    return spki;
}

static void keys_of_every_kind_are_read(void **state)
{
    (void)state;
    (void)expect(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048), KIND_RSA, 2048, 256);
    (void)expect(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072), KIND_RSA, 3072, 384);
    assert_string_equal(
        expect(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), KIND_EC, 256, 72).group, "prime256v1");
    assert_string_equal(expect(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"), KIND_EC, 384, 104).crv,
                        "P-384");
    assert_string_equal(expect(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"), KIND_EC, 521, 139).crv,
                        "P-521");
    (void)expect(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), KIND_ED25519, 256, 64);
}

static void pss_parameters_name_the_digest(void **state)
{
    (void)state;
    assert_int_equal(expect(make_pss(NULL), KIND_RSA_PSS, 2048, 256).mandatory, MD_NONE);
    assert_int_equal(expect(make_pss("SHA256"), KIND_RSA_PSS, 2048, 256).mandatory, MD_SHA256);
    assert_int_equal(expect(make_pss("SHA512"), KIND_RSA_PSS, 2048, 256).mandatory, MD_SHA512);
}

static void expect_refused(EVP_PKEY *key)
{
    struct spki spki;
    size_t len;
    uint8_t *der = spki_of(key, &len);
    assert_false(spki_read(span_of(der, len), &spki));
    free(der);
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    expect_refused(make_pss("SHA1"));
    expect_refused(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-224"));
    expect_refused(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1"));
    expect_refused(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"));
    expect_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"));
    expect_refused(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)512));
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", "compressed"), 1);
    expect_refused(key);
}

static void strange_rsa_numbers_are_refused(void **state)
{
    (void)state;
    struct spki spki;
    size_t len;
    uint8_t *der = spki_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048), &len);
    der[len - 1] ^= 1; /* an even exponent */
    assert_false(spki_read(span_of(der, len), &spki));
    der[len - 1] ^= 1;
    der[len - 6] ^= 1; /* an even modulus */
    assert_false(spki_read(span_of(der, len), &spki));
    der[len - 6] ^= 1;
    der[len - 5 - 257] = 1; /* a modulus that is a bit too long for its length */
    assert_true(spki_read(span_of(der, len), &spki));
    der[len - 5 - 257] = 0x80; /* negative */
    assert_false(spki_read(span_of(der, len), &spki));
    free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_every_kind_are_read),
        cmocka_unit_test(pss_parameters_name_the_digest),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(strange_rsa_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
