/* SPDX-License-Identifier: Apache-2.0
 * Strings and numbers of a flat text (RFC 8259 §6, §7). */
#include "jose/json.h"
#include "jose/json_flat_parts.h"

#include <string.h>

static bool is_digit(const uint8_t *at, const uint8_t *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Eight bytes at once: a byte's high bit is set where it is below ' ', a quote or a backslash, or
 * has that bit itself; and perhaps in one behind such a byte, which is looked at again. */
static bool are_plain(const uint8_t *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t eight;
    memcpy(&eight, at, sizeof eight);
    uint64_t found = eight | (eight - ones * ' ') | ((eight ^ ones * '"') - ones) |
                     ((eight ^ ones * '\\') - ones);
    return (found & ones << 7) == 0;
}

static const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end)
{
    while ((size_t)(end - at) >= sizeof(uint64_t) && are_plain(at)) {
        at += sizeof(uint64_t);
    }
    while (at < end && is_plain(*at)) {
        at++;
    }
    return at;
}

/* How many bytes the UTF-8 sequence at `at` has (RFC 3629 §4); 0: it is none. */
static size_t sequence_len(const uint8_t *at, const uint8_t *end)
{
    static const struct {
        uint8_t from, to;  /* first byte */
        uint8_t low, high; /* second */
        uint8_t len;
    } rows[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t len = rows[i].len;
        if (at[0] < rows[i].from || at[0] > rows[i].to || (size_t)(end - at) < len) {
            continue;
        }
        bool good = at[1] >= rows[i].low && at[1] <= rows[i].high;
        for (size_t j = 2; j < len; j++) {
            good = good && (at[j] & 0xC0) == 0x80;
        }
        return good ? len : 0;
    }
    return 0;
}

static bool take_hex(const uint8_t **at, const uint8_t *end, uint32_t *out)
{
    *out = 0;
    if (end - *at < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        uint8_t c = *(*at)++;
        uint8_t letter = c | 0x20;
        bool is_letter = letter >= 'a' && letter <= 'f';
        if (!is_letter && (c < '0' || c > '9')) {
            return false;
        }
        *out = *out << 4 | (is_letter ? (uint32_t)letter - 'a' + 10 : (uint32_t)c - '0');
    }
    return true;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (uint8_t)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (uint8_t)(0xC0 | c >> 6);
    } else if (c < 0x10000) {
        *to++ = (uint8_t)(0xE0 | c >> 12);
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    } else {
        *to++ = (uint8_t)(0xF0 | c >> 18);
        *to++ = (uint8_t)(0x80 | (c >> 12 & 0x3F));
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    }
    *to++ = (uint8_t)(0x80 | (c & 0x3F));
    return to;
}

/* What stands behind \u: one half of a pair only with the other behind it. */
static bool take_unicode(const uint8_t **at, const uint8_t *end, uint8_t **to)
{
    uint32_t c;
    uint32_t low;
    if (!take_hex(at, end, &c) || c == 0 || (c >= 0xDC00 && c <= 0xDFFF)) {
        return false;
    }
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (end - *at < 2 || (*at)[0] != '\\' || (*at)[1] != 'u') {
            return false;
        }
        *at += 2;
        if (!take_hex(at, end, &low) || low < 0xDC00 || low > 0xDFFF) {
            return false;
        }
        c = 0x10000 + ((c & 0x3FF) << 10) + (low & 0x3FF);
    }
    *to = put_utf8(*to, c);
    return true;
}

/* What stands behind a backslash. */
static bool take_escape(const uint8_t **at, const uint8_t *end, uint8_t **to)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    uint8_t c = *at < end ? *(*at)++ : 0;
    if (c == 'u') {
        return take_unicode(at, end, to);
    }
    const char *hit = c == 0 ? NULL : strchr(letters, c);
    if (hit != NULL) {
        *(*to)++ = (uint8_t)meant[hit - letters];
    }
    return hit != NULL;
}

static void copy(const uint8_t *from, const uint8_t *until, uint8_t **to)
{
    memcpy(*to, from, (size_t)(until - from));
    *to += until - from;
}

/* The rest of a string with escapes, the first of which is at *at; `from` is its first character.
 */
static bool take_escaped(const uint8_t *from, const uint8_t **at, const uint8_t *end, uint8_t **to)
{
    while (*at < end && **at != '"') {
        size_t len = **at >= 0x80 ? sequence_len(*at, end) : 0;
        if (len > 0) {
            *at += len;
        } else if (**at == '\\') {
            copy(from, (*at)++, to);
            if (!take_escape(at, end, to)) {
                return false;
            }
            from = *at;
        } else {
            return false;
        }
        *at = skip_plain(*at, end);
    }
    copy(from, *at, to);
    return *at < end;
}

bool flat_take_string(const uint8_t **at, const uint8_t *end, uint8_t **room, struct json_flat *out)
{
    const uint8_t *from = *at;
    *at = skip_plain(*at, end);
    while (*at < end && **at >= 0x80) {
        size_t len = sequence_len(*at, end);
        if (len == 0) {
            return false;
        }
        *at = skip_plain(*at + len, end);
    }
    const uint8_t *text = from;
    const uint8_t *until = *at;
    if (*at < end && **at == '\\') {
        text = *room;
        if (!take_escaped(from, at, end, room)) {
            return false;
        }
        until = *room;
    }
    if (*at == end || **at != '"') {
        return false;
    }
    ++*at;
    out->type = FLAT_STRING;
    out->is.text = text;
    out->size = (unsigned int)(until - text) & JSON_FLAT_TEXT_MAX;
    return true;
}

/* One digit at least. */
static bool take_digits(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *from = *at;
    while (is_digit(*at, end)) {
        ++*at;
    }
    return *at > from;
}

static bool take_exponent(const uint8_t **at, const uint8_t *end)
{
    int value = 0;
    *at += *at < end && (**at == '+' || **at == '-') ? 1 : 0;
    const uint8_t *from = *at;
    if (!take_digits(at, end)) {
        return false;
    }
    for (const uint8_t *digit = from; digit < *at && value <= JSON_EXPONENT_MAX; digit++) {
        value = value * 10 + (*digit - '0');
    }
    return value <= JSON_EXPONENT_MAX;
}

static bool read_integer(const uint8_t *from, const uint8_t *until, int64_t *out)
{
    bool below_zero = *from == '-';
    bool over = false;
    *out = 0;
    for (from += below_zero ? 1 : 0; from < until; from++) {
        int64_t digit = *from - '0';
        over |= __builtin_mul_overflow(*out, INT64_C(10), out);
        over |= __builtin_add_overflow(*out, below_zero ? -digit : digit, out);
    }
    return !over;
}

bool flat_take_number(const uint8_t **at, const uint8_t *end, struct json_flat *out)
{
    const uint8_t *from = *at;
    bool is_real = false;
    *at += **at == '-' ? 1 : 0;
    const uint8_t *first = *at;
    if (!take_digits(at, end) || (*first == '0' && *at > first + 1)) {
        return false;
    }
    if (*at < end && **at == '.') {
        ++*at;
        is_real = true;
        if (!take_digits(at, end)) {
            return false;
        }
    }
    if (*at < end && (**at | 0x20) == 'e') {
        ++*at;
        is_real = true;
        if (!take_exponent(at, end)) {
            return false;
        }
    }
    out->type = is_real ? FLAT_OTHER : FLAT_INTEGER;
    out->size = 0;
    out->is.integer = 0;
    return *at - from <= JSON_NUMBER_MAX && (is_real || read_integer(from, *at, &out->is.integer));
}
