/* SPDX-License-Identifier: Apache-2.0
 * Which records qsealctl audit show shows. A completion (`done`) says nothing of who asked for
 * what, so it goes with the record that it completes; where an outcome is asked for, that record
 * waits for it. What is remembered for that is bounded. */
#ifndef QSEAL_CTL_AUDIT_FILTER_H
#define QSEAL_CTL_AUDIT_FILTER_H

#include "audit/line.h"
#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct audit_wish {
    int64_t since_us;
    int64_t until_us;
    uint64_t after;     /* records with a higher seq only */
    const char *caller; /* the name, or the uid in digits; NULL as the next ones: all */
    const char *kid;
    const char *request;
    const char *kind;
    const char *outcome;
};

struct audit_filter;

/* The wish's texts are borrowed. NULL: no memory. */
struct audit_filter *audit_filter_new(const struct audit_wish *wish) MUST_USE;
/* Accepts NULL. */
void audit_filter_free(struct audit_filter *filter);

/* Whether the record is to be shown; and before it *first, when that is not empty: the line of the
 * record that it completes, borrowed until the next call. */
bool audit_filter_takes(struct audit_filter *filter, const struct audit_line *line,
                        struct span text, struct span *first) MUST_USE;

#endif
