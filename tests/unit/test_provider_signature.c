/* SPDX-License-Identifier: Apache-2.0
 * What is signed, what is refused, and what a program then reads on OpenSSL's error queue. */
#include "provider_rig.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 1024 };

static struct rig *rig;
static OSSL_LIB_CTX *context;

static int setup(void **state)
{
    (void)state;
    rig = rig_open();
    context = rig_context(rig, NULL, "timeout_ms = 100\n", NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    OSSL_LIB_CTX_free(context);
    rig_close(rig);
    return 0;
}

static int as_it_should(void **state)
{
    (void)state;
    ERR_clear_error();
    rig->manner = RIG_SIGNS;
    return 0;
}

static EVP_PKEY *load_at(enum rig_key key, const char *socket)
{
    char *pem = rig_reference(rig, key, socket);
    EVP_PKEY *out = rig_load(context, pem);
    free(pem);
    assert_non_null(out);
    return out;
}

static EVP_PKEY *load(enum rig_key key)
{
    return load_at(key, rig->socket);
}

/* A signature of "content" under this digest, checked with the plain key. */
static bool sign(enum rig_key which, EVP_PKEY *key, const char *md)
{
    unsigned char signature[ROOM];
    size_t len = sizeof(signature);
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    EVP_MD_CTX *verifying = EVP_MD_CTX_new();
    bool good = EVP_DigestSignInit_ex(signing, NULL, md, context, NULL, key, NULL) == 1 &&
                EVP_DigestSign(signing, signature, &len, (const unsigned char *)"content", 7) == 1;
    if (good) {
        assert_int_equal(
            EVP_DigestVerifyInit_ex(verifying, NULL, md, rig->plain, NULL, rig->keys[which], NULL),
            1);
        assert_int_equal(
            EVP_DigestVerify(verifying, signature, len, (const unsigned char *)"content", 7), 1);
    }
    EVP_MD_CTX_free(signing);
    EVP_MD_CTX_free(verifying);
    return good;
}

static void digests_have_many_names(void **state)
{
    (void)state;
    static const char *const names[] = {"SHA256",   "sha256",  "SHA2-256", "SHA-256",
                                        "SHA2-384", "SHA-384", "SHA512",   "SHA2-512"};
    EVP_PKEY *key = load(RIG_P256);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_true(sign(RIG_P256, key, names[i]));
    }
    assert_true(sign(RIG_P256, key, NULL));
    assert_string_equal(rig->scheme, "ecdsa_secp256r1_sha256");
    EVP_PKEY_free(key);
    key = load(RIG_ED25519);
    assert_true(sign(RIG_ED25519, key, NULL));
    EVP_PKEY_free(key);
}

static void other_digests_are_refused(void **state)
{
    (void)state;
    static const char reason[] = "signature scheme not possible with this key";
    EVP_PKEY *key = load(RIG_RSA);
    assert_false(sign(RIG_RSA, key, "SHA1"));
    assert_true(rig_saw_error(reason, "qseal: digest SHA1 does not go with this key"));
    assert_false(sign(RIG_RSA, key, "MD5-SHA1"));
    assert_true(rig_saw_error(reason, "digest MD5-SHA1"));
    assert_false(sign(RIG_RSA, key, "SHA3-256"));
    assert_true(rig_saw_error(reason, "digest SHA3-256"));
    EVP_PKEY_free(key);
    key = load(RIG_ED25519);
    assert_false(sign(RIG_ED25519, key, "SHA256"));
    assert_true(rig_saw_error(reason, "digest SHA256 does not go"));
    EVP_PKEY_free(key);
}

static void the_size_is_known_without_asking(void **state)
{
    (void)state;
    static const size_t sizes[RIG_KEYS] = {256, 256, 72, 104, 139, 64};
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        size_t len = 0;
        unsigned int before = rig->asked;
        EVP_PKEY *key = load((enum rig_key)i);
        EVP_MD_CTX *signing = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestSignInit_ex(signing, NULL, NULL, context, NULL, key, NULL), 1);
        assert_int_equal(EVP_DigestSign(signing, NULL, &len, (const unsigned char *)"x", 1), 1);
        assert_int_equal(len, sizes[i]);
        assert_int_equal(rig->asked, before);
        EVP_MD_CTX_free(signing);
        EVP_PKEY_free(key);
    }
}

