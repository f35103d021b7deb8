/* SPDX-License-Identifier: Apache-2.0
 * A JSON reader that keeps one string. */
#include "client/problem.h"

#include <string.h>

enum { MAX_DEPTH = 16 };

struct scan {
    const uint8_t *at;
    const uint8_t *end;
};

/* Where a string goes; with no room it is only checked. */
struct sink {
    char *out;
    size_t size;
    size_t len;
    bool full;
};

static int peek(const struct scan *scan)
{
    return scan->at < scan->end ? *scan->at : -1;
}

static bool take(struct scan *scan, char c)
{
    if (peek(scan) != (unsigned char)c) {
        return false;
    }
    scan->at++;
    return true;
}

static void skip_blanks(struct scan *scan)
{
    while (peek(scan) == ' ' || peek(scan) == '\t' || peek(scan) == '\n' || peek(scan) == '\r') {
        scan->at++;
    }
}

/* One character of 1 to 4 bytes, whole or not at all. */
static void put_bytes(struct sink *sink, const uint8_t *bytes, size_t len)
{
    if (sink->full || sink->len + len >= sink->size) {
        sink->full = true;
        return;
    }
    memcpy(sink->out + sink->len, bytes, len);
    sink->len += len;
}

static void put_code(struct sink *sink, uint32_t code)
{
    if (code < ' ' || code == 0x7f) {
        code = ' ';
    }
    if (code < 0x80) {
        put_bytes(sink, (uint8_t[]){(uint8_t)code}, 1);
    } else if (code < 0x800) {
        put_bytes(sink, (uint8_t[]){(uint8_t)(0xc0 | code >> 6), (uint8_t)(0x80 | (code & 0x3f))},
                  2);
    } else if (code < 0x10000) {
        put_bytes(sink,
                  (uint8_t[]){(uint8_t)(0xe0 | code >> 12), (uint8_t)(0x80 | (code >> 6 & 0x3f)),
                              (uint8_t)(0x80 | (code & 0x3f))},
                  3);
    } else {
        put_bytes(sink,
                  (uint8_t[]){(uint8_t)(0xf0 | code >> 18), (uint8_t)(0x80 | (code >> 12 & 0x3f)),
                              (uint8_t)(0x80 | (code >> 6 & 0x3f)),
                              (uint8_t)(0x80 | (code & 0x3f))},
                  4);
    }
}

static bool read_hex4(struct scan *scan, uint32_t *out)
{
    static const char digits[] = "0123456789abcdef";
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(scan);
        const char *digit = c <= 0 ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);
        if (digit == NULL) {
            return false;
        }
        *out = *out << 4 | (uint32_t)(digit - digits);
        scan->at++;
    }
    return true;
}

/* Behind \u; a pair of surrogates is one character (RFC 8259 §7). */
static bool read_unicode(struct scan *scan, struct sink *sink)
{
    uint32_t code;
    uint32_t low;
    if (!read_hex4(scan, &code) || (code >= 0xdc00 && code <= 0xdfff)) {
        return false;
    }
    if (code >= 0xd800 && code <= 0xdbff) {
        if (!take(scan, '\\') || !take(scan, 'u') || !read_hex4(scan, &low) || low < 0xdc00 ||
            low > 0xdfff) {
            return false;
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    put_code(sink, code);
    return true;
}

static bool read_escape(struct scan *scan, struct sink *sink)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    int c = peek(scan);
    if (c < 0) {
        return false;
    }
    scan->at++;
    if (c == 'u') {
        return read_unicode(scan, sink);
    }
    const char *name = c == 0 ? NULL : strchr(names, c);
    if (name == NULL) {
        return false;
    }
    put_code(sink, (uint8_t)values[name - names]);
    return true;
}

/* UTF-8 (RFC 3629 §4), shortest form, no surrogates. */
static bool read_utf8(struct scan *scan, struct sink *sink)
{
    uint8_t first = *scan->at;
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || (size_t)(scan->end - scan->at) < len) {
        return false;
    }
    uint32_t code = first & mask[len];
    for (size_t i = 1; i < len; i++) {
        if ((scan->at[i] & 0xc0) != 0x80) {
            return false;
        }
        code = code << 6 | (scan->at[i] & 0x3f);
    }
    if (code < least[len] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
        return false;
    }
    scan->at += len;
    put_code(sink, code);
    return true;
}

