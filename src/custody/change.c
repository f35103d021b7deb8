/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key publish, activate, retire, suspend, resume, compromised: each one generation of the
 * keyring, with all that belongs to it. */
#include "custody/change.h"

#include "base/clock.h"
#include "base/log.h"
#include "custody/act_record.h"
#include "custody/destroy.h"
#include "custody/effect.h"
#include "custody/trial.h"

#include <stdio.h>
#include <string.h>

struct change_verb {
    enum key_state to;
    unsigned int from; /* of a role's keys those in these states; 0: a thumbprint is needed */
};

static const struct change_verb publish = {KEY_PUBLISHED,
                                           1U << KEY_GENERATED | 1U << KEY_CERTIFIED};
static const struct change_verb activate = {KEY_ACTIVE, 1U << KEY_PUBLISHED};
static const struct change_verb retire = {KEY_RETIRED, 1U << KEY_RETIRING};
static const struct change_verb suspend = {KEY_SUSPENDED, 0};
static const struct change_verb resume = {KEY_PUBLISHED, 0};
static const struct change_verb compromised = {KEY_COMPROMISED, 0};

/* A key may be stopped while the clock is not believed: by the time that it should show then, or
 * the keyring would know a time that never was. */
static int64_t believed_now(struct custody *custody)
{
    struct clock_jump jump;
    int64_t now = clock_wall_s();
    return clock_guard_jump(watch_clock(custody->room.watch), now, clock_boot_s(), &jump)
               ? jump.from
               : now;
}

enum outcome change_by(const struct act *act, enum key_state to, struct key_change *out,
                       struct reason *why)
{
    const char *reason = act_argument(act, "reason");
    *out = (struct key_change){.state = to, .at = believed_now(act->custody), .by = act->peer.uid};
    if (reason != NULL && strlen(reason) > KEYRING_REASON_MAX) {
        return refuse(why, OUTCOME_RULE, "a reason has at most %d printable ASCII characters",
                      KEYRING_REASON_MAX);
    }
    (void)snprintf(out->reason, sizeof out->reason, "%s", reason == NULL ? "" : reason);
    if (act->plan != NULL) {
        out->approved = true;
        out->approved_by = act->approver;
    }
    return OUTCOME_OK;
}

static bool was_taken(const struct key *before, const struct key *key, enum key_state step)
{
    for (size_t i = before->n_history; i < key->n_history; i++) {
        if (key->history[i].state == step) {
            return true;
        }
    }
    return false;
}

/* A schedule loses steps at its beginning: those that were taken, and those that cannot be. */
static void report_unscheduled(struct buffer *out, const struct key *before, const struct key *key)
{
    const char *put = ",\"dropped\":[";
    for (size_t i = 0; i + key->n_schedule < before->n_schedule; i++) {
        const struct key_change *step = &before->schedule[i].change;
        if (was_taken(before, key, step->state)) {
            continue;
        }
        buffer_put_format(out, "%s{\"state\":\"%s\",", put, key_state_name(step->state));
        report_time(out, "at", step->at);
        buffer_put_text(out, "}");
        log_info("key %s of role %s in token %s will not be %s as scheduled",
                 public_key_thumbprint(key->public_key), key->role, key->token,
                 key_state_name(step->state));
        put = ",";
    }
    buffer_put_text(out, put[1] == '\0' ? "]" : "");
}

void change_report(const struct act *act, const struct keyring *before,
                   const struct keyring *keyring, const struct selection *selection,
                   const struct failures *failures)
{
    buffer_put_text(act->result, "{\"keys\":[");
    for (size_t i = 0; i < selection->n; i++) {
        const struct key *key = &keyring->keys[selection->indexes[i]];
        const char *kid = public_key_thumbprint(key->public_key);
        buffer_put_format(
            act->result, "%s{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\",\"state\":\"%s\",",
            i == 0 ? "" : ",", key->role, key->token, kid, key_state_name(key->state));
        report_time(act->result, "since", key_since(key));
        report_unscheduled(act->result, &before->keys[selection->indexes[i]], key);
        buffer_put_text(act->result, "}");
        log_info("key %s of role %s in token %s is %s, by uid %u", kid, key->role, key->token,
                 key_state_name(key->state), act->peer.uid);
    }
    buffer_put_format(act->result, "],\"generation\":%llu",
                      (unsigned long long)keyring->generation);
    if (failures != NULL) {
        failures_put(failures, act->result);
    }
    buffer_put_text(act->result, "}");
}

