/* SPDX-License-Identifier: Apache-2.0
 * One file of the audit log, as it is written: records one after the other into space that was
 * filled with NULs beforehand, since overwriting is cheaper to sync than growing. A file of which
 * a write or a sync has failed is never touched again: the kernel forgets what it could not write,
 * and the next sync of the same file would succeed. */
#ifndef QSEAL_AUDIT_SEGMENT_H
#define QSEAL_AUDIT_SEGMENT_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEGMENT_NAME_SIZE = 32 };

struct segment {
    int fd;          /* -1: none */
    uint64_t number; /* from 1 */
    uint64_t end;    /* of its records, bytes; all of them are on the disk */
    uint64_t filled; /* up to where there is something, bytes */
};

#define SEGMENT_NONE ((struct segment){.fd = -1})

/* "audit-0000000001.jsonl", or with another ending. */
void segment_name(uint64_t number, const char *ending, char out[SEGMENT_NAME_SIZE]);
/* The number in such a name; false when it is none. */
bool segment_name_read(const char *name, uint64_t *number) MUST_USE;
/* A new file in the folder, its name synced. 0, or -1 with errno, and then nothing is left of it.
 */
int segment_create(int folder, uint64_t number, struct segment *out) MUST_USE;
/* Appends the bytes; they are on the disk when it returns 0. -1 with errno: nobody knows. */
int segment_append(struct segment *segment, struct span bytes) MUST_USE;
/* Cuts it to its records, syncs and closes it. 0, or -1 with errno; it is closed in any case. */
int segment_finish(struct segment *segment) MUST_USE;
/* Closes it as it is; accepts none. */
void segment_abandon(struct segment *segment);

#endif
