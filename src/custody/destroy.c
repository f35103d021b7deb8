/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key destroy: out of the token first, then destroyed in the keyring, where its record
 * stays. After a crash in between it is asked for again, and the token says that there is none. */
#include "custody/destroy.h"

#include "base/clock.h"
#include "base/log.h"
#include "custody/change.h"
#include "custody/effect.h"
#include "token/remote.h"

#include <string.h>

enum { DESTROY_DEADLINE_MS = 30000 };

/* One request, in the list of those that are under way. */
struct destroying {
    const struct act *act; /* whose view does not change as long */
    struct selection selection;
    struct key_change change;
    struct destroying *next;
};

static bool is_same(const struct key *a, const struct key *b)
{
    return strcmp(a->token, b->token) == 0 && key_is_twin(a, b);
}

static const struct key *key_of(const struct destroying *destroying, size_t i)
{
    return &destroying->act->view->keyring->keys[destroying->selection.indexes[i]];
}

enum outcome destroying_check(const struct act *act, const struct key *key, enum key_state to,
                              struct reason *why)
{
    for (const struct destroying *other = act->custody->destroying; other != NULL;
         other = other->next) {
        for (size_t i = 0; other->act != act && i < other->selection.n; i++) {
            if (to != KEY_COMPROMISED && is_same(key_of(other, i), key)) {
                return refuse(why, OUTCOME_LIMIT,
                              "key %.8s is being destroyed in token %s at this moment; try again "
                              "when that has ended",
                              public_key_thumbprint(key->public_key), key->token);
            }
        }
    }
    return OUTCOME_OK;
}

enum outcome destroying_check_all(const struct act *act, const struct keyring *now,
                                  const struct keyring *next, struct reason *why)
{
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; act->custody->destroying != NULL && i < now->n_keys; i++) {
        const struct key *key = &next->keys[i];
        if (outcome == OUTCOME_OK && key->n_history != now->keys[i].n_history) {
            outcome = destroying_check(act, key, key->state, why);
        }
    }
    return outcome;
}

