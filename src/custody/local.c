/* SPDX-License-Identifier: Apache-2.0
 * The administrators' verbs: who may ask which is a table; changes go one at a time through one
 * lock. */
#include "custody/local.h"

#include "base/clock.h"
#include "base/log.h"
#include "custody/act_record.h"
#include "jose/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verb_row {
    const char *name;
    unsigned int rights; /* any of these; and NEEDS_CLOCK, TWO_PERSONS, ASKS_TOKENS */
    enum outcome (*handle)(struct act *act, struct reason *why);
};

struct custody *custody_new(const struct custody_room *room)
{
    struct custody *custody = calloc(1, sizeof *custody);
    if (custody != NULL) {
        const char *name = strrchr(room->keyring_path, '/');
        int folder = name == NULL ? 0 : (int)(name + 1 - room->keyring_path);
        custody->room = *room;
        (void)snprintf(custody->plans_path, sizeof custody->plans_path, "%.*splans.json", folder,
                       room->keyring_path);
        pthread_mutex_init(&custody->change, NULL);
        pthread_mutex_init(&custody->generating, NULL);
        pthread_mutex_init(&custody->approving, NULL);
        pthread_mutex_init(&custody->plans, NULL);
        pthread_mutex_init(&custody->report, NULL);
        struct view *view = view_cell_get(room->views);
        custody->start.at = clock_wall_s();
        config_marks(view->policy->config, NULL, &custody->start.marks);
        view_unref(view);
    }
    return custody;
}

void custody_free(struct custody *custody)
{
    if (custody != NULL) {
        pthread_mutex_destroy(&custody->change);
        pthread_mutex_destroy(&custody->generating);
        pthread_mutex_destroy(&custody->approving);
        pthread_mutex_destroy(&custody->plans);
        pthread_mutex_destroy(&custody->report);
        free(custody);
    }
}

enum outcome act_check_arguments(const struct act *act, const char *const names[],
                                 struct reason *why)
{
    const char *member;
    json_t *value;
    json_object_foreach ((json_t *)act->arguments, member, value) {
        size_t i = 0;
        while (names[i] != NULL && strcmp(names[i], member) != 0) {
            i++;
        }
        if (names[i] == NULL || !json_is_string(value)) {
            return refuse(why, OUTCOME_MALFORMED, "an argument is unknown or not a string");
        }
    }
    return OUTCOME_OK;
}

const char *act_argument(const struct act *act, const char *name)
{
    return json_string_value(json_object_get(act->arguments, name));
}

static enum outcome do_status(struct act *act, struct reason *why)
{
    (void)why;
    struct custody *custody = act->custody;
    struct custody_room *room = &custody->room;
    struct door_front front;
    const struct report_sources sources = {
        .view = act->view,
        .watch = room->watch,
        .callers = room->callers,
        .audit = room->audit,
        .front = room->front_about(room->front, &front) ? &front : NULL,
        .start = &custody->start,
        .reload = &custody->reload,
        .clock = &custody->clock,
    };
    pthread_mutex_lock(&custody->report);
    report_status(act->result, &sources);
    pthread_mutex_unlock(&custody->report);
    return OUTCOME_OK;
}

static enum outcome do_key_list(struct act *act, struct reason *why)
{
    (void)why;
    report_keys(act->result, act->view);
    return OUTCOME_OK;
}

static enum outcome do_token_list(struct act *act, struct reason *why)
{
    (void)why;
    buffer_put_text(act->result, "{");
    report_tokens(act->result, act->view->policy->config, act->custody->room.watch, true);
    buffer_put_text(act->result, "}");
    return OUTCOME_OK;
}

static enum outcome do_jwks(struct act *act, struct reason *why)
{
    (void)why;
    buffer_put_span(act->result, buffer_span(&act->view->jwks));
    return OUTCOME_OK;
}

/* What a verb asks for beside a right, and what the audit log has of it. One that asks tokens may
 * have to wait for them, and leaves room for the others. What stops a key waits for neither: no
 * clock that is believed (its time would be in the keyring), and no second person (where approval
 * is required the verb becomes a plan: its handler asks act_decide()). */
enum {
    ANY_RIGHT = RIGHT_OPERATOR | RIGHT_CUSTODIAN | RIGHT_AUDITOR | RIGHT_APPROVER,
    NEEDS_CLOCK = 1 << 8,
    TWO_PERSONS = 1 << 9,
    ASKS_TOKENS = 1 << 10,
    ONLY_READS = 1 << 11, /* a record of it is kept only when it is refused */
    STOPS = 1 << 12,
    KEY_CHANGE = RIGHT_CUSTODIAN | NEEDS_CLOCK | TWO_PERSONS,
    RECORD = RIGHT_CUSTODIAN | RIGHT_OPERATOR | NEEDS_CLOCK,
};