/* What the verb is about: keys, and the steps that they take. */
struct resolved {
    struct selection selection;
    struct key_change change;
    struct steps steps;
};

static struct change_question question_of(const struct act *act, const struct resolved *resolved,
                                          size_t i)
{
    return (struct change_question){
        .policy = act->view->policy,
        .keyring = act->view->keyring,
        .key = &act->view->keyring->keys[resolved->selection.indexes[i]],
        .now = resolved->change.at,
    };
}

/* A suspended key goes on where it was, and no rule is asked anew. */
static enum outcome add_resumed(const struct change_question *question, struct resolved *out,
                                struct reason *why)
{
    struct keyring_step step = {.index = (size_t)(question->key - question->keyring->keys),
                                .change = out->change};
    enum outcome outcome = rule_resume(question->key, &step.change.state, why);
    if (outcome == OUTCOME_OK) {
        rule_note_wait(question->policy, question->key, &step.change);
        out->steps.list[out->steps.n++] = step;
    }
    return outcome;
}

/* One key on several tokens is stopped on all of them, whatever token was named: who has it in one
 * place has it. */
static enum outcome add_twins(const struct keyring *keyring, struct selection *selection,
                              struct reason *why)
{
    const struct key *named = &keyring->keys[selection->indexes[0]];
    selection->n = 0;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        if (!key_is_twin(&keyring->keys[i], named)) {
            continue;
        }
        if (selection->n == SELECTION_MAX) {
            return refuse(why, OUTCOME_RULE, "the key is on more than %d tokens", SELECTION_MAX);
        }
        selection->indexes[selection->n++] = i;
    }
    return OUTCOME_OK;
}

/* A key that is stopped already in one place is stopped in the others all the same. */
static enum outcome add_stops(const struct act *act, struct resolved *out, struct reason *why)
{
    enum outcome outcome = add_twins(act->view->keyring, &out->selection, why);
    enum outcome first = outcome;
    for (size_t i = 0; outcome == OUTCOME_OK && i < out->selection.n; i++) {
        const struct change_question question = question_of(act, out, i);
        struct reason inner = {0};
        enum outcome of_this = destroying_check(act, question.key, out->change.state, &inner);
        if (of_this == OUTCOME_OK) {
            of_this = steps_add(&question, &out->change, &out->steps, &inner);
        }
        if (of_this != OUTCOME_OK && first == OUTCOME_OK) {
            first = of_this;
            *why = inner;
        }
    }
    return out->steps.n > 0 ? OUTCOME_OK : first;
}

static enum outcome resolve(const struct act *act, const struct change_verb *verb,
                            struct resolved *out, struct reason *why)
{
    enum outcome outcome = select_keys(act, act->view->keyring, verb->from, &out->selection, why);
    if (outcome == OUTCOME_OK) {
        outcome = change_by(act, verb->to, &out->change, why);
    }
    if (outcome == OUTCOME_OK && (verb == &suspend || verb == &compromised)) {
        return add_stops(act, out, why);
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < out->selection.n; i++) {
        const struct change_question question = question_of(act, out, i);
        outcome = verb == &resume ? add_resumed(&question, out, why)
                                  : steps_add(&question, &out->change, &out->steps, why);
    }
    return outcome;
}

static enum outcome judge_time(const struct act *act, const struct change_verb *verb,
                               const struct resolved *resolved, struct reason *why)
{
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; outcome == OUTCOME_OK && i < resolved->selection.n; i++) {
        const struct change_question question = question_of(act, resolved, i);
        outcome = rule_time(&question, verb->to, why);
    }
    return outcome;
}

static json_t *effect_of(const struct keyring *keyring, const struct steps *steps)
{
    json_t *effect = effect_new();
    for (size_t i = 0; i < steps->n; i++) {
        effect_put_key(&effect, &keyring->keys[steps->list[i].index], steps->list[i].change.state);
    }
    return effect;
}

