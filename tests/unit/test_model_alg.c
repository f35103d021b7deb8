/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "model/alg.h"

static void names_go_there_and_back(void **state)
{
    (void)state;
    static const char *const names[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                        "PS512", "ES256", "ES384", "ES512", "Ed25519"};
    assert_int_equal(COUNT_OF(names), ALG_COUNT);
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        enum alg alg;
        assert_string_equal(alg_name((enum alg)i), names[i]);
        assert_true(alg_from_name(span_of_text(names[i]), &alg));
        assert_int_equal(alg, i);
        assert_true(alg_is_known(i));
    }
    assert_false(alg_is_known(ALG_COUNT));
    assert_false(alg_is_known(~0U));
}

static void none_and_the_macs_do_not_exist(void **state)
{
    (void)state;
    static const char *const names[] = {"none",  "None",  "NONE",   "HS256",  "HS384",
                                        "HS512", "",      "RS1",    "ES256K", "EdDSA",
                                        "Ed448", "rs256", "RS256 ", "RS25"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        enum alg alg;
        assert_false(alg_from_name(span_of_text(names[i]), &alg));
    }
}

/* RFC 7518 §3.1: digest sizes and families, in the order of the list. */
static void families_and_digests(void **state)
{
    (void)state;
    static const size_t digests[] = {32, 48, 64, 32, 48, 64, 32, 48, 64, 0};
    static const enum alg_family families[] = {
        FAMILY_RSA_PKCS1, FAMILY_RSA_PKCS1, FAMILY_RSA_PKCS1, FAMILY_RSA_PSS, FAMILY_RSA_PSS,
        FAMILY_RSA_PSS,   FAMILY_ECDSA,     FAMILY_ECDSA,     FAMILY_ECDSA,   FAMILY_EDDSA};
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        assert_int_equal(alg_digest_len((enum alg)i), digests[i]);
        assert_int_equal(alg_family((enum alg)i), families[i]);
    }
}

/* The whole cross of algorithms and key types. */
static void each_algorithm_fits_its_keys_and_no_others(void **state)
{
    (void)state;
    for (unsigned int a = 0; a < ALG_COUNT; a++) {
        for (unsigned int k = 0; k < KEY_TYPE_COUNT; k++) {
            bool expected =
                (a <= ALG_PS512 && k <= KEY_RSA_4096) || (a == ALG_ES256 && k == KEY_P256) ||
                (a == ALG_ES384 && k == KEY_P384) || (a == ALG_ES512 && k == KEY_P521) ||
                (a == ALG_ED25519 && k == KEY_ED25519);
            assert_int_equal(alg_fits_key((enum alg)a, (enum key_type)k), expected);
        }
    }
}

static void sets_are_written_as_arrays(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(200);
    alg_put_set(&out, 0);
    alg_put_set(&out, 1U << ALG_RS256 | 1U << ALG_PS256);
    alg_put_set(&out, 1U << ALG_ED25519);
    assert_string_equal(buffer_text(&out), "[][\"RS256\",\"PS256\"][\"Ed25519\"]");
}

static void only_one_is_exactly_one(void **state)
{
    (void)state;
    enum alg alg;
    assert_false(alg_only_one(0, &alg));
    assert_false(alg_only_one(1U << ALG_RS256 | 1U << ALG_PS256, &alg));
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        assert_true(alg_only_one(1U << i, &alg));
        assert_int_equal(alg, i);
    }
}

static void key_types_have_their_sizes(void **state)
{
    (void)state;
    static const char *const names[] = {"rsa-2048", "rsa-3072", "rsa-4096", "p-256",
                                        "p-384",    "p-521",    "ed25519"};
    static const unsigned int bits[] = {2048, 3072, 4096, 256, 384, 521, 255};
    static const size_t lens[] = {256, 384, 512, 64, 96, 132, 64};
    assert_int_equal(COUNT_OF(names), KEY_TYPE_COUNT);
    for (unsigned int i = 0; i < KEY_TYPE_COUNT; i++) {
        assert_string_equal(key_type_name((enum key_type)i), names[i]);
        assert_int_equal(key_type_bits((enum key_type)i), bits[i]);
        assert_int_equal(key_type_signature_len((enum key_type)i), lens[i]);
        assert_true(lens[i] <= SIGNATURE_MAX);
        assert_true(key_type_is_known(i));
    }
    assert_false(key_type_is_known(KEY_TYPE_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_there_and_back),
        cmocka_unit_test(none_and_the_macs_do_not_exist),
        cmocka_unit_test(families_and_digests),
        cmocka_unit_test(each_algorithm_fits_its_keys_and_no_others),
        cmocka_unit_test(sets_are_written_as_arrays),
        cmocka_unit_test(only_one_is_exactly_one),
        cmocka_unit_test(key_types_have_their_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
