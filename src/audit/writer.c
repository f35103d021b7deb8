/* SPDX-License-Identifier: Apache-2.0
 * The thread that writes the audit log: group commit, the next segment, faults and what comes after
 * them. */
#include "audit/inside.h"

#include "audit/record.h"
#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TICK_MS = 1000,
    NOTES_MS = 50, /* a record that nobody waits for goes with the next one, or after this */
    RETRY_MIN_MS = 250,
    RETRY_MAX_MS = 8000,
    LINGER_MAX_US = 2000,
    LINGER_MIN_US = 100, /* less is not worth a timer */
    AVERAGE_OF = 16,
    CLOSE_GRACE_MS = 5000, /* for the checkpoint that a segment ends with */
};

/* Whether the time has passed; it was woken otherwise. */
static bool wait_locked(struct audit *audit, int64_t ms)
{
    const struct timespec until = deadline_timespec(deadline_in_ms(ms));
    return pthread_cond_timedwait(&audit->work, &audit->lock, &until) == ETIMEDOUT;
}

/* --- faults --- */

/* Whatever was not durable never was: the next record has the number after the last durable one. */
static void fail_locked(struct audit *audit, const char *what, int error)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(audit->segment.number, ".jsonl", name);
    audit->ok = false;
    audit->epoch++;
    audit->durable_before = audit->durable;
    audit->seq = audit->durable;
    memcpy(audit->head, audit->durable_head, sizeof audit->head);
    buffer_reset(&audit->pending);
    audit->urgent = false;
    audit->needed = false;
    audit->unrecorded += audit->pending_notes;
    audit->pending_notes = 0;
    (void)snprintf(audit->fault, sizeof audit->fault, "%s: %s: %s", name, what, strerror(error));
    memcpy(audit->detail, audit->fault, sizeof audit->detail);
    audit->faults++;
    audit->since = clock_wall_s();
    segment_abandon(&audit->segment);
    pthread_cond_broadcast(&audit->synced);
    log_error("audit log: %s; nothing is signed until it can be written again", audit->detail);
}

static void try_again(struct audit *audit, int64_t *pause_ms)
{
    struct reason why = {0};
    pthread_mutex_unlock(&audit->lock);
    enum outcome outcome = audit_begin(audit, &why);
    pthread_mutex_lock(&audit->lock);
    if (outcome == OUTCOME_OK) {
        log_info("audit log: goes on in segment %llu after record %llu",
                 (unsigned long long)audit->number, (unsigned long long)audit->first - 1);
        *pause_ms = RETRY_MIN_MS;
        return;
    }
    if (strcmp(audit->detail, why.detail) != 0) {
        memcpy(audit->detail, why.detail, sizeof audit->detail);
        log_error("audit log: %s", audit->detail);
    }
    *pause_ms = *pause_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : *pause_ms * 2;
}

/* --- segments --- */

bool audit_note_full_locked(struct audit *audit)
{
    if (audit->segment.number != audit->number) {
        return false; /* the next one has begun already */
    }
    bool is_old =
        clock_wall_s() - audit->segment_at >= audit->segment_age_s && audit->durable > audit->first;
    if ((audit->bytes >= audit->segment_bytes || is_old) && audit->full_ms == 0) {
        audit->full_ms = clock_monotonic_ms();
        pthread_cond_broadcast(&audit->asked);
    }
    return audit->full_ms != 0;
}

/* A full segment waits a moment for its checkpoint. */
static bool is_to_be_closed_locked(struct audit *audit)
{
    return audit_note_full_locked(audit) &&
           (audit->close_now || audit->bytes >= audit->segment_bytes / 4 * 5 ||
            clock_monotonic_ms() - audit->full_ms >= CLOSE_GRACE_MS);
}

static bool put_end_locked(struct audit *audit, const char *cause)
{
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_text(&members, "cause", cause);
    if (audit->unrecorded > 0) {
        record_put_number(&members, "unrecorded", (int64_t)audit->unrecorded);
    }
    audit->said = audit->unrecorded;
    return buffer_ok(&members) && audit_put_locked(audit, "end", buffer_span(&members));
}

/* The first record of the next segment, in memory, before anybody else's. */
static bool put_next_locked(struct audit *audit, const char *cause, uint64_t bytes)
{
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_number(&members, "segment", (int64_t)audit->number + 1);
    record_put_number(&members, "version", AUDIT_VERSION);
    record_put_text(&members, "chain", audit->chain);
    record_put_text(&members, "cause", cause);
    record_put_number(&members, "previous_bytes", (int64_t)bytes);
    return buffer_ok(&members) && audit_put_locked(audit, "segment", buffer_span(&members));
}

