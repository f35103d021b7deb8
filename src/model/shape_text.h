/* SPDX-License-Identifier: Apache-2.0
 * base64url and UTF-8 as the shape guard reads them: by itself, sharing nothing with those who
 * write. */
#ifndef QSEAL_MODEL_SHAPE_TEXT_H
#define QSEAL_MODEL_SHAPE_TEXT_H

#include "base/span.h"

/* NULL when the text is strict base64url: its alphabet, no padding, unused bits zero; else what is
 * wrong. */
const char *shape_base64url_fault(struct span text);
/* Of a text without fault: how many bytes it decodes to, one of them, all of them. */
size_t shape_decoded_len(struct span text);
uint8_t shape_decoded_at(struct span text, size_t index);
void shape_decode(struct span text, uint8_t *out);

/* NULL when the text is UTF-8 without NUL. */
const char *shape_text_fault(struct span text);
/* Length of the UTF-8 sequence that starts at `at`, before `end`; 0 when there is none. */
size_t shape_utf8_len(const uint8_t *at, const uint8_t *end);
/* RFC 8259 §2. */
bool shape_is_space(uint8_t c);

#endif
