/* SPDX-License-Identifier: Apache-2.0
 * Between what a change would do and doing it: is it done, does it become a plan for a second
 * person, or is it what that person has approved? */
#include "base/clock.h"
#include "base/log.h"
#include "custody/act.h"
#include "custody/effect.h"
#include "custody/plans.h"
#include "jose/json.h"

#include <stdio.h>
#include <string.h>

enum { DIFFERENCE_MAX = 1024 };

bool act_is_held_up(const struct act *act)
{
    return act->plan == NULL && act->two_persons && act->view->policy->config->approval.required;
}

static enum outcome compare(const struct act *act, const json_t *effect, struct reason *why)
{
    BUFFER_CLEANUP struct buffer difference = BUFFER_INIT(DIFFERENCE_MAX);
    return effect_is_same(act->plan->effect, effect, &difference)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE,
                        "what the plan would do has changed since: %.300s; ask for it anew",
                        buffer_text(&difference));
}

static enum outcome keep_plan(struct custody *custody, struct plan *plan, struct reason *why)
{
    PLANS_CLEANUP struct plans plans = {.n = 0};
    pthread_mutex_lock(&custody->plans);
    enum outcome outcome = plans_load(custody->plans_path, &plans, why);
    if (outcome == OUTCOME_OK) {
        plans_drop_expired(&plans, clock_wall_s());
        outcome = plans_add(&plans, plan, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = plans_save(&plans, custody->plans_path, why);
    }
    pthread_mutex_unlock(&custody->plans);
    return outcome;
}

static enum outcome make_plan(struct act *act, const json_t *effect, struct reason *why)
{
    int64_t now = clock_wall_s();
    int64_t expires = now + act->view->policy->config->approval.valid_s;
    PLAN_CLEANUP struct plan plan = {0};
    if (act->peer.uid == 0) {
        return refuse(why, OUTCOME_NOT_GRANTED,
                      "this needs two persons, and uid 0 is none of them: ask as yourself");
    }
    enum outcome outcome =
        plan_make(&plan, act->verb, act->arguments, effect, act->peer.uid, now, expires, why);
    JSON_CLEANUP json_t *shown = outcome == OUTCOME_OK ? plan_shown(&plan) : NULL;
    if (outcome == OUTCOME_OK && shown == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    if (outcome == OUTCOME_OK) {
        outcome = keep_plan(act->custody, &plan, why);
    }
    if (outcome == OUTCOME_OK) {
        buffer_put_text(act->result, "{\"planned\":");
        json_put(act->result, shown);
        buffer_put_text(act->result, "}");
        log_info("qsealctl %s by uid %u is planned and waits for approval: %s", act->verb,
                 act->peer.uid, json_string_value(json_object_get(shown, "digest")));
    }
    return outcome;
}

enum outcome act_decide(struct act *act, json_t *effect, bool *go, struct reason *why)
{
    JSON_CLEANUP json_t *owned = effect;
    enum outcome outcome = OUTCOME_OK;
    *go = false;
    if (owned == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    act->resolved = true;
    if (act->plan != NULL) {
        outcome = compare(act, owned, why);
    } else if (act_is_held_up(act)) {
        return make_plan(act, owned, why);
    }
    *go = outcome == OUTCOME_OK;
    act->may_change = *go;
    return outcome;
}

enum outcome act_check_decided(const struct act *act, struct reason *why)
{
    return !act->two_persons || act->may_change
               ? OUTCOME_OK
               : refuse(why, OUTCOME_INTERNAL, "qsealctl %s did not ask whether it may be done",
                        act->verb);
}