/* Those that took a step, and those that will not as it was scheduled. */
static void list_changed(const struct keyring *before, const struct keyring *keyring,
                         const struct steps *steps, struct selection *out)
{
    for (size_t i = 0; i < steps->n && out->n < SELECTION_ROOM; i++) {
        out->indexes[out->n++] = steps->list[i].index;
    }
    for (size_t i = 0; i < before->n_keys && out->n < SELECTION_ROOM; i++) {
        if (before->keys[i].n_history == keyring->keys[i].n_history &&
            before->keys[i].n_schedule != keyring->keys[i].n_schedule) {
            out->indexes[out->n++] = i;
        }
    }
}

/* Saves it, and says what is there now. */
static enum outcome finish(struct act *act, const struct steps *steps, struct keyring *next,
                           struct reason *why)
{
    struct selection changed = {.n = 0};
    enum outcome outcome = act_install_locked(act, next, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct view *now = view_cell_get(act->custody->room.views);
    list_changed(act->view->keyring, now->keyring, steps, &changed);
    change_report(act, act->view->keyring, now->keyring, &changed, NULL);
    view_unref(now);
    return OUTCOME_OK;
}

/* Before the lock: what the tokens say is judged under it, after all that needs no token. Without
 * an activation that could be now nothing is tried. */
static void try_keys(const struct act *act, const struct change_verb *verb, struct trials *trials)
{
    struct resolved resolved = {.steps = {.n = 0}};
    struct reason unused = {0};
    if (verb->to == KEY_ACTIVE && !act_is_held_up(act) &&
        resolve(act, verb, &resolved, &unused) == OUTCOME_OK &&
        judge_time(act, verb, &resolved, &unused) == OUTCOME_OK) {
        const struct self_signer signer = act_signer(act, act->view, "trial");
        trials_make(trials, &signer, act->view->keyring, resolved.steps.list, resolved.steps.n);
    }
}

/* Under the lock the view is taken anew: the keys are looked for in the keyring that is changed. */
static enum outcome change_locked(struct act *act, const struct change_verb *verb,
                                  const struct trials *trials, struct reason *why)
{
    struct resolved resolved = {.steps = {.n = 0}};
    struct keyring *next = NULL;
    bool go = false;
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    enum outcome outcome = resolve(act, verb, &resolved, why);
    if (outcome == OUTCOME_OK) {
        outcome =
            keyring_change(act->view->keyring, resolved.steps.list, resolved.steps.n, &next, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = act_decide(act, effect_of(act->view->keyring, &resolved.steps), &go, why);
    }
    if (outcome == OUTCOME_OK && go) {
        outcome = judge_time(act, verb, &resolved, why);
    }
    if (outcome == OUTCOME_OK && go) {
        outcome =
            trials_check(trials, act->view->keyring, resolved.steps.list, resolved.steps.n, why);
    }
    if (outcome == OUTCOME_OK && go) {
        return finish(act, &resolved.steps, next, why);
    }
    keyring_free(next);
    return outcome;
}

static enum outcome change(struct act *act, const struct change_verb *verb, struct reason *why)
{
    static const char *const names[] = {"key", "token", "reason", NULL};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct trials trials = {.n = 0};
    try_keys(act, verb, &trials);
    pthread_mutex_lock(&act->custody->change);
    outcome = change_locked(act, verb, &trials, why);
    pthread_mutex_unlock(&act->custody->change);
    return outcome;
}

enum outcome act_key_publish(struct act *act, struct reason *why)
{
    return change(act, &publish, why);
}

enum outcome act_key_activate(struct act *act, struct reason *why)
{
    return change(act, &activate, why);
}

enum outcome act_key_retire(struct act *act, struct reason *why)
{
    return change(act, &retire, why);
}

enum outcome act_key_suspend(struct act *act, struct reason *why)
{
    return change(act, &suspend, why);
}

enum outcome act_key_resume(struct act *act, struct reason *why)
{
    return change(act, &resume, why);
}

enum outcome act_key_compromised(struct act *act, struct reason *why)
{
    return change(act, &compromised, why);
}
