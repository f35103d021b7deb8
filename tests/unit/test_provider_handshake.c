/* SPDX-License-Identifier: Apache-2.0
 * Handshakes through the provider, with every kind of key, in both versions, as libssl does them.
 */
#include "provider_rig.h"

#include <openssl/err.h>
#include <stdlib.h>

static struct rig *rig;

static int setup(void **state)
{
    (void)state;
    rig = rig_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(rig);
    return 0;
}

/* Key, how, and the scheme that must have been asked for. */
static const struct row {
    enum rig_key key;
    struct rig_shake how;
    const char *scheme;
} rows[] = {
    {RIG_RSA, {.version = TLS1_3_VERSION}, "rsa_pss_rsae_sha256"},
    {RIG_RSA, {.version = TLS1_3_VERSION, .sigalgs = "rsa_pss_rsae_sha512"}, "rsa_pss_rsae_sha512"},
    {RIG_RSA, {.version = TLS1_2_VERSION}, "rsa_pss_rsae_sha256"},
    {RIG_RSA, {.version = TLS1_2_VERSION, .sigalgs = "RSA+SHA256"}, "rsa_pkcs1_sha256"},
    {RIG_RSA, {.version = TLS1_2_VERSION, .sigalgs = "RSA+SHA384"}, "rsa_pkcs1_sha384"},
    {RIG_RSA, {.version = TLS1_2_VERSION, .sigalgs = "RSA+SHA512"}, "rsa_pkcs1_sha512"},
    {RIG_PSS, {.version = TLS1_3_VERSION}, "rsa_pss_pss_sha256"},
    {RIG_PSS, {.version = TLS1_2_VERSION, .sigalgs = "rsa_pss_pss_sha384"}, "rsa_pss_pss_sha384"},
    {RIG_P256, {.version = TLS1_3_VERSION}, "ecdsa_secp256r1_sha256"},
    {RIG_P256,
     {.version = TLS1_3_VERSION, .suites = "TLS_AES_128_GCM_SHA256"},
     "ecdsa_secp256r1_sha256"},
    {RIG_P256, {.version = TLS1_3_VERSION, .groups = "P-384"}, "ecdsa_secp256r1_sha256"},
    {RIG_P256, {.version = TLS1_2_VERSION}, "ecdsa_secp256r1_sha256"},
    {RIG_P256, {.version = TLS1_2_VERSION, .sigalgs = "ECDSA+SHA384"}, "ecdsa_secp384r1_sha384"},
    {RIG_P384, {.version = TLS1_3_VERSION}, "ecdsa_secp384r1_sha384"},
    {RIG_P384, {.version = TLS1_2_VERSION, .sigalgs = "ECDSA+SHA256"}, "ecdsa_secp256r1_sha256"},
    {RIG_P521, {.version = TLS1_3_VERSION}, "ecdsa_secp521r1_sha512"},
    {RIG_ED25519, {.version = TLS1_3_VERSION}, "ed25519"},
    {RIG_ED25519, {.version = TLS1_2_VERSION}, "ed25519"},
};

static void run_rows(OSSL_LIB_CTX *context, bool transcripts)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        char *pem = rig_reference(rig, row->key, rig->socket);
        EVP_PKEY *key = rig_load(context, pem);
        unsigned int before = rig->asked;
        unsigned int transcripts_before = rig->transcripts;
        assert_non_null(key);
        if (!rig_shake(rig, context, row->key, key, &row->how)) {
            print_error("row %zu: %s %s\n", i, rig_role(row->key), row->scheme);
            ERR_print_errors_fp(stderr);
            fail();
        }
        assert_int_equal(ERR_peek_error(), 0);
        assert_string_equal(rig->scheme, row->scheme);
        assert_int_equal(rig->asked - before, 1);
        assert_int_equal(rig->transcripts - transcripts_before,
                         transcripts && row->how.version == TLS1_3_VERSION);
        EVP_PKEY_free(key);
        free(pem);
    }
}

static void every_key_shakes_hands_and_asks_once(void **state)
{
    (void)state;
    OSSL_LIB_CTX *context = rig_context(rig, NULL, "", NULL);
    run_rows(context, false);
    OSSL_LIB_CTX_free(context);
}

static void the_module_does_the_same(void **state)
{
    (void)state;
    OSSL_LIB_CTX *context = rig_context(rig, QSEAL_MODULE, "", NULL);
    run_rows(context, false);
    OSSL_LIB_CTX_free(context);
}

static void with_the_tap_transcripts_are_shown(void **state)
{
    (void)state;
    OSSL_LIB_CTX *context = rig_context(rig, NULL, "transcript = 1\n", "?qseal.tap=yes");
    run_rows(context, true);
    OSSL_LIB_CTX_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_shakes_hands_and_asks_once),
        cmocka_unit_test(the_module_does_the_same),
        cmocka_unit_test(with_the_tap_transcripts_are_shown),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
