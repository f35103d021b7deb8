/* SPDX-License-Identifier: Apache-2.0
 * The members of a record, after those that every one begins with (docs/audit.md). Each is appended
 * with a comma in front. Strings are ASCII: whatever else a text holds is escaped byte by byte, so
 * that no text can look like anything but a text. */
#ifndef QSEAL_AUDIT_RECORD_H
#define QSEAL_AUDIT_RECORD_H

#include "audit/line.h"
#include "base/buffer.h"
#include "model/caller.h"

enum { AUDIT_MEMBERS_MAX = 15 * 1024, AUDIT_TEXT_MAX = 1024 /* longer ones are cut */ };

void record_put_text(struct buffer *out, const char *name, const char *text);
/* The same, and nothing for "" or NULL. */
void record_put_text_if(struct buffer *out, const char *name, const char *text);
/* The same, whole, however long it is. */
void record_put_long_text(struct buffer *out, const char *name, struct span text);
void record_put_number(struct buffer *out, const char *name, int64_t value);
/* BASE64URL(SHA-256(bytes)). */
void record_put_digest(struct buffer *out, const char *name, struct span bytes);
/* uid, gid, pid; nothing of CALLER_UNKNOWN */
void record_put_caller(struct buffer *out, const struct caller *caller);

#endif
