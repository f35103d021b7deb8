/* SPDX-License-Identifier: Apache-2.0
 * Records of the audit log as entries of the journal, by journald's native protocol: each with its
 * fields, and as a whole (docs/audit.md, "Shipping"). */
#ifndef QSEAL_CTL_AUDIT_JOURNAL_H
#define QSEAL_CTL_AUDIT_JOURNAL_H

#include "audit/line.h"
#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

enum { AUDIT_JOURNAL_WHY_SIZE = 200 };

struct audit_entry {
    const struct audit_line *line;
    struct span text;  /* the same as it stands in the log, with its LF */
    struct span words; /* and for people, with one */
    const char *chain; /* "" when it is not known */
};

/* Waits until journald has taken it. False: it has not, `why`. */
bool audit_journal_put(const struct audit_entry *entry, char why[AUDIT_JOURNAL_WHY_SIZE]) MUST_USE;

#endif
