/* SPDX-License-Identifier: Apache-2.0
 * Frames: how the rooms speak. A frame is eight bytes of header and a payload:
 *
 *     'Q' 'S'  version (1)  kind  length (32 bits, big-endian)  payload …
 *
 * An answer's kind is the request's kind with FRAME_ANSWER set, and its payload starts with an
 * outcome, the refused claim and the detail (frame_put_outcome); at the signing door, with a
 * signing_answer, which says all of that by itself. Kinds belong to the door that is spoken
 * through: see token/token.h, signing/signing.h, custody/custody.h. One request is in flight on a
 * connection; nobody calls back. */
#ifndef QSEAL_WIRE_FRAME_H
#define QSEAL_WIRE_FRAME_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "model/outcome.h"

enum { FRAME_HEADER_LEN = 8, FRAME_VERSION = 1, FRAME_ANSWER = 0x80 };

/* Largest payload of any door: a 1 MiB body as it came, and once more as base64url, with room for
 * what stands around it. */
enum { FRAME_PAYLOAD_MAX = 3 * 1024 * 1024 };

struct frame_header {
    uint8_t kind;
    uint32_t length;
};

/* Resets the buffer and leaves room for the header; fields are then put behind it. */
void frame_begin(struct buffer *frame, uint8_t kind);
/* Fills in the length. False when a put failed. */
bool frame_end(struct buffer *frame) MUST_USE;
/* Reads a header; false when it is not one of ours or promises more than `max` bytes. */
bool frame_parse_header(const uint8_t bytes[FRAME_HEADER_LEN], size_t max,
                        struct frame_header *out) MUST_USE;

void frame_put_outcome(struct buffer *frame, enum outcome outcome, const struct reason *why);
/* OUTCOME_INTERNAL when the number is unknown; the reader is then marked failed. */
enum outcome frame_get_outcome(struct reader *answer, struct reason *why) MUST_USE;

#endif
