/* SPDX-License-Identifier: Apache-2.0
 * Times as people and files write them: 2026-11-21T09:30:00Z (RFC 3339 §5.6, UTC, whole seconds).
 */
#ifndef QSEAL_BASE_UTC_H
#define QSEAL_BASE_UTC_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { UTC_LEN = 20, UTC_SIZE = UTC_LEN + 1 };

/* The text of wall seconds, in `out`, which is returned; "" for a year that has not four digits. */
const char *utc_text(int64_t seconds, char out[UTC_SIZE]);
/* Exactly that form, and a time that exists. */
bool utc_read(struct span text, int64_t *seconds) MUST_USE;
/* That form, or one that counts from `now` on: +90s, +15m, +12h, +3d, of 1 to 9 digits. */
bool utc_read_from(struct span text, int64_t now, int64_t *seconds) MUST_USE;

#endif
