/* SPDX-License-Identifier: Apache-2.0
 * A recursive descent of at most DEPTH_MAX levels. After a fault the cursor stands at the end, so
 * that everything unwinds by itself. */
#include "model/shape_header.h"

#include "model/shape_text.h"

#include <string.h>

enum {
    DEPTH_MAX = 8,
    MEMBERS_MAX = 32, /* of one object */
    NUMBER_MAX = 18,  /* characters: fits 64 bits whatever it says */
};

struct scanner {
    const uint8_t *at;
    const uint8_t *end;
    unsigned int depth;
    const char *fault; /* the first one */
};

static void scan_value(struct scanner *scanner);

static void fail(struct scanner *scanner, const char *fault)
{
    scanner->fault = scanner->fault == NULL ? fault : scanner->fault;
    scanner->at = scanner->end;
}

/* The next character behind white space, not taken; 0 at the end or after a fault. */
static uint8_t peek(struct scanner *scanner)
{
    while (scanner->at < scanner->end && shape_is_space(*scanner->at)) {
        scanner->at++;
    }
    return scanner->at < scanner->end ? *scanner->at : 0;
}

static bool take(struct scanner *scanner, uint8_t c)
{
    if (peek(scanner) != c) {
        return false;
    }
    scanner->at++;
    return true;
}

static void expect(struct scanner *scanner, uint8_t c)
{
    if (!take(scanner, c)) {
        fail(scanner, "not JSON");
    }
}

static bool take_word(struct scanner *scanner, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(scanner->end - scanner->at) < len || memcmp(scanner->at, word, len) != 0) {
        return false;
    }
    scanner->at += len;
    return true;
}

/* Four hexadecimal digits, or UINT32_MAX. */
static uint32_t take_hex4(struct scanner *scanner)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = scanner->at < scanner->end ? *scanner->at++ : 0;
        uint8_t folded = c | 0x20;
        if (c >= '0' && c <= '9') {
            value = value << 4 | (uint32_t)(c - '0');
        } else if (folded >= 'a' && folded <= 'f') {
            value = value << 4 | (uint32_t)(folded - 'a' + 10);
        } else {
            return UINT32_MAX;
        }
    }
    return value;
}

/* Behind a backslash. */
static void scan_escape(struct scanner *scanner)
{
    uint8_t c = scanner->at < scanner->end ? *scanner->at++ : 0;
    if (c != 'u') {
        if (c == 0 || strchr("\"\\/bfnrt", c) == NULL) {
            fail(scanner, "not JSON");
        }
        return;
    }
    uint32_t unit = take_hex4(scanner);
    if (unit == UINT32_MAX || unit == 0) {
        fail(scanner, unit == 0 ? "a NUL" : "not JSON");
        return;
    }
    bool high = unit >= 0xD800 && unit <= 0xDBFF;
    if (high) {
        uint32_t low = take_word(scanner, "\\u") ? take_hex4(scanner) : UINT32_MAX;
        high = low < 0xDC00 || low > 0xDFFF;
    }
    if (high || (unit >= 0xDC00 && unit <= 0xDFFF)) {
        fail(scanner, "a lone surrogate");
    }
}

/* A string; what stands between its quotes, as it stands there. */
static struct span scan_string(struct scanner *scanner)
{
    expect(scanner, '"');
    const uint8_t *start = scanner->at;
    while (scanner->at < scanner->end && *scanner->at != '"') {
        size_t len = shape_utf8_len(scanner->at, scanner->end);
        if (len == 0 || *scanner->at < 0x20) {
            fail(scanner, len == 0 ? "not UTF-8" : "a control character");
            return (struct span){0};
        }
        bool escape = *scanner->at == '\\';
        scanner->at += len;
        if (escape) {
            scan_escape(scanner);
        }
    }
    struct span text = {.data = start, .len = (size_t)(scanner->at - start)};
    expect(scanner, '"');
    return scanner->fault == NULL ? text : (struct span){0};
}

static size_t take_digits(struct scanner *scanner)
{
    const uint8_t *start = scanner->at;
    while (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9') {
        scanner->at++;
    }
    return (size_t)(scanner->at - start);
}