static void bare_digests_are_refused(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        EVP_PKEY *key = load((enum rig_key)i);
        EVP_PKEY_CTX *signing = EVP_PKEY_CTX_new_from_pkey(context, key, NULL);
        unsigned int before = rig->asked;
        assert_true(EVP_PKEY_sign_init(signing) <= 0);
        assert_true(rig_saw_error("a bare digest is never signed", "whole"));
        assert_int_equal(rig->asked, before);
        EVP_PKEY_CTX_free(signing);
        EVP_PKEY_free(key);
    }
}

static void pieces_are_refused(void **state)
{
    (void)state;
    unsigned char signature[ROOM];
    size_t len = sizeof(signature);
    EVP_PKEY *key = load(RIG_P256);
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(signing, NULL, "SHA256", context, NULL, key, NULL), 1);
    assert_true(EVP_DigestSignUpdate(signing, "x", 1) <= 0);
    assert_true(rig_saw_error("content is signed in one shot only", "EVP_DigestSign()"));
    assert_true(EVP_DigestSignFinal(signing, signature, &len) <= 0);
    assert_true(rig_saw_error("content is signed in one shot only", "EVP_DigestSign()"));
    EVP_MD_CTX_free(signing);
    EVP_PKEY_free(key);
}

static void too_much_content_is_refused(void **state)
{
    (void)state;
    enum { MUCH = 1024 * 1024 + 1 };
    unsigned char signature[ROOM];
    size_t len = sizeof(signature);
    unsigned char *content = calloc(1, MUCH);
    EVP_PKEY *key = load(RIG_P256);
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(signing, NULL, "SHA256", context, NULL, key, NULL), 1);
    assert_true(EVP_DigestSign(signing, signature, &len, content, MUCH) <= 0);
    assert_true(rig_saw_error("content too long", "1048577 bytes"));
    EVP_MD_CTX_free(signing);
    EVP_PKEY_free(key);
    free(content);
}

/* Sets one RSA parameter the way programs do, after init with SHA-256. */
static int set_parameter(enum rig_key which, int padding, int salt, const EVP_MD *mgf1)
{
    EVP_PKEY_CTX *parameters;
    EVP_PKEY *key = load(which);
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    int good = EVP_DigestSignInit_ex(signing, &parameters, "SHA256", context, NULL, key, NULL);
    if (padding != 0) {
        good = good == 1 ? EVP_PKEY_CTX_set_rsa_padding(parameters, padding) : good;
    }
    if (salt != 0) {
        good = good == 1 ? EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt) : good;
    }
    if (mgf1 != NULL) {
        good = good == 1 ? EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, mgf1) : good;
    }
    EVP_MD_CTX_free(signing);
    EVP_PKEY_free(key);
    return good;
}

static void rsa_parameters_are_those_of_tls(void **state)
{
    (void)state;
    static const char reason[] = "signature scheme not possible with this key";
    assert_int_equal(set_parameter(RIG_RSA, RSA_PKCS1_PADDING, 0, NULL), 1);
    assert_int_equal(set_parameter(RIG_RSA, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST, NULL),
                     1);
    assert_int_equal(set_parameter(RIG_RSA, RSA_PKCS1_PSS_PADDING, 32, EVP_sha256()), 1);
    assert_int_equal(set_parameter(RIG_PSS, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST, NULL),
                     1);
    ERR_clear_error();
    assert_true(set_parameter(RIG_RSA, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_MAX, NULL) <= 0);
    assert_true(rig_saw_error(reason, "a salt of another length"));
    assert_true(set_parameter(RIG_RSA, RSA_PKCS1_PSS_PADDING, 20, NULL) <= 0);
    assert_true(rig_saw_error(reason, "a salt of another length"));
    assert_true(set_parameter(RIG_RSA, RSA_PKCS1_PSS_PADDING, 0, EVP_sha1()) <= 0);
    assert_true(rig_saw_error(reason, "another digest for MGF1"));
    assert_true(set_parameter(RIG_RSA, RSA_NO_PADDING, 0, NULL) <= 0);
    assert_true(rig_saw_error(reason, "this padding"));
    assert_true(set_parameter(RIG_PSS, RSA_PKCS1_PADDING, 0, NULL) <= 0);
    ERR_clear_error();
}

