/* SPDX-License-Identifier: Apache-2.0
 * Appending to the audit log, and waiting for the disk. What the thread does is in writer.c. */
#include "audit/inside.h"

#include "audit/record.h"
#include "jose/sha256.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { US = 1000000, NS_OF_US = 1000, AVERAGE_OF = 16 };

static int64_t wall_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * US + now.tv_nsec / NS_OF_US;
}

bool audit_put_locked(struct audit *audit, const char *kind, struct span members)
{
    struct buffer *pending = &audit->pending;
    size_t start = pending->len;
    audit_line_begin(pending, audit->seq + 1, audit->head, wall_us(), kind);
    buffer_put_span(pending, members);
    buffer_put_text(pending, "}\n");
    struct span line = span_part(buffer_span(pending), start, pending->len);
    if (!buffer_ok(pending) || line.len > AUDIT_LINE_MAX || !sha256_text(line, audit->head)) {
        pending->failed = false;
        buffer_cut(pending, start);
        return false;
    }
    audit->seq++;
    return true;
}

static enum outcome refuse_because(const char *detail, struct reason *why)
{
    return refuse(why, OUTCOME_AUDIT, "the audit log cannot be written: %.400s", detail);
}

enum outcome audit_refuse_failed(const struct audit *audit, struct reason *why)
{
    return refuse_because(audit->detail, why);
}

static enum outcome append_locked(struct audit *audit, const char *kind, struct span members,
                                  struct audit_ticket *ticket, struct reason *why)
{
    if (!audit->ok) {
        return audit_refuse_failed(audit, why);
    }
    if (!audit_put_locked(audit, kind, members)) {
        return refuse(why, OUTCOME_AUDIT, "the audit log takes no more before its disk answers");
    }
    if (!audit->urgent) {
        audit->urgent = true;
        audit->urgent_us = clock_monotonic_us();
    }
    *ticket = (struct audit_ticket){
        .epoch = audit->epoch, .seq = audit->seq, .since_us = clock_monotonic_us()};
    return OUTCOME_OK;
}

enum outcome audit_append(struct audit *audit, const char *kind, const struct buffer *members,
                          struct audit_ticket *ticket, struct reason *why)
{
    *ticket = (struct audit_ticket){0};
    if (audit == NULL) {
        return OUTCOME_OK;
    }
    if (!buffer_ok(members)) {
        return refuse(why, OUTCOME_AUDIT, "the record does not fit");
    }
    pthread_mutex_lock(&audit->lock);
    bool wakes = !audit->urgent;
    enum outcome outcome = append_locked(audit, kind, buffer_span(members), ticket, why);
    pthread_mutex_unlock(&audit->lock);
    if (wakes && outcome == OUTCOME_OK) {
        pthread_cond_signal(&audit->work);
    }
    return outcome;
}

/* Whether the record was durable when its epoch ended, or is now. */
static bool is_durable(const struct audit *audit, const struct audit_ticket *ticket)
{
    if (ticket->epoch == audit->epoch) {
        return ticket->seq <= audit->durable;
    }
    return ticket->epoch + 1 == audit->epoch && ticket->seq <= audit->durable_before;
}

static enum outcome wait_locked(struct audit *audit, const struct audit_ticket *ticket,
                                struct deadline deadline, struct reason *why)
{
    const struct timespec until = deadline_timespec(deadline);
    audit->work_us += (clock_monotonic_us() - ticket->since_us - audit->work_us) / AVERAGE_OF;
    if (!is_durable(audit, ticket) && !audit->needed) {
        audit->needed = true;
        pthread_cond_signal(&audit->work);
    }
    while (!is_durable(audit, ticket)) {
        if (ticket->epoch != audit->epoch) {
            return refuse_because(audit->fault, why); /* it may have gone on since */
        }
        if (deadline_passed(deadline)) {
            return refuse(why, OUTCOME_DEADLINE,
                          "the audit record was not on the disk before the deadline");
        }
        (void)pthread_cond_timedwait(&audit->synced, &audit->lock, &until);
    }
    return OUTCOME_OK;
}

enum outcome audit_wait(struct audit *audit, const struct audit_ticket *ticket,
                        struct deadline deadline, struct reason *why)
{
    if (audit == NULL) {
        return OUTCOME_OK;
    }
    pthread_mutex_lock(&audit->lock);
    enum outcome outcome = wait_locked(audit, ticket, deadline, why);
    pthread_mutex_unlock(&audit->lock);
    return outcome;
}

enum outcome audit_append_durable(struct audit *audit, const char *kind,
                                  const struct buffer *members, struct deadline deadline,
                                  struct audit_ticket *ticket, struct reason *why)
{
    enum outcome outcome = audit_append(audit, kind, members, ticket, why);
    return outcome == OUTCOME_OK ? audit_wait(audit, ticket, deadline, why) : outcome;
}

