/* SPDX-License-Identifier: Apache-2.0
 * Random bytes from the kernel, and UUIDs version 4 (RFC 9562 §5.4) made of them. */
#ifndef QSEAL_BASE_RANDOM_H
#define QSEAL_BASE_RANDOM_H

#include "base/span.h"

enum { UUID_TEXT_LEN = 36, UUID_TEXT_SIZE = UUID_TEXT_LEN + 1 };

/* getrandom(2); it blocks only before the kernel's pool is first filled. Never fails: ends the
 * process if the kernel refuses. */
void random_bytes(void *out, size_t len);
/* 122 random bits as lower-case text with NUL. */
void random_uuid(char out[UUID_TEXT_SIZE]);
/* Whether the text is a UUID of any version, in either case. */
bool uuid_is_valid(struct span text);

#endif
