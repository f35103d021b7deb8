/* SPDX-License-Identifier: Apache-2.0
 * Keys from their numbers are the keys that the numbers came from. */
#include "pki/pkey.h"

#include "check.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

enum { NUMBER_MAX = 512, POINT_MAX = 133 };

static struct span number_of(const EVP_PKEY *key, const char *name, uint8_t out[NUMBER_MAX])
{
    BIGNUM *number = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    int len = BN_bn2bin(number, out);
    BN_free(number);
    return span_of(out, (size_t)len);
}

static void rsa_goes_there_and_back(void **state)
{
    (void)state;
    uint8_t n[NUMBER_MAX];
    uint8_t e[NUMBER_MAX];
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    EVP_PKEY *made = pkey_of_rsa(number_of(key, OSSL_PKEY_PARAM_RSA_N, n),
                                 number_of(key, OSSL_PKEY_PARAM_RSA_E, e));
    assert_int_equal(EVP_PKEY_eq(key, made), 1);
    EVP_PKEY_free(made);
    EVP_PKEY_free(key);
}

static void points_go_there_and_back(void **state)
{
    (void)state;
    static const char *const groups[] = {"prime256v1", "secp384r1", "secp521r1"};
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        uint8_t point[POINT_MAX];
        size_t len = 0;
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", groups[i]);
        assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                         sizeof point, &len),
                         1);
        EVP_PKEY *made = pkey_of_point(groups[i], span_of(point, len));
        assert_int_equal(EVP_PKEY_eq(key, made), 1);
        EVP_PKEY_free(made);
        point[len - 1] ^= 1; /* beside the curve */
        assert_null(pkey_of_point(groups[i], span_of(point, len)));
        assert_null(pkey_of_point(groups[i], span_of(point, len - 1)));
        assert_null(pkey_of_point("no such curve", span_of(point, len)));
        EVP_PKEY_free(key);
        ERR_clear_error();
    }
}

static void other_forms_of_a_point_are_not_taken(void **state)
{
    (void)state;
    uint8_t point[POINT_MAX];
    size_t len = 0;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "prime256v1");
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len),
        1);
    uint8_t odd = point[len - 1] & 1;
    point[0] = 0x02 | odd; /* compressed: the same point */
    assert_null(pkey_of_point("prime256v1", span_of(point, 33)));
    point[0] = 0x06 | odd; /* hybrid: the same point */
    assert_null(pkey_of_point("prime256v1", span_of(point, len)));
    assert_null(pkey_of_point("prime256v1", span_of(NULL, 0)));
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_goes_there_and_back),
        cmocka_unit_test(points_go_there_and_back),
        cmocka_unit_test(other_forms_of_a_point_are_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
