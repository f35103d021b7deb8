/* SPDX-License-Identifier: Apache-2.0
 * qseal:ROLE, by OSSL_STORE. */
#include "provider_rig.h"

#include <openssl/err.h>
#include <openssl/store.h>
#include <stdio.h>
#include <stdlib.h>

static struct rig *rig;
static OSSL_LIB_CTX *context;

static int setup(void **state)
{
    (void)state;
    char lines[160];
    rig = rig_open();
    (void)snprintf(lines, sizeof(lines), "socket = %s\n", rig->socket);
    context = rig_context(rig, NULL, lines, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    OSSL_LIB_CTX_free(context);
    rig_close(rig);
    return 0;
}

static OSSL_STORE_CTX *open_uri(const char *uri)
{
    return OSSL_STORE_open_ex(uri, context, NULL, NULL, NULL, NULL, NULL, NULL);
}

/* Counts the objects of each kind; all must belong to this key. */
static void count(OSSL_STORE_CTX *store, enum rig_key key, int *keys, int *certificates)
{
    *keys = *certificates = 0;
    while (!OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info == NULL) {
            continue;
        }
        if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
            *keys += EVP_PKEY_eq(OSSL_STORE_INFO_get0_PKEY(info), rig->keys[key]);
        } else if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_CERT) {
            *certificates += X509_cmp(OSSL_STORE_INFO_get0_CERT(info), rig->certificates[key]) == 0;
        }
        OSSL_STORE_INFO_free(info);
    }
    assert_int_equal(OSSL_STORE_close(store), 1);
}

static void a_role_is_a_key_and_its_certificates(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        char uri[32];
        int keys;
        int certificates;
        (void)snprintf(uri, sizeof(uri), "qseal:%s", rig_role((enum rig_key)i));
        OSSL_STORE_CTX *store = open_uri(uri);
        assert_non_null(store);
        count(store, (enum rig_key)i, &keys, &certificates);
        assert_int_equal(keys, 1);
        assert_int_equal(certificates, 1);
    }
    ERR_clear_error();
}

static void only_what_is_expected_is_given(void **state)
{
    (void)state;
    static const int kinds[] = {OSSL_STORE_INFO_PKEY, OSSL_STORE_INFO_CERT, OSSL_STORE_INFO_CRL};
    for (int i = 0; i < 3; i++) {
        int keys;
        int certificates;
        OSSL_STORE_CTX *store = open_uri("qseal:p256");
        assert_int_equal(OSSL_STORE_expect(store, kinds[i]), 1);
        count(store, RIG_P256, &keys, &certificates);
        assert_int_equal(keys, i == 0);
        assert_int_equal(certificates, i == 1);
    }
    ERR_clear_error();
}

static void a_role_that_is_not_there_is_said(void **state)
{
    (void)state;
    assert_null(open_uri("qseal:nobody"));
    assert_true(rig_saw_error("no such transport key at the signing service",
                              "qseal: there is no transport role of that name"));
}

static void uris_are_a_scheme_and_a_role(void **state)
{
    (void)state;
    static const char *const uris[] = {
        "qseal:",
        "qseal:a/b",
        "qseal:a?b",
        "qseal://p256",
        "qseal:P256",
        "qseal:.p256",
        "qseal:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        assert_null(open_uri(uris[i]));
        assert_true(rig_saw_error("not a URI of the form qseal:ROLE", "the name of a role"));
    }
}

static void a_missing_service_is_said(void **state)
{
    (void)state;
    OSSL_LIB_CTX *other = rig_context(rig, NULL, "socket = /nowhere/s\n", NULL);
    assert_null(OSSL_STORE_open_ex("qseal:p256", other, NULL, NULL, NULL, NULL, NULL, NULL));
    assert_true(rig_saw_error("signing service unreachable", "/nowhere/s: No such file"));
    OSSL_LIB_CTX_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_is_a_key_and_its_certificates),
        cmocka_unit_test(only_what_is_expected_is_given),
        cmocka_unit_test(a_role_that_is_not_there_is_said),
        cmocka_unit_test(uris_are_a_scheme_and_a_role),
        cmocka_unit_test(a_missing_service_is_said),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
