/* SPDX-License-Identifier: Apache-2.0
 * The records of an audit log in order, over all segments of its folder, in memory that does not
 * grow with the log. Files are read, not mapped: a service may be writing them, and it cuts a
 * segment when it closes it. What a record says is not looked at here, but for the segment record
 * of the next segment, which says up to where this one holds. */
#ifndef QSEAL_AUDIT_READER_H
#define QSEAL_AUDIT_READER_H

#include "audit/line.h"
#include "audit/listing.h"
#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { AUDIT_READER_WHY_SIZE = 256 };

enum audit_read {
    AUDIT_READ_RECORD,  /* `line` is the next line, with its LF */
    AUDIT_READ_CLOSED,  /* the records of a segment that another one follows are all read */
    AUDIT_READ_END,     /* no whole line follows, now; more may follow when it is asked again */
    AUDIT_READ_MISSING, /* the segment that must follow is not there, and later ones are: `why` */
    AUDIT_READ_FAULT,   /* it cannot be read: `why` */
};

struct audit_reader {
    int folder; /* owned, as is the next */
    int fd;
    uint8_t *data; /* owned */
    size_t begin;  /* what of it is not yet taken */
    size_t end;
    struct audit_listing segments; /* as they were at the beginning */
    uint64_t bytes_before;         /* of the segments that are done with */
    bool is_closed;                /* the one that is open is, too */

    uint64_t segment;     /* number of the one that is read, 0 before the first */
    uint64_t line_number; /* of the line, from 1 */
    uint64_t offset;      /* in its segment: where the line ends, and the next begins */
    struct span line;     /* borrowed, until the next call */
    bool has_next;        /* another segment follows this one */
    bool has_limit;       /* and says that this one holds up to `limit` */
    uint64_t limit;
    char why[AUDIT_READER_WHY_SIZE];
};

/* What stands behind the last whole line of the segment that is read. */
struct audit_tail {
    uint64_t len;
    bool is_nul;         /* nothing but NUL bytes */
    uint64_t torn_bytes; /* of half a record, when that and NUL bytes are all; else 0 */
};

/* AUDIT_READ_END when the folder's segments can be read, AUDIT_READ_MISSING when there are none or
 * one has a name that is none, AUDIT_READ_FAULT. In each case it is to be closed. */
enum audit_read audit_reader_open(struct audit_reader *reader, const char *folder) MUST_USE;
void audit_reader_close(struct audit_reader *reader);
/* Goes on with the first line of this segment, which the folder has. */
void audit_reader_seek(struct audit_reader *reader, uint64_t segment);
/* The same with the segment that this record is in, by what the first records of the segments say;
 * with the first one when it is before all of them. */
void audit_reader_seek_record(struct audit_reader *reader, uint64_t seq);
enum audit_read audit_reader_next(struct audit_reader *reader) MUST_USE;
/* After AUDIT_READ_CLOSED or AUDIT_READ_END. 0, or -1 with errno. */
int audit_reader_tail(const struct audit_reader *reader, struct audit_tail *out) MUST_USE;
/* The first line of a segment of an open folder, read as one; its spans are in `text`. `flags` are
 * further ones of open(2). False when there is none. */
bool audit_reader_head(int folder, uint64_t segment, int flags, uint8_t text[AUDIT_LINE_MAX],
                       struct audit_line *out) MUST_USE;
/* How many bytes of `segments.bytes` are behind the reader. */
uint64_t audit_reader_done(const struct audit_reader *reader);

#define AUDIT_READER_CLEANUP CLEANUP(audit_reader_close)

#endif
