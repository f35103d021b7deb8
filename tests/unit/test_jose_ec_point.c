/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/ec_point.h"
#include "jose_support.h"
#include "pki/pkey.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

enum { POINT_MAX = 1 + 2 * 66, KEYS = 40 };

static const struct curve {
    enum key_type type;
    const char *group;
    size_t len;
    const char *prime;
} curves[] = {
    {KEY_P256, "P-256", 32, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"},
    {KEY_P384, "P-384", 48,
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000"
     "ffffffff"},
    {KEY_P521, "P-521", 66,
     "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffffffffffffffff"},
};

static bool is_good(const struct curve *curve, const uint8_t *point)
{
    return ec_point_is_good(curve->type, span_of(point + 1, curve->len),
                            span_of(point + 1 + curve->len, curve->len));
}

/* The answer that OpenSSL has for the same bytes. */
static bool openssl_takes(const struct curve *curve, const uint8_t *point)
{
    EVP_PKEY *pkey = pkey_of_point(curve->group, span_of(point, 1 + 2 * curve->len));
    bool takes = pkey != NULL;
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return takes;
}

static void make_point(const struct curve *curve, uint8_t point[POINT_MAX])
{
    EVP_PKEY *pkey = make_pkey(curve->type);
    size_t len = 0;
    assert_int_equal(EVP_PKEY_get_octet_string_param(pkey, "pub", point, POINT_MAX, &len), 1);
    assert_int_equal(len, 1 + 2 * curve->len);
    EVP_PKEY_free(pkey);
}

static void made_points_are_good_and_their_neighbours_are_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        for (int n = 0; n < KEYS; n++) {
            uint8_t point[POINT_MAX];
            make_point(&curves[i], point);
            assert_true(is_good(&curves[i], point));
            for (size_t at = 1; at < 1 + 2 * curves[i].len; at += 5) {
                uint8_t bit = (uint8_t)(1U << (at + (size_t)n) % 8);
                point[at] ^= bit;
                assert_false(is_good(&curves[i], point));
                assert_int_equal(is_good(&curves[i], point), openssl_takes(&curves[i], point));
                point[at] ^= bit;
            }
        }
    }
}

static void add(uint8_t *number, size_t len, const uint8_t *more)
{
    unsigned int carry = 0;
    for (size_t i = len; i > 0; i--) {
        carry += (unsigned int)number[i - 1] + more[i - 1];
        number[i - 1] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* Of a coordinate there is one spelling: its sum with the prime is none, nor is the prime. */
static void coordinates_are_below_the_prime(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        const struct curve *curve = &curves[i];
        long prime_len = 0;
        unsigned char *prime = OPENSSL_hexstr2buf(curve->prime, &prime_len);
        assert_int_equal(prime_len, curve->len);
        uint8_t point[POINT_MAX] = {4};
        /* x = 0 has a y on all three curves; found by OpenSSL from its compressed form */
        EVP_PKEY *pkey = make_pkey(curve->type);
        uint8_t compressed[1 + 66] = {2};
        size_t len = 0;
        assert_int_equal(EVP_PKEY_set1_encoded_public_key(pkey, compressed, 1 + curve->len), 1);
        assert_int_equal(EVP_PKEY_set_utf8_string_param(
                             pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed"),
                         1);
        assert_int_equal(EVP_PKEY_get_octet_string_param(pkey, "pub", point, POINT_MAX, &len), 1);
        assert_int_equal(len, 1 + 2 * curve->len);
        assert_true(is_good(curve, point));
        add(point + 1, curve->len, prime);
        assert_false(is_good(curve, point));
        assert_false(openssl_takes(curve, point));
        EVP_PKEY_free(pkey);
        OPENSSL_free(prime);
    }
}

static void zeros_and_other_types_are_no_points(void **state)
{
    (void)state;
    uint8_t point[POINT_MAX] = {4};
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        assert_false(is_good(&curves[i], point));
    }
    struct span zero = span_of(point + 1, 32);
    assert_false(ec_point_is_good(KEY_RSA_2048, zero, zero));
    assert_false(ec_point_is_good(KEY_ED25519, zero, zero));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_points_are_good_and_their_neighbours_are_not),
        cmocka_unit_test(coordinates_are_below_the_prime),
        cmocka_unit_test(zeros_and_other_types_are_no_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
