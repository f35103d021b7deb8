/* SPDX-License-Identifier: Apache-2.0
 * The tap as libcrypto uses it: by itself, in HMAC and HKDF, copied and used again; and only for
 * who asks. */
#include "provider_rig.h"

#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>

static struct rig *rig;
static OSSL_LIB_CTX *tapped;

static int setup(void **state)
{
    (void)state;
    rig = rig_open();
    tapped = rig_context(rig, NULL, "transcript = 1\n", "?qseal.tap=yes");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    OSSL_LIB_CTX_free(tapped);
    rig_close(rig);
    return 0;
}

static const char *maker_of(OSSL_LIB_CTX *context, const char *name)
{
    EVP_MD *md = EVP_MD_fetch(context, name, NULL);
    assert_non_null(md);
    const char *maker = OSSL_PROVIDER_get0_name(EVP_MD_get0_provider(md));
    EVP_MD_free(md);
    return maker;
}

static void only_who_asks_gets_the_tap(void **state)
{
    (void)state;
    OSSL_LIB_CTX *unasked = rig_context(rig, NULL, "transcript = 1\n", NULL);
    OSSL_LIB_CTX *off = rig_context(rig, NULL, "", "?qseal.tap=yes");
    assert_string_equal(maker_of(tapped, "SHA256"), "qseal");
    assert_string_equal(maker_of(tapped, "SHA2-384"), "qseal");
    assert_string_equal(maker_of(tapped, "SHA512"), "default");
    assert_string_equal(maker_of(tapped, "SHA1"), "default");
    assert_string_equal(maker_of(unasked, "SHA256"), "default");
    assert_string_equal(maker_of(off, "SHA256"), "default");
    EVP_PKEY *key = EVP_PKEY_Q_keygen(tapped, NULL, "EC", "P-256");
    assert_non_null(key);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), "default");
    EVP_PKEY_free(key);
    OSSL_LIB_CTX_free(unasked);
    OSSL_LIB_CTX_free(off);
    assert_int_equal(ERR_peek_error(), 0);
}

static void digest(OSSL_LIB_CTX *context, const char *name, unsigned char out[48])
{
    unsigned char copied[48];
    unsigned int len;
    EVP_MD *md = EVP_MD_fetch(context, name, NULL);
    EVP_MD_CTX *hashing = EVP_MD_CTX_new();
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestInit_ex2(hashing, md, NULL), 1);
    assert_int_equal(EVP_DigestUpdate(hashing, "used before", 11), 1);
    assert_int_equal(EVP_DigestInit_ex2(hashing, NULL, NULL), 1);
    assert_int_equal(EVP_DigestUpdate(hashing, "abc", 3), 1);
    assert_int_equal(EVP_MD_CTX_copy_ex(copy, hashing), 1);
    assert_int_equal(EVP_DigestUpdate(hashing, "def", 3), 1);
    assert_int_equal(EVP_DigestUpdate(copy, "def", 3), 1);
    assert_int_equal(EVP_DigestFinal_ex(hashing, out, &len), 1);
    assert_int_equal(len, EVP_MD_get_size(md));
    assert_int_equal(EVP_DigestFinal_ex(copy, copied, &len), 1);
    assert_memory_equal(out, copied, len);
    assert_int_equal(EVP_MD_get_block_size(md), len == 32 ? 64 : 128);
    EVP_MD_CTX_free(copy);
    EVP_MD_CTX_free(hashing);
    EVP_MD_free(md);
}

static void hmac(OSSL_LIB_CTX *context, const char *name, unsigned char out[48])
{
    size_t len;
    assert_non_null(EVP_Q_mac(context, "HMAC", NULL, name, NULL, "key", 3,
                              (const unsigned char *)"text", 4, out, 48, &len));
}

static void hkdf(OSSL_LIB_CTX *context, const char *name, unsigned char out[48])
{
    EVP_KDF *kdf = EVP_KDF_fetch(context, "HKDF", NULL);
    EVP_KDF_CTX *deriving = EVP_KDF_CTX_new(kdf);
    char digest_name[16];
    char key[] = "secret";
    (void)snprintf(digest_name, sizeof(digest_name), "%s", name);
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest_name, 0),
                                 OSSL_PARAM_construct_octet_string("key", key, 6),
                                 OSSL_PARAM_construct_end()};
    assert_int_equal(EVP_KDF_derive(deriving, out, 48, params), 1);
    EVP_KDF_CTX_free(deriving);
    EVP_KDF_free(kdf);
}

static void everything_above_it_gives_the_same(void **state)
{
    (void)state;
    static const char *const names[] = {"SHA2-256", "SHA2-384"};
    static void (*const uses[])(OSSL_LIB_CTX *, const char *, unsigned char[48]) = {digest, hmac,
                                                                                    hkdf};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 3; j++) {
            unsigned char got[48] = {0};
            unsigned char want[48] = {0};
            uses[j](tapped, names[i], got);
            uses[j](rig->plain, names[i], want);
            assert_memory_equal(got, want, sizeof(want));
        }
    }
}

static void plain_keys_sign_and_verify_through_it(void **state)
{
    (void)state;
    unsigned char signature[512];
    size_t len = sizeof(signature);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(tapped, NULL, "RSA", (size_t)2048);
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(signing, NULL, "SHA256", tapped, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(signing, signature, &len, (const unsigned char *)"x", 1), 1);
    EVP_MD_CTX_free(signing);
    signing = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit_ex(signing, NULL, "SHA256", rig->plain, NULL, key, NULL),
                     1);
    assert_int_equal(EVP_DigestVerify(signing, signature, len, (const unsigned char *)"x", 1), 1);
    EVP_MD_CTX_free(signing);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_asks_gets_the_tap),
        cmocka_unit_test(everything_above_it_gives_the_same),
        cmocka_unit_test(plain_keys_sign_and_verify_through_it),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
