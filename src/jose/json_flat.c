/* SPDX-License-Identifier: Apache-2.0
 * Flat texts. What is no JSON is found here, and put into words by the front door. */
#include "jose/json_flat.h"

#include "base/buffer.h"
#include "jose/json.h"
#include "jose/json_flat_parts.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1024 };

struct json_flat_text {
    struct json_flat *values; /* the outermost first */
    size_t n;
    size_t room;
    uint8_t *strings; /* those that were written with escapes */
};

enum scan_fault {
    NOT_JSON, /* or over a bound of json_parse_own() */
    NO_MEMORY,
    TOO_MANY_MEMBERS,
    NOT_TAKEN,
};

struct scan {
    const uint8_t *at;
    const uint8_t *end;
    struct json_flat_text *out;
    uint8_t *strings; /* where the next one goes */
    size_t values;    /* left */
    unsigned int depth;
    const struct json_flat_each *each;
    enum scan_fault fault;
    enum outcome outcome; /* of NOT_TAKEN */
    struct reason *why;
};

void json_flat_free(struct json_flat_text *text)
{
    if (text != NULL) {
        free(text->values);
        free(text->strings);
        free(text);
    }
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t')) {
        scan->at++;
    }
}

/* The next byte that is no space; 0 at the end. */
static uint8_t look(struct scan *scan)
{
    skip_space(scan);
    return scan->at < scan->end ? *scan->at : 0;
}

static bool fail(struct scan *scan, enum scan_fault fault)
{
    scan->fault = fault;
    return false;
}

static bool append(struct scan *scan, const struct json_flat *value)
{
    struct json_flat_text *out = scan->out;
    if (out->n == out->room) {
        size_t room = out->room == 0 ? FIRST_ROOM : out->room * 2;
        struct json_flat *values = reallocarray(out->values, room, sizeof *values);
        if (values == NULL) {
            return fail(scan, NO_MEMORY);
        }
        out->values = values;
        out->room = room;
    }
    out->values[out->n++] = *value;
    return true;
}

static bool take_word(struct scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    const struct json_flat other = {.type = FLAT_OTHER};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(scan->end - scan->at) >= len && memcmp(scan->at, words[i], len) == 0) {
            scan->at += len;
            return append(scan, &other);
        }
    }
    return fail(scan, NOT_JSON);
}

/* With its opening quote. */
static bool take_string(struct scan *scan)
{
    struct json_flat string = {0};
    scan->at++;
    return flat_take_string(&scan->at, scan->end, &scan->strings, &string) && append(scan, &string);
}

static const struct json_flat *value_behind(const struct json_flat *value)
{
    return value + (value->type <= FLAT_ARRAY ? value->is.places : 1);
}

static bool is_named(const struct json_flat *string, const void *name, size_t len)
{
    return string->size == len && memcmp(string->is.text, name, len) == 0;
}

/* Whether the last name is among those of the object before it. */
static bool is_twice(const struct scan *scan, size_t object)
{
    const struct json_flat *last = &scan->out->values[scan->out->n - 1];
    const struct json_flat *name = &scan->out->values[object + 1];
    while (name < last && !is_named(name, last->is.text, last->size)) {
        name = value_behind(name + 1);
    }
    return name < last;
}

static bool take_name(struct scan *scan, size_t object)
{
    if (look(scan) != '"' || !take_string(scan) || look(scan) != ':') {
        return false;
    }
    scan->at++;
    return !is_twice(scan, object);
}

static bool take_value(struct scan *scan);

/* Whether the elements of this array are given away. The last string read is its name. */
static bool is_given_away(const struct scan *scan, size_t array)
{
    return scan->each != NULL && scan->depth == 2 &&
           is_named(&scan->out->values[array - 1], scan->each->member, strlen(scan->each->member));
}

/* Reads a value, hands it on, and takes its room back. */
static bool give_away(struct scan *scan)
{
    const struct json_flat_each *each = scan->each;
    size_t index = scan->out->n;
    uint8_t *strings = scan->strings;
    if (!take_value(scan)) {
        return false;
    }
    const struct json_flat *values = scan->out->values;
    scan->outcome = each->take(each->context, values, values + index, scan->why);
    scan->out->n = index;
    scan->strings = strings;
    return scan->outcome == OUTCOME_OK || fail(scan, NOT_TAKEN);
}

static bool take_element(struct scan *scan, size_t array, bool given_away)
{
    if (given_away) {
        return give_away(scan);
    }
    if (!take_value(scan)) {
        return false;
    }
    scan->out->values[array].size++;
    return true;
}

static bool take_member(struct scan *scan, size_t object)
{
    if (scan->out->values[object].size == JSON_FLAT_MEMBERS_MAX) {
        return fail(scan, TOO_MANY_MEMBERS);
    }
    if (!take_name(scan, object) || !take_value(scan)) {
        return false;
    }
    scan->out->values[object].size++;
    return true;
}