static const struct verb_row verbs[] = {
    [CUSTODY_STATUS] = {"status", ANY_RIGHT | ONLY_READS, do_status},
    [CUSTODY_RELOAD] = {"reload", RIGHT_OPERATOR, act_reload},
    [CUSTODY_KEY_GENERATE] = {"key generate", KEY_CHANGE | ASKS_TOKENS, act_key_generate},
    [CUSTODY_KEY_LIST] = {"key list", ANY_RIGHT | ONLY_READS, do_key_list},
    [CUSTODY_JWKS] = {"jwks", ANY_RIGHT | ONLY_READS, do_jwks},
    [CUSTODY_TOKEN_UNLOCK] = {"token unlock", RIGHT_OPERATOR | RIGHT_CUSTODIAN | ASKS_TOKENS,
                              act_token_unlock},
    [CUSTODY_KEY_REFERENCE] = {"key reference", ANY_RIGHT | ONLY_READS, act_key_reference},
    [CUSTODY_KEY_CSR] = {"key csr", RIGHT_CUSTODIAN | ASKS_TOKENS, act_key_csr},
    [CUSTODY_KEY_IMPORT] = {"key import-certificate", KEY_CHANGE | ASKS_TOKENS, act_key_import},
    [CUSTODY_KEY_PUBLISH] = {"key publish", KEY_CHANGE, act_key_publish},
    [CUSTODY_KEY_ACTIVATE] = {"key activate", KEY_CHANGE | ASKS_TOKENS, act_key_activate},
    [CUSTODY_KEY_RETIRE] = {"key retire", KEY_CHANGE, act_key_retire},
    [CUSTODY_KEY_SUSPEND] = {"key suspend", RIGHT_CUSTODIAN | STOPS, act_key_suspend},
    [CUSTODY_KEY_RESUME] = {"key resume", KEY_CHANGE, act_key_resume},
    [CUSTODY_KEY_COMPROMISED] = {"key compromised", RIGHT_CUSTODIAN | STOPS, act_key_compromised},
    [CUSTODY_KEY_DESTROY] = {"key destroy", KEY_CHANGE | ASKS_TOKENS, act_key_destroy},
    [CUSTODY_KEY_SHOW] = {"key show", ANY_RIGHT | ONLY_READS | ASKS_TOKENS, act_key_show},
    [CUSTODY_TOKEN_LIST] = {"token list", ANY_RIGHT | ONLY_READS, do_token_list},
    [CUSTODY_CLOCK_CONFIRM] = {"clock confirm", RIGHT_OPERATOR | RIGHT_CUSTODIAN,
                               act_clock_confirm},
    [CUSTODY_REPORT] = {"report", ANY_RIGHT | ONLY_READS, act_report},
    [CUSTODY_PLAN_LIST] = {"plan list", ANY_RIGHT | ONLY_READS, act_plan_list},
    [CUSTODY_PLAN_SHOW] = {"plan show", ANY_RIGHT | ONLY_READS, act_plan_show},
    [CUSTODY_PLAN_WITHDRAW] = {"plan withdraw", ANY_RIGHT | NEEDS_CLOCK, act_plan_withdraw},
    [CUSTODY_KEY_APPROVE] = {"key approve", RIGHT_APPROVER | NEEDS_CLOCK | ASKS_TOKENS,
                             act_key_approve},
    [CUSTODY_KEY_BACKUP_RECORDED] = {"key backup-recorded", RECORD, act_key_backup_recorded},
    [CUSTODY_KEY_SEEN] = {"key seen", RECORD, act_key_seen},
    [CUSTODY_ROTATION_PLAN] = {"rotation plan", ANY_RIGHT | ONLY_READS, act_rotation_plan},
    [CUSTODY_ROTATION_APPLY] = {"rotation apply", KEY_CHANGE, act_rotation_apply},
    [CUSTODY_ROTATION_CANCEL] = {"rotation cancel", KEY_CHANGE, act_rotation_cancel},
    [CUSTODY_ROTATION_LOOKAHEAD] = {"rotation lookahead", ANY_RIGHT | ONLY_READS,
                                    act_rotation_lookahead},
    [CUSTODY_AUDIT_KEY] = {"audit key", ANY_RIGHT | ONLY_READS, act_audit_key},
    [CUSTODY_AUDIT_CHECKPOINT] = {"audit checkpoint",
                                  RIGHT_OPERATOR | RIGHT_CUSTODIAN | RIGHT_AUDITOR | ASKS_TOKENS,
                                  act_audit_checkpoint},
    [CUSTODY_KEY_ADOPT] = {"key adopt", KEY_CHANGE | ASKS_TOKENS, act_key_adopt},
};

