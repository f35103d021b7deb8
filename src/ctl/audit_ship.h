/* SPDX-License-Identifier: Apache-2.0
 * Up to which record a log has been shipped, in a file: a shipper that was killed goes on where it
 * was, and ships a record twice rather than not at all. Each record that it ships follows the one
 * before by number and hash. */
#ifndef QSEAL_CTL_AUDIT_SHIP_H
#define QSEAL_CTL_AUDIT_SHIP_H

#include "audit/line.h"
#include "audit/reader.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "base/random.h"
#include "ctl/command.h"

/* The record that was shipped last. */
struct audit_shipped {
    uint64_t segment;
    uint64_t seq; /* 0: none */
    char hash[AUDIT_HASH_SIZE];
    char chain[UUID_TEXT_SIZE]; /* "" when the log does not say */
};

struct audit_ship {
    const char *path;
    struct audit_shipped last;
    uint64_t saved;             /* the seq in the file */
    struct deadline save_at;    /* what was shipped since then is shipped again after a crash */
    bool is_met;                /* `last` stands in the log as it was shipped, or there is none */
    char chain[UUID_TEXT_SIZE]; /* of the log that is read */
    enum exit_code code;
};

enum audit_ship_step {
    AUDIT_SHIP_RECORD,
    AUDIT_SHIP_PASS, /* it was shipped before */
    AUDIT_SHIP_STOP, /* `code`; why has been said */
};

/* The chain that this segment says it is of; "" when it says nothing. */
void audit_chain_of(const struct audit_reader *reader, uint64_t segment, char out[UUID_TEXT_SIZE]);

/* Reads the file, and sets the reader to where shipping goes on: the first segment when there is no
 * such file. What failed has been said. */
enum exit_code audit_ship_begin(struct audit_ship *ship, const char *path,
                                struct audit_reader *reader) MUST_USE;
/* Whether the record that was just read is to be shipped. */
enum audit_ship_step audit_ship_next(struct audit_ship *ship, struct audit_reader *reader,
                                     const struct audit_line *line) MUST_USE;
/* It has been. False: no SHA-256, said on stderr. */
bool audit_ship_done(struct audit_ship *ship, const struct audit_reader *reader,
                     const struct audit_line *line) MUST_USE;
/* A segment is read to its end; and all that there is. */
void audit_ship_closed(struct audit_ship *ship, struct audit_reader *reader);
enum audit_ship_step audit_ship_end(struct audit_ship *ship) MUST_USE;
/* Writes the file, when it is time for it or `now` is set. What went to stdout is synced before.
 * False: it failed, which has been said. */
bool audit_ship_save(struct audit_ship *ship, bool now) MUST_USE;

#endif
