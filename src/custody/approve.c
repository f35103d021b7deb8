/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key approve, and plan list, show and withdraw.
 *
 * Approving is: look whether this person may, do what was planned, drop the plan, one after the
 * other. A crash before the last step leaves a plan that was done; it is not done again, since what
 * it would do is then something else than what was approved. */
#include "base/clock.h"
#include "base/log.h"
#include "base/utc.h"
#include "custody/act_record.h"
#include "custody/plans.h"
#include "jose/json.h"

#include <string.h>

static enum outcome load(struct custody *custody, struct plans *out, struct reason *why)
{
    pthread_mutex_lock(&custody->plans);
    enum outcome outcome = plans_load(custody->plans_path, out, why);
    pthread_mutex_unlock(&custody->plans);
    return outcome;
}

/* The plan that the arguments name, in plans that were loaded for it. */
static enum outcome find(const struct act *act, struct plans *plans, const struct plan **out,
                         struct reason *why)
{
    static const char *const names[] = {"digest", NULL};
    enum outcome outcome = act_check_arguments(act, names, why);
    const char *digest = act_argument(act, "digest");
    if (outcome == OUTCOME_OK && digest == NULL) {
        return refuse(why, OUTCOME_MALFORMED, "\"digest\" is missing: that of a plan");
    }
    if (outcome == OUTCOME_OK) {
        outcome = load(act->custody, plans, why);
    }
    return outcome == OUTCOME_OK ? plans_find(plans, digest, out, why) : outcome;
}

static enum outcome drop(struct custody *custody, const char *digest, struct reason *why)
{
    PLANS_CLEANUP struct plans plans = {.n = 0};
    pthread_mutex_lock(&custody->plans);
    enum outcome outcome = plans_load(custody->plans_path, &plans, why);
    if (outcome == OUTCOME_OK) {
        plans_drop(&plans, digest);
        plans_drop_expired(&plans, clock_wall_s());
        outcome = plans_save(&plans, custody->plans_path, why);
    }
    pthread_mutex_unlock(&custody->plans);
    return outcome;
}

enum outcome act_plan_list(struct act *act, struct reason *why)
{
    static const char *const names[] = {NULL};
    PLANS_CLEANUP struct plans plans = {.n = 0};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome == OUTCOME_OK) {
        outcome = load(act->custody, &plans, why);
    }
    plans_drop_expired(&plans, clock_wall_s());
    buffer_put_text(act->result, "{\"plans\":[");
    for (size_t i = 0; i < plans.n; i++) {
        JSON_CLEANUP json_t *shown = plan_shown(&plans.list[i]);
        (void)json_object_del(shown, "arguments"); /* as long as a chain of certificates */
        buffer_put_text(act->result, i == 0 ? "" : ",");
        json_put(act->result, shown);
    }
    buffer_put_text(act->result, "]}");
    return outcome;
}

