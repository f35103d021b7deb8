/* SPDX-License-Identifier: Apache-2.0
 * One key on one token more. */
#include "keyring/keyring.h"

#include <stdlib.h>
#include <string.h>

/* How many steps of the history lead to this state; 0: it is neither the key's own nor the one
 * before it was active. */
static size_t steps_to(const struct key *key, enum key_state state)
{
    size_t n = key->n_history;
    while (state != key->state && n > 0 && key->history[n - 1].state == KEY_ACTIVE) {
        n--;
    }
    return n > 0 && key->history[n - 1].state == state ? n : 0;
}

/* Owns what it points to, also when it is refused. */
static enum outcome make(const struct key *key, const char *token,
                         const struct key_change *adoption, struct key *out, struct reason *why)
{
    enum outcome outcome = OUTCOME_OK;
    *out = (struct key){.purpose = key->purpose,
                        .algs = key->algs,
                        .created = key->created,
                        .created_by = key->created_by,
                        .public_key = public_key_ref(key->public_key)};
    memcpy(out->role, key->role, sizeof out->role);
    memcpy(out->key_id, key->key_id, sizeof out->key_id);
    memcpy(out->proofs, key->proofs, sizeof out->proofs);
    memcpy(out->token, token, strnlen(token, sizeof out->token - 1));
    out->chain_pem = key->chain_pem == NULL ? NULL : strdup(key->chain_pem);
    if ((key->chain_pem == NULL) != (out->chain_pem == NULL)) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    size_t n = steps_to(key, adoption->state);
    for (size_t i = 0; outcome == OUTCOME_OK && i < n; i++) {
        outcome = key_note(out, &key->history[i], why);
    }
    struct key_change begin = *adoption;
    begin.wait_s = key_wait_s(out);
    memcpy(begin.replica_of, key->token, sizeof begin.replica_of);
    return outcome == OUTCOME_OK ? key_note(out, &begin, why) : outcome;
}

enum outcome keyring_add_replica(const struct keyring *keyring, size_t index, const char *token,
                                 const struct key_change *adoption, struct keyring **out,
                                 struct reason *why)
{
    struct key replica;
    *out = NULL;
    enum outcome outcome = make(&keyring->keys[index], token, adoption, &replica, why);
    if (outcome == OUTCOME_OK) {
        outcome = keyring_add(keyring, &replica, out, why);
    }
    key_fini(&replica); /* empty once the keyring has taken it */
    return outcome;
}
