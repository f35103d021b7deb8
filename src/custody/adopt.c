/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key adopt: a replica of a known key, put onto another token by the tools of its maker,
 * entered into the keyring. The token has to show it as it is known, and to sign with it. */
#include "base/log.h"
#include "custody/act_record.h"
#include "custody/change.h"
#include "custody/destroy.h"
#include "custody/effect.h"
#include "custody/in_token.h"
#include "custody/trial.h"

#include <stdio.h>
#include <string.h>

/* What the verb is about, in one keyring. */
struct adoption {
    const struct config_token *place; /* that has the replica */
    size_t index;                     /* of the key whose replica it is, on another token */
    struct key_change change;         /* with the state that the replica comes in */
};

/* What the token has said of the replica, and of which one. */
struct look {
    char kid[THUMBPRINT_SIZE];
    uint8_t key_id[KEYRING_ID_LEN];
    char token[KEYRING_TOKEN_SIZE];
    struct token_key shown;
    enum outcome outcome; /* of all of it */
    struct reason why;
};

static const char *kid_of(const struct key *key)
{
    return public_key_thumbprint(key->public_key);
}

static enum outcome choose_place(const struct act *act, const struct config_token **out,
                                 struct reason *why)
{
    const char *name = act_argument(act, "token");
    if (name == NULL) {
        return refuse(why, OUTCOME_MALFORMED, "\"token\" is missing: the one that has the replica");
    }
    *out = config_token(act->view->policy->config, name);
    return *out != NULL ? OUTCOME_OK
                        : refuse(why, OUTCOME_NOT_FOUND, "the configuration has no such token");
}

/* What speaks against it in any place where the key is. */
static enum outcome check_twins(const struct keyring *keyring, const struct selection *twins,
                                const struct config_token *place, struct reason *why)
{
    for (size_t i = 0; i < twins->n; i++) {
        const struct key *twin = &keyring->keys[twins->indexes[i]];
        if (twin->state == KEY_COMPROMISED) {
            return refuse(why, OUTCOME_RULE,
                          "key %.8s is compromised in token %s, and so it is wherever it is: "
                          "generate another key",
                          kid_of(twin), twin->token);
        }
        if (strcmp(twin->token, place->name) == 0) {
            return refuse(why, OUTCOME_RULE, "key %.8s is in the keyring for token %s already: %s",
                          kid_of(twin), place->name, key_state_name(twin->state));
        }
    }
    return twins->n < SELECTION_MAX
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "the key is on %d tokens, which is as many as may be",
                        SELECTION_MAX);
}

static bool is_over(enum key_state state)
{
    return state == KEY_RETIRED || state == KEY_DESTROYED || state == KEY_COMPROMISED;
}

/* Where its places differ: stopped in one, stopped here too; else where it is least far. */
static bool comes_before(const struct key *a, const struct key *b)
{
    return a->state == KEY_SUSPENDED || (b->state != KEY_SUSPENDED && a->state < b->state);
}

static enum outcome choose_twin(const struct keyring *keyring, const struct selection *twins,
                                const struct key **out, struct reason *why)
{
    const struct key *found = NULL;
    for (size_t i = 0; i < twins->n; i++) {
        const struct key *twin = &keyring->keys[twins->indexes[i]];
        if (!is_over(twin->state) && (found == NULL || comes_before(twin, found))) {
            found = twin;
        }
    }
    *out = found;
    if (found != NULL) {
        return OUTCOME_OK;
    }
    const struct key *over = &keyring->keys[twins->indexes[0]];
    return refuse(why, OUTCOME_RULE,
                  "key %.8s is %s in token %s: it signs nothing any more, on no token; generate "
                  "another key",
                  kid_of(over), key_state_name(over->state), over->token);
}

static enum outcome check_role(const struct act *act, const struct key *twin,
                               const struct config_token *place, struct reason *why)
{
    const struct config_role *role = config_role(act->view->policy->config, twin->role);
    if (role == NULL) {
        return refuse(why, OUTCOME_RULE, "role %s is not in the configuration any more",
                      twin->role);
    }
    return act_role_is_on(role, place->name)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE,
                        "role %s is not on token %s: add that to `tokens` of the role in %s, and "
                        "reload",
                        role->name, place->name, act->view->policy->config->path);
}

