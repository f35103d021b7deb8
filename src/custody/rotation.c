/* SPDX-License-Identifier: Apache-2.0
 * qsealctl rotation plan, apply, cancel. */
#include "custody/rotation.h"

#include "base/log.h"
#include "base/utc.h"
#include "custody/effect.h"

#include <stdio.h>
#include <string.h>

enum { PLAN_LEAD_S = 300 /* to read the plan and apply it */ };

static const char *const names[] = {"role", "token", "publish_at", "activate_at", "reason", NULL};

static void put_step(struct buffer *out, size_t *n, const struct key *key, enum key_state to,
                     int64_t at)
{
    buffer_put_text(out, (*n)++ == 0 ? "{" : ",{");
    report_time(out, "at", at);
    buffer_put_format(out, ",\"token\":\"%s\",\"kid\":\"%s\",\"state\":\"%s\"}", key->token,
                      public_key_thumbprint(key->public_key), key_state_name(to));
}

/* In the order of time. */
static void put_steps(struct buffer *out, const struct rotation *rotation)
{
    size_t n = 0;
    for (size_t i = 0; i < rotation->n; i++) {
        if (!rotation->keys[i].is_published) {
            put_step(out, &n, rotation->keys[i].key, KEY_PUBLISHED, rotation->publish_at);
        }
    }
    for (size_t i = 0; i < rotation->n; i++) {
        if (rotation->keys[i].former != NULL) {
            put_step(out, &n, rotation->keys[i].former, KEY_RETIRING, rotation->activate_at);
        }
        put_step(out, &n, rotation->keys[i].key, KEY_ACTIVE, rotation->activate_at);
    }
    for (size_t i = 0; i < rotation->n; i++) {
        if (rotation->keys[i].former != NULL && rotation->retires) {
            put_step(out, &n, rotation->keys[i].former, KEY_RETIRED, rotation->retire_at);
        }
    }
}

/* What would apply this plan; its words are names and times. */
static void put_command(struct buffer *out, const struct rotation *rotation)
{
    char at[UTC_SIZE];
    buffer_put_format(out, ",\"command\":\"qsealctl rotation apply %s", rotation->role->name);
    if (rotation->only != NULL) {
        buffer_put_format(out, " --token %s", rotation->only->name);
    }
    if (rotation->publishes) {
        buffer_put_format(out, " --publish-at %s", utc_text(rotation->publish_at, at));
    }
    buffer_put_format(out, " --activate-at %s\"", utc_text(rotation->activate_at, at));
}

/* Without the closing brace. */
static void put_rotation(struct buffer *out, const struct rotation *rotation)
{
    buffer_put_format(out, "{\"role\":\"%s\",", rotation->role->name);
    report_time(out, "now", rotation->now);
    if (rotation->publishes) {
        buffer_put_text(out, ",");
        report_time(out, "publish_at", rotation->publish_at);
    }
    buffer_put_text(out, ",");
    report_time(out, "activate_at", rotation->activate_at);
    buffer_put_text(out, ",\"steps\":[");
    put_steps(out, rotation);
    buffer_put_text(out, "],\"warnings\":[");
    buffer_put_span(out, buffer_span(&rotation->warnings));
    buffer_put_text(out, "]");
}

enum outcome act_rotation_plan(struct act *act, struct reason *why)
{
    struct rotation rotation = {.n = 0, .warnings = BUFFER_INIT(ROTATION_WARNINGS_MAX)};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome == OUTCOME_OK) {
        outcome = rotation_make(act, PLAN_LEAD_S, &rotation, why);
    }
    if (outcome == OUTCOME_OK) {
        put_rotation(act->result, &rotation);
        put_command(act->result, &rotation);
        buffer_put_text(act->result, "}");
    }
    buffer_fini(&rotation.warnings);
    return outcome;
}

static void schedule_step(struct keyring_schedule *schedule, const struct key_change *change,
                          enum key_state to, int64_t at)
{
    struct key_planned *step = &schedule->steps[schedule->n++];
    *step = (struct key_planned){.change = *change, .made_at = change->at};
    step->change.state = to;
    step->change.at = at;
}

static size_t make_schedules(const struct act *act, const struct rotation *rotation,
                             const struct key_change *change, struct keyring_schedule *out)
{
    const struct key *first = act->view->keyring->keys;
    size_t n = 0;
    for (size_t i = 0; i < rotation->n; i++) {
        const struct rotation_key *row = &rotation->keys[i];
        struct keyring_schedule *schedule = &out[n++];
        *schedule = (struct keyring_schedule){.index = (size_t)(row->key - first)};
        if (!row->is_published) {
            schedule_step(schedule, change, KEY_PUBLISHED, rotation->publish_at);
        }
        schedule_step(schedule, change, KEY_ACTIVE, rotation->activate_at);
        if (row->former == NULL) {
            continue;
        }
        schedule = &out[n++];
        *schedule = (struct keyring_schedule){.index = (size_t)(row->former - first)};
        schedule_step(schedule, change, KEY_RETIRING, rotation->activate_at);
        if (rotation->retires) {
            schedule_step(schedule, change, KEY_RETIRED, rotation->retire_at);
        }
    }
    return n;
}

static bool is_absolute(const struct act *act, const char *name)
{
    int64_t at;
    return utc_read(span_of_text(act_argument(act, name)), &at);
}