/* --- one batch --- */

struct batch {
    uint64_t last;
    char head[AUDIT_HASH_SIZE];
    uint64_t notes; /* refusals and completions in it */
    bool closing;   /* the segment ends with it */
    bool broken;    /* the next one could not be begun, for want of memory */
};

/* At the stop the batch has its end already. */
static void take_batch_locked(struct audit *audit, struct batch *batch)
{
    const char *cause = audit->bytes >= audit->segment_bytes ? "size" : "age";
    *batch = (struct batch){.closing = !audit->stopping && is_to_be_closed_locked(audit)};
    batch->closing = batch->closing && put_end_locked(audit, cause);
    batch->last = audit->seq;
    memcpy(batch->head, audit->head, sizeof batch->head);
    audit->urgent = false;
    audit->needed = false;
    batch->notes = audit->pending_notes;
    audit->pending_notes = 0;
    struct buffer empty = audit->writing;
    audit->writing = audit->pending;
    audit->pending = empty;
    if (batch->closing) {
        batch->broken = !put_next_locked(audit, cause, audit->bytes + audit->writing.len);
    }
}

/* A segment counts from its first durable record on: a fault before that leaves the one before as
 * the last. */
static void note_durable_locked(struct audit *audit, const struct batch *batch)
{
    if (audit->segment.number != audit->number) {
        audit->number = audit->segment.number;
        audit->first = audit->durable + 1;
        audit->segment_at = clock_wall_s();
    }
    audit->durable = batch->last;
    audit->unrecorded -= batch->closing ? audit->said : 0;
    memcpy(audit->durable_head, batch->head, sizeof audit->durable_head);
    audit->bytes = audit->segment.end;
    audit_note_news_locked(audit);
    pthread_cond_broadcast(&audit->synced);
}

static void next_segment_locked(struct audit *audit)
{
    struct segment next = SEGMENT_NONE;
    const char *what = "closing it";
    pthread_mutex_unlock(&audit->lock);
    int done = segment_finish(&audit->segment);
    if (done == 0) {
        what = "beginning the next one";
        done = segment_create(audit->folder_fd, audit->number + 1, &next);
    }
    int error = errno;
    pthread_mutex_lock(&audit->lock);
    if (done != 0) {
        fail_locked(audit, what, error);
        return;
    }
    audit->segment = next;
    audit->full_ms = 0;
    audit->close_now = false;
}

static void write_batch_locked(struct audit *audit)
{
    struct batch batch;
    take_batch_locked(audit, &batch);
    pthread_mutex_unlock(&audit->lock);
    int64_t begun = clock_monotonic_us();
    int done = segment_append(&audit->segment, buffer_span(&audit->writing));
    int error = errno;
    int64_t took = clock_monotonic_us() - begun;
    buffer_reset(&audit->writing);
    pthread_mutex_lock(&audit->lock);
    audit->sync_us += (took - audit->sync_us) / AVERAGE_OF;
    if (done != 0) {
        audit->unrecorded += batch.notes;
        fail_locked(audit, "writing it", error);
        return;
    }
    note_durable_locked(audit, &batch);
    if (batch.broken) {
        fail_locked(audit, "beginning the next one", ENOMEM);
    } else if (batch.closing) {
        next_segment_locked(audit);
    }
}

/* --- the thread --- */

static void finish_locked(struct audit *audit)
{
    audit_flush_flood_locked(audit, INT64_MAX);
    bool ends = audit->ok && put_end_locked(audit, "stop");
    if (audit->ok && !ends) { /* no room: what waits comes first */
        write_batch_locked(audit);
        ends = audit->ok && put_end_locked(audit, "stop");
    }
    if (!ends) {
        return;
    }
    write_batch_locked(audit);
    if (audit->ok && segment_finish(&audit->segment) != 0) {
        log_error("audit log: segment %llu could not be closed: %s",
                  (unsigned long long)audit->number, strerror(errno));
    }
}

/* Syncs are dear: records that nobody waits for do not ask for one of their own. Only when nothing
 * has come for a while does it sleep until it is woken. */
