/* SPDX-License-Identifier: Apache-2.0
 * The keyring in memory, and look-up. */
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

/* Doubles, since a file's keys come one by one. */
static bool make_room(struct keyring *keyring)
{
    size_t room = keyring->n_keys < keyring->room ? keyring->room : keyring->room * 2 + 1;
    struct key *keys = reallocarray(keyring->keys, room, sizeof *keys);
    if (keys != NULL) {
        keyring->keys = keys;
        keyring->room = room;
    }
    return keys != NULL;
}

enum outcome keyring_append(struct keyring *keyring, struct key *key, struct reason *why)
{
    if (key->n_history == 0) {
        const struct key_change made = {
            .state = key->state, .at = key->created, .by = key->created_by};
        enum outcome outcome = key_note(key, &made, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    if (!make_room(keyring)) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
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
    copy->room = keyring->n_keys + 1;
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
        outcome = clash_check_new(copy, key, why);
    }
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
