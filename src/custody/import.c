/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key import-certificate: certificates put beside the key they are for. */
#include "custody/import.h"

#include "base/clock.h"
#include "base/log.h"
#include "custody/act_record.h"
#include "custody/effect.h"
#include "custody/report_certificate.h"
#include "custody/trial.h"
#include "jose/json.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_STEPS = 3, IMPORT_STEPS_MAX = FIRST_STEPS * SELECTION_MAX };

struct import {
    struct buffer pem; /* as it will be kept */
    struct certificate_facts facts;
};

static enum outcome read_for(const struct key *key, const char *text, struct import *out,
                             struct reason *why)
{
    const struct certificate_owner owner = {.purpose = key->purpose,
                                            .spki = public_key_spki(key->public_key)};
    buffer_reset(&out->pem);
    return certificate_chain_read(span_of_text(text), &owner, clock_wall_s(), &out->pem,
                                  &out->facts, why);
}

/* Whether no other key of its role has been in use: a transport key on its token, where its
 * certificate is another one; a seal key anywhere, since verifiers hold one JWK Set of the role. */
static bool is_first(const struct keyring *keyring, const struct key *key)
{
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *other = &keyring->keys[i];
        bool is_near = key->purpose == PURPOSE_SEAL || strcmp(other->token, key->token) == 0;
        if (!key_is_twin(other, key) && is_near && strcmp(other->role, key->role) == 0 &&
            other->state != KEY_GENERATED && other->state != KEY_CERTIFIED) {
            return false;
        }
    }
    return true;
}

/* A key, on all its tokens, what is kept beside it, and the keyring with both. */
struct resolved {
    const struct key *key;
    struct keyring_step steps[IMPORT_STEPS_MAX];
    size_t n_steps;
    struct keyring *next; /* owned */
};

/* The state of this entry of the keyring after all. */
static enum key_state state_after(const struct resolved *resolved, const struct keyring *keyring,
                                  size_t index)
{
    enum key_state state = keyring->keys[index].state;
    for (size_t i = 0; i < resolved->n_steps; i++) {
        state = resolved->steps[i].index == index ? resolved->steps[i].change.state : state;
    }
    return state;
}

/* A key that waited for its certificate has it now, and the first of its role on the token is in
 * use at once. Later certificates of the key change no state. */
static enum outcome resolve_steps(const struct act *act, const struct key *key,
                                  struct resolved *out, struct reason *why)
{
    static const enum key_state states[] = {KEY_CERTIFIED, KEY_PUBLISHED, KEY_ACTIVE};
    const struct keyring *keyring = act->view->keyring;
    const struct change_question question = {
        .policy = act->view->policy, .keyring = keyring, .key = key};
    bool at_once = is_first(keyring, key) && rule_first(&question);
    size_t n = key->state != KEY_GENERATED ? 0 : at_once ? FIRST_STEPS : 1;
    enum outcome outcome = OUTCOME_OK;
    if (out->n_steps + n > IMPORT_STEPS_MAX) {
        return refuse(why, OUTCOME_RULE, "the key is on more than %d tokens", SELECTION_MAX);
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < n; i++) {
        struct keyring_step *step = &out->steps[out->n_steps++];
        step->index = (size_t)(key - keyring->keys);
        outcome = change_by(act, states[i], &step->change, why);
        rule_note_wait(question.policy, key, &step->change);
    }
    return outcome;
}

static json_t *digest_of(const char *pem)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char text[2 * SHA256_DIGEST_LENGTH + 1] = "";
    if (pem != NULL) {
        (void)SHA256((const uint8_t *)pem, strlen(pem), digest);
        for (size_t i = 0; i < sizeof digest; i++) {
            (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
        }
    }
    return json_string(text);
}

/* With the certificates that were there before: importing them twice is another thing. */
static void effect_put_chain(json_t **effect, const struct key *key, enum key_state to,
                             const char *pem)
{
    json_t *entry = effect_of_key(key, to);
    if (json_object_set_new(entry, "chain_sha256_before", digest_of(key->chain_pem)) != 0 ||
        json_object_set_new(entry, "chain_sha256", digest_of(pem)) != 0) {
        json_clear_ref(&entry);
    }
    effect_put(effect, entry);
}

static json_t *effect_of(const struct keyring *keyring, const struct resolved *resolved,
                         const char *pem)
{
    json_t *effect = effect_new();
    for (size_t i = 0; i < keyring->n_keys; i++) {
        if (key_is_twin(&keyring->keys[i], resolved->key)) {
            effect_put_chain(&effect, &keyring->keys[i], state_after(resolved, keyring, i), pem);
        }
    }
    return effect;
}

