/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key generate: a key pair made in a token, its public half pinned in the keyring, the
 * keyring durable, and only then in use. */
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "custody/act_record.h"
#include "custody/change.h"
#include "custody/destroy.h"
#include "custody/effect.h"
#include "custody/trial.h"
#include "token/remote.h"

#include <string.h>

enum { GENERATE_DEADLINE_MS = 120000 };

/* Asks the token for a key pair and takes its public half. */
static enum outcome generate_pair(const struct config_role *role, const struct config_token *config,
                                  struct token_generate_request *request, struct public_key **out,
                                  struct reason *why)
{
    struct token *token = token_remote_new(config->name, config->socket);
    if (token == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    enum outcome outcome =
        token_generate(token, request, deadline_in_ms(GENERATE_DEADLINE_MS), &spki, why);
    token_remote_free(token);
    if (outcome == OUTCOME_OK) {
        outcome = public_key_from_spki(buffer_span(&spki), out, why);
    }
    if (outcome == OUTCOME_OK && public_key_type(*out) != role->key_type) {
        public_key_free(*out);
        *out = NULL;
        return refuse(why, OUTCOME_KEY_MISMATCH, "token %s made another type of key than %s",
                      config->name, key_type_name(role->key_type));
    }
    return outcome;
}

/* A record of what never came into force says so. */
static enum outcome record_and_save(const struct act *act, const struct keyring *before,
                                    const struct keyring *next, struct reason *why)
{
    struct custody *custody = act->custody;
    struct audit_ticket ticket;
    enum outcome outcome = act_record_keyring(act, before, next, &ticket, why);
    if (outcome == OUTCOME_OK) {
        outcome = keyring_save(next, custody->room.keyring_path, why);
        custody->disk_failed = outcome == OUTCOME_INTERNAL;
    }
    act_record_keyring_end(act, &ticket, outcome);
    return outcome;
}

enum outcome act_install_locked(struct act *act, struct keyring *keyring, struct reason *why)
{
    struct custody *custody = act->custody;
    struct view *now = view_cell_get(custody->room.views);
    struct view *next = NULL;
    enum outcome outcome = view_new(policy_ref(now->policy), keyring, &next, why);
    if (outcome == OUTCOME_OK) {
        outcome = destroying_check_all(act, now->keyring, next->keyring, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = act_check_decided(act, why);
    }
    if (outcome == OUTCOME_OK && custody->disk_failed) {
        outcome = refuse(why, OUTCOME_UNAVAILABLE,
                         "the disk failed while the keyring was saved, and nobody knows what is on "
                         "it: look after %s, and restart qseald",
                         custody->room.keyring_path);
    }
    if (outcome == OUTCOME_OK) {
        outcome = record_and_save(act, now->keyring, next->keyring, why);
    }
    view_unref(now);
    if (outcome != OUTCOME_OK) {
        view_unref(next);
        return outcome;
    }
    view_cell_set(custody->room.views, next);
    return OUTCOME_OK;
}

static enum outcome enter_key_locked(struct act *act, struct key *key, struct reason *why)
{
    struct view *now = view_cell_get(act->custody->room.views);
    struct keyring *keyring = NULL;
    enum outcome outcome = keyring_add(now->keyring, key, &keyring, why);
    view_unref(now);
    return outcome == OUTCOME_OK ? act_install_locked(act, keyring, why) : outcome;
}

static enum outcome enter_key(struct act *act, struct key *key, struct reason *why)
{
    pthread_mutex_lock(&act->custody->change);
    enum outcome outcome = enter_key_locked(act, key, why);
    pthread_mutex_unlock(&act->custody->change);
    return outcome;
}

/* The first key of a role on a token is in use at once: nobody has an older set or certificate. */
static enum outcome note_states(const struct act *act, struct key *key, bool to_active,
                                struct reason *why)
{
    static const enum key_state states[] = {KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE};
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; outcome == OUTCOME_OK && i < (to_active ? COUNT_OF(states) : 1); i++) {
        struct key_change change;
        outcome = change_by(act, states[i], &change, why);
        change.at = key->created;
        rule_note_wait(act->view->policy, key, &change);
        if (outcome == OUTCOME_OK) {
            outcome = key_note(key, &change, why);
        }
    }
    return outcome;
}

/* The first key of a role is in use at once, if nothing has to come first: a transport key on its
 * token, a seal key anywhere, since verifiers hold one JWK Set of the role. */
static bool is_active_at_once(const struct act *act, const struct config_role *role,
                              const char *token)
{
    struct key fresh = {.purpose = role->purpose};
    memcpy(fresh.role, role->name, strlen(role->name));
    const struct change_question question = {
        .policy = act->view->policy, .keyring = act->view->keyring, .key = &fresh};
    return !role->needs_certificate && rule_first(&question) &&
           !act_has_key(act->view->keyring, role->name,
                        role->purpose == PURPOSE_SEAL ? NULL : token);
}

/* What has become of a request so far. */
struct tally {
    size_t n_entered;
    bool lost; /* a key was made and cannot be entered */
};

static void fill_key(const struct act *act, const struct config_role *role,
                     const struct config_token *token, const struct token_generate_request *request,
                     struct key *out)
{
    *out = (struct key){
        .purpose = role->purpose,
        .algs = role->algs,
        .created = clock_wall_s(),
        .created_by = act->peer.uid,
    };
    memcpy(out->role, request->role, sizeof out->role);
    memcpy(out->token, token->name, strlen(token->name));
    memcpy(out->key_id, request->key_id, sizeof out->key_id);
}

/* The key is empty after it: the keyring has taken it, or it is lost. Appended to the result. */
static enum outcome note_and_enter(struct act *act, struct key *key, bool to_active,
                                   struct tally *tally, struct reason *why)
{
    char kid[THUMBPRINT_SIZE];
    memcpy(kid, public_key_thumbprint(key->public_key), sizeof kid);
    enum outcome outcome = note_states(act, key, to_active, why);
    enum key_state state = key->state;
    if (outcome == OUTCOME_OK) {
        outcome = enter_key(act, key, why);
    }
    if (outcome != OUTCOME_OK) {
        tally->lost = true;
        log_error("key %s was generated in token %s but not entered: %s", kid, key->token,
                  why->detail);
        key_fini(key);
        return outcome;
    }
    log_info("key %s for role %s was generated in token %s by uid %u", kid, key->role, key->token,
             act->peer.uid);
    buffer_put_format(
        act->result, "%s{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\",\"state\":\"%s\"}",
        tally->n_entered++ == 0 ? "" : ",", key->role, key->token, kid, key_state_name(state));
    return OUTCOME_OK;
}

/* A first key that does not sign is entered as one that waits: what the token holds is known, and
 * can be activated or destroyed. */
static enum outcome generate_on(struct act *act, const struct config_role *role,
                                const struct config_token *token, struct tally *tally,
                                struct reason *why)
{
    struct key key;
    struct token_generate_request request = {
        .purpose = role->purpose, .type = role->key_type, .algs = role->algs};
    memcpy(request.role, role->name, strlen(role->name));
    random_bytes(request.key_id, sizeof request.key_id);
    fill_key(act, role, token, &request, &key);
    enum outcome outcome = generate_pair(role, token, &request, &key.public_key, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct reason unfit = {0};
    bool at_once = is_active_at_once(act, role, token->name);
    const struct self_signer signer = act_signer(act, act->view, "trial");
    enum outcome tried = at_once ? trial_first(&signer, &key, &unfit) : OUTCOME_OK;
    outcome = note_and_enter(act, &key, at_once && tried == OUTCOME_OK, tally, why);
    if (outcome == OUTCOME_OK && tried != OUTCOME_OK) {
        log_warning("%s", unfit.detail);
        return refuse(
            why, tried,
            "%.400s; it is generated: publish and activate it when it does, or destroy it",
            unfit.detail);
    }
    return outcome;
}

static enum outcome choose_role(const struct act *act, const struct config_role **role,
                                const struct config_token **only, struct reason *why)
{
    static const char *const names[] = {"role", "token", NULL};
    enum outcome outcome = act_check_arguments(act, names, why);
    return outcome == OUTCOME_OK ? act_choose_role(act, role, only, why) : outcome;
}

/* Whether every token that is meant has a key of the role: then it is for a successor on each. */
static bool is_complete(const struct act *act, const struct config_role *role,
                        const struct config_token *only)
{
    for (size_t i = 0; i < role->n_tokens; i++) {
        bool wanted = only == NULL || strcmp(only->name, role->tokens[i]) == 0;
        if (wanted && !act_has_key(act->view->keyring, role->name, role->tokens[i])) {
            return false;
        }
    }
    return true;
}

static bool is_wanted(const struct act *act, const struct config_role *role,
                      const struct config_token *only, const char *token)
{
    bool is_named = only == NULL || strcmp(only->name, token) == 0;
    return is_named &&
           (is_complete(act, role, only) || !act_has_key(act->view->keyring, role->name, token));
}

/* With how many keys the role has on the token by then: one more of them is another thing. */
static json_t *effect_on(const struct act *act, const struct config_role *role, const char *token)
{
    const struct keyring *keyring = act->view->keyring;
    BUFFER_CLEANUP struct buffer algs = BUFFER_INIT(256);
    json_int_t n = 0;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        n += strcmp(key->role, role->name) == 0 && strcmp(key->token, token) == 0;
    }
    alg_put_set(&algs, role->algs);
    json_t *list = json_loadb(buffer_text(&algs), algs.len, 0, NULL);
    bool active = is_active_at_once(act, role, token);
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:s}", "role", role->name, "token", token,
                     "purpose", purpose_name(role->purpose), "type", key_type_name(role->key_type),
                     "algs", list, "keys_before", n, "to",
                     key_state_name(active ? KEY_ACTIVE : KEY_GENERATED));
}

