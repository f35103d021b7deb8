/* SPDX-License-Identifier: Apache-2.0
 * A growing byte buffer with a hard maximum, and a cursor that reads what such a buffer wrote.
 *
 * Both keep a sticky failure: a put that does not fit, or a take past the end, marks the object and
 * every later call does nothing. So a message is written or read straight down the page and checked
 * once, by buffer_ok() or reader_done(). Numbers are big-endian; bytes and texts are preceded by a
 * 32-bit length. */
#ifndef QSEAL_BASE_BUFFER_H
#define QSEAL_BASE_BUFFER_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *data; /* owned */
    size_t len;
    size_t room; /* bytes allocated */
    size_t max;  /* len never exceeds it */
    bool failed;
};

#define BUFFER_INIT(maximum) ((struct buffer){.max = (maximum)})

/* Frees the bytes; the buffer is empty again and may be used on. Accepts an empty one. */
void buffer_fini(struct buffer *buffer);
/* Forgets the content and a failure, keeps the memory. */
void buffer_reset(struct buffer *buffer);
/* Gives the memory back when it is more than `keep` bytes; the content is lost then. For buffers
 * that live long. */
void buffer_trim(struct buffer *buffer, size_t keep);

void buffer_put(struct buffer *buffer, const void *data, size_t len);
void buffer_put_span(struct buffer *buffer, struct span bytes);
void buffer_put_text(struct buffer *buffer, const char *text);
void buffer_put_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
void buffer_put_u8(struct buffer *buffer, uint8_t value);
void buffer_put_u16(struct buffer *buffer, uint16_t value);
void buffer_put_u32(struct buffer *buffer, uint32_t value);
void buffer_put_u64(struct buffer *buffer, uint64_t value);
/* A 32-bit length, then the bytes. */
void buffer_put_bytes(struct buffer *buffer, struct span bytes);
/* Room for `len` more bytes, to be filled by the caller; NULL when it does not fit. Counts as
 * written. */
uint8_t *buffer_extend(struct buffer *buffer, size_t len);
/* Cuts the content to its first `len` bytes. */
void buffer_cut(struct buffer *buffer, size_t len);

struct span buffer_span(const struct buffer *buffer);
/* The content as a C string: a NUL is kept behind it and not counted. "" when empty or failed. */
const char *buffer_text(struct buffer *buffer);
bool buffer_ok(const struct buffer *buffer) MUST_USE;

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

struct reader reader_of(struct span bytes);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
/* Length-prefixed bytes, borrowed from what is read; longer than `max` is a failure. */
struct span reader_bytes(struct reader *reader, size_t max);
/* The same as text without NUL, copied into `out` of `size` bytes and terminated; a NUL inside is a
 * failure. */
void reader_text(struct reader *reader, char *out, size_t size);
/* True when nothing failed and nothing is left over. */
bool reader_done(const struct reader *reader) MUST_USE;

#define BUFFER_CLEANUP CLEANUP(buffer_fini)

#endif