static bool rest_locked(struct audit *audit, bool rested)
{
    audit->idle = rested && audit->pending.len == 0;
    bool over = wait_locked(audit, audit->idle ? TICK_MS : NOTES_MS);
    audit->idle = false;
    return over;
}

/* A sync takes whatever has come by then, so the later it begins, the fewer there are: it may, by
 * as much as those who will wait are busy with their token longer than it takes itself. Whether the
 * time has not come yet. */
static bool linger_locked(struct audit *audit)
{
    int64_t spare = audit->work_us - 2 * audit->sync_us;
    int64_t left =
        (spare < LINGER_MAX_US ? spare : LINGER_MAX_US) - (clock_monotonic_us() - audit->urgent_us);
    if (!audit->urgent || audit->needed || left < LINGER_MIN_US) {
        return false;
    }
    const struct timespec until =
        deadline_timespec((struct deadline){.at_us = clock_monotonic_us() + left});
    (void)pthread_cond_timedwait(&audit->work, &audit->lock, &until);
    return true;
}

void *audit_writer(void *context)
{
    struct audit *audit = context;
    int64_t pause_ms = RETRY_MIN_MS;
    bool rested = false;
    pthread_mutex_lock(&audit->lock);
    while (!audit->stopping) {
        if (!audit->ok) {
            (void)wait_locked(audit, pause_ms);
            if (!audit->stopping) {
                try_again(audit, &pause_ms);
            }
            continue;
        }
        audit_flush_flood_locked(audit, clock_monotonic_ms() / 1000);
        if (!audit->urgent && !is_to_be_closed_locked(audit) &&
            !(rested && audit->pending.len > 0)) {
            rested = rest_locked(audit, rested);
            continue;
        }
        if (linger_locked(audit)) {
            continue;
        }
        write_batch_locked(audit);
        rested = false;
    }
    finish_locked(audit);
    pthread_mutex_unlock(&audit->lock);
    return NULL;
}

/* --- open and close --- */

static bool prepare(struct audit *audit)
{
    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic) != 0) {
        return false;
    }
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&audit->lock, NULL);
    pthread_cond_init(&audit->work, &monotonic);
    pthread_cond_init(&audit->synced, &monotonic);
    pthread_cond_init(&audit->asked, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return true;
}

static void release(struct audit *audit)
{
    segment_abandon(&audit->segment);
    fd_close(&audit->folder_fd);
    fd_close(&audit->lock_fd);
    buffer_fini(&audit->pending);
    buffer_fini(&audit->writing);
    pthread_cond_destroy(&audit->work);
    pthread_cond_destroy(&audit->synced);
    pthread_cond_destroy(&audit->asked);
    pthread_mutex_destroy(&audit->lock);
    free(audit);
}

enum outcome audit_open(const struct audit_options *options, struct audit **out, struct reason *why)
{
    struct reason inner = {0};
    struct audit *audit = calloc(1, sizeof *audit);
    if (audit == NULL || !prepare(audit)) {
        free(audit);
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    (void)snprintf(audit->folder, sizeof audit->folder, "%s", options->folder);
    audit->segment_bytes = options->segment_bytes;
    audit->segment_age_s = options->segment_age_s;
    audit->folder_fd = -1;
    audit->lock_fd = -1;
    audit->segment = SEGMENT_NONE;
    audit->epoch = 1;
    audit->pending = BUFFER_INIT(AUDIT_BATCH_MAX);
    audit->writing = BUFFER_INIT(AUDIT_BATCH_MAX);
    audit->rhythm_ms = clock_monotonic_ms();
    if (audit_begin(audit, &inner) != OUTCOME_OK) {
        memcpy(audit->detail, inner.detail, sizeof audit->detail);
        audit->since = clock_wall_s();
        audit->faults = 1;
        log_error("audit log: %s; nothing is signed until it can be written", inner.detail);
    }
    if (pthread_create(&audit->writer, NULL, audit_writer, audit) != 0) {
        release(audit);
        return refuse(why, OUTCOME_INTERNAL, "no thread for the audit log");
    }
    *out = audit;
    return OUTCOME_OK;
}

void audit_close(struct audit *audit)
{
    if (audit == NULL) {
        return;
    }
    pthread_mutex_lock(&audit->lock);
    audit->stopping = true;
    pthread_cond_signal(&audit->work);
    pthread_mutex_unlock(&audit->lock);
    (void)pthread_join(audit->writer, NULL);
    release(audit);
}
