/* SPDX-License-Identifier: Apache-2.0
 * Steps whose time has come. Those of a role are one generation, so that its tokens switch
 * together; one that a rule refuses holds up no other. */
#include "base/log.h"
#include "custody/act_record.h"
#include "custody/destroy.h"
#include "custody/trial.h"

#include <stdio.h>
#include <string.h>

static const char scheduled[] = "scheduled";
static const char with_successor[] = "it goes with the activation of its successor";

/* One look: what is due, what the tokens say of it, and what is refused. */
struct look {
    struct act *act;
    int64_t now;
    const struct trials *trials;
    struct overdue_list *overdue;
};

static bool is_due(const struct key *key, int64_t now)
{
    return key->n_schedule > 0 && key->schedule[0].change.at <= now;
}

static void note(struct overdue_list *overdue, const struct key *key, const char *detail)
{
    const struct key_change *change = &key->schedule[0].change;
    if (overdue->n == OVERDUE_MAX) {
        return;
    }
    struct overdue *late = &overdue->list[overdue->n++];
    *late = (struct overdue){.state = change->state, .at = change->at};
    (void)snprintf(late->role, sizeof late->role, "%s", key->role);
    (void)snprintf(late->token, sizeof late->token, "%s", key->token);
    (void)snprintf(late->kid, sizeof late->kid, "%s", public_key_thumbprint(key->public_key));
    (void)snprintf(late->detail, sizeof late->detail, "%.300s", detail);
}

static enum outcome check_place(const struct change_question *question, struct reason *why)
{
    const struct config *config = question->policy->config;
    const struct key *key = question->key;
    if (config_role(config, key->role) == NULL) {
        return refuse(why, OUTCOME_RULE, "role %s is not in the configuration any more", key->role);
    }
    return config_token(config, key->token) != NULL
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "token %s is not in the configuration any more",
                        key->token);
}

/* What one person scheduled waits where two are asked for since. */
static enum outcome check_persons(const struct change_question *question, struct reason *why)
{
    const struct key_change *planned = &question->key->schedule[0].change;
    return !question->policy->config->approval.required || planned->approved
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE,
                        "uid %u scheduled it alone, and changes of keys need two persons since: "
                        "cancel and schedule it anew (qsealctl rotation cancel, rotation apply)",
                        planned->by);
}

static bool switches(const struct keyring *keyring, const struct steps *steps, const char *token)
{
    for (size_t i = 0; i < steps->n; i++) {
        if (steps->list[i].change.state == KEY_ACTIVE &&
            strcmp(keyring->keys[steps->list[i].index].token, token) == 0) {
            return true;
        }
    }
    return false;
}

/* Who scheduled it is who changes it. */
static struct key_change change_of(const struct key_planned *planned, int64_t now)
{
    struct key_change change = {.state = planned->change.state,
                                .at = now,
                                .by = planned->change.by,
                                .approved = planned->change.approved,
                                .approved_by = planned->change.approved_by};
    const char *reason = planned->change.reason;
    (void)snprintf(change.reason, sizeof change.reason, "%s%s%.*s", scheduled,
                   reason[0] == '\0' ? "" : ": ", (int)(KEYRING_REASON_MAX - sizeof scheduled - 1),
                   reason);
    return change;
}

/* Whether the keyring takes all of these: one that it refuses must not hold up the others. */
static enum outcome check_steps(const struct keyring *keyring, const struct steps *steps,
                                struct reason *why)
{
    struct keyring *trial = NULL;
    enum outcome outcome = keyring_change(keyring, steps->list, steps->n, &trial, why);
    keyring_free(trial);
    return outcome;
}