/* No exponent: no header has one, and its value may not fit anything. */
static void scan_number(struct scanner *scanner)
{
    const uint8_t *start = scanner->at;
    (void)take_word(scanner, "-");
    const uint8_t *first = scanner->at;
    size_t digits = take_digits(scanner);
    bool good = digits == 1 || (digits > 1 && *first != '0');
    if (good && take_word(scanner, ".")) {
        good = take_digits(scanner) > 0;
    }
    if (!good || scanner->at - start > NUMBER_MAX) {
        fail(scanner, good ? "a number of too many digits" : "not JSON");
    }
}

/* Opens one level; false, with the fault, when that is one too deep. */
static bool descend(struct scanner *scanner)
{
    scanner->at++;
    if (++scanner->depth > DEPTH_MAX) {
        fail(scanner, "nested too deeply");
        return false;
    }
    return true;
}

/* Strings only, when `of_strings`, and at least one of them. */
static void scan_array(struct scanner *scanner, bool of_strings)
{
    if (!descend(scanner)) {
        return;
    }
    if (of_strings && peek(scanner) != '"') {
        fail(scanner, "crit is not a list of names");
    }
    if (peek(scanner) != ']') {
        do {
            if (of_strings && peek(scanner) != '"') {
                fail(scanner, "crit is not a list of names");
            }
            scan_value(scanner);
        } while (scanner->fault == NULL && take(scanner, ','));
    }
    expect(scanner, ']');
    scanner->depth--;
}

/* The members that mean something to the guard, at the top of the header. */
static void scan_member(struct scanner *scanner, struct span name, struct shape_header *header)
{
    uint8_t first = peek(scanner);
    if (span_is_text(name, "alg")) {
        header->alg = first == '"' ? scan_string(scanner) : (struct span){0};
        if (first != '"') {
            fail(scanner, "alg is not a text");
        }
        return;
    }
    if (span_is_text(name, "b64")) {
        header->raw = take_word(scanner, "false");
        if (!header->raw && !take_word(scanner, "true")) {
            fail(scanner, "b64 is neither true nor false");
        }
        return;
    }
    if (span_is_text(name, "crit")) {
        if (first != '[') {
            fail(scanner, "crit is not a list of names");
            return;
        }
        scan_array(scanner, true);
        return;
    }
    scan_value(scanner);
}

/* `header` is NULL inside another value. */
static void scan_object(struct scanner *scanner, struct shape_header *header)
{
    struct span names[MEMBERS_MAX];
    size_t n = 0;
    if (!descend(scanner)) {
        return;
    }
    while (scanner->fault == NULL && (n > 0 || peek(scanner) != '}')) {
        struct span name = scan_string(scanner);
        expect(scanner, ':');
        /* One spelling for each name, so that equal names are equal bytes. */
        if (scanner->fault == NULL && memchr(name.data, '\\', name.len) != NULL) {
            fail(scanner, "a member's name with a backslash");
        }
        for (size_t i = 0; scanner->fault == NULL && i < n; i++) {
            if (span_equal(names[i], name)) {
                fail(scanner, "a member is there twice");
            }
        }
        if (n == MEMBERS_MAX) {
            fail(scanner, "too many members");
        }
        if (scanner->fault != NULL) {
            return;
        }
        names[n++] = name;
        if (header == NULL) {
            scan_value(scanner);
        } else {
            scan_member(scanner, name, header);
        }
        if (scanner->fault == NULL && !take(scanner, ',')) {
            break;
        }
    }
    expect(scanner, '}');
    scanner->depth--;
}

static void scan_value(struct scanner *scanner)
{
    uint8_t c = peek(scanner);
    if (c == '{') {
        scan_object(scanner, NULL);
    } else if (c == '[') {
        scan_array(scanner, false);
    } else if (c == '"') {
        (void)scan_string(scanner);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        scan_number(scanner);
    } else if (!take_word(scanner, "true") && !take_word(scanner, "false") &&
               !take_word(scanner, "null")) {
        fail(scanner, "not JSON");
    }
}

const char *shape_header_scan(struct span json, struct shape_header *header)
{
    *header = (struct shape_header){0};
    struct scanner scanner = {.at = json.data, .end = json.data + json.len};
    if (peek(&scanner) != '{') {
        return "not an object";
    }
    scan_object(&scanner, header);
    if (scanner.fault == NULL && (peek(&scanner) != 0 || scanner.at != scanner.end)) {
        fail(&scanner, "something behind the object");
    }
    return scanner.fault;
}
