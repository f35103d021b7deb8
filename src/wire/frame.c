/* SPDX-License-Identifier: Apache-2.0
 * Frame headers, and the outcome every answer starts with. */
#include "wire/frame.h"

#include <string.h>

static const uint8_t magic[] = {'Q', 'S', FRAME_VERSION};
enum { KIND_AT = 3, LENGTH_AT = 4 };

void frame_begin(struct buffer *frame, uint8_t kind)
{
    buffer_reset(frame);
    buffer_put(frame, magic, sizeof magic);
    buffer_put_u8(frame, kind);
    buffer_put_u32(frame, 0);
}

bool frame_end(struct buffer *frame)
{
    if (!buffer_ok(frame) || frame->len < FRAME_HEADER_LEN) {
        return false;
    }
    size_t length = frame->len - FRAME_HEADER_LEN;
    if (length > FRAME_PAYLOAD_MAX) {
        return false;
    }
    for (size_t i = 0; i < sizeof(uint32_t); i++) {
        frame->data[LENGTH_AT + i] = (uint8_t)(length >> (24 - 8 * i));
    }
    return true;
}

bool frame_parse_header(const uint8_t bytes[FRAME_HEADER_LEN], size_t max, struct frame_header *out)
{
    if (memcmp(bytes, magic, sizeof magic) != 0) {
        return false;
    }
    struct reader reader = reader_of(span_of(bytes + LENGTH_AT, sizeof(uint32_t)));
    *out = (struct frame_header){.kind = bytes[KIND_AT], .length = reader_u32(&reader)};
    return out->length <= max;
}

void frame_put_outcome(struct buffer *frame, enum outcome outcome, const struct reason *why)
{
    bool refused = outcome != OUTCOME_OK;
    buffer_put_u8(frame, (uint8_t)outcome);
    buffer_put_bytes(frame, span_of_text(refused ? why->claim : ""));
    buffer_put_bytes(frame, span_of_text(refused ? why->detail : ""));
}

enum outcome frame_get_outcome(struct reader *answer, struct reason *why)
{
    unsigned int number = reader_u8(answer);
    reader_text(answer, why->claim, sizeof why->claim);
    reader_text(answer, why->detail, sizeof why->detail);
    if (answer->failed || !outcome_is_known(number)) {
        answer->failed = true;
        return refuse(why, OUTCOME_INTERNAL, "an answer in an unknown form");
    }
    return (enum outcome)number;
}
