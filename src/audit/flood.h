/* SPDX-License-Identifier: Apache-2.0
 * Refusals that come faster than anybody reads them: of each kind a few in a second are records of
 * their own, the rest of that second is counted. Not thread-safe: the log's lock guards it. */
#ifndef QSEAL_AUDIT_FLOOD_H
#define QSEAL_AUDIT_FLOOD_H

#include "base/attributes.h"
#include "model/caller.h"
#include "model/outcome.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLOOD_KINDS = 128, FLOOD_FREE = 50, FLOOD_NAME_SIZE = 64 };

/* Refusals of one kind: by one uid, of one operation, for one reason. */
struct flood_kind {
    struct caller caller; /* the last one; without groups */
    char caller_name[FLOOD_NAME_SIZE];
    char operation[FLOOD_NAME_SIZE];
    enum outcome outcome;
    int64_t second;   /* monotonic; 0: the place is free */
    uint64_t seen;    /* in that second */
    uint64_t counted; /* of these, without a record */
};

struct flood {
    struct flood_kind kinds[FLOOD_KINDS];
    int64_t looked; /* the second up to which nothing is left to be said */
};

/* Whether this one is a record of its own; if not, it was counted. */
bool flood_allows(struct flood *flood, const struct flood_kind *kind, int64_t second) MUST_USE;
/* The next kind of a past second of which something was counted: it is copied, and forgotten. */
bool flood_take(struct flood *flood, int64_t second, struct flood_kind *out) MUST_USE;

#endif
