/* SPDX-License-Identifier: Apache-2.0
 * y² = x³ - 3x + b over the primes of NIST's curves. */
#include "jose/ec_point.h"

#include <openssl/bn.h>

typedef int reduce(BIGNUM *r, const BIGNUM *a, const BIGNUM *p, BN_CTX *ctx);

/* b: SP 800-186 §3.2.1.3, §3.2.1.4, §3.2.1.5. */
static const uint8_t b_p256[] = {
    0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc,
    0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
};
static const uint8_t b_p384[] = {
    0xb3, 0x31, 0x2f, 0xa7, 0xe2, 0x3e, 0xe7, 0xe4, 0x98, 0x8e, 0x05, 0x6b, 0xe3, 0xf8, 0x2d, 0x19,
    0x18, 0x1d, 0x9c, 0x6e, 0xfe, 0x81, 0x41, 0x12, 0x03, 0x14, 0x08, 0x8f, 0x50, 0x13, 0x87, 0x5a,
    0xc6, 0x56, 0x39, 0x8d, 0x8a, 0x2e, 0xd1, 0x9d, 0x2a, 0x85, 0xc8, 0xed, 0xd3, 0xec, 0x2a, 0xef,
};
static const uint8_t b_p521[] = {
    0x51, 0x95, 0x3e, 0xb9, 0x61, 0x8e, 0x1c, 0x9a, 0x1f, 0x92, 0x9a, 0x21, 0xa0,
    0xb6, 0x85, 0x40, 0xee, 0xa2, 0xda, 0x72, 0x5b, 0x99, 0xb3, 0x15, 0xf3, 0xb8,
    0xb4, 0x89, 0x91, 0x8e, 0xf1, 0x09, 0xe1, 0x56, 0x19, 0x39, 0x51, 0xec, 0x7e,
    0x93, 0x7b, 0x16, 0x52, 0xc0, 0xbd, 0x3b, 0xb1, 0xbf, 0x07, 0x35, 0x73, 0xdf,
    0x88, 0x3d, 0x2c, 0x34, 0xf1, 0xef, 0x45, 0x1f, 0xd4, 0x6b, 0x50, 0x3f, 0x00,
};

static const struct curve {
    enum key_type type;
    const BIGNUM *(*prime)(void);
    reduce *reduce; /* of anything from 0 to below the prime's square */
    struct span b;
} curves[] = {
    {KEY_P256, BN_get0_nist_prime_256, BN_nist_mod_256, {b_p256, sizeof b_p256}},
    {KEY_P384, BN_get0_nist_prime_384, BN_nist_mod_384, {b_p384, sizeof b_p384}},
    {KEY_P521, BN_get0_nist_prime_521, BN_nist_mod_521, {b_p521, sizeof b_p521}},
};

static bool read_number(struct span bytes, BIGNUM *out)
{
    return out != NULL && BN_bin2bn(bytes.data, (int)bytes.len, out) != NULL;
}

/* right = (x² - 3) x + b; x² - 3 may be below zero, so the prime is added. */
static bool right_side(const struct curve *curve, const BIGNUM *x, BIGNUM *right, BN_CTX *ctx)
{
    const BIGNUM *p = curve->prime();
    BIGNUM *b = BN_CTX_get(ctx);
    return read_number(curve->b, b) && BN_sqr(right, x, ctx) == 1 &&
           curve->reduce(right, right, p, ctx) == 1 && BN_add(right, right, p) == 1 &&
           BN_sub_word(right, 3) == 1 && curve->reduce(right, right, p, ctx) == 1 &&
           BN_mul(right, right, x, ctx) == 1 && curve->reduce(right, right, p, ctx) == 1 &&
           BN_mod_add_quick(right, right, b, p) == 1;
}

static bool is_on(const struct curve *curve, struct span x_bytes, struct span y_bytes, BN_CTX *ctx)
{
    const BIGNUM *p = curve->prime();
    BIGNUM *x = BN_CTX_get(ctx);
    BIGNUM *y = BN_CTX_get(ctx);
    BIGNUM *left = BN_CTX_get(ctx);
    BIGNUM *right = BN_CTX_get(ctx);
    return right != NULL && read_number(x_bytes, x) && read_number(y_bytes, y) &&
           BN_cmp(x, p) < 0 && BN_cmp(y, p) < 0 && BN_sqr(left, y, ctx) == 1 &&
           curve->reduce(left, left, p, ctx) == 1 && right_side(curve, x, right, ctx) &&
           BN_cmp(left, right) == 0;
}

bool ec_point_is_good(enum key_type type, struct span x, struct span y)
{
    bool good = false;
    BN_CTX *ctx = BN_CTX_new();
    for (size_t i = 0; ctx != NULL && i < COUNT_OF(curves); i++) {
        if (curves[i].type == type) {
            BN_CTX_start(ctx);
            good = is_on(&curves[i], x, y, ctx);
            BN_CTX_end(ctx);
        }
    }
    BN_CTX_free(ctx);
    return good;
}
