/* SPDX-License-Identifier: Apache-2.0
 * What a verification of the audit log has found. */
#ifndef QSEAL_AUDIT_REPORT_H
#define QSEAL_AUDIT_REPORT_H

#include "audit/kind.h"
#include "base/attributes.h"
#include "base/random.h"

#include <stdbool.h>
#include <stdint.h>

enum audit_verdict {
    AUDIT_GOOD,       /* chained, and sealed under the given keys up to sealed_seq; a part of a log
                       * may have no checkpoint, and is not sealed then */
    AUDIT_CHAINED,    /* no key was given: chained, and nothing says who has written it */
    AUDIT_BAD,        /* see problem */
    AUDIT_UNREADABLE, /* see problem */
};

enum { AUDIT_FILE_SIZE = 256, AUDIT_WHAT_SIZE = 512 };

/* The first bad record, what is wrong with it, and what would be right. */
struct audit_problem {
    char file[AUDIT_FILE_SIZE]; /* in the folder, or a checkpoint's path */
    uint64_t line;              /* in that file; 0: the file itself, as for seq */
    uint64_t seq;
    char what[AUDIT_WHAT_SIZE]; /* "" when nothing is wrong */
};

struct audit_report {
    enum audit_verdict verdict;
    struct audit_problem problem;
    char chain[UUID_TEXT_SIZE];
    uint64_t segments;
    uint64_t bytes;
    uint64_t records;
    uint64_t kinds[AUDIT_KINDS]; /* records of each */
    uint64_t first_seq;
    uint64_t last_seq;
    int64_t first_time_us; /* since 1970 */
    int64_t last_time_us;

    uint64_t checkpoints_good;
    uint64_t checkpoints_unknown; /* of a key that was not given */
    uint64_t sealed_seq;          /* the last record under a good checkpoint, or 0 */
    int64_t sealed_time;          /* wall seconds: when that checkpoint was made */
    uint64_t not_sealed;          /* records behind it */

    uint64_t signs_open;     /* no completion is recorded, nor was it awaited any more */
    uint64_t counts_renewed; /* after a crash a token's count could not be compared */
    uint64_t not_compared;   /* of keys and tokens that were too many to be remembered */
    uint64_t unacknowledged; /* bytes behind the records of segments that a fault ended */
    /* The record that says that all before the first one was removed after its time; 0: none, or it
     * does not hold. */
    uint64_t removal_seq;
    /* A checkpoint that was kept in a file is about a record outside of this part of the log ... */
    bool checkpoint_elsewhere;
    bool checkpoint_before; /* ... that was removed after its time */
};

#endif
