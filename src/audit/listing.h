/* SPDX-License-Identifier: Apache-2.0
 * Which segments of the audit log a folder has (docs/audit.md, "Files"). */
#ifndef QSEAL_AUDIT_LISTING_H
#define QSEAL_AUDIT_LISTING_H

#include "audit/segment.h"
#include "base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

#define AUDIT_SEGMENT_ENDING ".jsonl"
#define AUDIT_CHECKPOINT_FILE "checkpoint"

struct audit_listing {
    uint64_t first; /* 0 when there are none */
    uint64_t last;
    uint64_t count; /* less than all from first to last when some are missing */
    uint64_t bytes; /* of all of them */
    char odd[64];   /* a name like audit-….jsonl that is not a segment's; or "" */
};

/* "audit-0000000001.jsonl" in `out`, which is returned. */
const char *audit_segment_name(uint64_t number, char out[SEGMENT_NAME_SIZE]);
/* Of an open folder. 0, or -1 with errno. */
int audit_listing_read(int folder_fd, struct audit_listing *out) MUST_USE;
/* The first that is there and has a number over this one; 0 when there is none. */
uint64_t audit_listing_after(int folder_fd, uint64_t number);

#endif
