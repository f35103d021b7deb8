/* SPDX-License-Identifier: Apache-2.0
 * When a checkpoint is due, and what it changes. Who signs it is not the log's affair. */
#include "audit/inside.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

const char *audit_folder(const struct audit *audit)
{
    return audit->folder;
}

/* What making the last one has added is nothing that must be sealed soon. */
static bool has_news(const struct audit *audit)
{
    return audit->durable > audit->covered + AUDIT_CHECKPOINT_RECORDS ||
           (audit->covered == 0 && audit->durable > 0);
}

void audit_note_news_locked(struct audit *audit)
{
    if (!has_news(audit)) {
        audit->news_ms = 0;
    } else if (audit->news_ms == 0) {
        audit->news_ms = clock_monotonic_ms();
    }
}

static bool is_due_locked(struct audit *audit, const struct audit_rhythm *rhythm)
{
    int64_t waited_ms = clock_monotonic_ms() - audit->rhythm_ms;
    return audit->to_seal > audit->covered ||
           (audit_note_full_locked(audit) && !audit->close_now) ||
           audit->durable - audit->covered >= rhythm->records + AUDIT_CHECKPOINT_RECORDS ||
           (has_news(audit) && waited_ms >= rhythm->seconds * 1000);
}

static void look_locked(struct audit *audit, const struct audit_rhythm *rhythm, int64_t ms)
{
    const struct timespec until = deadline_timespec(deadline_in_ms(ms));
    if (!audit->ok || !is_due_locked(audit, rhythm)) {
        (void)pthread_cond_timedwait(&audit->asked, &audit->lock, &until);
    }
}

bool audit_checkpoint_due(struct audit *audit, const struct audit_rhythm *rhythm, int64_t ms,
                          struct audit_head *head)
{
    pthread_mutex_lock(&audit->lock);
    look_locked(audit, rhythm, ms);
    bool due = audit->ok && is_due_locked(audit, rhythm);
    if (due) {
        head->seq = audit->durable;
        memcpy(head->hash, audit->durable_head, sizeof head->hash);
        memcpy(head->chain, audit->chain, sizeof head->chain);
    }
    pthread_mutex_unlock(&audit->lock);
    return due;
}

bool audit_has_news(struct audit *audit)
{
    pthread_mutex_lock(&audit->lock);
    bool news = audit->ok && has_news(audit);
    pthread_mutex_unlock(&audit->lock);
    return news;
}

void audit_note_checkpoint(struct audit *audit, const char *detail)
{
    pthread_mutex_lock(&audit->lock);
    bool news = strcmp(detail, audit->checkpoint_detail) != 0;
    (void)snprintf(audit->checkpoint_detail, sizeof audit->checkpoint_detail, "%s", detail);
    if (detail[0] != '\0') {
        audit->attempts_failed++;
    } else {
        audit->announced = audit->covered;
        memcpy(audit->announced_head, audit->covered_head, sizeof audit->announced_head);
    }
    pthread_cond_broadcast(&audit->synced);
    pthread_mutex_unlock(&audit->lock);
    if (news && detail[0] != '\0') {
        log_warning("audit log: no checkpoint is made: %s", detail);
    }
}

void audit_ask_checkpoint(struct audit *audit)
{
    if (audit == NULL) {
        return;
    }
    pthread_mutex_lock(&audit->lock);
    audit->to_seal = audit->durable;
    pthread_cond_broadcast(&audit->asked);
    pthread_mutex_unlock(&audit->lock);
}

static enum outcome wait_sealed_locked(struct audit *audit, uint64_t seq, struct deadline deadline,
                                       struct reason *why)
{
    const uint64_t failed = audit->attempts_failed;
    const struct timespec until = deadline_timespec(deadline);
    for (;;) {
        if (!audit->ok) {
            return audit_refuse_failed(audit, why);
        }
        if (audit->announced >= seq) {
            return OUTCOME_OK;
        }
        if (audit->attempts_failed != failed) {
            return refuse(why, OUTCOME_AUDIT, "no checkpoint is made: %.400s",
                          audit->checkpoint_detail);
        }
        if (deadline_passed(deadline)) {
            return refuse(why, OUTCOME_DEADLINE, "no checkpoint was made in time%s%.400s",
                          audit->checkpoint_detail[0] == '\0' ? "" : ", and before that: ",
                          audit->checkpoint_detail);
        }
        (void)pthread_cond_timedwait(&audit->synced, &audit->lock, &until);
    }
}

enum outcome audit_seal(struct audit *audit, struct deadline deadline, struct audit_head *out,
                        struct reason *why)
{
    pthread_mutex_lock(&audit->lock);
    audit->to_seal = audit->durable;
    pthread_cond_broadcast(&audit->asked);
    enum outcome outcome = wait_sealed_locked(audit, audit->to_seal, deadline, why);
    if (outcome == OUTCOME_OK) {
        out->seq = audit->announced;
        memcpy(out->hash, audit->announced_head, sizeof out->hash);
        memcpy(out->chain, audit->chain, sizeof out->chain);
    }
    pthread_mutex_unlock(&audit->lock);
    return outcome;
}

enum outcome audit_append_checkpoint(struct audit *audit, const struct audit_head *head,
                                     const struct buffer *members, struct deadline deadline,
                                     struct reason *why)
{
    struct audit_ticket ticket;
    enum outcome outcome =
        audit_append_durable(audit, "checkpoint", members, deadline, &ticket, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    pthread_mutex_lock(&audit->lock);
    audit->covered = head->seq;
    memcpy(audit->covered_head, head->hash, sizeof audit->covered_head);
    audit->checkpoint_at = clock_wall_s();
    audit->rhythm_ms = clock_monotonic_ms();
    audit->news_ms = 0;
    audit_note_news_locked(audit);
    audit->close_now = audit->full_ms != 0;
    pthread_cond_signal(&audit->work);
    pthread_mutex_unlock(&audit->lock);
    return OUTCOME_OK;
}
