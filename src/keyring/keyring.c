/* SPDX-License-Identifier: Apache-2.0
 * The keyring in memory: rules for what may be in it, and look-up. */
#include "keyring/keyring.h"

#include "keyring/store.h"

#include <stdlib.h>
#include <string.h>

void keyring_free(struct keyring *keyring)
{
    if (keyring == NULL) {
        return;
    }
    for (size_t i = 0; i < keyring->n_keys; i++) {
        key_fini(&keyring->keys[i]);
    }
    free(keyring->keys);
    free(keyring);
}

static void keyring_clear_ref(struct keyring **keyring)
{
    keyring_free(*keyring);
}

bool key_is_twin(const struct key *a, const struct key *b)
{
    return strcmp(public_key_thumbprint(a->public_key), public_key_thumbprint(b->public_key)) == 0;
}

/* Whether two entries can be in each other's way at all: of a thousand keys hardly any two are. */
static bool may_clash(const struct key *a, const struct key *b)
{
    return memcmp(a->key_id, b->key_id, KEYRING_ID_LEN) == 0 ||
           (a->state == KEY_ACTIVE && b->state == KEY_ACTIVE) || key_is_twin(a, b);
}

/* One public key, one purpose (NIST SP 800-57 §5.2), compared by key and not by label. The same key
 * of the same role may be on several tokens. */
static enum outcome check_pair(const struct key *there, const struct key *key, struct reason *why)
{
    bool same_role = strcmp(there->role, key->role) == 0;
    bool same_token = strcmp(there->token, key->token) == 0;
    if (key_is_twin(there, key) && there->purpose != key->purpose) {
        return refuse(why, OUTCOME_RULE,
                      "role %s: its public key already serves purpose %s; a key has one purpose",
                      key->role, purpose_name(there->purpose));
    }
    if (key_is_twin(there, key) && !same_role) {
        return refuse(why, OUTCOME_RULE,
                      "role %s: its public key already belongs to role %s; a key has one role",
                      key->role, there->role);
    }
    if (same_token && memcmp(there->key_id, key->key_id, KEYRING_ID_LEN) == 0) {
        return refuse(why, OUTCOME_RULE,
                      "role %s: its CKA_ID is in use on token %s, by role %s; each key has its own",
                      key->role, key->token, there->role);
    }
    if (same_role && same_token && there->state == KEY_ACTIVE && key->state == KEY_ACTIVE) {
        return refuse(why, OUTCOME_RULE,
                      "role %s already has an active key on token %s; one at a time", key->role,
                      key->token);
    }
    return OUTCOME_OK;
}

enum outcome keyring_append(struct keyring *keyring, struct key *key, struct reason *why)
{
    for (size_t i = 0; i < keyring->n_keys; i++) {
        enum outcome outcome = may_clash(&keyring->keys[i], key)
                                   ? check_pair(&keyring->keys[i], key, why)
                                   : OUTCOME_OK;
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    if (key->n_history == 0) {
        const struct key_change made = {
            .state = key->state, .at = key->created, .by = key->created_by};
        enum outcome outcome = key_note(key, &made, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    struct key *keys = reallocarray(keyring->keys, keyring->n_keys + 1, sizeof *keys);
    if (keys == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    keyring->keys = keys;
    keyring->keys[keyring->n_keys++] = *key;
    key->public_key = NULL;
    key->chain_pem = NULL;
    key->history = NULL;
    key->n_history = 0;
    key->schedule = NULL;
    key->n_schedule = 0;
    return OUTCOME_OK;
}

static bool copy_key(struct key *to, const struct key *from)
{
    *to = *from;
    to->public_key = public_key_ref(from->public_key);
    to->chain_pem = from->chain_pem == NULL ? NULL : strdup(from->chain_pem);
    to->history = calloc(from->n_history, sizeof *to->history);
    to->schedule = from->n_schedule == 0 ? NULL : calloc(from->n_schedule, sizeof *to->schedule);
    if (to->history == NULL || (to->schedule == NULL) != (from->n_schedule == 0)) {
        to->n_history = 0;
        to->n_schedule = 0;
        return false;
    }
    memcpy(to->history, from->history, from->n_history * sizeof *to->history);
    if (from->n_schedule > 0) {
        memcpy(to->schedule, from->schedule, from->n_schedule * sizeof *to->schedule);
    }
    return (from->chain_pem == NULL) == (to->chain_pem == NULL);
}

enum outcome keyring_copy(const struct keyring *keyring, struct keyring **out, struct reason *why)
{
    *out = NULL;
    CLEANUP(keyring_clear_ref) struct keyring *copy = calloc(1, sizeof *copy);
    struct key *keys = calloc(keyring->n_keys + 1, sizeof *keys);
    if (copy == NULL || keys == NULL) {
        free(keys);
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    copy->generation = keyring->generation + 1;
    copy->keys = keys;
    while (copy->n_keys < keyring->n_keys) {
        const struct key *from = &keyring->keys[copy->n_keys];
        struct key *to = &keys[copy->n_keys++];
        if (!copy_key(to, from)) {
            return refuse(why, OUTCOME_INTERNAL, "out of memory");
        }
    }
    *out = copy;
    copy = NULL;
    return OUTCOME_OK;
}

enum outcome keyring_add(const struct keyring *keyring, struct key *key, struct keyring **out,
                         struct reason *why)
{
    *out = NULL;
    CLEANUP(keyring_clear_ref) struct keyring *copy = NULL;
    enum outcome outcome = keyring_copy(keyring, &copy, why);
    if (outcome == OUTCOME_OK) {
        outcome = keyring_append(copy, key, why);
    }
    if (outcome == OUTCOME_OK) {
        *out = copy;
        copy = NULL;
    }
    return outcome;
}

int64_t keyring_newest_time(const struct keyring *keyring)
{
    int64_t newest = 0;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        newest = key->created > newest ? key->created : newest;
        newest = key_since(key) > newest ? key_since(key) : newest;
    }
    return newest;
}

/* The newest first, here and below: what signs is among the last, whatever lies behind it. */
const struct key *keyring_active(const struct keyring *keyring, const char *role, const char *token)
{
    for (size_t i = keyring->n_keys; i > 0; i--) {
        const struct key *key = &keyring->keys[i - 1];
        if (key->state == KEY_ACTIVE && strcmp(key->role, role) == 0 &&
            strcmp(key->token, token) == 0) {
            return key;
        }
    }
    return NULL;
}

const struct key *keyring_by_thumbprint(const struct keyring *keyring, const char *role,
                                        const char *token, const char *thumbprint)
{
    for (size_t i = keyring->n_keys; i > 0; i--) {
        const struct key *key = &keyring->keys[i - 1];
        if (strcmp(key->role, role) == 0 && strcmp(key->token, token) == 0 &&
            strcmp(public_key_thumbprint(key->public_key), thumbprint) == 0) {
            return key;
        }
    }
    return NULL;
}
