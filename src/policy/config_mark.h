/* SPDX-License-Identifier: Apache-2.0
 * What a room takes from the configuration at its start and not at a reload: a mark of each value,
 * by which the room that was reloaded tells which of them are others by now. Equal values have
 * equal marks; no value can be read from one. */
#ifndef QSEAL_POLICY_CONFIG_MARK_H
#define QSEAL_POLICY_CONFIG_MARK_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "policy/config.h"

enum { CONFIG_MARKS_MAX = 24 };

struct config_marks {
    uint64_t values[CONFIG_MARKS_MAX];
    uint32_t n;
};

/* Of qseald (`token` NULL), or of the tokend of this token. */
void config_marks(const struct config *config, const struct config_token *token,
                  struct config_marks *out);
/* Appends "limits/head_ms: 3000", the key and the value of the mark of this index, as the file has
 * them; of a token's uri, which says where the PIN is, the key alone. */
void config_mark_text(const struct config *config, const struct config_token *token, size_t index,
                      struct buffer *out);

#endif
