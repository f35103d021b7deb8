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

static int by_place(const struct key *a, const struct key *b)
{
    int order = strcmp(a->role, b->role);
    return order != 0 ? order : strcmp(a->token, b->token);
}

/* Every rule is about keys that are equal in something, so that in this order it is broken between
 * neighbours if it is broken at all. */
static const struct order {
    compare *compare;
    bool of_active; /* of those alone */
} orders[] = {{by_thumbprint, false}, {by_id, false}, {by_place, true}};

/* Where two are equal, the one that came first. */
static int compare_places(const void *a, const void *b, void *order)
{
    const struct key *const *left = a;
    const struct key *const *right = b;
    int result = ((const struct order *)order)->compare(*left, *right);
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

/* How many there are in *sorted. */
static size_t sort(const struct keyring *keyring, const struct order *order,
                   const struct key **sorted)
{
    size_t n = 0;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        if (!order->of_active || keyring->keys[i].state == KEY_ACTIVE) {
            sorted[n++] = &keyring->keys[i];
        }
    }
    qsort_r(sorted, n, sizeof *sorted, compare_places, (void *)order);
    return n;
}

enum outcome clash_check_all(const struct keyring *keyring, size_t *index, struct reason *why)
{
    const struct key **sorted = calloc(keyring->n_keys + 1, sizeof *sorted);
    enum outcome outcome =
        sorted == NULL ? refuse(why, OUTCOME_INTERNAL, "out of memory") : OUTCOME_OK;
    for (size_t i = 0; i < COUNT_OF(orders) && outcome == OUTCOME_OK; i++) {
        size_t at = 0;
        size_t n = sort(keyring, &orders[i], sorted);
        outcome = check_neighbours(sorted, n, &at, why);
        *index = n == 0 ? 0 : (size_t)(sorted[at] - keyring->keys);
    }
    free(sorted);
    return outcome;
}
