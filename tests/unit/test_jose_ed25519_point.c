/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/ed25519_point.h"
#include "jose_support.h"

static void every_made_key_is_good(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        EVP_PKEY *pkey = make_pkey(KEY_ED25519);
        uint8_t key[ED25519_KEY_LEN];
        size_t len = sizeof key;
        assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, key, &len), 1);
        assert_true(ed25519_point_is_good(key));
        EVP_PKEY_free(pkey);
    }
}

static void from_hex(const char *hex, uint8_t out[ED25519_KEY_LEN])
{
    long len = 0;
    unsigned char *bytes = OPENSSL_hexstr2buf(hex, &len);
    assert_non_null(bytes);
    assert_int_equal(len, ED25519_KEY_LEN);
    memcpy(out, bytes, ED25519_KEY_LEN);
    OPENSSL_free(bytes);
}

/* RFC 8032 §7.1, tests 1 to 3. */
static void keys_of_the_rfc_are_good(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    };
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        uint8_t key[ED25519_KEY_LEN];
        from_hex(keys[i], key);
        assert_true(ed25519_point_is_good(key));
    }
}

/* The canonical encodings of the torsion points, with either sign bit, and encodings with y ≥ p. */
static void small_order_and_second_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p */
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 3 */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        uint8_t key[ED25519_KEY_LEN];
        from_hex(keys[i], key);
        assert_false(ed25519_point_is_good(key));
    }
}

/* About half of all y have no x: as OpenSSL finds when it verifies. y = 2 and 7 have none, 3 has.
 */
static void y_without_x_is_refused(void **state)
{
    (void)state;
    uint8_t key[ED25519_KEY_LEN] = {2};
    assert_false(ed25519_point_is_good(key));
    key[0] = 7;
    assert_false(ed25519_point_is_good(key));
    key[0] = 3;
    assert_true(ed25519_point_is_good(key));
    int good = 0;
    for (int i = 2; i < 202; i++) {
        key[0] = (uint8_t)i;
        good += ed25519_point_is_good(key) ? 1 : 0;
    }
    assert_in_range(good, 70, 130);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_made_key_is_good),
        cmocka_unit_test(keys_of_the_rfc_are_good),
        cmocka_unit_test(small_order_and_second_spellings_are_refused),
        cmocka_unit_test(y_without_x_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