static void parameters_can_be_read_and_contexts_copied(void **state)
{
    (void)state;
    unsigned char signature[ROOM];
    size_t len = sizeof(signature);
    EVP_PKEY_CTX *parameters;
    int value = 0;
    const EVP_MD *md = NULL;
    EVP_PKEY *key = load(RIG_RSA);
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    assert_int_equal(
        EVP_DigestSignInit_ex(signing, &parameters, "SHA384", context, NULL, key, NULL), 1);
    assert_true(EVP_PKEY_CTX_get_rsa_padding(parameters, &value) > 0);
    assert_int_equal(value, RSA_PKCS1_PADDING);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
    assert_true(EVP_PKEY_CTX_get_rsa_padding(parameters, &value) > 0);
    assert_int_equal(value, RSA_PKCS1_PSS_PADDING);
    assert_int_equal(EVP_PKEY_CTX_get_signature_md(parameters, &md), 1);
    assert_int_equal(EVP_MD_get_size(md), 48);
    assert_int_equal(EVP_MD_CTX_copy_ex(copy, signing), 1);
    EVP_MD_CTX_free(signing);
    assert_int_equal(EVP_DigestSign(copy, signature, &len, (const unsigned char *)"x", 1), 1);
    assert_string_equal(rig->scheme, "rsa_pss_rsae_sha384");
    EVP_MD_CTX_free(copy);
    EVP_PKEY_free(key);
}

static void each_refusal_has_its_reason(void **state)
{
    (void)state;
    static const struct {
        enum rig_manner manner;
        const char *reason;
        const char *data;
    } rows[] = {
        {RIG_FORBIDS, "transport key not granted to this user",
         "qseal: transport key p256 is not granted to caller x (uid 1001)"},
        {RIG_KNOWS_NOT, "no such transport key at the signing service",
         "qseal: there is no transport role of that name"},
        {RIG_IS_BUSY, "signing service busy or its token is down", "no token of role p256 is up"},
        {RIG_REFUSES, "signing service refused", "qseal: the peer is not \"bank.example\""},
        {RIG_IS_SILENT, "signing service timed out", "did not answer within 100 ms"},
        {RIG_BABBLES, "unexpected answer of the signing service", "not HTTP/1.1"},
        {RIG_OVERFLOWS, "unexpected answer of the signing service", "a signature of 4000 bytes"},
        {RIG_HANGS_UP, "signing service unreachable", "closed the connection without an answer"},
    };
    EVP_PKEY *key = load(RIG_P256);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig->manner = rows[i].manner;
        assert_false(sign(RIG_P256, key, "SHA256"));
        assert_true(rig_saw_error(rows[i].reason, rows[i].data));
    }
    rig->manner = RIG_SIGNS;
    assert_true(sign(RIG_P256, key, "SHA256"));
    EVP_PKEY_free(key);
}

static void a_missing_service_is_named(void **state)
{
    (void)state;
    EVP_PKEY *key = load_at(RIG_P256, "/nowhere/qseal.sock");
    assert_false(sign(RIG_P256, key, "SHA256"));
    assert_true(
        rig_saw_error("signing service unreachable",
                      "cannot connect to the service at /nowhere/qseal.sock: No such file"));
    EVP_PKEY_free(key);
}

static void a_refused_handshake_says_why(void **state)
{
    (void)state;
    EVP_PKEY *key = load(RIG_P256);
    rig->manner = RIG_FORBIDS;
    assert_false(
        rig_shake(rig, context, RIG_P256, key, &(struct rig_shake){.version = TLS1_3_VERSION}));
    assert_true(rig_saw_error("transport key not granted to this user", "(uid 1001)"));
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(digests_have_many_names, as_it_should),
        cmocka_unit_test_setup(other_digests_are_refused, as_it_should),
        cmocka_unit_test_setup(the_size_is_known_without_asking, as_it_should),
        cmocka_unit_test_setup(bare_digests_are_refused, as_it_should),
        cmocka_unit_test_setup(pieces_are_refused, as_it_should),
        cmocka_unit_test_setup(too_much_content_is_refused, as_it_should),
        cmocka_unit_test_setup(rsa_parameters_are_those_of_tls, as_it_should),
        cmocka_unit_test_setup(parameters_can_be_read_and_contexts_copied, as_it_should),
        cmocka_unit_test_setup(each_refusal_has_its_reason, as_it_should),
        cmocka_unit_test_setup(a_missing_service_is_named, as_it_should),
        cmocka_unit_test_setup(a_refused_handshake_says_why, as_it_should),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