static bool has(const struct verb_row *row, unsigned int mark)
{
    return (row->rights & mark) != 0;
}

/* By a look of its own: a jump may be a moment old. */
static enum outcome check_clock(const struct act *act, const struct verb_row *row,
                                struct reason *why)
{
    struct clock_jump unused;
    struct clock_guard *guard = watch_clock(act->custody->room.watch);
    if (!has(row, NEEDS_CLOCK) ||
        !clock_guard_jump(guard, clock_wall_s(), clock_boot_s(), &unused)) {
        return OUTCOME_OK;
    }
    return refuse(why, OUTCOME_CLOCK,
                  "the clock has jumped, and this change would bear its time: confirm it first "
                  "(qsealctl clock confirm)");
}

static enum outcome handle(struct act *act, const struct verb_row *row, struct reason *why)
{
    act->verb = row->name;
    act->two_persons = has(row, TWO_PERSONS);
    return row->handle(act, why);
}

/* All workers of the door waiting for one token would leave nobody to stop a key. */
static enum outcome handle_with_room(struct act *act, const struct verb_row *row,
                                     struct reason *why)
{
    struct custody *custody = act->custody;
    if (!has(row, ASKS_TOKENS)) {
        return handle(act, row, why);
    }
    unsigned int asking = atomic_fetch_add(&custody->asking, 1);
    enum outcome outcome =
        asking + 1 < custody->room.askers
            ? handle(act, row, why)
            : refuse(why, OUTCOME_TOKEN_UNAVAILABLE,
                     "%u commands wait for tokens already, which is as many as may; try again "
                     "when one of them is done",
                     asking);
    atomic_fetch_sub(&custody->asking, 1);
    return outcome;
}

static enum outcome check_rights(const struct act *act, const struct verb_row *row,
                                 struct reason *why)
{
    const struct caller_groups *groups = act->peer.groups;
    if ((config_rights(act->view->policy->config, &act->peer) & row->rights) != 0) {
        return OUTCOME_OK;
    }
    return refuse(why, OUTCOME_NOT_GRANTED, "uid %u may not: %s%s", act->peer.uid, row->name,
                  groups != NULL && groups->too_many
                      ? "; it is in too many groups, so that of these only the primary one counts"
                      : "");
}

static enum outcome handle_recorded(struct act *act, const struct verb_row *row, struct reason *why)
{
    enum outcome outcome = act_record_begin(act, has(row, STOPS), why);
    if (outcome == OUTCOME_OK) {
        outcome = handle_with_room(act, row, why);
    }
    act_record_end(act, outcome);
    return outcome;
}

static enum outcome run_verb(struct act *act, const struct verb_row *row, struct reason *why)
{
    act->verb = row->name;
    act->view = view_cell_get(act->custody->room.views);
    enum outcome outcome = check_rights(act, row, why);
    if (outcome == OUTCOME_OK) {
        outcome = check_clock(act, row, why);
    }
    if (outcome != OUTCOME_OK) {
        act_record_refused(act, outcome, why);
    } else if (has(row, ONLY_READS)) {
        outcome = handle_with_room(act, row, why);
    } else {
        outcome = handle_recorded(act, row, why);
    }
    view_unref(act->view);
    return outcome;
}

enum outcome act_execute(struct act *act, const char *verb, struct reason *why)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        const struct verb_row *row = &verbs[i];
        if (row->handle == NULL || !has(row, TWO_PERSONS) || strcmp(row->name, verb) != 0) {
            continue;
        }
        act->view = view_cell_get(act->custody->room.views);
        enum outcome outcome = handle(act, row, why);
        view_unref(act->view);
        return outcome;
    }
    return refuse(why, OUTCOME_NOT_FOUND, "there is no such verb that is approved");
}

enum outcome custody_do(struct custody *custody, const struct custody_question *question,
                        struct buffer *result, struct reason *why)
{
    uint8_t verb = question->verb;
    if (verb >= COUNT_OF(verbs) || verbs[verb].handle == NULL) {
        return refuse(why, OUTCOME_NOT_FOUND, "there is no such verb");
    }
    JSON_CLEANUP json_t *parsed = NULL;
    enum outcome outcome = json_parse_object(question->arguments, &parsed, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct act act = {.custody = custody,
                      .peer = question->peer,
                      .arguments = parsed,
                      .pin = question->pin,
                      .result = result};
    outcome = run_verb(&act, &verbs[verb], why);
    if (outcome != OUTCOME_OK) {
        log_info("qsealctl %s by uid %u: %s: %s", verbs[verb].name, question->peer.uid,
                 outcome_name(outcome), why->detail);
    }
    return outcome;
}
