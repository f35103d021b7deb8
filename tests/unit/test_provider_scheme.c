/* SPDX-License-Identifier: Apache-2.0
 * Every key, digest and padding, and the scheme it is. */
#include "provider/scheme.h"

#include "check.h"

static void every_combination_has_its_scheme_or_none(void **state)
{
    (void)state;
    static const struct {
        enum key_kind kind;
        bool pss;
        const char *names[4]; /* by digest: none, 256, 384, 512 */
    } rows[] = {
        {KIND_RSA, false, {NULL, "rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512"}},
        {KIND_RSA,
         true,
         {NULL, "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"}},
        {KIND_RSA_PSS, false, {NULL, NULL, NULL, NULL}},
        {KIND_RSA_PSS,
         true,
         {NULL, "rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"}},
        {KIND_EC,
         false,
         {NULL, "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512"}},
        {KIND_ED25519, false, {"ed25519", NULL, NULL, NULL}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int md = MD_NONE; md <= MD_SHA512; md++) {
            const char *name = scheme_name(rows[i].kind, (enum md)md, rows[i].pss);
            if (rows[i].names[md] == NULL) {
                assert_null(name);
            } else {
                assert_string_equal(name, rows[i].names[md]);
            }
        }
    }
}

static void digests_have_names_and_sizes(void **state)
{
    (void)state;
    static const int sizes[] = {0, 32, 48, 64};
    for (int i = MD_NONE; i <= MD_SHA512; i++) {
        enum md md = MD_NONE;
        assert_true(scheme_md_from_name(scheme_md_name((enum md)i), &md));
        assert_int_equal(md, i);
        assert_int_equal(scheme_md_size(md), sizes[i]);
    }
}

static void other_digests_do_not_exist(void **state)
{
    (void)state;
    static const char *const names[] = {"SHA1",     "SHA224",       "SHA3-256",
                                        "MD5-SHA1", "SHA2-512/256", "SHA"};
    enum md md;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_false(scheme_md_from_name(names[i], &md));
    }
    assert_true(scheme_md_from_name(NULL, &md));
    assert_int_equal(md, MD_NONE);
    assert_true(scheme_md_from_name("2.16.840.1.101.3.4.2.2", &md));
    assert_int_equal(md, MD_SHA384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_has_its_scheme_or_none),
        cmocka_unit_test(digests_have_names_and_sizes),
        cmocka_unit_test(other_digests_do_not_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
