/* SPDX-License-Identifier: Apache-2.0
 * base64url (RFC 4648 §5) and UTF-8, checked without being decoded. */
#include "model/shape_text.h"

#include <string.h>

/* Value of a character, or BAD. */
enum { BAD = 0x80 };
/* clang-format off */
#define B BAD
#define ROW_OF_BAD B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B
static const uint8_t sextets[256] = {
    ROW_OF_BAD, ROW_OF_BAD,
    B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  62, B,  B,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, B,  B,  B,  B,  B,  B,
    B,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, B,  B,  B,  B,  63,
    B,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, B,  B,  B,  B,  B,
    ROW_OF_BAD, ROW_OF_BAD, ROW_OF_BAD, ROW_OF_BAD,
    ROW_OF_BAD, ROW_OF_BAD, ROW_OF_BAD, ROW_OF_BAD,
};
#undef ROW_OF_BAD
#undef B
/* clang-format on */

/* Characters sixteen at a time, since this runs over every byte that is ever signed: a vector of
 * the compiler's, so SSE2 on x86-64 and NEON on AArch64. */
typedef uint8_t sixteen __attribute__((vector_size(16)));

/* All ones where the character is outside the alphabet. */
static sixteen bad_among(const uint8_t *at)
{
    sixteen c;
    memcpy(&c, at, sizeof c);
    sixteen letter = (sixteen)((c | 0x20) - 'a' < 26);
    sixteen digit = (sixteen)(c - '0' < 10);
    sixteen sign = (sixteen)((c == '-') | (c == '_'));
    return ~(letter | digit | sign);
}

static bool has_bad(struct span text)
{
    sixteen bad = {0};
    size_t i = 0;
    for (; text.len - i >= sizeof bad; i += sizeof bad) {
        bad |= bad_among(text.data + i);
    }
    uint8_t seen = 0;
    for (; i < text.len; i++) {
        seen |= sextets[text.data[i]];
    }
    uint64_t halves[2];
    memcpy(halves, &bad, sizeof halves);
    return (halves[0] | halves[1]) != 0 || (seen & BAD) != 0;
}

const char *shape_base64url_fault(struct span text)
{
    if (has_bad(text)) {
        bool dot = memchr(text.data, '.', text.len) != NULL;
        bool padding = memchr(text.data, '=', text.len) != NULL;
        return dot ? "a second dot" : padding ? "base64url has no padding" : "not base64url";
    }
    size_t tail = text.len % 4;
    if (tail == 1) {
        return "not base64url: one character too many";
    }
    uint8_t unused = tail == 2 ? 0x0F : tail == 3 ? 0x03 : 0;
    if (tail != 0 && (sextets[text.data[text.len - 1]] & unused) != 0) {
        return "not base64url: bits behind the last byte";
    }
    return NULL;
}

uint8_t shape_decoded_at(struct span text, size_t index)
{
    const uint8_t *four = text.data + index / 3 * 4;
    switch (index % 3) {
    case 0:
        return (uint8_t)(sextets[four[0]] << 2 | sextets[four[1]] >> 4);
    case 1:
        return (uint8_t)(sextets[four[1]] << 4 | sextets[four[2]] >> 2);
    default:
        return (uint8_t)(sextets[four[2]] << 6 | sextets[four[3]]);
    }
}

size_t shape_decoded_len(struct span text)
{
    return text.len / 4 * 3 + (text.len % 4 == 0 ? 0 : text.len % 4 - 1);
}

void shape_decode(struct span text, uint8_t *out)
{
    size_t i = 0;
    for (; text.len - i >= 4; i += 4) {
        uint32_t group = (uint32_t)sextets[text.data[i]] << 18 |
                         (uint32_t)sextets[text.data[i + 1]] << 12 |
                         (uint32_t)sextets[text.data[i + 2]] << 6 | sextets[text.data[i + 3]];
        *out++ = (uint8_t)(group >> 16);
        *out++ = (uint8_t)(group >> 8);
        *out++ = (uint8_t)group;
    }
    for (size_t at = i / 4 * 3; at < shape_decoded_len(text); at++) {
        *out++ = shape_decoded_at(text, at);
    }
}

bool shape_is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t shape_utf8_len(const uint8_t *at, const uint8_t *end)
{
    /* RFC 3629 §4: no overlong form, no surrogate. */
    uint8_t first = at[0];
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    size_t len = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if ((size_t)(end - at) < len) {
        return 0;
    }
    uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return len;
}

/* Whether all of these eight bytes are ASCII and none is NUL. */
static bool eight_plain(const uint8_t *at)
{
    const uint64_t tops = 0x8080808080808080U;
    uint64_t word = 0;
    memcpy(&word, at, sizeof word);
    return ((word | (word - 0x0101010101010101U)) & tops) == 0;
}

const char *shape_text_fault(struct span text)
{
    const uint8_t *at = text.data;
    const uint8_t *end = at + text.len;
    while (at < end) {
        if (end - at >= 8 && eight_plain(at)) {
            at += 8;
            continue;
        }
        if (*at == 0) {
            return "a NUL";
        }
        size_t len = shape_utf8_len(at, end);
        if (len == 0) {
            return "not UTF-8";
        }
        at += len;
    }
    return NULL;
}
