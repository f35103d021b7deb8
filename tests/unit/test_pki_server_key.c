/* SPDX-License-Identifier: Apache-2.0
 * What a server signed, for every scheme and key, in both versions; and keys that are none. */
#include "pki/server_key.h"

#include "base/clock.h"

#include "check.h"
#include "tls_rig.h"

#include <openssl/err.h>

static struct rig_identity made[RIG_KINDS];
static struct span certificates[RIG_KINDS]; /* DER, owned */

enum { CONTENT_LEN = 130 };
static uint8_t content[CONTENT_LEN];

/* As libcrypto signs it; false when the key cannot. */
static bool sign(enum rig_kind kind, enum tls_scheme scheme, uint8_t *out, size_t *len)
{
    static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
    enum alg alg = tls_scheme_alg(scheme);
    const char *md = alg == ALG_ED25519 ? NULL : digests[(alg_digest_len(alg) - 32) / 16];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    bool done = EVP_DigestSignInit_ex(ctx, &pctx, md, NULL, NULL, made[kind].pkey, NULL) == 1 &&
                (alg_family(alg) != FAMILY_RSA_PSS ||
                 (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
                EVP_DigestSign(ctx, out, len, content, sizeof content) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return done;
}

static const char *fault_of(enum rig_kind kind, enum tls_version version, uint16_t scheme,
                            struct span signature)
{
    struct certificate_key key;
    struct tls_signed proof = {.scheme = scheme, .signature = signature};
    assert_null(certificate_key_read(certificates[kind], &key));
    const char *fault = server_key_fault(&key, version, span_of(content, sizeof content), &proof);
    assert_int_equal(ERR_peek_error(), 0);
    return fault;
}

/* RFC 8446 §4.2.3 and RFC 5246 §7.4.1.4.1, written out. */
static bool should_fit(enum rig_kind kind, enum tls_scheme scheme, enum tls_version version)
{
    static const struct {
        enum rig_kind kind;
        const char *name;
        bool only_12;
    } table[] = {
        {RIG_RSA, "rsa_pkcs1_sha256", true},
        {RIG_RSA, "rsa_pkcs1_sha384", true},
        {RIG_RSA, "rsa_pkcs1_sha512", true},
        {RIG_RSA, "rsa_pss_rsae_sha256", false},
        {RIG_RSA, "rsa_pss_rsae_sha384", false},
        {RIG_RSA, "rsa_pss_rsae_sha512", false},
        {RIG_RSA_PSS, "rsa_pss_pss_sha256", false},
        {RIG_RSA_PSS, "rsa_pss_pss_sha384", false},
        {RIG_RSA_PSS, "rsa_pss_pss_sha512", false},
        {RIG_P256, "ecdsa_secp256r1_sha256", false},
        {RIG_P256, "ecdsa_secp384r1_sha384", true},
        {RIG_P256, "ecdsa_secp521r1_sha512", true},
        {RIG_P384, "ecdsa_secp256r1_sha256", true},
        {RIG_P384, "ecdsa_secp384r1_sha384", false},
        {RIG_P384, "ecdsa_secp521r1_sha512", true},
        {RIG_P521, "ecdsa_secp256r1_sha256", true},
        {RIG_P521, "ecdsa_secp384r1_sha384", true},
        {RIG_P521, "ecdsa_secp521r1_sha512", false},
        {RIG_ED25519, "ed25519", false},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (table[i].kind == kind && strcmp(table[i].name, tls_scheme_name(scheme)) == 0) {
            return version == TLS_1_2 || !table[i].only_12;
        }
    }
    return false;
}

static void test_all(void **state)
{
    (void)state;
    static const enum tls_version versions[] = {TLS_1_2, TLS_1_3};
    for (unsigned int i = 0; i < (unsigned int)RIG_KINDS * TLS_SCHEME_COUNT * 2; i++) {
        enum rig_kind kind = (enum rig_kind)(i % RIG_KINDS);
        enum tls_scheme scheme = (enum tls_scheme)(i / RIG_KINDS % TLS_SCHEME_COUNT);
        enum tls_version version = versions[i / RIG_KINDS / TLS_SCHEME_COUNT];
        uint16_t code = tls_scheme_code(scheme);
        uint8_t signature[SIGNATURE_MAX] = {0};
        size_t len = sizeof signature;
        if (!should_fit(kind, scheme, version)) {
            assert_string_equal(fault_of(kind, version, code, span_of(signature, len)),
                                "signed with a scheme that does not fit the server's key");
            continue;
        }
        assert_true(sign(kind, scheme, signature, &len));
        assert_null(fault_of(kind, version, code, span_of(signature, len)));
        signature[len / 2] ^= 1;
        assert_string_equal(fault_of(kind, version, code, span_of(signature, len)),
                            "the server's signature does not verify");
        signature[len / 2] ^= 1;
        assert_string_equal(fault_of(kind, version, code, span_of(signature, len - 1)),
                            "the server's signature does not verify");
    }
}

static void test_old_schemes(void **state)
{
    (void)state;
    static const uint16_t codes[] = {0x0101, 0x0201, 0x0203, 0x0301, 0x0303,
                                     0x0402, 0x0808, 0x0840, 0x0000, 0xFFFF};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        assert_string_equal(fault_of(RIG_RSA, TLS_1_2, codes[i], span_of(content, 100)),
                            "signed with MD5, SHA-1 or another scheme that is not taken");
    }
}

static void refused_key(enum certificate_key_kind kind, enum tls_scheme scheme, const void *value,
                        size_t len)
{
    struct certificate_key key = {.kind = kind, .value = span_of(value, len)};
    struct tls_signed proof = {tls_scheme_code(scheme), span_of(content, 64)};
    assert_string_equal(server_key_fault(&key, TLS_1_2, span_of(content, sizeof content), &proof),
                        "the server's key is malformed, or too weak or too long");
    assert_int_equal(ERR_peek_error(), 0);
}

/* An RSAPublicKey of `bits`, all ones, with this exponent. */
static void refused_rsa(size_t bits, const char *exponent, size_t exponent_len)
{
    uint8_t der[1200] = {0x30, 0x82};
    size_t n = bits / 8;
    size_t inner = 4 + 1 + n + 2 + exponent_len;
    der[2] = (uint8_t)(inner >> 8);
    der[3] = (uint8_t)inner;
    der[4] = 0x02;
    der[5] = 0x82;
    der[6] = (uint8_t)((n + 1) >> 8);
    der[7] = (uint8_t)(n + 1);
    memset(der + 9, 0xFF, n);
    der[9 + n] = 0x02;
    der[10 + n] = (uint8_t)exponent_len;
    memcpy(der + 11 + n, exponent, exponent_len);
    refused_key(CERTIFICATE_RSA, TLS_RSA_PKCS1_SHA256, der, 4 + inner);
    refused_key(CERTIFICATE_RSA, TLS_RSA_PKCS1_SHA256, der, 3 + inner);
}

static void test_bad_keys(void **state)
{
    (void)state;
    uint8_t point[133] = {0x04};
    memset(point + 1, 0x11, sizeof point - 1);
    refused_key(CERTIFICATE_P256, TLS_ECDSA_SECP256R1_SHA256, point, 65); /* not on the curve */
    refused_key(CERTIFICATE_P384, TLS_ECDSA_SECP256R1_SHA256, point, 97);
    refused_key(CERTIFICATE_P521, TLS_ECDSA_SECP256R1_SHA256, point, 133);
    refused_key(CERTIFICATE_P256, TLS_ECDSA_SECP256R1_SHA256, point, 64);
    point[0] = 0x02; /* compressed */
    refused_key(CERTIFICATE_P256, TLS_ECDSA_SECP256R1_SHA256, point, 33);
    refused_key(CERTIFICATE_ED25519, TLS_ED25519, point, 31);
    refused_rsa(1024, "\x03", 1);
    refused_rsa(2040, "\x03", 1);
    refused_rsa(8200, "\x03", 1);
    refused_rsa(2048, "\x01", 1);
    refused_rsa(2048, "\x02", 1);
    refused_rsa(2048, "\x81", 1); /* negative */
    refused_rsa(2048, "\x00\x03", 2);
    refused_rsa(2048, "\x11\0\0\0\0\0\0\0\x01", 9);
    refused_key(CERTIFICATE_RSA, TLS_RSA_PKCS1_SHA256, "\x30\x00", 2);
}

/* Printed, not judged: machines differ. */
static void test_speed(void **state)
{
    (void)state;
    static const struct {
        enum rig_kind kind;
        enum tls_scheme scheme;
    } rows[] = {{RIG_RSA, TLS_RSA_PSS_RSAE_SHA256}, {RIG_P256, TLS_ECDSA_SECP256R1_SHA256}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t signature[SIGNATURE_MAX];
        size_t len = sizeof signature;
        assert_true(sign(rows[i].kind, rows[i].scheme, signature, &len));
        int64_t start = clock_monotonic_us();
        for (int n = 0; n < 200; n++) {
            assert_null(fault_of(rows[i].kind, TLS_1_3, tls_scheme_code(rows[i].scheme),
                                 span_of(signature, len)));
        }
        print_message("%s: %.1f us with its verification\n", tls_scheme_name(rows[i].scheme),
                      (double)(clock_monotonic_us() - start) / 200);
    }
}

static int setup(void **state)
{
    (void)state;
    const struct rig_certificate plain = {0};
    for (int i = 0; i < RIG_KINDS; i++) {
        rig_identity_make((enum rig_kind)i, &plain, &made[i]);
        unsigned char *der = NULL;
        int len = i2d_X509(made[i].certificate, &der);
        assert_true(len > 0);
        certificates[i] = span_of(der, (size_t)len);
    }
    for (size_t i = 0; i < sizeof content; i++) {
        content[i] = (uint8_t)(i * 7 + 1);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < RIG_KINDS; i++) {
        OPENSSL_free((void *)(uintptr_t)certificates[i].data);
        rig_identity_free(&made[i]);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_old_schemes),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_speed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
