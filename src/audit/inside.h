/* SPDX-License-Identifier: Apache-2.0
 * Inside src/audit only: the log's state, shared by those who append and the thread that writes. */
#ifndef QSEAL_AUDIT_INSIDE_H
#define QSEAL_AUDIT_INSIDE_H

#include "audit/audit.h"
#include "audit/flood.h"
#include "audit/recover.h"
#include "audit/segment.h"

#include <limits.h>
#include <pthread.h>

struct audit {
    char folder[PATH_MAX];
    uint64_t segment_bytes;
    int64_t segment_age_s;
    pthread_t writer;
    pthread_mutex_t lock;  /* guards all below but what is the writer's own */
    pthread_cond_t work;   /* for the writer: there is something to do */
    pthread_cond_t synced; /* for those who wait: a batch is on the disk, or never will be; or
                              there is a checkpoint, or there was to be one */
    pthread_cond_t asked;  /* for who makes checkpoints */
    bool stopping;

    bool ok;
    char detail[REASON_DETAIL_SIZE]; /* why not */
    char fault[REASON_DETAIL_SIZE];  /* why the epoch before ended */
    int64_t since;                   /* wall seconds: of this state */
    uint64_t faults;
    uint64_t unrecorded;
    uint64_t said; /* of these, in a record that is on its way to the disk */

    char chain[UUID_TEXT_SIZE];
    uint64_t seq;                       /* of the last record appended */
    char head[AUDIT_HASH_SIZE];         /* its hash */
    struct buffer pending;              /* records that wait for the writer */
    bool urgent;                        /* one of them is for somebody who will wait for it */
    bool needed;                        /* and does so now */
    int64_t urgent_us;                  /* monotonic: since when */
    int64_t work_us;                    /* how long who will wait is busy otherwise, on average */
    int64_t sync_us;                    /* how long a batch takes, on average */
    bool idle;                          /* the writer has nothing to look for until it is woken */
    uint64_t pending_notes;             /* refusals and completions among them */
    uint64_t epoch;                     /* from 1; one more at each fault */
    uint64_t durable;                   /* seq of the last record on the disk */
    char durable_head[AUDIT_HASH_SIZE]; /* its hash */
    uint64_t durable_before;            /* when the epoch before ended */
    uint64_t number;                    /* of the segment that holds it */
    uint64_t bytes;                     /* of that segment, up to where it holds */
    uint64_t first;                     /* seq of the segment's first record */
    int64_t segment_at;                 /* wall seconds: when the segment was begun */
    int64_t full_ms;                    /* monotonic: since when it is to be closed; 0: it is not */
    bool close_now;                     /* it need not wait any more for a checkpoint */

    struct flood flood;
    uint64_t covered;                   /* by the last checkpoint */
    char covered_head[AUDIT_HASH_SIZE]; /* its hash; "" when it is of another run */
    uint64_t announced;                 /* covered, and all about that checkpoint is done */
    char announced_head[AUDIT_HASH_SIZE];
    uint64_t to_seal;         /* a checkpoint is to cover this record: one is asked for */
    uint64_t attempts_failed; /* at a checkpoint */
    char checkpoint_detail[REASON_DETAIL_SIZE];
    int64_t checkpoint_at; /* wall seconds */
    int64_t rhythm_ms;     /* monotonic: since the last checkpoint, or the start */
    int64_t news_ms;       /* monotonic: since when there is something to seal; 0: nothing */

    /* the writer's own */
    int folder_fd; /* -1: not open yet */
    int lock_fd;   /* locked against another process */
    struct segment segment;
    struct buffer writing; /* the batch on its way */
    bool recovered;        /* it is known where the log stands */
};

/* Puts a record at the end of the chain. False: there is no room, or no SHA-256; nothing was
 * changed. */
bool audit_put_locked(struct audit *audit, const char *kind, struct span members) MUST_USE;
/* OUTCOME_AUDIT: why the log cannot be written. */
enum outcome audit_refuse_failed(const struct audit *audit, struct reason *why);
/* What was counted before that second of the monotonic clock becomes records. */
void audit_flush_flood_locked(struct audit *audit, int64_t second);
/* After a change of what is on the disk, or covered: since when there is something to seal. */
void audit_note_news_locked(struct audit *audit);
/* Whether the segment is long or old enough to be closed; since when is noted, and who makes
 * checkpoints is woken. */
bool audit_note_full_locked(struct audit *audit);

/* Begins a segment: the first one, after what a process before has left, or the next one after a
 * fault. The lock is not held; nobody appends meanwhile. */
enum outcome audit_begin(struct audit *audit, struct reason *why) MUST_USE;
/* The thread; NULL. */
void *audit_writer(void *audit);

#endif
