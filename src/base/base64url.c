/* SPDX-License-Identifier: Apache-2.0
 * base64url, strict in both directions. */
#include "base/base64url.h"

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char plain_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64url_encoded_len(size_t len)
{
    return len / 3 * 4 + (len % 3 == 0 ? 0 : len % 3 + 1);
}

static void encode(struct buffer *out, struct span bytes, const char *alphabet)
{
    uint8_t *at = buffer_extend(out, base64url_encoded_len(bytes.len));
    if (at == NULL) {
        return;
    }
    size_t i = 0;
    for (; i + 2 < bytes.len; i += 3) {
        uint32_t group =
            (uint32_t)bytes.data[i] << 16 | (uint32_t)bytes.data[i + 1] << 8 | bytes.data[i + 2];
        *at++ = (uint8_t)alphabet[group >> 18];
        *at++ = (uint8_t)alphabet[group >> 12 & 63];
        *at++ = (uint8_t)alphabet[group >> 6 & 63];
        *at++ = (uint8_t)alphabet[group & 63];
    }
    size_t left = bytes.len - i;
    if (left > 0) {
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= left == 2 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        *at++ = (uint8_t)alphabet[group >> 18];
        *at++ = (uint8_t)alphabet[group >> 12 & 63];
        if (left == 2) {
            *at = (uint8_t)alphabet[group >> 6 & 63];
        }
    }
}

void base64url_encode(struct buffer *out, struct span bytes)
{
    encode(out, bytes, url_alphabet);
}

void base64_encode(struct buffer *out, struct span bytes)
{
    encode(out, bytes, plain_alphabet);
    for (size_t i = bytes.len % 3; i % 3 != 0; i++) {
        buffer_put_u8(out, '=');
    }
}

enum { DIGIT = 0x40, VALUE = 0x3F };

#define D(value) (DIGIT | (value))
#define COMMON_DIGITS                                                                              \
    ['A'] = D(0), ['B'] = D(1), ['C'] = D(2), ['D'] = D(3), ['E'] = D(4), ['F'] = D(5),            \
    ['G'] = D(6), ['H'] = D(7), ['I'] = D(8), ['J'] = D(9), ['K'] = D(10), ['L'] = D(11),          \
    ['M'] = D(12), ['N'] = D(13), ['O'] = D(14), ['P'] = D(15), ['Q'] = D(16), ['R'] = D(17),      \
    ['S'] = D(18), ['T'] = D(19), ['U'] = D(20), ['V'] = D(21), ['W'] = D(22), ['X'] = D(23),      \
    ['Y'] = D(24), ['Z'] = D(25), ['a'] = D(26), ['b'] = D(27), ['c'] = D(28), ['d'] = D(29),      \
    ['e'] = D(30), ['f'] = D(31), ['g'] = D(32), ['h'] = D(33), ['i'] = D(34), ['j'] = D(35),      \
    ['k'] = D(36), ['l'] = D(37), ['m'] = D(38), ['n'] = D(39), ['o'] = D(40), ['p'] = D(41),      \
    ['q'] = D(42), ['r'] = D(43), ['s'] = D(44), ['t'] = D(45), ['u'] = D(46), ['v'] = D(47),      \
    ['w'] = D(48), ['x'] = D(49), ['y'] = D(50), ['z'] = D(51), ['0'] = D(52), ['1'] = D(53),      \
    ['2'] = D(54), ['3'] = D(55), ['4'] = D(56), ['5'] = D(57), ['6'] = D(58), ['7'] = D(59),      \
    ['8'] = D(60), ['9'] = D(61)

/* What each character stands for, with the bit DIGIT; 0: it is none. */
static const uint8_t url_digits[256] = {COMMON_DIGITS, ['-'] = D(62), ['_'] = D(63)};
static const uint8_t plain_digits[256] = {COMMON_DIGITS, ['+'] = D(62), ['/'] = D(63)};

/* Groups of four; *at moves behind the bytes. */
static bool decode_groups(struct span text, const uint8_t digits[256], uint8_t **at)
{
    uint8_t *to = *at;
    unsigned int all = DIGIT;
    for (size_t i = 0; i + 3 < text.len; i += 4) {
        uint8_t a = digits[text.data[i]];
        uint8_t b = digits[text.data[i + 1]];
        uint8_t c = digits[text.data[i + 2]];
        uint8_t d = digits[text.data[i + 3]];
        all &= (unsigned int)a & b & c & d;
        uint32_t group = (uint32_t)(a & VALUE) << 18 | (uint32_t)(b & VALUE) << 12 |
                         (uint32_t)(c & VALUE) << 6 | (uint32_t)(d & VALUE);
        *to++ = (uint8_t)(group >> 16);
        *to++ = (uint8_t)(group >> 8);
        *to++ = (uint8_t)group;
    }
    *at = to;
    return all != 0;
}

/* The two or three characters behind the last group; the bits that no byte takes are zero. */
static bool decode_rest(struct span text, const uint8_t digits[256], uint8_t *at)
{
    uint8_t a = digits[text.data[0]];
    uint8_t b = digits[text.data[1]];
    uint8_t c = text.len == 3 ? digits[text.data[2]] : D(0);
    uint32_t group =
        (uint32_t)(a & VALUE) << 18 | (uint32_t)(b & VALUE) << 12 | (uint32_t)(c & VALUE) << 6;
    at[0] = (uint8_t)(group >> 16);
    if (text.len == 3) {
        at[1] = (uint8_t)(group >> 8);
    }
    return (a & b & c & DIGIT) != 0 && (group & (text.len == 3 ? 0xFFU : 0xFFFFU)) == 0;
}

static bool decode(struct buffer *out, struct span text, const uint8_t digits[256])
{
    size_t left = text.len % 4;
    size_t start = out->len;
    uint8_t *at =
        left == 1 ? NULL : buffer_extend(out, text.len / 4 * 3 + (left == 0 ? 0 : left - 1));
    if (at == NULL) {
        return false;
    }
    bool good = decode_groups(text, digits, &at) &&
                (left == 0 || decode_rest(span_part(text, text.len - left, left), digits, at));
    if (!good) {
        buffer_cut(out, start);
    }
    return good;
}

bool base64url_decode(struct buffer *out, struct span text)
{
    return decode(out, text, url_digits);
}

bool base64_decode(struct buffer *out, struct span text)
{
    if (text.len % 4 != 0) {
        return false;
    }
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=') {
        padding++;
    }
    return decode(out, span_part(text, 0, text.len - padding), plain_digits);
}
