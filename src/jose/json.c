/* SPDX-License-Identifier: Apache-2.0
 * The JSON front door. jansson 2.14 refuses duplicates, lone surrogates, overlong UTF-8 and
 * trailing bytes when asked; it drops a raw NUL behind a number, nests to 2048, turns 1e-999 into
 * 0, and takes ninety bytes of memory for each byte of "{},{},{}". So a look at the text comes
 * first. jansson's own messages quote the text, and are therefore never passed on. */
#include "jose/json.h"

#include <string.h>

/* Where the first look stands. Columns count characters, from 1. */
struct look {
    struct span text;
    size_t at;
    int line;
    int column;
    int depth;
    size_t values; /* begun so far */
    size_t values_max;
};

void json_prepare(void)
{
    json_object_seed(0);
}

void json_clear_ref(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}

static enum outcome refuse_at(struct reason *why, const struct look *look, const char *sentence)
{
    return refuse(why, OUTCOME_MALFORMED, "line %d, column %d: %s", look->line, look->column,
                  sentence);
}

static void look_step(struct look *look)
{
    uint8_t c = look->text.data[look->at++];
    if (c == '\n') {
        look->line++;
        look->column = 1;
    } else if ((c & 0xC0) != 0x80) {
        look->column++;
    }
}

static bool is_number_byte(uint8_t c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool exponent_is_small(struct span number)
{
    size_t e = span_find(number, 'e');
    e = e == number.len ? span_find(number, 'E') : e;
    int value = 0;
    for (size_t i = e + 1; i < number.len; i++) {
        uint8_t c = number.data[i];
        value = c >= '0' && c <= '9' ? value * 10 + (c - '0') : value;
        if (value > JSON_EXPONENT_MAX) {
            return false;
        }
    }
    return true;
}

/* true, false, null, or what jansson will not take for one of them. */
static void look_at_word(struct look *look)
{
    while (look->at < look->text.len && is_letter(look->text.data[look->at])) {
        look_step(look);
    }
}

/* Whether it is a number at all is jansson's business. */
static enum outcome look_at_number(struct look *look, struct reason *why)
{
    struct look start = *look;
    while (look->at < look->text.len && is_number_byte(look->text.data[look->at])) {
        look_step(look);
    }
    struct span number = span_part(look->text, start.at, look->at - start.at);
    if (number.len > JSON_NUMBER_MAX) {
        return refuse_at(why, &start, "a number has at most 40 characters");
    }
    if (!exponent_is_small(number)) {
        return refuse_at(why, &start, "a number's exponent lies between -200 and 200");
    }
    return OUTCOME_OK;
}

static enum outcome look_at_string(struct look *look, struct reason *why)
{
    look_step(look);
    while (look->at < look->text.len) {
        uint8_t c = look->text.data[look->at];
        if (c == 0) {
            return refuse_at(why, look, "a NUL byte; JSON text has none");
        }
        look_step(look);
        if (c == '"') {
            return OUTCOME_OK;
        }
        if (c == '\\' && look->at < look->text.len && look->text.data[look->at] != 0) {
            look_step(look);
        }
    }
    return OUTCOME_OK; /* unfinished: jansson says so */
}

static enum outcome look_at_mark(struct look *look, uint8_t c, struct reason *why)
{
    if (c == 0) {
        return refuse_at(why, look, "a NUL byte; JSON text has none");
    }
    if (c == '{' || c == '[') {
        look->depth++;
        look->values++;
    } else if (c == '}' || c == ']') {
        look->depth--;
    } else if (c == ':') {
        look->values--; /* the string before it was a name */
    }
    if (look->depth > JSON_DEPTH_MAX) {
        return refuse_at(why, look, "nested deeper than 16 levels");
    }
    /* Every value but the outermost has one of these behind it; a name never has. */
    bool ends_value = c == ',' || c == '}' || c == ']';
    if (ends_value && look->values > look->values_max) {
        return refuse(why, OUTCOME_TOO_LARGE, "line %d, column %d: more than %zu values",
                      look->line, look->column, look->values_max);
    }
    look_step(look);
    return OUTCOME_OK;
}

static enum outcome look_at_token(struct look *look, struct reason *why)
{
    uint8_t c = look->text.data[look->at];
    if (c == '"') {
        look->values++;
        return look_at_string(look, why);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        look->values++;
        return look_at_number(look, why);
    }
    if (is_letter(c)) {
        look->values++;
        look_at_word(look);
        return OUTCOME_OK;
    }
    return look_at_mark(look, c, why);
}

static enum outcome look_first(struct span text, size_t values_max, struct reason *why)
{
    struct look look = {.text = text, .values_max = values_max, .line = 1, .column = 1};
    while (look.at < text.len && memchr(" \t\r\n", text.data[look.at], 4) != NULL) {
        look_step(&look);
    }
    if (look.at == text.len || text.data[look.at] != '{') {
        return refuse_at(why, &look, "the body must be one JSON object");
    }
    while (look.at < text.len) {
        enum outcome outcome = look_at_token(&look, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

/* What would be right, for each way in which jansson refuses. */
static const char *sentence_for(enum json_error_code code)
{
    switch (code) {
    case json_error_invalid_utf8:
        return "not UTF-8 (RFC 3629)";
    case json_error_premature_end_of_input:
        return "the text ends before the object does";
    case json_error_end_of_input_expected:
        return "nothing may follow the object";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "\\u0000 is not accepted in any string";
    case json_error_duplicate_key:
        return "a member of this name is already there; each name once";
    case json_error_numeric_overflow:
        return "a number out of range; integers have 64 bits";
    case json_error_invalid_syntax:
        return "not JSON (RFC 8259)";
    case json_error_unknown:
    case json_error_out_of_memory:
    case json_error_stack_overflow:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_value:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
        break;
    }
    return "not readable as JSON";
}

enum outcome json_parse_own(struct span text, size_t values_max, json_t **out, struct reason *why)
{
    *out = NULL;
    enum outcome outcome = look_first(text, values_max, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    json_error_t error;
    *out = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (*out == NULL) {
        return refuse(why, OUTCOME_MALFORMED, "line %d, column %d: %s", error.line, error.column,
                      sentence_for(json_error_code(&error)));
    }
    return OUTCOME_OK;
}

enum outcome json_parse_object(struct span text, json_t **out, struct reason *why)
{
    return json_parse_own(text, JSON_VALUES_MAX, out, why);
}

static int put_piece(const char *piece, size_t len, void *data)
{
    buffer_put(data, piece, len);
    return 0; /* the buffer remembers a failure */
}

void json_put(struct buffer *out, const json_t *value)
{
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);
    if (json_dump_callback(value, put_piece, out, flags) != 0) {
        out->failed = true;
    }
}

static void put_escape(struct buffer *out, uint8_t c)
{
    static const char named[] = "\b\f\n\r\t\"\\";
    static const char letters[] = "bfnrt\"\\";
    const char *hit = c == 0 ? NULL : strchr(named, c);
    if (hit != NULL) {
        buffer_put_u8(out, '\\');
        buffer_put_u8(out, (uint8_t)letters[hit - named]);
        return;
    }
    buffer_put_format(out, "\\u%04x", c);
}

void json_put_string(struct buffer *out, struct span text)
{
    buffer_put_u8(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            buffer_put_span(out, span_part(text, from, i - from));
            put_escape(out, c);
            from = i + 1;
        }
    }
    buffer_put_span(out, span_part(text, from, text.len));
    buffer_put_u8(out, '"');
}
