/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key import-certificate: certificates put beside the key they are for. */
#include "base/clock.h"
#include "base/log.h"
#include "custody/act.h"
#include "custody/report_certificate.h"
#include "pki/certificate.h"

#include <string.h>

enum { STEPS_MAX = 3 };

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

/* The role's keys in turn, since each token has its own: the certificate says which is meant. */
static enum outcome find_key(const struct act *act, const char *text, struct import *import,
                             const struct key **out, struct reason *why)
{
    const struct config_role *role = NULL;
    const struct config_token *only = NULL;
    enum outcome outcome = act_choose_role(act, &role, &only, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = act_no_key(role, only, why);
    const struct keyring *keyring = act->view->keyring;
    for (size_t i = 0; outcome != OUTCOME_OK && i < keyring->n_keys; i++) {
        *out = &keyring->keys[i];
        if (strcmp((*out)->role, role->name) == 0 && key_state_may((*out)->state, KEY_ACT_CSR) &&
            (only == NULL || strcmp((*out)->token, only->name) == 0)) {
            outcome = read_for(*out, text, import, why);
        }
    }
    return outcome;
}

/* Whether no other key of its role has been in use on its token. */
static bool is_first(const struct keyring *keyring, const struct key *key)
{
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *other = &keyring->keys[i];
        if (other != key && strcmp(other->role, key->role) == 0 &&
            strcmp(other->token, key->token) == 0 && other->state != KEY_GENERATED &&
            other->state != KEY_CERTIFIED) {
            return false;
        }
    }
    return true;
}

/* A key that waited for its certificate has it now, and the first of its role on the token is in
 * use at once. Later certificates of the key change no state. */
static size_t plan_steps(const struct act *act, const struct key *key,
                         struct keyring_step steps[STEPS_MAX])
{
    static const enum key_state states[] = {KEY_CERTIFIED, KEY_PUBLISHED, KEY_ACTIVE};
    const struct keyring *keyring = act->view->keyring;
    size_t n = key->state != KEY_GENERATED ? 0 : is_first(keyring, key) ? STEPS_MAX : 1;
    for (size_t i = 0; i < n; i++) {
        steps[i] = (struct keyring_step){
            .index = (size_t)(key - keyring->keys),
            .change = {.state = states[i], .at = clock_wall_s(), .by = act->peer.uid},
        };
    }
    return n;
}

static void put_result(struct buffer *out, const struct key *key, enum key_state state,
                       const struct certificate_facts *facts)
{
    buffer_put_format(out, "{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\",\"state\":\"%s\",",
                      key->role, key->token, public_key_thumbprint(key->public_key),
                      key_state_name(state));
    report_certificate(out, facts);
    buffer_put_text(out, "}");
}

/* Under the lock the view is taken anew: the key is looked for in the keyring that is changed. */
static enum outcome import_locked(struct act *act, const char *text, struct import *import,
                                  struct reason *why)
{
    const struct key *key = NULL;
    struct keyring *next = NULL;
    struct keyring_step steps[STEPS_MAX];
    size_t n_steps = 0;
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    enum outcome outcome = find_key(act, text, import, &key, why);
    if (outcome == OUTCOME_OK) {
        n_steps = plan_steps(act, key, steps);
        outcome = keyring_set_chain(act->view->keyring, key->public_key, buffer_text(&import->pem),
                                    steps, n_steps, &next, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = act_install_locked(act, next, why);
    }
    if (outcome == OUTCOME_OK) {
        put_result(act->result, key, n_steps == 0 ? key->state : steps[n_steps - 1].change.state,
                   &import->facts);
        log_info("a certificate with serial %s for key %s of role %s was imported by uid %u",
                 import->facts.serial, public_key_thumbprint(key->public_key), key->role,
                 act->peer.uid);
    }
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
    pthread_mutex_lock(&act->custody->change);
    outcome = import_locked(act, text, &import, why);
    pthread_mutex_unlock(&act->custody->change);
    buffer_fini(&import.pem);
    return outcome;
}
