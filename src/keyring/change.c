/* SPDX-License-Identifier: Apache-2.0
 * Keys on their way from state to state. */
#include "keyring/store.h"

#include <stdlib.h>
#include <string.h>

void key_fini(struct key *key)
{
    public_key_free(key->public_key);
    free(key->chain_pem);
    free(key->history);
    free(key->schedule);
    *key = (struct key){0};
}

enum outcome change_check_text(const char *text, struct reason *why)
{
    return strnlen(text, KEYRING_REASON_MAX + 1) <= KEYRING_REASON_MAX &&
                   span_is_printable(span_of_text(text))
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "a reason has at most %d printable ASCII characters",
                        KEYRING_REASON_MAX);
}

/* What stops a key, or lets it make room for another. */
static bool is_towards_end(enum key_state to)
{
    return to == KEY_RETIRING || to == KEY_RETIRED || to == KEY_SUSPENDED ||
           to == KEY_COMPROMISED || to == KEY_DESTROYED;
}

bool key_resumes_to(const struct key *key, enum key_state *to)
{
    size_t n = key->n_history;
    while (n > 0 && key->history[n - 1].state == KEY_SUSPENDED) {
        n--; /* more than one where it is a replica of a suspended key */
    }
    if (key->state != KEY_SUSPENDED || n == 0) {
        return false;
    }
    enum key_state before = key->history[n - 1].state;
    *to = before == KEY_ACTIVE ? KEY_PUBLISHED : before;
    return true;
}

static enum outcome check_step(const struct key *key, const struct key_change *change,
                               struct reason *why)
{
    enum key_state to = change->state;
    enum key_state resumed;
    if (key->n_history >= (is_towards_end(to) ? KEYRING_HISTORY_MAX : KEYRING_HISTORY_FREE)) {
        return refuse(why, OUTCOME_RULE, "this key has changed %zu times: generate another",
                      key->n_history);
    }
    if (change->replica_of[0] != '\0') {
        return key->n_history > 0 && to == key->state
                   ? OUTCOME_OK
                   : refuse(why, OUTCOME_RULE, "a replica begins in the state that its key is in");
    }
    enum outcome outcome = key->n_history == 0 ? OUTCOME_OK : key_state_check(key->state, to, why);
    bool is_resumed = key_resumes_to(key, &resumed) && to != KEY_COMPROMISED;
    return outcome == OUTCOME_OK && is_resumed && to != resumed
               ? refuse(why, OUTCOME_RULE, "a suspended key goes on as %s here, and not as %s",
                        key_state_name(resumed), key_state_name(to))
               : outcome;
}

enum outcome key_note(struct key *key, const struct key_change *change, struct reason *why)
{
    enum outcome text = change_check_text(change->reason, why);
    if (text != OUTCOME_OK) {
        return text;
    }
    enum outcome outcome = check_step(key, change, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct key_change *history =
        reallocarray(key->history, key->n_history + 1, sizeof *key->history);
    if (history == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    key->history = history;
    key->history[key->n_history++] = *change;
    key->state = change->state;
    return OUTCOME_OK;
}

int64_t key_since(const struct key *key)
{
    return key->n_history == 0 ? key->created : key->history[key->n_history - 1].at;
}

bool key_shown_since(const struct key *key, int64_t *at)
{
    bool shown = false;
    for (size_t i = key->n_history; i > 0 && key_state_may(key->history[i - 1].state, KEY_ACT_JWKS);
         i--) {
        *at = key->history[i - 1].at;
        shown = true;
    }
    return shown;
}

bool key_is_seen(const struct key *key)
{
    const struct key_record *seen = &key->proofs[KEY_PROOF_SEEN];
    int64_t since = 0;
    return seen->recorded && key_shown_since(key, &since) && seen->at >= since;
}

/* The step out of the state active, the last one of them; NULL: there was none. */
static const struct key_change *stop_of(const struct key *key)
{
    for (size_t i = key->n_history; i > 1; i--) {
        if (key->history[i - 2].state == KEY_ACTIVE) {
            return &key->history[i - 1];
        }
    }
    return NULL;
}

bool key_stopped_at(const struct key *key, int64_t *at)
{
    const struct key_change *stop = stop_of(key);
    if (stop == NULL) {
        return false;
    }
    *at = stop->at;
    return key->state != KEY_ACTIVE;
}

int64_t key_wait_s(const struct key *key)
{
    return key->state == KEY_PUBLISHED && key->n_history > 0
               ? key->history[key->n_history - 1].wait_s
               : 0;
}

int64_t key_keep_s(const struct key *key)
{
    const struct key_change *stop = stop_of(key);
    return stop == NULL ? 0 : stop->wait_s;
}

/* Between the steps of one change there may be two: who is made active is looked at afterwards. */
static enum outcome check_actives(const struct keyring *keyring, struct reason *why)
{
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        if (key->state == KEY_ACTIVE && keyring_active(keyring, key->role, key->token) != key) {
            return refuse(why, OUTCOME_RULE,
                          "role %s already has an active key on token %s; one at a time", key->role,
                          key->token);
        }
    }
    return OUTCOME_OK;
}

enum outcome keyring_take_steps(struct keyring *keyring, const struct keyring_step *steps, size_t n,
                                struct reason *why)
{
    for (size_t i = 0; i < n; i++) {
        enum outcome outcome =
            steps[i].index < keyring->n_keys
                ? key_note(&keyring->keys[steps[i].index], &steps[i].change, why)
                : refuse(why, OUTCOME_INTERNAL, "no key %zu in the keyring", steps[i].index);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    schedule_trim(keyring, steps, n);
    return check_actives(keyring, why);
}

enum outcome keyring_change(const struct keyring *keyring, const struct keyring_step *steps,
                            size_t n, struct keyring **out, struct reason *why)
{
    struct keyring *copy = NULL;
    enum outcome outcome = keyring_copy(keyring, &copy, why);
    if (outcome == OUTCOME_OK) {
        outcome = keyring_take_steps(copy, steps, n, why);
    }
    if (outcome != OUTCOME_OK) {
        keyring_free(copy);
        copy = NULL;
    }
    *out = copy;
    return outcome;
}
