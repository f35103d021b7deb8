/* SPDX-License-Identifier: Apache-2.0
 * Configuration, profiles and keyring read anew: all of them, or nothing changes. */
#include "custody/act.h"

#include "audit/record.h"
#include "base/clock.h"
#include "base/log.h"

#include <string.h>

enum { RECORD_DEADLINE_MS = 5000 };

static void put_policy(const struct view *view, struct buffer *members)
{
    view_put_record(view, members);
    record_put_number(members, "generation", (int64_t)view->policy->generation);
}

static void note_policy(struct custody *custody, const struct view *view)
{
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    put_policy(view, &members);
    audit_note(custody->room.audit, "policy", &members);
}

/* What will be in force, on the disk before it is. A record that is late may still come there: then
 * what stays in force is said once more, behind it. */
static enum outcome record_policy(struct custody *custody, const struct view *next,
                                  struct reason *why)
{
    struct audit_ticket ticket;
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    put_policy(next, &members);
    enum outcome outcome = audit_append_durable(custody->room.audit, "policy", &members,
                                                deadline_in_ms(RECORD_DEADLINE_MS), &ticket, why);
    if (outcome == OUTCOME_DEADLINE) {
        struct view *now = view_cell_get(custody->room.views);
        note_policy(custody, now);
        view_unref(now);
        outcome = OUTCOME_AUDIT;
    }
    return outcome;
}

void reload_record_again(struct custody *custody)
{
    struct audit_status status;
    if (custody->room.audit == NULL) {
        return;
    }
    audit_get_status(custody->room.audit, &status);
    if (!status.ok || status.faults == custody->faults) {
        return;
    }
    pthread_mutex_lock(&custody->change);
    struct view *now = view_cell_get(custody->room.views);
    note_policy(custody, now);
    view_unref(now);
    pthread_mutex_unlock(&custody->change);
    custody->faults = status.faults;
}

static enum outcome reload_locked(struct custody *custody, struct reason *why)
{
    struct view *now = view_cell_get(custody->room.views);
    struct policy *policy = NULL;
    struct keyring *keyring = NULL;
    enum outcome outcome =
        policy_load(custody->room.config_path, now->policy->generation + 1, &policy, why);
    if (outcome == OUTCOME_OK) {
        outcome = keyring_load(custody->room.keyring_path, &keyring, why);
    }
    if (outcome == OUTCOME_OK && keyring->generation < now->keyring->generation) {
        outcome =
            refuse(why, OUTCOME_RULE, "%s: generation %llu is older than %llu, which is in force",
                   custody->room.keyring_path, (unsigned long long)keyring->generation,
                   (unsigned long long)now->keyring->generation);
    }
    view_unref(now);
    if (outcome != OUTCOME_OK) {
        keyring_free(keyring);
        policy_unref(policy);
        return outcome;
    }
    struct view *next = NULL;
    outcome = view_new(policy, keyring, &next, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = record_policy(custody, next, why);
    if (outcome != OUTCOME_OK) {
        view_unref(next);
        return outcome;
    }
    view_cell_set(custody->room.views, next);
    return OUTCOME_OK;
}

static void note_reload(struct custody *custody, const struct custody_reload_report *report)
{
    pthread_mutex_lock(&custody->report);
    custody->reload = *report;
    pthread_mutex_unlock(&custody->report);
}

enum outcome custody_reload(struct custody *custody, struct reason *why)
{
    pthread_mutex_lock(&custody->change);
    enum outcome outcome = reload_locked(custody, why);
    pthread_mutex_unlock(&custody->change);
    struct custody_reload_report report = {.at = clock_wall_s(), .refused = outcome != OUTCOME_OK};
    if (outcome == OUTCOME_OK) {
        log_info("configuration, profiles and keyring were read anew");
    } else {
        memcpy(report.detail, why->detail, sizeof report.detail);
        log_error("reload refused, the old configuration stays in force: %s", why->detail);
    }
    note_reload(custody, &report);
    return outcome;
}

enum outcome act_reload(struct act *act, struct reason *why)
{
    enum outcome outcome = custody_reload(act->custody, why);
    if (outcome == OUTCOME_OK) {
        struct custody_room *room = &act->custody->room;
        struct view *view = view_cell_get(room->views);
        struct door_front front;
        bool is_there = room->front_about(room->front, &front);
        buffer_put_format(act->result, "{\"generation\":%llu,\"keyring_generation\":%llu,",
                          (unsigned long long)view->policy->generation,
                          (unsigned long long)view->keyring->generation);
        report_rooms(act->result, view, room->watch, is_there ? &front : NULL,
                     &act->custody->start);
        buffer_put_text(act->result, ",");
        report_dropped(act->result, act->view->policy->config, view->policy->config);
        buffer_put_text(act->result, "}");
        view_unref(view);
    }
    return outcome;
}