/* What is inside a container whose opening mark was taken, up to and with its closing one. */
static bool take_inside(struct scan *scan, size_t container, bool is_object)
{
    uint8_t closing = is_object ? '}' : ']';
    bool given_away = !is_object && is_given_away(scan, container);
    uint8_t c = look(scan) == closing ? closing : ',';
    while (c == ',') {
        bool good =
            is_object ? take_member(scan, container) : take_element(scan, container, given_away);
        if (!good) {
            return false;
        }
        c = look(scan);
        scan->at += c == ',' ? 1 : 0;
    }
    scan->at += c == closing ? 1 : 0;
    return c == closing;
}

static bool take_container(struct scan *scan, bool is_object)
{
    const struct json_flat container = {.type = is_object ? FLAT_OBJECT : FLAT_ARRAY};
    size_t index = scan->out->n;
    if (scan->depth == JSON_DEPTH_MAX || !append(scan, &container)) {
        return false;
    }
    scan->at++;
    scan->depth++;
    if (!take_inside(scan, index, is_object)) {
        return false;
    }
    scan->depth--;
    scan->out->values[index].is.places = scan->out->n - index;
    return true;
}

static bool take_number(struct scan *scan)
{
    struct json_flat number = {0};
    return flat_take_number(&scan->at, scan->end, &number) && append(scan, &number);
}

static bool take_value(struct scan *scan)
{
    uint8_t c = look(scan);
    if (scan->values == 0) {
        return false;
    }
    scan->values--;
    switch (c) {
    case '{':
    case '[':
        return take_container(scan, c == '{');
    case '"':
        return take_string(scan);
    case 't':
    case 'f':
    case 'n':
        return take_word(scan);
    default:
        return (c == '-' || (c >= '0' && c <= '9')) && take_number(scan);
    }
}

static enum outcome put_into_words(const struct scan *scan, struct span text, size_t values_max,
                                   struct reason *why)
{
    JSON_CLEANUP json_t *unused = NULL;
    switch (scan->fault) {
    case NO_MEMORY:
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    case TOO_MANY_MEMBERS:
        return refuse(why, OUTCOME_TOO_LARGE, "an object of more than %d members",
                      JSON_FLAT_MEMBERS_MAX);
    case NOT_TAKEN:
        return scan->outcome;
    case NOT_JSON:
        break;
    }
    enum outcome outcome = json_parse_own(text, values_max, &unused, why);
    return outcome == OUTCOME_OK ? refuse(why, OUTCOME_INTERNAL, "read in two ways") : outcome;
}

enum outcome json_flat_parse(struct span text, size_t values_max, const struct json_flat_each *each,
                             struct json_flat_text **out, struct reason *why)
{
    *out = NULL;
    struct json_flat_text *flat = calloc(1, sizeof *flat);
    struct reader bytes = reader_of(text);
    struct scan scan = {.at = bytes.at,
                        .end = bytes.end,
                        .out = flat,
                        .values = values_max,
                        .each = each,
                        .why = why};
    if (text.len > JSON_FLAT_TEXT_MAX) {
        free(flat);
        return refuse(why, OUTCOME_TOO_LARGE, "more than %d bytes", JSON_FLAT_TEXT_MAX);
    }
    scan.strings = flat == NULL ? NULL : malloc(text.len + 1);
    if (scan.strings == NULL) {
        free(flat);
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    flat->strings = scan.strings;
    if (look(&scan) == '{' && take_value(&scan) && look(&scan) == 0 && scan.at == scan.end) {
        *out = flat;
        return OUTCOME_OK;
    }
    json_flat_free(flat);
    return put_into_words(&scan, text, values_max, why);
}

const struct json_flat *json_flat_root(const struct json_flat_text *text)
{
    return text->values;
}

bool json_flat_is_object(const struct json_flat *value)
{
    return value != NULL && value->type == FLAT_OBJECT;
}

bool json_flat_is_array(const struct json_flat *value)
{
    return value != NULL && value->type == FLAT_ARRAY;
}

bool json_flat_is_string(const struct json_flat *value)
{
    return value != NULL && value->type == FLAT_STRING;
}

bool json_flat_integer(const struct json_flat *value, int64_t *out)
{
    bool is_integer = value != NULL && value->type == FLAT_INTEGER;
    *out = is_integer ? value->is.integer : 0;
    return is_integer;
}

struct span json_flat_string(const struct json_flat *value)
{
    return json_flat_is_string(value) ? span_of(value->is.text, value->size)
                                      : (struct span){NULL, 0};
}

size_t json_flat_size(const struct json_flat *value)
{
    return value != NULL && value->type <= FLAT_ARRAY ? value->size : 0;
}

const struct json_flat *json_flat_member(const struct json_flat *object, const char *name)
{
    size_t len = strlen(name);
    size_t left = json_flat_is_object(object) ? object->size : 0;
    const struct json_flat *at = left == 0 ? NULL : object + 1;
    while (left > 0 && !is_named(at, name, len)) {
        at = value_behind(at + 1);
        left--;
    }
    return left == 0 ? NULL : at + 1;
}

const struct json_flat *json_flat_first(const struct json_flat *array)
{
    return json_flat_is_array(array) && array->size > 0 ? array + 1 : NULL;
}

const struct json_flat *json_flat_next(const struct json_flat *element)
{
    return value_behind(element);
}