static void note_locked(struct audit *audit, const char *kind, const struct buffer *members)
{
    if (!audit->ok || !buffer_ok(members) || !audit_put_locked(audit, kind, buffer_span(members))) {
        audit->unrecorded++;
        return;
    }
    audit->pending_notes++;
    if (audit->idle) {
        pthread_cond_signal(&audit->work);
    }
}

void audit_note(struct audit *audit, const char *kind, const struct buffer *members)
{
    if (audit == NULL) {
        return;
    }
    pthread_mutex_lock(&audit->lock);
    note_locked(audit, kind, members);
    pthread_mutex_unlock(&audit->lock);
}

void audit_done(struct audit *audit, const struct audit_ticket *ticket, const char *outcome,
                struct span released)
{
    if (audit == NULL || ticket->epoch == 0) {
        return;
    }
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_number(&members, "of", (int64_t)ticket->seq);
    record_put_text(&members, "outcome", outcome);
    record_put_number(&members, "us", clock_monotonic_us() - ticket->since_us);
    if (released.len > 0) {
        record_put_digest(&members, "released_sha256", released);
    }
    pthread_mutex_lock(&audit->lock);
    /* Of a record that never came to the disk there is nothing to say: its number is another's. */
    if (ticket->epoch == audit->epoch || is_durable(audit, ticket)) {
        note_locked(audit, "done", &members);
    } else {
        audit->unrecorded++;
    }
    pthread_mutex_unlock(&audit->lock);
}

static void put_refusal(struct buffer *out, const struct audit_refusal *refusal)
{
    record_put_text_if(out, "request", refusal->request);
    record_put_text_if(out, "interaction", refusal->interaction);
    record_put_caller(out, &refusal->caller);
    record_put_text_if(out, "caller", refusal->caller_name);
    record_put_text(out, "operation", refusal->operation);
    record_put_text_if(out, "profile", refusal->profile);
    record_put_text_if(out, "role", refusal->role);
    record_put_text(out, "outcome", outcome_name(refusal->outcome));
    record_put_text_if(out, "claim", refusal->claim);
    record_put_text(out, "detail", refusal->detail);
}

static struct flood_kind kind_of(const struct audit_refusal *refusal)
{
    struct flood_kind kind = {.caller = refusal->caller, .outcome = refusal->outcome};
    (void)snprintf(kind.operation, sizeof kind.operation, "%s", refusal->operation);
    (void)snprintf(kind.caller_name, sizeof kind.caller_name, "%s",
                   refusal->caller_name == NULL ? "" : refusal->caller_name);
    return kind;
}

void audit_refused(struct audit *audit, const struct audit_refusal *refusal)
{
    if (audit == NULL) {
        return;
    }
    const struct flood_kind kind = kind_of(refusal);
    pthread_mutex_lock(&audit->lock);
    bool alone = flood_allows(&audit->flood, &kind, clock_monotonic_ms() / 1000);
    pthread_mutex_unlock(&audit->lock);
    if (alone) {
        BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
        put_refusal(&members, refusal);
        audit_note(audit, "refused", &members);
    }
}

void audit_flush_flood_locked(struct audit *audit, int64_t second)
{
    struct flood_kind kind;
    while (audit->ok && flood_take(&audit->flood, second, &kind)) {
        BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
        record_put_caller(&members, &kind.caller);
        record_put_text_if(&members, "caller", kind.caller_name);
        record_put_text(&members, "operation", kind.operation);
        record_put_text(&members, "outcome", outcome_name(kind.outcome));
        record_put_number(&members, "count", (int64_t)kind.counted);
        if (!buffer_ok(&members) || !audit_put_locked(audit, "refused", buffer_span(&members))) {
            audit->unrecorded += kind.counted;
        } else {
            audit->pending_notes += kind.counted;
        }
    }
}

bool audit_is_ok(struct audit *audit)
{
    if (audit == NULL) {
        return true;
    }
    pthread_mutex_lock(&audit->lock);
    bool ok = audit->ok;
    pthread_mutex_unlock(&audit->lock);
    return ok;
}

void audit_get_status(struct audit *audit, struct audit_status *out)
{
    pthread_mutex_lock(&audit->lock);
    *out = (struct audit_status){
        .ok = audit->ok,
        .segment = audit->number,
        .durable = audit->durable,
        .bytes = audit->bytes,
        .unrecorded = audit->unrecorded,
        .faults = audit->faults,
        .since = audit->since,
        .covered = audit->covered,
        .checkpoint_at = audit->checkpoint_at,
    };
    if (audit->news_ms != 0) {
        out->unsealed_s = (clock_monotonic_ms() - audit->news_ms) / 1000;
    }
    memcpy(out->detail, audit->detail, sizeof out->detail);
    memcpy(out->checkpoint_detail, audit->checkpoint_detail, sizeof out->checkpoint_detail);
    memcpy(out->chain, audit->chain, sizeof out->chain);
    pthread_mutex_unlock(&audit->lock);
}