/* A role has one active key on a token: where there is another, the replica of an active key waits
 * to take its place, as any successor does. */
static enum key_state state_of(const struct keyring *keyring, const struct key *twin,
                               const struct config_token *place)
{
    bool waits =
        twin->state == KEY_ACTIVE && keyring_active(keyring, twin->role, place->name) != NULL;
    return waits ? KEY_PUBLISHED : twin->state;
}

static enum outcome resolve(const struct act *act, struct adoption *out, struct reason *why)
{
    const struct keyring *keyring = act->view->keyring;
    struct selection twins = {.n = 0};
    const struct key *twin = NULL;
    *out = (struct adoption){.place = NULL};
    enum outcome outcome = choose_place(act, &out->place, why);
    if (out->place == NULL) {
        return outcome;
    }
    outcome = select_keys_on(act, keyring, NULL, 0, &twins, why);
    if (outcome == OUTCOME_OK) {
        outcome = check_twins(keyring, &twins, out->place, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = choose_twin(keyring, &twins, &twin, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_role(act, twin, out->place, why);
    }
    if (outcome == OUTCOME_OK) {
        out->index = (size_t)(twin - keyring->keys);
        outcome = change_by(act, state_of(keyring, twin, out->place), &out->change, why);
    }
    return outcome;
}

static void id_text(const struct key *key, char out[2 * KEYRING_ID_LEN + 1])
{
    for (size_t i = 0; i < KEYRING_ID_LEN; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", key->key_id[i]);
    }
}

static enum outcome refuse_absent(const struct key *key, const struct config_token *place,
                                  const char *detail, struct reason *why)
{
    char id[2 * KEYRING_ID_LEN + 1];
    id_text(key, id);
    return refuse(why, OUTCOME_NO_KEY,
                  "token %s: %.220s. Both objects of the pair must have CKA_ID %s (p11tool "
                  "--provider=%.80s --login --set-id=%s URL)",
                  place->name, detail, id, place->module, id);
}

/* What tokend asks of a label before it signs; said here, since it can be mended. */
static enum outcome check_label(const struct key *key, const struct config_token *place,
                                const struct token_key *shown, struct reason *why)
{
    enum purpose purpose;
    char label[LABEL_SIZE];
    char url[3 * KEYRING_ID_LEN + 1];
    if (purpose_from_label(span_of_text(shown->label), &purpose) && purpose == key->purpose) {
        return OUTCOME_OK;
    }
    purpose_label(key->purpose, key->role, label);
    for (size_t i = 0; i < KEYRING_ID_LEN; i++) {
        (void)snprintf(url + 3 * i, 4, "%%%02x", key->key_id[i]);
    }
    return refuse(why, OUTCOME_KEY_MISMATCH,
                  "token %s: CKA_LABEL of the private key is \"%.60s\", and must be \"%s\", which "
                  "says what it is for (p11tool --provider=%.80s --login --set-label=%s "
                  "'pkcs11:id=%s;type=private')",
                  place->name, shown->label, label, place->module, label, url);
}

/* A key that is no replica is not asked to sign. */
static enum outcome look_at(const struct act *act, const struct config_token *place,
                            const struct key *replica, struct token_key *shown, struct reason *why)
{
    struct reason inner = {0};
    enum outcome outcome = in_token_ask(act, replica, shown, &inner);
    if (outcome == OUTCOME_NO_KEY) {
        return refuse_absent(replica, place, inner.detail, why);
    }
    if (outcome != OUTCOME_OK) {
        *why = inner;
        return outcome;
    }
    if (!shown->is_pinned) {
        char id[2 * KEYRING_ID_LEN + 1];
        id_text(replica, id);
        return refuse(why, OUTCOME_KEY_MISMATCH,
                      "token %s has another public key under CKA_ID %s than that of key %.8s: it "
                      "is no replica of it",
                      place->name, id, kid_of(replica));
    }
    outcome = check_label(replica, place, shown, why);
    if (outcome != OUTCOME_OK || act_is_held_up(act)) {
        return outcome;
    }
    const struct self_signer signer = act_signer(act, act->view, "trial");
    return trial_replica(&signer, replica, why);
}

/* Before the lock, since a token may take its time. */
static void look(const struct act *act, struct look *out)
{
    struct adoption adoption;
    out->outcome = resolve(act, &adoption, &out->why);
    if (out->outcome != OUTCOME_OK) {
        return;
    }
    struct key replica = act->view->keyring->keys[adoption.index]; /* owns nothing */
    (void)snprintf(replica.token, sizeof replica.token, "%s", adoption.place->name);
    (void)snprintf(out->token, sizeof out->token, "%s", adoption.place->name);
    (void)snprintf(out->kid, sizeof out->kid, "%s", kid_of(&replica));
    memcpy(out->key_id, replica.key_id, sizeof out->key_id);
    out->outcome = look_at(act, adoption.place, &replica, &out->shown, &out->why);
}

/* It was the same key, on the same token, that was looked at. */
static enum outcome judge(const struct look *look, const struct key *twin,
                          const struct adoption *adoption, struct reason *why)
{
    if (strcmp(look->kid, kid_of(twin)) != 0 || strcmp(look->token, adoption->place->name) != 0 ||
        memcmp(look->key_id, twin->key_id, sizeof twin->key_id) != 0) {
        return refuse(why, OUTCOME_LIMIT,
                      "the keyring has changed while the token was asked; try again");
    }
    *why = look->why;
    return look->outcome;
}

static json_t *effect_of(const struct key *twin, const struct adoption *adoption)
{
    json_t *effect = effect_new();
    effect_put(&effect, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "role", twin->role, "token",
                                  adoption->place->name, "kid", kid_of(twin), "replica_of",
                                  twin->token, "to", key_state_name(adoption->change.state),
                                  "changes", (json_int_t)twin->n_history));
    return effect;
}

static void put_result(const struct act *act, const struct key *twin,
                       const struct adoption *adoption, const struct look *look)
{
    const struct key_change *change = &adoption->change;
    buffer_put_format(act->result,
                      "{\"keys\":[{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\","
                      "\"state\":\"%s\",\"replica_of\":\"%s\",",
                      twin->role, adoption->place->name, kid_of(twin),
                      key_state_name(change->state), twin->token);
    report_time(act->result, "since", change->at);
    in_token_put(act->result, look->outcome, &look->shown, &look->why);
    buffer_put_format(act->result, "}],\"generation\":%llu}",
                      (unsigned long long)act->view->keyring->generation + 1);
    log_info("key %s of role %s was adopted in token %s by uid %u, a replica of that in token %s; "
             "it is %s",
             kid_of(twin), twin->role, adoption->place->name, act->peer.uid, twin->token,
             key_state_name(change->state));
}

/* Under the lock the view is taken anew. Who asks for a plan is told at once what is wrong with the
 * replica; who approves it, after it is clear that the plan is still the same. */
static enum outcome adopt_locked(struct act *act, const struct look *look, struct reason *why)
{
    struct adoption adoption;
    struct keyring *next = NULL;
    bool go = false;
    enum outcome outcome = resolve(act, &adoption, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct key *twin = &act->view->keyring->keys[adoption.index];
    outcome = destroying_check(act, twin, adoption.change.state, why);
    if (outcome == OUTCOME_OK && act->plan == NULL) {
        outcome = judge(look, twin, &adoption, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = keyring_add_replica(act->view->keyring, adoption.index, adoption.place->name,
                                      &adoption.change, &next, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = act_decide(act, effect_of(twin, &adoption), &go, why);
    }
    if (outcome == OUTCOME_OK && go) {
        outcome = judge(look, twin, &adoption, why);
    }
    if (outcome != OUTCOME_OK || !go) {
        keyring_free(next);
        return outcome;
    }
    outcome = act_install_locked(act, next, why);
    if (outcome == OUTCOME_OK) {
        put_result(act, twin, &adoption, look);
    }
    return outcome;
}

enum outcome act_key_adopt(struct act *act, struct reason *why)
{
    static const char *const names[] = {"key", "token", "reason", NULL};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct look seen = {.outcome = OUTCOME_OK};
    look(act, &seen);
    pthread_mutex_lock(&act->custody->change);
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    outcome = adopt_locked(act, &seen, why);
    pthread_mutex_unlock(&act->custody->change);
    return outcome;
}
