/* SPDX-License-Identifier: Apache-2.0
 * DER elements. */
#include "base/der.h"

enum { LONG_FORM = 0x80, LENGTH_BYTES_MAX = 3, SIGN_BIT = 0x80 };

static size_t take_length(struct reader *reader)
{
    size_t first = reader_u8(reader);
    if (first < LONG_FORM) {
        return first;
    }
    size_t bytes = first - LONG_FORM;
    size_t len = 0;
    if (bytes == 0 || bytes > LENGTH_BYTES_MAX) {
        reader->failed = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) {
        len = len << 8 | reader_u8(reader);
    }
    if (len < LONG_FORM || len >> (8 * (bytes - 1)) == 0) {
        reader->failed = true;
    }
    return len;
}

struct span der_take(struct reader *reader, uint8_t tag)
{
    if (reader_u8(reader) != tag) {
        reader->failed = true;
    }
    size_t len = take_length(reader);
    if (reader->failed || len > (size_t)(reader->end - reader->at)) {
        reader->failed = true;
        return (struct span){NULL, 0};
    }
    struct span content = span_of(reader->at, len);
    reader->at += len;
    return content;
}

struct span der_take_positive(struct reader *reader)
{
    struct span number = der_take(reader, DER_INTEGER);
    if (number.len > 1 && number.data[0] == 0 && number.data[1] >= SIGN_BIT) {
        return span_part(number, 1, number.len);
    }
    if (number.len == 0 || number.data[0] == 0 || number.data[0] >= SIGN_BIT) {
        reader->failed = true;
    }
    return number;
}

struct span der_take_whole(struct reader *reader, uint8_t tag)
{
    const uint8_t *start = reader->at;
    (void)der_take(reader, tag);
    return reader->failed ? (struct span){NULL, 0} : span_of(start, (size_t)(reader->at - start));
}

bool der_is_next(const struct reader *reader, uint8_t tag)
{
    return !reader->failed && reader->at < reader->end && *reader->at == tag;
}

void der_skip_all(struct reader *reader)
{
    while (!reader->failed && reader->at < reader->end) {
        (void)der_take(reader, *reader->at);
    }
}

void der_put_head(struct buffer *out, uint8_t tag, size_t len)
{
    buffer_put_u8(out, tag);
    if (len < LONG_FORM) {
        buffer_put_u8(out, (uint8_t)len);
    } else if (len <= UINT8_MAX) {
        buffer_put_u8(out, LONG_FORM | 1);
        buffer_put_u8(out, (uint8_t)len);
    } else if (len <= UINT16_MAX) {
        buffer_put_u8(out, LONG_FORM | 2);
        buffer_put_u16(out, (uint16_t)len);
    } else {
        out->failed = true; /* nothing here is so long */
    }
}

void der_put(struct buffer *out, uint8_t tag, struct span content)
{
    der_put_head(out, tag, content.len);
    buffer_put_span(out, content);
}
