/* SPDX-License-Identifier: Apache-2.0
 * Block functions for x86-64: SHA-256 by the SHA extensions; SHA-384 with its message schedule in
 * AVX2 registers, beside the rounds in general ones. */
#include "provider/sha2_blocks.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

#define SHANI __attribute__((target("sha,sse4.1,ssse3")))

/* Four rounds with the words in `w`. */
SHANI static inline __attribute__((always_inline)) void four_rounds(__m128i *abef, __m128i *cdgh,
                                                                    __m128i w, unsigned int i)
{
    __m128i k = _mm_loadu_si128((const __m128i *)(const void *)&sha2_k256[i]);
    __m128i wk = _mm_add_epi32(w, k);
    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, wk);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

/* The next four words of the schedule from the last sixteen. */
SHANI static inline __attribute__((always_inline)) __m128i next_words(__m128i w0, __m128i w1,
                                                                      __m128i w2, __m128i w3)
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    return _mm_sha256msg2_epu32(sum, w3);
}

SHANI static void blocks256_shani(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i *at = (__m128i *)(void *)state;
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(at), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(at + 1), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; blocks > 0; blocks--, data += SHA256_BLOCK) {
        const __m128i *in = (const __m128i *)(const void *)data;
        __m128i abef_before = abef;
        __m128i cdgh_before = cdgh;
        __m128i w0 = _mm_shuffle_epi8(_mm_loadu_si128(in), swap);
        __m128i w1 = _mm_shuffle_epi8(_mm_loadu_si128(in + 1), swap);
        __m128i w2 = _mm_shuffle_epi8(_mm_loadu_si128(in + 2), swap);
        __m128i w3 = _mm_shuffle_epi8(_mm_loadu_si128(in + 3), swap);
        for (unsigned int i = 0; i < 48; i += 16) {
            four_rounds(&abef, &cdgh, w0, i);
            w0 = next_words(w0, w1, w2, w3);
            four_rounds(&abef, &cdgh, w1, i + 4);
            w1 = next_words(w1, w2, w3, w0);
            four_rounds(&abef, &cdgh, w2, i + 8);
            w2 = next_words(w2, w3, w0, w1);
            four_rounds(&abef, &cdgh, w3, i + 12);
            w3 = next_words(w3, w0, w1, w2);
        }
        four_rounds(&abef, &cdgh, w0, 48);
        four_rounds(&abef, &cdgh, w1, 52);
        four_rounds(&abef, &cdgh, w2, 56);
        four_rounds(&abef, &cdgh, w3, 60);
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128(at, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(at + 1, _mm_alignr_epi8(dchg, feba, 8));
}

#define AVX2 __attribute__((target("avx2,bmi,bmi2")))
#define ROTR(x, n) ((x) >> (n) | (x) << (64 - (n)))
#define VROTR(x, n) (_mm_or_si128(_mm_srli_epi64(x, n), _mm_slli_epi64(x, 64 - (n))))
#define VROTR4(x, n) (_mm256_or_si256(_mm256_srli_epi64(x, n), _mm256_slli_epi64(x, 64 - (n))))

/* Elements 1 to 4 of the eight in two registers. */
AVX2 static inline __attribute__((always_inline)) __m256i shift_in(__m256i low, __m256i high)
{
    return _mm256_permute4x64_epi64(_mm256_blend_epi32(low, high, 0x03), 0x39);
}

AVX2 static inline __attribute__((always_inline)) __m128i low_sigma1(__m128i x)
{
    return _mm_xor_si128(_mm_xor_si128(VROTR(x, 19), VROTR(x, 61)), _mm_srli_epi64(x, 6));
}

/* Four more words of the schedule (§6.4.2 step 1) from the last sixteen; the upper two need the
 * lower. */
AVX2 static inline __attribute__((always_inline)) __m256i next_four(const __m256i w[4])
{
    __m256i x = shift_in(w[0], w[1]);
    __m256i sum = _mm256_add_epi64(
        _mm256_add_epi64(w[0], shift_in(w[2], w[3])),
        _mm256_xor_si256(_mm256_xor_si256(VROTR4(x, 1), VROTR4(x, 8)), _mm256_srli_epi64(x, 7)));
    __m128i low =
        _mm_add_epi64(_mm256_castsi256_si128(sum), low_sigma1(_mm256_extracti128_si256(w[3], 1)));
    __m128i high = _mm_add_epi64(_mm256_extracti128_si256(sum, 1), low_sigma1(low));
    return _mm256_set_m128i(high, low);
}

AVX2 static inline __attribute__((always_inline)) void put_with_k(uint64_t out[4], __m256i w,
                                                                  unsigned int i)
{
    __m256i k = _mm256_loadu_si256((const __m256i *)(const void *)&sha2_k512[i]);
    _mm256_store_si256((__m256i *)(void *)out, _mm256_add_epi64(w, k));
}

/* The sums are ordered so that what comes last, the rotations, waits for nothing else. */
#define ROUND(a, b, c, d, e, f, g, h, wk)                                                          \
    do {                                                                                           \
        uint64_t first = h + (wk) + (~e & g) + (e & f);                                            \
        uint64_t sum1 = ROTR(e, 14) ^ ROTR(e, 18) ^ ROTR(e, 41);                                   \
        uint64_t second = (ROTR(a, 28) ^ ROTR(a, 34) ^ ROTR(a, 39)) + ((a & b) ^ (c & (a ^ b)));   \
        d = (d + first) + sum1;                                                                    \
        h = (second + first) + sum1;                                                               \
    } while (0)
#define FOUR(a, b, c, d, e, f, g, h, wk)                                                           \
    do {                                                                                           \
        ROUND(a, b, c, d, e, f, g, h, (wk)[0]);                                                    \
        ROUND(h, a, b, c, d, e, f, g, (wk)[1]);                                                    \
        ROUND(g, h, a, b, c, d, e, f, (wk)[2]);                                                    \
        ROUND(f, g, h, a, b, c, d, e, (wk)[3]);                                                    \
    } while (0)
/* Makes words i+16 to i+19 while it does rounds i to i+3. */
#define AHEAD(n, i)                                                                                \
    do {                                                                                           \
        const __m256i last[4] = {w[(n)], w[((n) + 1) % 4], w[((n) + 2) % 4], w[((n) + 3) % 4]};    \
        w[n] = next_four(last);                                                                    \
        put_with_k(wk[n], w[n], (i) + 16);                                                         \
    } while (0)

AVX2 static void blocks512_avx2(uint64_t state[8], const uint8_t *data, size_t blocks)
{
    const __m256i swap = _mm256_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607,
                                           0x08090a0b0c0d0e0f, 0x0001020304050607);
    uint64_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint64_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (; blocks > 0; blocks--, data += SHA512_BLOCK) {
        __m256i w[4];
        _Alignas(32) uint64_t wk[4][4];
        for (unsigned int i = 0; i < 4; i++) {
            w[i] = _mm256_shuffle_epi8(
                _mm256_loadu_si256((const __m256i *)(const void *)(data + (size_t)32 * i)), swap);
            put_with_k(wk[i], w[i], 4 * i);
        }
        for (unsigned int i = 0; i < 64; i += 16) {
            FOUR(a, b, c, d, e, f, g, h, wk[0]);
            AHEAD(0, i);
            FOUR(e, f, g, h, a, b, c, d, wk[1]);
            AHEAD(1, i + 4);
            FOUR(a, b, c, d, e, f, g, h, wk[2]);
            AHEAD(2, i + 8);
            FOUR(e, f, g, h, a, b, c, d, wk[3]);
            AHEAD(3, i + 12);
        }
        FOUR(a, b, c, d, e, f, g, h, wk[0]);
        FOUR(e, f, g, h, a, b, c, d, wk[1]);
        FOUR(a, b, c, d, e, f, g, h, wk[2]);
        FOUR(e, f, g, h, a, b, c, d, wk[3]);
        a = state[0] += a, b = state[1] += b, c = state[2] += c, d = state[3] += d;
        e = state[4] += e, f = state[5] += f, g = state[6] += g, h = state[7] += h;
    }
}

struct sha2_speed sha2_speed(void)
{
    unsigned int eax, ebx, ecx, edx;
    struct sha2_speed speed = sha2_portable();
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_SSE4_1) != 0 &&
        __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & bit_SHA) != 0) {
        speed.blocks256 = blocks256_shani;
    }
    /* asks the operating system, too, whether it saves the registers */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2")) {
        speed.blocks512 = blocks512_avx2;
    }
    return speed;
}

#endif
