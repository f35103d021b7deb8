/* SPDX-License-Identifier: Apache-2.0
 * One record of the audit log as a line of text (docs/audit.md): what all records begin with, how
 * they are chained, and how their other members are read without a JSON library, since a log has
 * millions of them. */
#ifndef QSEAL_AUDIT_LINE_H
#define QSEAL_AUDIT_LINE_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"
#include "jose/sha256.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AUDIT_HASH_LEN = SHA256_TEXT_LEN,
    AUDIT_HASH_SIZE = SHA256_TEXT_SIZE,
    AUDIT_TIME_LEN = 27,        /* "2026-11-21T19:07:46.123456Z" */
    AUDIT_LINE_MAX = 16 * 1024, /* bytes, with the LF */
    AUDIT_VERSION = 1,
};

/* The members that every record begins with. */
struct audit_line {
    uint64_t seq;
    struct span prev; /* AUDIT_HASH_LEN characters; the spans are borrowed from the line */
    struct span time; /* AUDIT_TIME_LEN characters */
    int64_t time_us;  /* since 1970 */
    struct span kind;
    struct span rest; /* the members after it, `,"a":1,"b":"…"`, or empty; without the brace */
};

/* What the first record of a chain bears as "prev". A later one bears sha256_text() of the line
 * before, with its LF. */
extern const char audit_no_hash[AUDIT_HASH_SIZE];
/* Takes the number that the text begins with: decimal, without a zero in front, at most INT64_MAX,
 * which readers of JSON take as an integer. */
bool audit_take_number(struct span *rest, uint64_t *out) MUST_USE;
/* Reads what every record begins with, strictly; the line ends with its LF. NULL, or what is wrong
 * with it in words. */
const char *audit_line_read(struct span line, struct audit_line *out) MUST_USE;
/* Writes it; the members and the end follow by the caller: "}\n". */
void audit_line_begin(struct buffer *out, uint64_t seq, const char *prev, int64_t time_us,
                      const char *kind);

/* The member's value as it stands there, of any kind; false when there is none of that name at the
 * top level of the record. */
bool audit_line_value(const struct audit_line *line, const char *name, struct span *out) MUST_USE;
/* The text between the quotes of the member, still escaped; or the digits of a number. False also
 * when it is something else. */
bool audit_line_text(const struct audit_line *line, const char *name, struct span *out) MUST_USE;
bool audit_line_number(const struct audit_line *line, const char *name, uint64_t *out) MUST_USE;

#endif