static json_t *effect_of(const struct act *act, const struct config_role *role,
                         const struct config_token *only)
{
    json_t *effect = effect_new();
    for (size_t i = 0; i < role->n_tokens; i++) {
        if (is_wanted(act, role, only, role->tokens[i])) {
            effect_put(&effect, effect_on(act, role, role->tokens[i]));
        }
    }
    return effect;
}

/* Each token on its own; where the keyring takes no key, no more are made for nothing. */
static enum outcome generate_where_wanted(struct act *act, const struct config_role *role,
                                          const struct config_token *only, struct reason *why)
{
    FAILURES_CLEANUP struct failures failures = FAILURES_INIT;
    struct tally tally = {0};
    buffer_put_text(act->result, "{\"keys\":[");
    for (size_t i = 0; !tally.lost && i < role->n_tokens; i++) {
        const struct config_token *token = config_token(act->view->policy->config, role->tokens[i]);
        struct reason inner = {0};
        if (!is_wanted(act, role, only, token->name)) {
            continue;
        }
        enum outcome outcome = generate_on(act, role, token, &tally, &inner);
        if (outcome != OUTCOME_OK) {
            failures_add(&failures, token->name, outcome, &inner);
        }
    }
    buffer_put_text(act->result, "]");
    failures_put(&failures, act->result);
    buffer_put_text(act->result, "}");
    return failures_outcome(&failures, tally.n_entered, why);
}

enum outcome act_key_generate(struct act *act, struct reason *why)
{
    const struct config_role *role = NULL;
    const struct config_token *only = NULL;
    bool go = false;
    enum outcome outcome = choose_role(act, &role, &only, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (pthread_mutex_trylock(&act->custody->generating) != 0) {
        return refuse(why, OUTCOME_LIMIT,
                      "another key is being generated; try again when it is done");
    }
    /* The view of before the lock may be older than the last key. */
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    outcome = choose_role(act, &role, &only, why);
    if (outcome == OUTCOME_OK) {
        outcome = act_decide(act, effect_of(act, role, only), &go, why);
    }
    if (outcome == OUTCOME_OK && go) {
        outcome = generate_where_wanted(act, role, only, why);
    }
    pthread_mutex_unlock(&act->custody->generating);
    return outcome;
}
