/* SPDX-License-Identifier: Apache-2.0
 * A growing byte buffer, and the cursor that reads one: every length is checked here and nowhere
 * else. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256 };

void buffer_fini(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = BUFFER_INIT(buffer->max);
}

void buffer_reset(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

void buffer_trim(struct buffer *buffer, size_t keep)
{
    if (buffer->room > keep) {
        buffer_fini(buffer);
    }
}

/* One byte more than asked for is always kept, for the NUL of buffer_text(). */
static bool buffer_grow(struct buffer *buffer, size_t more)
{
    if (buffer->failed || more > buffer->max - buffer->len) {
        buffer->failed = true;
        return false;
    }
    size_t need = buffer->len + more + 1;
    if (need <= buffer->room) {
        return true;
    }
    size_t room = buffer->room < FIRST_ROOM ? FIRST_ROOM : buffer->room;
    while (room < need) {
        room *= 2;
    }
    uint8_t *data = realloc(buffer->data, room);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->room = room;
    return true;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t len)
{
    if (!buffer_grow(buffer, len)) {
        return NULL;
    }
    uint8_t *at = buffer->data + buffer->len;
    buffer->len += len;
    return at;
}

void buffer_cut(struct buffer *buffer, size_t len)
{
    if (len < buffer->len) {
        buffer->len = len;
    }
}

void buffer_put(struct buffer *buffer, const void *data, size_t len)
{
    uint8_t *at = buffer_extend(buffer, len);
    if (at != NULL && len > 0) {
        memcpy(at, data, len);
    }
}

void buffer_put_span(struct buffer *buffer, struct span bytes)
{
    buffer_put(buffer, bytes.data, bytes.len);
}

void buffer_put_text(struct buffer *buffer, const char *text)
{
    buffer_put(buffer, text, strlen(text));
}

void buffer_put_format(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (need < 0 || !buffer_grow(buffer, (size_t)need)) {
        buffer->failed = true;
        return;
    }
    va_start(args, format);
    (void)vsnprintf((char *)buffer->data + buffer->len, (size_t)need + 1, format, args);
    va_end(args);
    buffer->len += (size_t)need;
}

void buffer_put_u8(struct buffer *buffer, uint8_t value)
{
    buffer_put(buffer, &value, sizeof value);
}

void buffer_put_u16(struct buffer *buffer, uint16_t value)
{
    uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
    buffer_put(buffer, bytes, sizeof bytes);
}

void buffer_put_u32(struct buffer *buffer, uint32_t value)
{
    uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                       (uint8_t)value};
    buffer_put(buffer, bytes, sizeof bytes);
}

void buffer_put_u64(struct buffer *buffer, uint64_t value)
{
    buffer_put_u32(buffer, (uint32_t)(value >> 32));
    buffer_put_u32(buffer, (uint32_t)value);
}

void buffer_put_bytes(struct buffer *buffer, struct span bytes)
{
    if (bytes.len > UINT32_MAX) {
        buffer->failed = true;
        return;
    }
    buffer_put_u32(buffer, (uint32_t)bytes.len);
    buffer_put_span(buffer, bytes);
}

struct span buffer_span(const struct buffer *buffer)
{
    return span_of(buffer->data, buffer->len);
}

const char *buffer_text(struct buffer *buffer)
{
    if (buffer->failed || buffer->data == NULL) {
        return "";
    }
    buffer->data[buffer->len] = '\0';
    return (const char *)buffer->data;
}

bool buffer_ok(const struct buffer *buffer)
{
    return !buffer->failed;
}

struct reader reader_of(struct span bytes)
{
    static const uint8_t nothing[1];
    const uint8_t *at = bytes.data == NULL ? nothing : bytes.data;
    return (struct reader){.at = at, .end = at + bytes.len};
}

static const uint8_t *reader_take(struct reader *reader, size_t len)
{
    if (reader->failed || len > (size_t)(reader->end - reader->at)) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *at = reader->at;
    reader->at += len;
    return at;
}

static uint64_t reader_number(struct reader *reader, size_t len)
{
    const uint8_t *at = reader_take(reader, len);
    uint64_t value = 0;
    for (size_t i = 0; at != NULL && i < len; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)reader_number(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
    return (uint16_t)reader_number(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)reader_number(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
    return reader_number(reader, 8);
}

struct span reader_bytes(struct reader *reader, size_t max)
{
    size_t len = reader_u32(reader);
    if (len > max) {
        reader->failed = true;
    }
    const uint8_t *at = reader_take(reader, len);
    return at == NULL ? (struct span){NULL, 0} : span_of(at, len);
}

void reader_text(struct reader *reader, char *out, size_t size)
{
    struct span text = reader_bytes(reader, size - 1);
    if (text.len > 0 && memchr(text.data, 0, text.len) != NULL) {
        reader->failed = true;
    }
    size_t len = reader->failed ? 0 : text.len;
    if (len > 0) {
        memcpy(out, text.data, len);
    }
    out[len] = '\0';
}

bool reader_done(const struct reader *reader)
{
    return !reader->failed && reader->at == reader->end;
}
