/* SPDX-License-Identifier: Apache-2.0
 * TLS SignatureSchemes against the IANA registry, and which keys they go with. */
#include "model/tls_scheme.h"

#include "check.h"

static const struct {
    uint16_t code;
    const char *name;
    enum alg alg;
    bool pss_key;
} rows[] = {
    {0x0401, "rsa_pkcs1_sha256", ALG_RS256, false},
    {0x0501, "rsa_pkcs1_sha384", ALG_RS384, false},
    {0x0601, "rsa_pkcs1_sha512", ALG_RS512, false},
    {0x0403, "ecdsa_secp256r1_sha256", ALG_ES256, false},
    {0x0503, "ecdsa_secp384r1_sha384", ALG_ES384, false},
    {0x0603, "ecdsa_secp521r1_sha512", ALG_ES512, false},
    {0x0804, "rsa_pss_rsae_sha256", ALG_PS256, false},
    {0x0805, "rsa_pss_rsae_sha384", ALG_PS384, false},
    {0x0806, "rsa_pss_rsae_sha512", ALG_PS512, false},
    {0x0807, "ed25519", ALG_ED25519, false},
    {0x0809, "rsa_pss_pss_sha256", ALG_PS256, true},
    {0x080a, "rsa_pss_pss_sha384", ALG_PS384, true},
    {0x080b, "rsa_pss_pss_sha512", ALG_PS512, true},
};

static void test_rows(void **state)
{
    (void)state;
    assert_int_equal(COUNT_OF(rows), TLS_SCHEME_COUNT);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum tls_scheme scheme;
        assert_true(tls_scheme_from_code(rows[i].code, &scheme));
        assert_int_equal(tls_scheme_code(scheme), rows[i].code);
        assert_string_equal(tls_scheme_name(scheme), rows[i].name);
        assert_true(strlen(rows[i].name) < TLS_SCHEME_NAME_SIZE);
        assert_int_equal(tls_scheme_alg(scheme), rows[i].alg);
        assert_int_equal(tls_scheme_is_pss_key(scheme), rows[i].pss_key);
        enum tls_scheme named;
        assert_true(tls_scheme_from_name(span_of_text(rows[i].name), &named));
        assert_int_equal(named, scheme);
    }
}

static void test_nothing_else(void **state)
{
    (void)state;
    enum tls_scheme scheme;
    unsigned int known = 0;
    for (unsigned int code = 0; code <= UINT16_MAX; code++) {
        known += tls_scheme_from_code((uint16_t)code, &scheme);
    }
    assert_int_equal(known, TLS_SCHEME_COUNT);
    static const char *const names[] = {"",        "rsa_pkcs1_sha1", "ecdsa_sha1",
                                        "ED25519", "ed448",          "rsa_pkcs1_sha256 "};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_false(tls_scheme_from_name(span_of_text(names[i]), &scheme));
    }
}

/* RFC 8446 §4.2.3: the curve is bound in TLS 1.3 alone, PKCS#1 is for TLS 1.2 alone. */
static void test_keys(void **state)
{
    (void)state;
    assert_true(tls_alg_fits_key(ALG_ES256, KEY_P384, TLS_1_2));
    assert_false(tls_alg_fits_key(ALG_ES256, KEY_P384, TLS_1_3));
    assert_true(tls_alg_fits_key(ALG_ES384, KEY_P384, TLS_1_3));
    assert_true(tls_alg_fits_key(ALG_ES512, KEY_P256, TLS_1_2));
    assert_true(tls_alg_fits_key(ALG_RS256, KEY_RSA_2048, TLS_1_2));
    assert_false(tls_alg_fits_key(ALG_RS256, KEY_RSA_2048, TLS_1_3));
    assert_true(tls_alg_fits_key(ALG_PS256, KEY_RSA_4096, TLS_1_3));
    assert_true(tls_alg_fits_key(ALG_ED25519, KEY_ED25519, TLS_1_2));
    assert_false(tls_alg_fits_key(ALG_ED25519, KEY_P256, TLS_1_2));
    assert_false(tls_alg_fits_key(ALG_ES256, KEY_RSA_2048, TLS_1_2));
    assert_false(tls_alg_fits_key(ALG_PS256, KEY_ED25519, TLS_1_3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_nothing_else),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
