/* SPDX-License-Identifier: Apache-2.0
 * Which keys may not be in one keyring. */
#include "keyring/store.h"

#include <stdlib.h>
#include <string.h>

bool key_is_twin(const struct key *a, const struct key *b)
{
    return strcmp(public_key_thumbprint(a->public_key), public_key_thumbprint(b->public_key)) == 0;
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

enum outcome clash_check_new(const struct keyring *keyring, const struct key *key,
                             struct reason *why)
{
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < keyring->n_keys && outcome == OUTCOME_OK; i++) {
        outcome = check_pair(&keyring->keys[i], key, why);
    }
    return outcome;
}

typedef int compare(const struct key *a, const struct key *b);

static int by_thumbprint(const struct key *a, const struct key *b)
{
    return strcmp(public_key_thumbprint(a->public_key), public_key_thumbprint(b->public_key));
}

static int by_id(const struct key *a, const struct key *b)
{
    int order = memcmp(a->key_id, b->key_id, sizeof a->key_id);
    return order != 0 ? order : strcmp(a->token, b->token);
}

static int by_active(const struct key *a, const struct key *b)
{
    if (a->state != KEY_ACTIVE || b->state != KEY_ACTIVE) {
        return (a->state == KEY_ACTIVE) - (b->state == KEY_ACTIVE);
    }
    int order = strcmp(a->role, b->role);
    return order != 0 ? order : strcmp(a->token, b->token);
}

/* Every rule is about keys that are equal in something, so that in this order it is broken between
 * neighbours if it is broken at all. */
static compare *const orders[] = {by_thumbprint, by_id, by_active};

/* Where two are equal, the one that came first. */
static int compare_places(const void *a, const void *b, void *order)
{
    const struct key *const *left = a;
    const struct key *const *right = b;
    int result = orders[*(const size_t *)order](*left, *right);
    return result != 0 ? result : (*left > *right) - (*left < *right);
}

static enum outcome check_neighbours(const struct key *const *sorted, size_t n, size_t *at,
                                     struct reason *why)
{
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 1; i < n && outcome == OUTCOME_OK; i++) {
        bool in_order = sorted[i - 1] < sorted[i];
        const struct key *first = sorted[in_order ? i - 1 : i];
        const struct key *second = sorted[in_order ? i : i - 1];
        outcome = check_pair(first, second, why);
        *at = outcome == OUTCOME_OK ? *at : in_order ? i : i - 1;
    }
    return outcome;
}

enum outcome clash_check_all(const struct keyring *keyring, size_t *index, struct reason *why)
{
    size_t n = keyring->n_keys;
    const struct key **sorted = calloc(n + 1, sizeof *sorted);
    enum outcome outcome =
        sorted == NULL ? refuse(why, OUTCOME_INTERNAL, "out of memory") : OUTCOME_OK;
    for (size_t i = 0; sorted != NULL && i < n; i++) {
        sorted[i] = &keyring->keys[i];
    }
    for (size_t i = 0; i < COUNT_OF(orders) && outcome == OUTCOME_OK; i++) {
        size_t at = 0;
        qsort_r(sorted, n, sizeof *sorted, compare_places, &i);
        outcome = check_neighbours(sorted, n, &at, why);
        *index = n == 0 ? 0 : (size_t)(sorted[at] - keyring->keys);
    }
    free(sorted);
    return outcome;
}
