/* SPDX-License-Identifier: Apache-2.0
 * The lean SHA-2 against libcrypto's: all lengths, random splits, portable and fast. */
#include "provider/sha2.h"

#include "check.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

enum { MOST = 1024 };

static void check(enum sha2_kind kind, struct sha2_speed speed, const uint8_t *data, size_t len)
{
    uint8_t want[EVP_MAX_MD_SIZE];
    uint8_t got[SHA384_SIZE];
    unsigned int want_len = 0;
    struct sha2 sha;
    size_t at = 0;
    assert_int_equal(EVP_Digest(data, len, want, &want_len,
                                kind == SHA2_256 ? EVP_sha256() : EVP_sha384(), NULL),
                     1);
    assert_int_equal(sha2_size(kind), want_len);
    sha2_init(&sha, kind, speed);
    while (at < len) {
        uint8_t choice[2];
        assert_int_equal(RAND_bytes(choice, sizeof(choice)), 1);
        size_t part = choice[0] < 64 ? choice[1] % 4 : choice[1] + (size_t)choice[0];
        part = part < len - at ? part : len - at;
        sha2_update(&sha, span_of(data + at, part));
        at += part;
    }
    sha2_final(&sha, got);
    assert_memory_equal(got, want, want_len);
}

static void every_length_is_right(void **state)
{
    (void)state;
    for (size_t len = 0; len <= MOST; len++) {
        uint8_t *data = malloc(len + 1);
        assert_int_equal(RAND_bytes(data, (int)len), 1);
        for (int i = 0; i < 4; i++) {
            check(i % 2 == 0 ? SHA2_256 : SHA2_384, i < 2 ? sha2_portable() : sha2_speed(), data,
                  len);
        }
        free(data);
    }
}

static void long_texts_are_right(void **state)
{
    (void)state;
    enum { LONG = 300001 };
    uint8_t *data = malloc(LONG);
    assert_int_equal(RAND_bytes(data, LONG), 1);
    for (int i = 0; i < 4; i++) {
        check(i % 2 == 0 ? SHA2_256 : SHA2_384, i < 2 ? sha2_portable() : sha2_speed(), data, LONG);
    }
    free(data);
}

static void a_copy_goes_its_own_way(void **state)
{
    (void)state;
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    struct sha2 one;
    uint8_t out[SHA256_SIZE];
    sha2_init(&one, SHA2_256, sha2_speed());
    sha2_update(&one, span_of("ab", 2));
    struct sha2 other = one;
    sha2_update(&one, span_of("c", 1));
    sha2_update(&other, span_of("x", 1));
    sha2_final(&one, out);
    assert_memory_equal(out, abc, sizeof(abc)); /* FIPS 180-4's example */
    sha2_final(&other, out);
    assert_memory_not_equal(out, abc, sizeof(abc));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_is_right),
        cmocka_unit_test(long_texts_are_right),
        cmocka_unit_test(a_copy_goes_its_own_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
