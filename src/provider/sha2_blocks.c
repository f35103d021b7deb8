/* SPDX-License-Identifier: Apache-2.0
 * Block functions: portable C for both, the same C compiled for BMI2 where a processor has it, and
 * the SHA extensions of x86-64 for SHA-256. */
#include "provider/sha2.h"

const uint32_t sha2_k256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

const uint64_t sha2_k512[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

#define ALWAYS_INLINE __attribute__((always_inline)) static inline
#define ROTR32(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define ROTR64(x, n) ((x) >> (n) | (x) << (64 - (n)))
#define CH(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define MAJ(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))

/* Round i of FIPS 180-4 §6.2.2 and §6.4.2, with the eight names turned instead of the values. The
 * schedule is a ring of 16 words. */
#define ROUND(SUM1, SUM0, K, a, b, c, d, e, f, g, h, i)                                            \
    do {                                                                                           \
        h += SUM1(e) + CH(e, f, g) + K[i] + w[(i)&15];                                             \
        d += h;                                                                                    \
        h += SUM0(a) + MAJ(a, b, c);                                                               \
    } while (0)
#define SCHEDULE(LOW0, LOW1, i)                                                                    \
    (w[(i)&15] += LOW0(w[((i) + 1) & 15]) + w[((i) + 9) & 15] + LOW1(w[((i) + 14) & 15]))
#define EIGHT(NEXT, SUM1, SUM0, LOW0, LOW1, K, i)                                                  \
    do {                                                                                           \
        NEXT(LOW0, LOW1, (i));                                                                     \
        ROUND(SUM1, SUM0, K, a, b, c, d, e, f, g, h, (i));                                         \
        NEXT(LOW0, LOW1, (i) + 1);                                                                 \
        ROUND(SUM1, SUM0, K, h, a, b, c, d, e, f, g, (i) + 1);                                     \
        NEXT(LOW0, LOW1, (i) + 2);                                                                 \
        ROUND(SUM1, SUM0, K, g, h, a, b, c, d, e, f, (i) + 2);                                     \
        NEXT(LOW0, LOW1, (i) + 3);                                                                 \
        ROUND(SUM1, SUM0, K, f, g, h, a, b, c, d, e, (i) + 3);                                     \
        NEXT(LOW0, LOW1, (i) + 4);                                                                 \
        ROUND(SUM1, SUM0, K, e, f, g, h, a, b, c, d, (i) + 4);                                     \
        NEXT(LOW0, LOW1, (i) + 5);                                                                 \
        ROUND(SUM1, SUM0, K, d, e, f, g, h, a, b, c, (i) + 5);                                     \
        NEXT(LOW0, LOW1, (i) + 6);                                                                 \
        ROUND(SUM1, SUM0, K, c, d, e, f, g, h, a, b, (i) + 6);                                     \
        NEXT(LOW0, LOW1, (i) + 7);                                                                 \
        ROUND(SUM1, SUM0, K, b, c, d, e, f, g, h, a, (i) + 7);                                     \
    } while (0)
#define AS_READ(LOW0, LOW1, i) ((void)0)

#define SUM1_256(x) (ROTR32(x, 6) ^ ROTR32(x, 11) ^ ROTR32(x, 25))
#define SUM0_256(x) (ROTR32(x, 2) ^ ROTR32(x, 13) ^ ROTR32(x, 22))
#define LOW0_256(x) (ROTR32(x, 7) ^ ROTR32(x, 18) ^ ((x) >> 3))
#define LOW1_256(x) (ROTR32(x, 17) ^ ROTR32(x, 19) ^ ((x) >> 10))
#define SUM1_512(x) (ROTR64(x, 14) ^ ROTR64(x, 18) ^ ROTR64(x, 41))
#define SUM0_512(x) (ROTR64(x, 28) ^ ROTR64(x, 34) ^ ROTR64(x, 39))
#define LOW0_512(x) (ROTR64(x, 1) ^ ROTR64(x, 8) ^ ((x) >> 7))
#define LOW1_512(x) (ROTR64(x, 19) ^ ROTR64(x, 61) ^ ((x) >> 6))

ALWAYS_INLINE uint32_t read32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

ALWAYS_INLINE uint64_t read64(const uint8_t *at)
{
    return (uint64_t)read32(at) << 32 | read32(at + 4);
}

ALWAYS_INLINE void block256(uint32_t state[8], const uint8_t *data)
{
    uint32_t w[16];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned int i = 0; i < 16; i++) {
        w[i] = read32(data + (size_t)4 * i);
    }
    EIGHT(AS_READ, SUM1_256, SUM0_256, LOW0_256, LOW1_256, sha2_k256, 0);
    EIGHT(AS_READ, SUM1_256, SUM0_256, LOW0_256, LOW1_256, sha2_k256, 8);
    for (unsigned int i = 16; i < 64; i += 16) {
        EIGHT(SCHEDULE, SUM1_256, SUM0_256, LOW0_256, LOW1_256, sha2_k256, i);
        EIGHT(SCHEDULE, SUM1_256, SUM0_256, LOW0_256, LOW1_256, sha2_k256, i + 8);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

ALWAYS_INLINE void block512(uint64_t state[8], const uint8_t *data)
{
    uint64_t w[16];
    uint64_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint64_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned int i = 0; i < 16; i++) {
        w[i] = read64(data + (size_t)8 * i);
    }
    EIGHT(AS_READ, SUM1_512, SUM0_512, LOW0_512, LOW1_512, sha2_k512, 0);
    EIGHT(AS_READ, SUM1_512, SUM0_512, LOW0_512, LOW1_512, sha2_k512, 8);
    for (unsigned int i = 16; i < 80; i += 16) {
        EIGHT(SCHEDULE, SUM1_512, SUM0_512, LOW0_512, LOW1_512, sha2_k512, i);
        EIGHT(SCHEDULE, SUM1_512, SUM0_512, LOW0_512, LOW1_512, sha2_k512, i + 8);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void blocks256_portable(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += SHA256_BLOCK) {
        block256(state, data);
    }
}

static void blocks512_portable(uint64_t state[8], const uint8_t *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += SHA512_BLOCK) {
        block512(state, data);
    }
}

struct sha2_speed sha2_portable(void)
{
    return (struct sha2_speed){blocks256_portable, blocks512_portable};
}

#ifndef __x86_64__
struct sha2_speed sha2_speed(void)
{
    return sha2_portable();
}
#endif
