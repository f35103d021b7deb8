/* SPDX-License-Identifier: Apache-2.0
 * Settings, what the provider says of itself, and what a wrong setting does. */
#include "provider_rig.h"

#include "base/clock.h"

#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stdio.h>
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

static bool sign(OSSL_LIB_CTX *context, EVP_PKEY *key)
{
    unsigned char signature[256];
    size_t len = sizeof(signature);
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    bool good = EVP_DigestSignInit_ex(signing, NULL, "SHA256", context, NULL, key, NULL) == 1 &&
                EVP_DigestSign(signing, signature, &len, (const unsigned char *)"x", 1) == 1;
    EVP_MD_CTX_free(signing);
    return good;
}

static void the_socket_of_the_settings_wins(void **state)
{
    (void)state;
    char lines[160];
    char *pem = rig_reference(rig, RIG_P256, "/nowhere/s");
    (void)snprintf(lines, sizeof(lines), "socket = %s\n", rig->socket);
    OSSL_LIB_CTX *context = rig_context(rig, NULL, lines, NULL);
    EVP_PKEY *key = rig_load(context, pem);
    assert_true(sign(context, key));
    EVP_PKEY_free(key);
    OSSL_LIB_CTX_free(context);
    free(pem);
}

static void the_timeout_is_for_all_of_it(void **state)
{
    (void)state;
    char *pem = rig_reference(rig, RIG_P256, rig->socket);
    OSSL_LIB_CTX *context = rig_context(rig, NULL, "timeout_ms = 150\n", NULL);
    EVP_PKEY *key = rig_load(context, pem);
    rig->manner = RIG_IS_SILENT;
    int64_t before = clock_monotonic_ms();
    assert_false(sign(context, key));
    assert_in_range(clock_monotonic_ms() - before, 150, 1500);
    assert_true(rig_saw_error("signing service timed out", "within 150 ms"));
    rig->manner = RIG_SIGNS;
    EVP_PKEY_free(key);
    OSSL_LIB_CTX_free(context);
    free(pem);
}

static void wrong_settings_are_said_by_the_keys(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        const char *why;
    } rows[] = {
        {"timeout_ms = 0\n", "qseal: timeout_ms is no number from 1 to 600000"},
        {"timeout_ms = 600001\n", "qseal: timeout_ms is no number from 1 to 600000"},
        {"timeout_ms = 99999999999999999999\n", "timeout_ms is no number"},
        {"timeout_ms = 2s\n", "timeout_ms is no number"},
        {"timeout_ms = -1\n", "timeout_ms is no number"},
        {"socket = qseal.sock\n", "socket is no absolute path of at most 107 bytes"},
        {"socket = @qseal\n", "socket is no absolute path of at most 107 bytes"},
        {"socket = "
         "/23456789012345678901234567890123456789012345678901234567890123456789012345678901"
         "234567890123456789012345678\n",
         "socket is no absolute path of at most 107 bytes"},
        {"transcript = yes\n", "transcript is neither 0 nor 1"},
    };
    char *pem = rig_reference(rig, RIG_P256, rig->socket);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        OSSL_LIB_CTX *context = rig_context(rig, NULL, rows[i].lines, NULL);
        assert_null(rig_load(context, pem));
        assert_true(rig_saw_error("bad setting of qseal in openssl.cnf", rows[i].why));
        EVP_PKEY *other = EVP_PKEY_Q_keygen(context, NULL, "EC", "P-256");
        assert_non_null(other);
        EVP_PKEY_free(other);
        OSSL_LIB_CTX_free(context);
    }
    free(pem);
}

static int get_name(OSSL_PROVIDER *provider, void *out)
{
    if (strcmp(OSSL_PROVIDER_get0_name(provider), "qseal") == 0) {
        *(OSSL_PROVIDER **)out = provider;
    }
    return 1;
}

static void it_says_who_it_is(void **state)
{
    (void)state;
    const char *name = NULL;
    const char *version = NULL;
    const char *build = NULL;
    int status = 0;
    OSSL_PROVIDER *provider = NULL;
    OSSL_PARAM list[] = {OSSL_PARAM_utf8_ptr("name", &name, 0),
                         OSSL_PARAM_utf8_ptr("version", &version, 0),
                         OSSL_PARAM_utf8_ptr("buildinfo", &build, 0),
                         OSSL_PARAM_int("status", &status), OSSL_PARAM_END};
    OSSL_LIB_CTX *context = rig_context(rig, QSEAL_MODULE, "", NULL);
    assert_int_equal(OSSL_PROVIDER_do_all(context, get_name, &provider), 1);
    assert_non_null(provider);
    assert_non_null(
        OSSL_PARAM_locate((OSSL_PARAM *)OSSL_PROVIDER_gettable_params(provider), "name"));
    assert_int_equal(OSSL_PROVIDER_get_params(provider, list), 1);
    assert_string_equal(name, "qseal transport keys");
    assert_string_equal(version, QSEAL_VERSION);
    assert_string_equal(build, QSEAL_VERSION);
    assert_int_equal(status, 1);
    OSSL_LIB_CTX_free(context);
}

static void it_can_be_loaded_twice_and_again(void **state)
{
    (void)state;
    char *pem = rig_reference(rig, RIG_P256, rig->socket);
    for (int i = 0; i < 3; i++) {
        OSSL_LIB_CTX *one = rig_context(rig, QSEAL_MODULE, "transcript = 1\n", "?qseal.tap=yes");
        OSSL_LIB_CTX *other = rig_context(rig, QSEAL_MODULE, "", NULL);
        EVP_PKEY *key = rig_load(one, pem);
        EVP_PKEY *other_key = rig_load(other, pem);
        assert_true(sign(one, key));
        assert_true(sign(other, other_key));
        EVP_PKEY_free(key);
        OSSL_LIB_CTX_free(one);
        assert_true(sign(other, other_key));
        EVP_PKEY_free(other_key);
        OSSL_LIB_CTX_free(other);
    }
    free(pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_socket_of_the_settings_wins),
        cmocka_unit_test(the_timeout_is_for_all_of_it),
        cmocka_unit_test(wrong_settings_are_said_by_the_keys),
        cmocka_unit_test(it_says_who_it_is),
        cmocka_unit_test(it_can_be_loaded_twice_and_again),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