/* Adds the key's next step, if all that needs no token allows it. */
static enum outcome judge_step(const struct change_question *question, struct steps *steps,
                               struct reason *why)
{
    const struct key_change change = change_of(&question->key->schedule[0], question->now);
    enum outcome outcome = check_place(question, why);
    if (outcome == OUTCOME_OK) {
        outcome = check_persons(question, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = steps_add(question, &change, steps, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = rule_time(question, change.state, why);
    }
    return outcome == OUTCOME_OK ? check_steps(question->keyring, steps, why) : outcome;
}

static void try_step(const struct look *look, const struct change_question *question,
                     struct steps *steps)
{
    const struct key *key = question->key;
    bool activates = key->schedule[0].change.state == KEY_ACTIVE;
    struct reason why = {0};
    size_t n = steps->n;
    if (n + 2 > STEPS_MAX || (activates && switches(question->keyring, steps, key->token))) {
        return; /* the next look takes it */
    }
    enum outcome outcome = judge_step(question, steps, &why);
    if (outcome == OUTCOME_OK && activates && trial_of(look->trials, key) == NULL) {
        steps->n = n;
        return; /* it was not to be activated when the tokens were asked: the same */
    }
    if (outcome == OUTCOME_OK) {
        outcome =
            trials_check(look->trials, question->keyring, &steps->list[n], steps->n - n, &why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = destroying_check(look->act, key, key->schedule[0].change.state, &why);
    }
    if (outcome != OUTCOME_OK) {
        steps->n = n;
        note(look->overdue, key, why.detail);
    }
}

void due_try(struct custody *custody, int64_t now, struct trials *trials)
{
    struct view *view = view_cell_get(custody->room.views);
    for (size_t i = 0; i < view->keyring->n_keys; i++) {
        const struct key *key = &view->keyring->keys[i];
        const struct change_question question = {
            .policy = view->policy, .keyring = view->keyring, .key = key, .now = now};
        struct steps steps = {.n = 0};
        struct reason unused = {0};
        if (is_due(key, now) && key->schedule[0].change.state == KEY_ACTIVE &&
            judge_step(&question, &steps, &unused) == OUTCOME_OK) {
            const struct act clock = {.custody = custody};
            const struct self_signer signer = act_signer(&clock, view, "trial");
            trial_make(trials, &signer, key);
        }
    }
    view_unref(view);
}

static bool is_among(const struct steps *steps, size_t index)
{
    for (size_t i = 0; i < steps->n; i++) {
        if (steps->list[i].index == index) {
            return true;
        }
    }
    return false;
}

/* All that is due for keys of this role; the retirement of a former key comes with its successor.
 */
static void plan_role(const struct look *look, const struct view *view, const char *role,
                      struct steps *steps)
{
    const struct keyring *keyring = view->keyring;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        const struct change_question question = {
            .policy = view->policy, .keyring = keyring, .key = key, .now = look->now};
        if (is_due(key, look->now) && strcmp(key->role, role) == 0 &&
            key->schedule[0].change.state != KEY_RETIRING) {
            try_step(look, &question, steps);
        }
    }
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        if (is_due(key, look->now) && strcmp(key->role, role) == 0 &&
            key->schedule[0].change.state == KEY_RETIRING && !is_among(steps, i)) {
            note(look->overdue, key, with_successor);
        }
    }
}

static void report_steps(const struct keyring *keyring, const struct steps *steps)
{
    for (size_t i = 0; i < steps->n; i++) {
        const struct key *key = &keyring->keys[steps->list[i].index];
        log_info("key %s of role %s in token %s is %s, as uid %u has scheduled",
                 public_key_thumbprint(key->public_key), key->role, key->token,
                 key_state_name(steps->list[i].change.state), steps->list[i].change.by);
    }
}

static bool take_role(const struct look *look, const char *role)
{
    struct steps steps = {.n = 0};
    struct keyring *next = NULL;
    struct reason why = {0};
    struct view *view = view_cell_get(look->act->custody->room.views);
    plan_role(look, view, role, &steps);
    enum outcome outcome = OUTCOME_OK;
    if (steps.n > 0) {
        outcome = keyring_change(view->keyring, steps.list, steps.n, &next, &why);
        if (outcome == OUTCOME_OK) {
            outcome = act_install_locked(look->act, next, &why);
        }
        for (size_t i = 0; outcome != OUTCOME_OK && i < steps.n; i++) {
            const struct key *key = &view->keyring->keys[steps.list[i].index];
            if (is_due(key, look->now)) {
                note(look->overdue, key, why.detail);
            }
        }
        if (outcome == OUTCOME_OK) {
            report_steps(view->keyring, &steps);
        }
    }
    view_unref(view);
    return steps.n > 0 && outcome == OUTCOME_OK;
}

bool due_take_locked(struct act *act, int64_t now, const struct trials *trials,
                     struct overdue_list *overdue)
{
    const struct look look = {.act = act, .now = now, .trials = trials, .overdue = overdue};
    bool taken = false;
    struct view *start = view_cell_get(act->custody->room.views);
    const struct keyring *keyring = start->keyring;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        bool first = is_due(&keyring->keys[i], now);
        for (size_t j = 0; j < i && first; j++) {
            first = !is_due(&keyring->keys[j], now) ||
                    strcmp(keyring->keys[j].role, keyring->keys[i].role) != 0;
        }
        if (first && take_role(&look, keyring->keys[i].role)) {
            taken = true;
        }
    }
    view_unref(start);
    return taken;
}