static bool read_string(struct scan *scan, struct sink *sink)
{
    if (!take(scan, '"')) {
        return false;
    }
    while (!take(scan, '"')) {
        int c = peek(scan);
        if (c < ' ') {
            return false;
        }
        if (c == '\\') {
            scan->at++;
            if (!read_escape(scan, sink)) {
                return false;
            }
        } else if (!read_utf8(scan, sink)) {
            return false;
        }
    }
    return true;
}

static size_t take_digits(struct scan *scan)
{
    const uint8_t *from = scan->at;
    while (peek(scan) >= '0' && peek(scan) <= '9') {
        scan->at++;
    }
    return (size_t)(scan->at - from);
}

static bool skip_number(struct scan *scan)
{
    (void)take(scan, '-');
    if (!take(scan, '0') && take_digits(scan) == 0) {
        return false;
    }
    if (take(scan, '.') && take_digits(scan) == 0) {
        return false;
    }
    if (take(scan, 'e') || take(scan, 'E')) {
        (void)(take(scan, '+') || take(scan, '-'));
        return take_digits(scan) > 0;
    }
    return true;
}

static bool skip_word(struct scan *scan, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0) {
        return false;
    }
    scan->at += len;
    return true;
}

static bool skip_value(struct scan *scan, unsigned int depth);

/* "name": of a member, then the caller reads its value. */
static bool read_name(struct scan *scan, struct sink *name)
{
    skip_blanks(scan);
    if (!read_string(scan, name)) {
        return false;
    }
    skip_blanks(scan);
    if (!take(scan, ':')) {
        return false;
    }
    skip_blanks(scan);
    return true;
}

static bool skip_array_or_object(struct scan *scan, unsigned int depth)
{
    bool is_object = peek(scan) == '{';
    char close = is_object ? '}' : ']';
    scan->at++;
    skip_blanks(scan);
    if (depth == MAX_DEPTH) {
        return false;
    }
    if (take(scan, close)) {
        return true;
    }
    do {
        struct sink nowhere = {.out = NULL};
        skip_blanks(scan);
        if ((is_object && !read_name(scan, &nowhere)) || !skip_value(scan, depth + 1)) {
            return false;
        }
        skip_blanks(scan);
    } while (take(scan, ','));
    return take(scan, close);
}

static bool skip_value(struct scan *scan, unsigned int depth)
{
    struct sink nowhere = {.out = NULL};
    switch (peek(scan)) {
    case '"':
        return read_string(scan, &nowhere);
    case '{':
    case '[':
        return skip_array_or_object(scan, depth);
    case 't':
        return skip_word(scan, "true");
    case 'f':
        return skip_word(scan, "false");
    case 'n':
        return skip_word(scan, "null");
    default:
        return skip_number(scan);
    }
}

/* One member; *found is set when it was the one, twice is an error. */
static bool read_member(struct scan *scan, struct sink *detail, bool *found)
{
    char text[8];
    struct sink name = {.out = text, .size = sizeof(text)};
    if (!read_name(scan, &name)) {
        return false;
    }
    if (name.full || name.len != 6 || memcmp(text, "detail", 6) != 0 || peek(scan) != '"') {
        return skip_value(scan, 1);
    }
    if (*found) {
        return false;
    }
    *found = true;
    return read_string(scan, detail);
}

bool problem_detail(struct span json, char *out, size_t size)
{
    struct scan scan = {.at = json.data, .end = json.data + json.len};
    struct sink detail = {.out = out, .size = size};
    bool found = false;
    out[0] = '\0';
    skip_blanks(&scan);
    if (!take(&scan, '{')) {
        return false;
    }
    do {
        if (!read_member(&scan, &detail, &found)) {
            return false;
        }
        skip_blanks(&scan);
    } while (take(&scan, ','));
    if (!take(&scan, '}')) {
        return false;
    }
    skip_blanks(&scan);
    if (!found || scan.at != scan.end) {
        return false;
    }
    out[detail.len] = '\0';
    return true;
}
