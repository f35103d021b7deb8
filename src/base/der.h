/* SPDX-License-Identifier: Apache-2.0
 * DER elements (X.690 §10.1): definite lengths in their shortest form, tags of one byte. A cursor
 * that fails stays failed, see base/buffer.h. */
#ifndef QSEAL_BASE_DER_H
#define QSEAL_BASE_DER_H

#include "base/attributes.h"
#include "base/buffer.h"

enum {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0C,
    DER_IA5_STRING = 0x16,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT_0 = 0xA0, /* constructed, as all EXPLICIT tags */
};

/* The content of the next element, which must have this tag. */
struct span der_take(struct reader *reader, uint8_t tag);
/* The content of the next element, a positive INTEGER, without the zero that holds its sign. */
struct span der_take_positive(struct reader *reader);
/* The next element with its tag and length. */
struct span der_take_whole(struct reader *reader, uint8_t tag);
/* Whether the next element has this tag. */
bool der_is_next(const struct reader *reader, uint8_t tag);
/* Goes over the rest, whatever elements it consists of. */
void der_skip_all(struct reader *reader);
/* Writes tag and length, for `len` bytes that follow. */
void der_put_head(struct buffer *out, uint8_t tag, size_t len);
/* Writes a whole element. */
void der_put(struct buffer *out, uint8_t tag, struct span content);

#endif
