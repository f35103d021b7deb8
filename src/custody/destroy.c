/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key destroy: out of the token first, then destroyed in the keyring, where its record
 * stays. After a crash in between it is asked for again, and the token says that there is none. */
#include "base/log.h"
#include "custody/change.h"
#include "custody/effect.h"
#include "token/remote.h"

#include <string.h>

enum { DESTROY_DEADLINE_MS = 30000 };

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

/* Each on its own, so that what is gone from one token is on record whatever the next one says. */
static enum outcome destroy_one(struct act *act, size_t index, const struct key_change *change,
                                struct reason *why)
{
    const struct keyring_step step = {.index = index, .change = *change};
    struct keyring *next = NULL;
    struct view *now = view_cell_get(act->custody->room.views);
    enum outcome outcome = destroy_in_token(act, &now->keyring->keys[index], why);
    if (outcome == OUTCOME_OK) {
        outcome = keyring_change(now->keyring, &step, 1, &next, why);
    }
    view_unref(now);
    return outcome == OUTCOME_OK ? act_install_locked(act, next, why) : outcome;
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

static enum outcome resolve(const struct act *act, struct selection *selection,
                            struct key_change *change, struct reason *why)
{
    enum outcome outcome = select_keys(act, act->view->keyring, 0, selection, why);
    if (outcome == OUTCOME_OK) {
        outcome = change_by(act, KEY_DESTROYED, change, why);
    }
    return outcome == OUTCOME_OK ? check_steps(act->view->keyring, selection, change, why)
                                 : outcome;
}

static json_t *effect_of(const struct keyring *keyring, const struct selection *selection)
{
    json_t *effect = effect_new();
    for (size_t i = 0; i < selection->n; i++) {
        effect_put_key(&effect, &keyring->keys[selection->indexes[i]], KEY_DESTROYED);
    }
    return effect;
}

static enum outcome destroy_locked(struct act *act, struct reason *why)
{
    struct selection selection = {.n = 0};
    struct key_change change;
    bool go = false;
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    enum outcome outcome = resolve(act, &selection, &change, why);
    if (outcome == OUTCOME_OK) {
        outcome = act_decide(act, effect_of(act->view->keyring, &selection), &go, why);
    }
    if (outcome != OUTCOME_OK || !go) {
        return outcome;
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < selection.n; i++) {
        outcome = destroy_one(act, selection.indexes[i], &change, why);
    }
    if (outcome == OUTCOME_OK) {
        struct view *now = view_cell_get(act->custody->room.views);
        change_report(act, act->view->keyring, now->keyring, &selection);
        view_unref(now);
    }
    return outcome;
}

enum outcome act_key_destroy(struct act *act, struct reason *why)
{
    static const char *const names[] = {"key", "token", "reason", NULL};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    pthread_mutex_lock(&act->custody->change);
    outcome = destroy_locked(act, why);
    pthread_mutex_unlock(&act->custody->change);
    return outcome;
}