enum outcome act_plan_show(struct act *act, struct reason *why)
{
    PLANS_CLEANUP struct plans plans = {.n = 0};
    const struct plan *plan = NULL;
    enum outcome outcome = find(act, &plans, &plan, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    JSON_CLEANUP json_t *shown = plan_shown(plan);
    buffer_put_text(act->result, "{\"plan\":");
    json_put(act->result, shown);
    buffer_put_text(act->result, "}");
    return OUTCOME_OK;
}

static enum outcome withdraw(struct act *act, struct reason *why)
{
    PLANS_CLEANUP struct plans plans = {.n = 0};
    const struct plan *plan = NULL;
    enum outcome outcome = find(act, &plans, &plan, why);
    if (outcome == OUTCOME_OK && plan->by != act->peer.uid &&
        (config_rights(act->view->policy->config, &act->peer) & RIGHT_CUSTODIAN) == 0) {
        return refuse(why, OUTCOME_NOT_GRANTED,
                      "a plan is withdrawn by who made it, uid %u, or by a custodian", plan->by);
    }
    if (outcome == OUTCOME_OK) {
        outcome = drop(act->custody, plan->digest, why);
    }
    if (outcome == OUTCOME_OK) {
        log_info("the plan %s of uid %u (%s) was withdrawn by uid %u", plan->digest, plan->by,
                 plan->verb, act->peer.uid);
        buffer_put_format(act->result, "{\"withdrawn\":\"%s\"}", plan->digest);
    }
    return outcome;
}

static enum outcome check_persons(const struct act *act, const struct plan *plan,
                                  struct reason *why)
{
    if (act->peer.uid == 0 || plan->by == 0) {
        return refuse(why, OUTCOME_NOT_GRANTED,
                      "this needs two persons, and uid 0 is none of them: %s",
                      act->peer.uid == 0 ? "approve as yourself" : "it asked for the plan");
    }
    if (act->peer.uid == plan->by) {
        return refuse(why, OUTCOME_NOT_GRANTED,
                      "a plan is approved by another person than the one who asked for it, uid %u",
                      plan->by);
    }
    if (clock_wall_s() >= plan->expires) {
        char text[UTC_SIZE];
        return refuse(why, OUTCOME_RULE, "the plan has expired at %s; ask for it anew",
                      utc_text(plan->expires, text));
    }
    return OUTCOME_OK;
}

/* What is refused before it is known what the plan would do now is refused because of what has
 * changed: it was possible when the plan was made. */
static enum outcome say_changed(enum outcome outcome, struct reason *why)
{
    struct reason inner = *why;
    return refuse(why, outcome, "what the plan would do has changed since: %.400s", inner.detail);
}

/* In the name of who asked; the approval has a record of its own already. */
static enum outcome execute(struct act *act, const struct plan *plan, struct reason *why)
{
    struct act planned = {
        .custody = act->custody,
        .peer = {.uid = plan->by, .gid = (gid_t)-1},
        .arguments = plan->arguments,
        .result = act->result,
        .pin = -1,
        .verb = plan->verb,
        .plan = plan,
        .approver = act->peer.uid,
    };
    enum outcome outcome = act_record_begin(&planned, false, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = act_execute(&planned, plan->verb, why);
    act_record_end(&planned, outcome);
    bool is_rule =
        outcome == OUTCOME_RULE || outcome == OUTCOME_NOT_FOUND || outcome == OUTCOME_NO_KEY;
    return is_rule && !planned.resolved ? say_changed(outcome, why) : outcome;
}

static enum outcome approve(struct act *act, struct reason *why)
{
    PLANS_CLEANUP struct plans plans = {.n = 0};
    const struct plan *plan = NULL;
    struct reason left = {0};
    enum outcome outcome = find(act, &plans, &plan, why);
    if (outcome == OUTCOME_OK && strlen(act_argument(act, "digest")) != PLAN_DIGEST_LEN) {
        return refuse(why, OUTCOME_RULE,
                      "a plan is approved by its whole digest, %d characters: others may begin so",
                      PLAN_DIGEST_LEN);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_persons(act, plan, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    buffer_put_format(act->result,
                      "{\"approved\":{\"digest\":\"%s\",\"by\":%u,\"verb\":", plan->digest,
                      plan->by);
    json_put_string(act->result, span_of_text(plan->verb));
    buffer_put_text(act->result, "},\"result\":");
    outcome = execute(act, plan, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    buffer_put_text(act->result, "}");
    log_info("the plan %s of uid %u (%s) was approved by uid %u and is done", plan->digest,
             plan->by, plan->verb, act->peer.uid);
    if (drop(act->custody, plan->digest, &left) != OUTCOME_OK) {
        log_error("the plan %s is done, but could not be dropped: %s", plan->digest, left.detail);
    }
    return OUTCOME_OK;
}

/* A token may take its time with a key: the workers of the door are not spent on waiting for it. */
static enum outcome one_at_a_time(struct act *act,
                                  enum outcome (*work)(struct act *act, struct reason *why),
                                  struct reason *why)
{
    if (pthread_mutex_trylock(&act->custody->approving) != 0) {
        return refuse(why, OUTCOME_LIMIT, "a plan is being done; try again in a moment");
    }
    enum outcome outcome = work(act, why);
    pthread_mutex_unlock(&act->custody->approving);
    return outcome;
}

enum outcome act_plan_withdraw(struct act *act, struct reason *why)
{
    return one_at_a_time(act, withdraw, why);
}

enum outcome act_key_approve(struct act *act, struct reason *why)
{
    return one_at_a_time(act, approve, why);
}