/* What a second person approves must be the same when it is approved. */
static enum outcome check_times(const struct act *act, const struct rotation *rotation,
                                struct reason *why)
{
    bool named =
        is_absolute(act, "activate_at") && (!rotation->publishes || is_absolute(act, "publish_at"));
    return named || !act_is_held_up(act)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE,
                        "where changes are approved the times are named, like "
                        "2026-11-21T09:30:00Z: qsealctl rotation plan %s prints the command",
                        rotation->role->name);
}

/* The schedules as they will be; *next is the keyring with them. */
static enum outcome decide(struct act *act, const struct keyring_schedule *schedules, size_t n,
                           struct keyring **next, bool *go, struct reason *why)
{
    json_t *effect = effect_new();
    for (size_t i = 0; i < n; i++) {
        effect_put_schedule(&effect, &act->view->keyring->keys[schedules[i].index], &schedules[i]);
    }
    enum outcome outcome = keyring_set_schedules(act->view->keyring, schedules, n, next, why);
    if (outcome != OUTCOME_OK) {
        json_decref(effect);
        return outcome;
    }
    outcome = act_decide(act, effect, go, why);
    if (outcome != OUTCOME_OK || !*go) {
        keyring_free(*next);
        *next = NULL;
    }
    return outcome;
}

static void report_applied(struct act *act, const struct rotation *rotation, uint64_t generation)
{
    char at[UTC_SIZE];
    put_rotation(act->result, rotation);
    buffer_put_format(act->result, ",\"generation\":%llu}", (unsigned long long)generation);
    log_info("a rotation of role %s on %zu tokens was scheduled by uid %u; the switch is at %s",
             rotation->role->name, rotation->n, act->peer.uid, utc_text(rotation->activate_at, at));
}

static enum outcome apply_locked(struct act *act, struct rotation *rotation, struct reason *why)
{
    struct keyring_schedule schedules[STEPS_MAX];
    struct keyring *next = NULL;
    struct key_change change;
    bool go = false;
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    enum outcome outcome = rotation_make(act, 0, rotation, why);
    if (outcome == OUTCOME_OK) {
        outcome = change_by(act, KEY_ACTIVE, &change, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_times(act, rotation, why);
    }
    if (outcome == OUTCOME_OK) {
        size_t n = make_schedules(act, rotation, &change, schedules);
        outcome = decide(act, schedules, n, &next, &go, why);
    }
    if (outcome != OUTCOME_OK || !go) {
        return outcome;
    }
    uint64_t generation = next->generation;
    outcome = act_install_locked(act, next, why);
    if (outcome == OUTCOME_OK) {
        report_applied(act, rotation, generation);
    }
    return outcome;
}

enum outcome act_rotation_apply(struct act *act, struct reason *why)
{
    struct rotation rotation = {.n = 0, .warnings = BUFFER_INIT(ROTATION_WARNINGS_MAX)};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome == OUTCOME_OK) {
        pthread_mutex_lock(&act->custody->change);
        outcome = apply_locked(act, &rotation, why);
        pthread_mutex_unlock(&act->custody->change);
    }
    buffer_fini(&rotation.warnings);
    return outcome;
}

/* Also of a role that is not in the configuration any more. */
static enum outcome select_scheduled(const struct act *act, struct selection *out,
                                     struct reason *why)
{
    const struct keyring *keyring = act->view->keyring;
    const char *role = act_argument(act, "role");
    const char *token = act_argument(act, "token");
    bool known = role != NULL && config_role(act->view->policy->config, role) != NULL;
    for (size_t i = 0; role != NULL && i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        if (strcmp(key->role, role) != 0) {
            continue;
        }
        known = true;
        if (key->n_schedule == 0 || (token != NULL && strcmp(key->token, token) != 0)) {
            continue;
        }
        if (out->n == SELECTION_ROOM) {
            return refuse(why, OUTCOME_RULE, "more than %d keys: name a token with --token",
                          SELECTION_ROOM);
        }
        out->indexes[out->n++] = i;
    }
    if (!known) {
        return refuse(why, OUTCOME_NOT_FOUND, "there is no such role");
    }
    return out->n > 0 ? OUTCOME_OK
                      : refuse(why, OUTCOME_RULE, "nothing is scheduled for keys of role %s%s%s",
                               role, token == NULL ? "" : " on token ", token == NULL ? "" : token);
}

static enum outcome cancel_locked(struct act *act, struct reason *why)
{
    struct keyring_schedule schedules[SELECTION_ROOM];
    struct selection selection = {.n = 0};
    struct keyring *next = NULL;
    bool go = false;
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    enum outcome outcome = select_scheduled(act, &selection, why);
    for (size_t i = 0; i < selection.n; i++) {
        schedules[i] = (struct keyring_schedule){.index = selection.indexes[i]};
    }
    if (outcome == OUTCOME_OK) {
        outcome = decide(act, schedules, selection.n, &next, &go, why);
    }
    if (outcome != OUTCOME_OK || !go) {
        return outcome;
    }
    outcome = act_install_locked(act, next, why);
    if (outcome == OUTCOME_OK) {
        struct view *now = view_cell_get(act->custody->room.views);
        change_report(act, act->view->keyring, now->keyring, &selection, NULL);
        view_unref(now);
    }
    return outcome;
}

enum outcome act_rotation_cancel(struct act *act, struct reason *why)
{
    static const char *const cancel_names[] = {"role", "token", NULL};
    enum outcome outcome = act_check_arguments(act, cancel_names, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    pthread_mutex_lock(&act->custody->change);
    outcome = cancel_locked(act, why);
    pthread_mutex_unlock(&act->custody->change);
    return outcome;
}