static enum outcome destroy_in_token(const struct act *act, const struct key *key,
                                     struct reason *why)
{
    const struct config_token *config = config_token(act->view->policy->config, key->token);
    if (config == NULL) {
        return refuse(why, OUTCOME_RULE, "token %s is not in the configuration any more",
                      key->token);
    }
    struct token_destroy_request request = {.purpose = key->purpose};
    memcpy(request.key_id, key->key_id, sizeof request.key_id);
    memcpy(request.spki_digest, public_key_spki_sha256(key->public_key),
           sizeof request.spki_digest);
    struct token *token = token_remote_new(config->name, config->socket);
    if (token == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    enum outcome outcome = token_destroy(token, &request, deadline_in_ms(DESTROY_DEADLINE_MS), why);
    token_remote_free(token);
    if (outcome == OUTCOME_NO_KEY) {
        log_warning("key %s of role %s was not in token %s any more",
                    public_key_thumbprint(key->public_key), key->role, key->token);
        return OUTCOME_OK;
    }
    return outcome;
}

/* The keyring may be another one by now, but none in which the key cannot take this step. */
static enum outcome mark_locked(struct act *act, const struct key *key,
                                const struct key_change *change, struct reason *why)
{
    struct view *now = view_cell_get(act->custody->room.views);
    struct keyring *next = NULL;
    const struct key *found = keyring_by_thumbprint(now->keyring, key->role, key->token,
                                                    public_key_thumbprint(key->public_key));
    struct keyring_step step = {.change = *change};
    enum outcome outcome =
        found != NULL ? OUTCOME_OK
                      : refuse(why, OUTCOME_RULE, "the key is not in the keyring any more");
    if (outcome == OUTCOME_OK) {
        step.index = (size_t)(found - now->keyring->keys);
        step.change.at = clock_wall_s();
        outcome = keyring_change(now->keyring, &step, 1, &next, why);
    }
    view_unref(now);
    return outcome == OUTCOME_OK ? act_install_locked(act, next, why) : outcome;
}

static enum outcome destroy_one(struct act *act, const struct key *key,
                                const struct key_change *change, struct reason *why)
{
    enum outcome outcome = destroy_in_token(act, key, why);
    if (outcome == OUTCOME_OK) {
        pthread_mutex_lock(&act->custody->change);
        outcome = mark_locked(act, key, change, why);
        pthread_mutex_unlock(&act->custody->change);
    }
    return outcome;
}

/* All that the keyring could refuse, before the token is asked: what is gone there does not come
 * back. */
static enum outcome check_steps(const struct keyring *keyring, const struct selection *selection,
                                const struct key_change *change, struct reason *why)
{
    struct keyring_step steps[SELECTION_MAX];
    struct keyring *next = NULL;
    for (size_t i = 0; i < selection->n; i++) {
        steps[i] = (struct keyring_step){.index = selection->indexes[i], .change = *change};
    }
    enum outcome outcome = keyring_change(keyring, steps, selection->n, &next, why);
    keyring_free(next);
    return outcome;
}

static enum outcome resolve(struct destroying *out, struct reason *why)
{
    const struct act *act = out->act;
    enum outcome outcome = select_keys(act, act->view->keyring, 0, &out->selection, why);
    if (outcome == OUTCOME_OK) {
        outcome = change_by(act, KEY_DESTROYED, &out->change, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_steps(act->view->keyring, &out->selection, &out->change, why);
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < out->selection.n; i++) {
        outcome = destroying_check(act, key_of(out, i), KEY_DESTROYED, why);
    }
    return outcome;
}

static json_t *effect_of(const struct keyring *keyring, const struct selection *selection)
{
    json_t *effect = effect_new();
    for (size_t i = 0; i < selection->n; i++) {
        effect_put_key(&effect, &keyring->keys[selection->indexes[i]], KEY_DESTROYED);
    }
    return effect;
}

static enum outcome begin_locked(struct act *act, struct destroying *out, bool *go,
                                 struct reason *why)
{
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    enum outcome outcome = resolve(out, why);
    if (outcome == OUTCOME_OK) {
        outcome = act_decide(act, effect_of(act->view->keyring, &out->selection), go, why);
    }
    if (outcome == OUTCOME_OK && *go) {
        out->next = act->custody->destroying;
        act->custody->destroying = out;
    }
    return outcome;
}

static void end_locked(struct custody *custody, const struct destroying *destroying)
{
    struct destroying **at = &custody->destroying;
    while (*at != destroying) {
        at = &(*at)->next;
    }
    *at = destroying->next;
}

/* Each token on its own: what is gone from one is, whatever the next one says. */
static enum outcome destroy_each(struct act *act, const struct destroying *destroying,
                                 struct selection *done, struct failures *failures,
                                 struct reason *why)
{
    for (size_t i = 0; i < destroying->selection.n; i++) {
        const struct key *key = key_of(destroying, i);
        struct reason inner = {0};
        enum outcome outcome = destroy_one(act, key, &destroying->change, &inner);
        if (outcome == OUTCOME_OK) {
            done->indexes[done->n++] = destroying->selection.indexes[i];
        } else {
            failures_add(failures, key->token, outcome, &inner);
        }
    }
    return failures_outcome(failures, done->n, why);
}

static void report(struct act *act, const struct selection *done, const struct failures *failures)
{
    struct view *now = view_cell_get(act->custody->room.views);
    change_report(act, act->view->keyring, now->keyring, done, failures);
    view_unref(now);
}

/* The token is asked without the lock of changes. */
static enum outcome destroy(struct act *act, struct reason *why)
{
    struct destroying destroying = {.act = act};
    bool go = false;
    pthread_mutex_lock(&act->custody->change);
    enum outcome outcome = begin_locked(act, &destroying, &go, why);
    pthread_mutex_unlock(&act->custody->change);
    if (outcome != OUTCOME_OK || !go) {
        return outcome;
    }
    FAILURES_CLEANUP struct failures failures = FAILURES_INIT;
    struct selection done = {.n = 0};
    outcome = destroy_each(act, &destroying, &done, &failures, why);
    pthread_mutex_lock(&act->custody->change);
    end_locked(act->custody, &destroying);
    pthread_mutex_unlock(&act->custody->change);
    if (outcome == OUTCOME_OK) {
        report(act, &done, &failures);
    }
    return outcome;
}

enum outcome act_key_destroy(struct act *act, struct reason *why)
{
    static const char *const names[] = {"key", "token", "reason", NULL};
    enum outcome outcome = act_check_arguments(act, names, why);
    return outcome == OUTCOME_OK ? destroy(act, why) : outcome;
}
