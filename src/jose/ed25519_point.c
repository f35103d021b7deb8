/* SPDX-License-Identifier: Apache-2.0
 * Decoding an Ed25519 point just far enough to know that it is one. */
#include "jose/ed25519_point.h"

#include <openssl/bn.h>

#include <string.h>

/* y of the four points of order 8, little-endian; the smaller orders have y = 0, 1 and p - 1. */
static const uint8_t order_eight[2][ED25519_KEY_LEN] = {
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
};

static bool order_is_eight(const uint8_t y[ED25519_KEY_LEN])
{
    return memcmp(y, order_eight[0], ED25519_KEY_LEN) == 0 ||
           memcmp(y, order_eight[1], ED25519_KEY_LEN) == 0;
}

/* p = 2^255 - 19. */
static bool set_prime(BIGNUM *p)
{
    BN_zero(p);
    return BN_set_bit(p, 255) == 1 && BN_sub_word(p, 19) == 1;
}

/* RFC 8032 §5.1.3: x² = (y² - 1) / (d y² + 1) with d = -121665/121666. It has a root when
 * (y² - 1) · (121666 - 121665 y²) · 121666 is a square, since that differs from x² by a square
 * factor. */
static bool x_exists(const BIGNUM *y, const BIGNUM *p, BN_CTX *ctx)
{
    BIGNUM *square = BN_CTX_get(ctx);
    BIGNUM *above = BN_CTX_get(ctx);
    BIGNUM *below = BN_CTX_get(ctx);
    if (below == NULL || BN_mod_sqr(square, y, p, ctx) != 1 || BN_copy(above, square) == NULL ||
        BN_sub_word(above, 1) != 1 || BN_copy(below, square) == NULL ||
        BN_mul_word(below, 121665) != 1 || BN_sub_word(below, 121666) != 1) {
        return false;
    }
    BN_set_negative(below, !BN_is_negative(below));
    return BN_mul_word(below, 121666) == 1 && BN_mod_mul(below, below, above, p, ctx) == 1 &&
           BN_kronecker(below, p, ctx) == 1;
}

static bool y_is_good(const BIGNUM *y, BN_CTX *ctx)
{
    BIGNUM *p = BN_CTX_get(ctx);
    BIGNUM *last = BN_CTX_get(ctx);
    if (last == NULL || !set_prime(p) || BN_copy(last, p) == NULL || BN_sub_word(last, 1) != 1) {
        return false;
    }
    bool is_small = BN_is_zero(y) || BN_is_one(y) || BN_cmp(y, last) == 0;
    return !is_small && BN_cmp(y, p) < 0 && x_exists(y, p, ctx);
}

bool ed25519_point_is_good(const uint8_t key[ED25519_KEY_LEN])
{
    uint8_t bytes[ED25519_KEY_LEN];
    memcpy(bytes, key, sizeof bytes);
    bytes[ED25519_KEY_LEN - 1] &= 0x7F; /* the top bit is the sign of x */
    if (order_is_eight(bytes)) {
        return false;
    }
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *y = BN_lebin2bn(bytes, sizeof bytes, NULL);
    bool good = false;
    if (ctx != NULL && y != NULL) {
        BN_CTX_start(ctx);
        good = y_is_good(y, ctx);
        BN_CTX_end(ctx);
    }
    BN_free(y);
    BN_CTX_free(ctx);
    return good;
}
