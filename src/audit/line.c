/* SPDX-License-Identifier: Apache-2.0
 * Lines of the audit log. */
#include "audit/line.h"

#include "base/utc.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 19, US = 1000000, FRACTION_LEN = AUDIT_TIME_LEN - UTC_LEN - 1 };
static_assert(FRACTION_LEN == 6, "microseconds");

const char audit_no_hash[AUDIT_HASH_SIZE] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/* --- reading --- */

static bool take(struct span *rest, const char *text)
{
    size_t len = strlen(text);
    if (rest->len < len || memcmp(rest->data, text, len) != 0) {
        return false;
    }
    *rest = span_part(*rest, len, rest->len);
    return true;
}

static struct span take_len(struct span *rest, size_t len)
{
    struct span taken = span_part(*rest, 0, len);
    *rest = span_part(*rest, taken.len, rest->len);
    return taken;
}

bool audit_take_number(struct span *rest, uint64_t *out)
{
    size_t n = 0;
    uint64_t value = 0;
    while (n < rest->len && n < DIGITS_MAX && rest->data[n] >= '0' && rest->data[n] <= '9') {
        value = value * 10 + (uint64_t)(rest->data[n] - '0');
        n++;
    }
    if (n == 0 || (n > 1 && rest->data[0] == '0') || value > INT64_MAX) {
        return false;
    }
    *rest = span_part(*rest, n, rest->len);
    *out = value;
    return true;
}

static bool read_time(struct span text, int64_t *us)
{
    uint8_t whole[UTC_LEN];
    int64_t seconds;
    int64_t fraction = 0;
    if (text.len != AUDIT_TIME_LEN || text.data[UTC_LEN - 1] != '.' ||
        text.data[AUDIT_TIME_LEN - 1] != 'Z') {
        return false;
    }
    memcpy(whole, text.data, UTC_LEN - 1);
    whole[UTC_LEN - 1] = 'Z';
    for (size_t i = UTC_LEN; i < AUDIT_TIME_LEN - 1; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        fraction = fraction * 10 + (text.data[i] - '0');
    }
    if (!utc_read(span_of(whole, sizeof whole), &seconds)) {
        return false;
    }
    *us = seconds * US + fraction;
    return true;
}

const char *audit_line_read(struct span line, struct audit_line *out)
{
    struct span rest = line;
    if (line.len > AUDIT_LINE_MAX) {
        return "longer than a record";
    }
    if (line.len == 0 || line.data[line.len - 1] != '\n') {
        return "no line end";
    }
    rest.len--;
    if (!span_is_printable(rest)) {
        return "a character that records do not have";
    }
    if (!take(&rest, "{\"seq\":") || !audit_take_number(&rest, &out->seq) || out->seq == 0) {
        return "no seq";
    }
    if (!take(&rest, ",\"prev\":\"")) {
        return "no prev";
    }
    out->prev = take_len(&rest, AUDIT_HASH_LEN);
    if (!take(&rest, "\",\"time\":\"")) {
        return "no time";
    }
    out->time = take_len(&rest, AUDIT_TIME_LEN);
    if (!read_time(out->time, &out->time_us)) {
        return "no time";
    }
    if (!take(&rest, "\",\"kind\":\"")) {
        return "no kind";
    }
    out->kind = take_len(&rest, span_find(rest, '"'));
    if (out->kind.len == 0 || !take(&rest, "\"")) {
        return "no kind";
    }
    if (rest.len == 0 || rest.data[rest.len - 1] != '}') {
        return "no end";
    }
    out->rest = span_part(rest, 0, rest.len - 1);
    return NULL;
}

/* --- members --- */

/* Past a string that begins at the quote `at`; past the text when it has no end. */
static size_t string_end(struct span text, size_t at)
{
    for (size_t i = at + 1; i < text.len; i++) {
        if (text.data[i] == '\\') {
            i++;
        } else if (text.data[i] == '"') {
            return i + 1;
        }
    }
    return text.len + 1;
}

/* Past the value that begins at `at`: the comma behind it at this level, or the end. */
static size_t value_end(struct span text, size_t at)
{
    unsigned int depth = 0;
    size_t i = at;
    while (i < text.len && (text.data[i] != ',' || depth > 0)) {
        uint8_t c = text.data[i];
        if (c == '"') {
            i = string_end(text, i);
            continue;
        }
        depth += c == '{' || c == '[' ? 1U : 0U;
        depth -= depth > 0 && (c == '}' || c == ']') ? 1U : 0U;
        i++;
    }
    return i;
}

bool audit_line_value(const struct audit_line *line, const char *name, struct span *value)
{
    struct span text = line->rest;
    size_t at = 0;
    while (at + 1 < text.len && text.data[at] == ',' && text.data[at + 1] == '"') {
        size_t end = string_end(text, at + 1);
        if (end >= text.len || text.data[end] != ':') {
            return false;
        }
        struct span found = span_part(text, at + 2, end - at - 3);
        size_t next = value_end(text, end + 1);
        if (span_is_text(found, name)) {
            *value = span_part(text, end + 1, next - end - 1);
            return true;
        }
        at = next;
    }
    return false;
}

bool audit_line_text(const struct audit_line *line, const char *name, struct span *out)
{
    struct span value;
    if (!audit_line_value(line, name, &value) || value.len < 2 || value.data[0] != '"' ||
        string_end(value, 0) != value.len) {
        return false;
    }
    *out = span_part(value, 1, value.len - 2);
    return true;
}

bool audit_line_number(const struct audit_line *line, const char *name, uint64_t *out)
{
    struct span value;
    return audit_line_value(line, name, &value) && audit_take_number(&value, out) && value.len == 0;
}

/* --- writing --- */

static void put_time(struct buffer *out, int64_t time_us)
{
    char text[UTC_SIZE];
    (void)utc_text(time_us / US, text);
    buffer_put_format(out, "%.19s.%06lldZ", text, (long long)(time_us % US));
}

void audit_line_begin(struct buffer *out, uint64_t seq, const char *prev, int64_t time_us,
                      const char *kind)
{
    buffer_put_format(out, "{\"seq\":%llu,\"prev\":\"%s\",\"time\":\"", (unsigned long long)seq,
                      prev);
    put_time(out, time_us);
    buffer_put_format(out, "\",\"kind\":\"%s\"", kind);
}
