/* SPDX-License-Identifier: Apache-2.0
 * Members of records. */
#include "audit/record.h"

#include "jose/sha256.h"

#include <string.h>

static void put_escaped(struct buffer *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            buffer_put_format(out, "\\%c", c);
        } else if (c < ' ' || c > '~') {
            buffer_put_format(out, "\\u%04x", c);
        } else {
            buffer_put_u8(out, c);
        }
    }
}

void record_put_text(struct buffer *out, const char *name, const char *text)
{
    record_put_long_text(out, name, span_part(span_of_text(text), 0, AUDIT_TEXT_MAX));
}

void record_put_long_text(struct buffer *out, const char *name, struct span whole)
{
    buffer_put_format(out, ",\"%s\":\"", name);
    if (whole.len == 0) {
        buffer_put_text(out, "\"");
        return;
    }
    if (span_is_printable(whole) && memchr(whole.data, '"', whole.len) == NULL &&
        memchr(whole.data, '\\', whole.len) == NULL) {
        buffer_put_span(out, whole);
    } else {
        put_escaped(out, whole);
    }
    buffer_put_text(out, "\"");
}

void record_put_text_if(struct buffer *out, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        record_put_text(out, name, text);
    }
}

void record_put_number(struct buffer *out, const char *name, int64_t value)
{
    buffer_put_format(out, ",\"%s\":%lld", name, (long long)value);
}

void record_put_digest(struct buffer *out, const char *name, struct span bytes)
{
    char hash[AUDIT_HASH_SIZE];
    if (!sha256_text(bytes, hash)) {
        out->failed = true; /* a record without it is none */
        return;
    }
    record_put_text(out, name, hash);
}

void record_put_caller(struct buffer *out, const struct caller *caller)
{
    if (caller->uid == CALLER_UNKNOWN.uid) {
        return;
    }
    record_put_number(out, "uid", caller->uid);
    record_put_number(out, "gid", caller->gid);
    record_put_number(out, "pid", caller->pid);
}