/* "tokens": all that the key is on. */
static void put_result(struct buffer *out, const struct keyring *keyring,
                       const struct resolved *resolved, const struct certificate_facts *facts)
{
    const struct key *key = resolved->key;
    const char *put = "";
    buffer_put_format(
        out, "{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\",\"state\":\"%s\",", key->role,
        key->token, public_key_thumbprint(key->public_key),
        key_state_name(state_after(resolved, keyring, (size_t)(key - keyring->keys))));
    buffer_put_text(out, "\"tokens\":[");
    for (size_t i = 0; i < keyring->n_keys; i++) {
        if (key_is_twin(&keyring->keys[i], key)) {
            buffer_put_format(out, "%s\"%s\"", put, keyring->keys[i].token);
            put = ",";
        }
    }
    buffer_put_text(out, "],");
    report_certificate(out, facts);
    buffer_put_text(out, "}");
}

static enum outcome resolve(const struct act *act, const char *text, struct import *import,
                            struct resolved *out, struct reason *why)
{
    const struct keyring *keyring = act->view->keyring;
    enum outcome outcome = import_choose_key(act, text, &out->key, why);
    if (outcome == OUTCOME_OK) {
        outcome = read_for(out->key, text, import, why);
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < keyring->n_keys; i++) {
        if (key_is_twin(&keyring->keys[i], out->key)) {
            outcome = resolve_steps(act, &keyring->keys[i], out, why);
        }
    }
    return outcome == OUTCOME_OK
               ? keyring_set_chain(keyring, out->key->public_key, buffer_text(&import->pem),
                                   out->steps, out->n_steps, &out->next, why)
               : outcome;
}

/* As a change does (change.c): before the lock. */
static void try_key(const struct act *act, const char *text, struct import *import,
                    struct trials *trials)
{
    struct resolved resolved = {.next = NULL};
    struct reason unused = {0};
    if (!act_is_held_up(act) && resolve(act, text, import, &resolved, &unused) == OUTCOME_OK) {
        const struct self_signer signer = act_signer(act, act->view, "trial");
        trials_make(trials, &signer, act->view->keyring, resolved.steps, resolved.n_steps);
    }
    keyring_free(resolved.next);
}

static enum outcome finish(struct act *act, const struct import *import,
                           const struct resolved *resolved, struct reason *why)
{
    const struct key *key = resolved->key;
    enum outcome outcome = act_install_locked(act, resolved->next, why);
    if (outcome == OUTCOME_OK) {
        put_result(act->result, act->view->keyring, resolved, &import->facts);
        log_info("a certificate with serial %s for key %s of role %s was imported by uid %u",
                 import->facts.serial, public_key_thumbprint(key->public_key), key->role,
                 act->peer.uid);
    }
    return outcome;
}

/* Under the lock the view is taken anew: the key is looked for in the keyring that is changed. */
static enum outcome import_locked(struct act *act, const char *text, const struct trials *trials,
                                  struct import *import, struct reason *why)
{
    struct resolved resolved = {.next = NULL};
    bool go = false;
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    enum outcome outcome = resolve(act, text, import, &resolved, why);
    if (outcome == OUTCOME_OK) {
        json_t *effect = effect_of(act->view->keyring, &resolved, buffer_text(&import->pem));
        outcome = act_decide(act, effect, &go, why);
    }
    if (outcome == OUTCOME_OK && go) {
        outcome = trials_check(trials, act->view->keyring, resolved.steps, resolved.n_steps, why);
    }
    if (outcome == OUTCOME_OK && go) {
        return finish(act, import, &resolved, why);
    }
    keyring_free(resolved.next);
    return outcome;
}

enum outcome act_key_import(struct act *act, struct reason *why)
{
    static const char *const names[] = {"role", "token", "chain", NULL};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *text = act_argument(act, "chain");
    if (text == NULL) {
        return refuse(why, OUTCOME_MALFORMED, "\"chain\" is missing: the certificates in PEM");
    }
    struct import import = {.pem = BUFFER_INIT(KEYRING_CHAIN_MAX)};
    struct trials trials = {.n = 0};
    try_key(act, text, &import, &trials);
    pthread_mutex_lock(&act->custody->change);
    outcome = import_locked(act, text, &trials, &import, why);
    pthread_mutex_unlock(&act->custody->change);
    buffer_fini(&import.pem);
    return outcome;
}
