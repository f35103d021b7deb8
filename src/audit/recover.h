/* SPDX-License-Identifier: Apache-2.0
 * Where the audit log stands when the service starts: its last segment is read, what a crash tore
 * off its end is set aside, and the rest is put on the disk anew, since nobody knows what a process
 * before has synced. */
#ifndef QSEAL_AUDIT_RECOVER_H
#define QSEAL_AUDIT_RECOVER_H

#include "audit/line.h"
#include "base/random.h"
#include "model/outcome.h"

enum {
    AUDIT_BATCH_MAX = 1024 * 1024, /* bytes that are written and not synced at any moment */
    AUDIT_CUTS_MAX = 2,
};

/* What a crash tore off, and is now in a file .torn; no record says so yet. */
struct audit_cut {
    uint64_t number; /* of the segment */
    uint64_t kept;   /* bytes of it; 0: there was no record in it, and it was removed */
    uint64_t bytes;
};

struct recovered {
    bool any;                   /* there is a log; if not, only `next` means something */
    uint64_t next;              /* number of the segment to be made */
    uint64_t bytes;             /* of the segment before, up to where it holds */
    char chain[UUID_TEXT_SIZE]; /* of the last record, as are the next two */
    uint64_t seq;
    char head[AUDIT_HASH_SIZE];
    uint64_t covered; /* by the last checkpoint in the last segment; 0: there is none */
    struct audit_cut cuts[AUDIT_CUTS_MAX];
    size_t n_cuts;
};

/* `folder` is its path, `fd` the folder itself. OUTCOME_RULE when the log is damaged where records
 * had been acknowledged: nothing is changed then; OUTCOME_UNAVAILABLE when a file cannot be read or
 * written. */
enum outcome recover(const char *folder, int fd, struct recovered *out,
                     struct reason *why) MUST_USE;

#endif
