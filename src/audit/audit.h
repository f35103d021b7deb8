/* SPDX-License-Identifier: Apache-2.0
 * The audit log, as it is written (docs/audit.md). Records are appended by any thread, in the order
 * of the chain; one thread of the log's own writes and syncs them, as many at a time as have come
 * meanwhile. Who must not go on before a record is durable waits for it.
 *
 * A failed write or sync ends the segment for good: whatever was not durable never was recorded,
 * everything that needs a record is refused, and the log tries to begin a new segment until it can.
 */
#ifndef QSEAL_AUDIT_AUDIT_H
#define QSEAL_AUDIT_AUDIT_H

#include "audit/line.h"
#include "base/attributes.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/random.h"
#include "model/caller.h"
#include "model/outcome.h"

struct audit;

struct audit_options {
    const char *folder;     /* copied */
    uint64_t segment_bytes; /* a longer one is closed */
    int64_t segment_age_s;  /* an older one, too */
};

/* One record, on its way to the disk. */
struct audit_ticket {
    uint64_t epoch; /* 0: there is no record */
    uint64_t seq;
    int64_t since_us; /* monotonic: when it was appended */
};

struct audit_status {
    bool ok;
    char detail[REASON_DETAIL_SIZE]; /* why not */
    char chain[UUID_TEXT_SIZE];
    uint64_t segment;      /* number */
    uint64_t durable;      /* seq of the last record that is on the disk */
    uint64_t bytes;        /* of the segment */
    uint64_t unrecorded;   /* refusals and completions, since it failed */
    uint64_t faults;       /* how often it has failed since start */
    int64_t since;         /* wall seconds: of this state */
    uint64_t covered;      /* by the last checkpoint */
    int64_t checkpoint_at; /* wall seconds, 0: none in this run */
    int64_t unsealed_s;    /* how long there have been records that the last one does not cover */
    char checkpoint_detail[REASON_DETAIL_SIZE]; /* why the last attempt at one failed, or "" */
};

/* Where the chain is on the disk, for a checkpoint. */
struct audit_head {
    char chain[UUID_TEXT_SIZE];
    uint64_t seq;
    char hash[AUDIT_HASH_SIZE];
};

/* Begins or goes on. A log that cannot be written now is not a refusal: it is as after a fault.
 * OUTCOME_INTERNAL: no memory, no thread. */
enum outcome audit_open(const struct audit_options *options, struct audit **out,
                        struct reason *why) MUST_USE;
/* Writes what is there, closes the segment in order. Accepts NULL. */
void audit_close(struct audit *audit);

/* The folder that it is written in, whatever the configuration says by now. Not for NULL. */
const char *audit_folder(const struct audit *audit);

/* The functions below accept NULL for `audit`: no log is kept, and nothing is refused. */

/* Appends a record whose members are these (record.h). OUTCOME_AUDIT when the log has failed. */
enum outcome audit_append(struct audit *audit, const char *kind, const struct buffer *members,
                          struct audit_ticket *ticket, struct reason *why) MUST_USE;
/* Waits until the record is on the disk. OUTCOME_AUDIT: it will never be; OUTCOME_DEADLINE: it is
 * not yet. */
enum outcome audit_wait(struct audit *audit, const struct audit_ticket *ticket,
                        struct deadline deadline, struct reason *why) MUST_USE;
/* Both. */
enum outcome audit_append_durable(struct audit *audit, const char *kind,
                                  const struct buffer *members, struct deadline deadline,
                                  struct audit_ticket *ticket, struct reason *why) MUST_USE;
/* A record that nobody waits for; one that cannot be written is counted. */
void audit_note(struct audit *audit, const char *kind, const struct buffer *members);
/* What became of a record; nothing for a ticket without one. `released` may be empty. */
void audit_done(struct audit *audit, const struct audit_ticket *ticket, const char *outcome,
                struct span released);

struct audit_refusal {
    struct caller caller;
    const char *caller_name; /* NULL */
    const char *operation;
    const char *profile; /* NULL, as the next two */
    const char *role;
    const char *claim;
    const char *request;     /* "" */
    const char *interaction; /* "" */
    enum outcome outcome;
    const char *detail;
};
/* Records it, or counts it where there are too many of one kind. */
void audit_refused(struct audit *audit, const struct audit_refusal *refusal);

/* Whether records can be written now, as far as is known; true for NULL. */
bool audit_is_ok(struct audit *audit) MUST_USE;
/* Not for NULL. */
void audit_get_status(struct audit *audit, struct audit_status *out);

/* When a checkpoint is made. */
struct audit_rhythm {
    uint64_t records; /* since the last one */
    int64_t seconds;  /* since the last one, if there was a record of somebody else's */
};
enum { AUDIT_CHECKPOINT_RECORDS = 3 /* what making one adds: sign, checkpoint, done */ };

/* Waits at most `ms` for a checkpoint to be due: by the rhythm, because the segment is to be closed
 * (it is, a few seconds later, also without one), or by audit_ask_checkpoint(). False when none is,
 * or the log has failed. */
bool audit_checkpoint_due(struct audit *audit, const struct audit_rhythm *rhythm, int64_t ms,
                          struct audit_head *head) MUST_USE;
/* One is due that covers what is on the disk now. */
void audit_ask_checkpoint(struct audit *audit);
/* Appends the record of a checkpoint over `head`, durable; the rhythm begins anew. */
enum outcome audit_append_checkpoint(struct audit *audit, const struct audit_head *head,
                                     const struct buffer *members, struct deadline deadline,
                                     struct reason *why) MUST_USE;
/* Whether anything has come since the last checkpoint but what making it has added. */
bool audit_has_news(struct audit *audit) MUST_USE;
/* Asks for a checkpoint, and waits until one that covers all that is on the disk now is told of by
 * audit_note_checkpoint(). *out: what it covers. OUTCOME_AUDIT: the log has failed, or an attempt
 * at one has, with its reason; OUTCOME_DEADLINE: nobody has made one. Not for NULL. */
enum outcome audit_seal(struct audit *audit, struct deadline deadline, struct audit_head *out,
                        struct reason *why) MUST_USE;
/* How the last attempt at a checkpoint ended, with its file: why it failed, or "". */
void audit_note_checkpoint(struct audit *audit, const char *detail);
/* What the wall clock said, at least, before this run of the log began: when the newest segment of
 * the run before was begun, or the first one of all. Wall seconds; 0: nobody knows. */
int64_t audit_time_before(struct audit *audit);
/* Removes segments whose records are all covered by the last checkpoint and were written before
 * then (wall seconds); each with a record of its own. */
void audit_expire(struct audit *audit, int64_t before);

#endif
