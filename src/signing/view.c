/* SPDX-License-Identifier: Apache-2.0
 * Views: reference counts, and the one place that says which is current. */
#include "signing/view.h"

#include "audit/record.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct view_cell {
    pthread_mutex_t lock;
    struct view *current;
};

static enum outcome load_peers(struct policy *policy, struct reason *why)
{
    const struct config *config = policy->config;
    policy->peers = calloc(config->n_roles + 1, sizeof *policy->peers);
    if (policy->peers == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    for (size_t i = 0; i < config->n_roles; i++) {
        const struct config_role *role = &config->roles[i];
        struct reason inner = {0};
        if (role->n_peers == 0) {
            continue;
        }
        enum outcome outcome = peer_set_new(role->peers, role->n_peers, &policy->peers[i], &inner);
        if (outcome != OUTCOME_OK) {
            return refuse(why, outcome, "%s: role %s: %s", config->path, role->name, inner.detail);
        }
    }
    return OUTCOME_OK;
}

static void free_peers(struct policy *policy)
{
    for (size_t i = 0; policy->peers != NULL && i < policy->config->n_roles; i++) {
        peer_set_free(policy->peers[i]);
    }
    free(policy->peers);
}

enum outcome policy_make(struct config *config, uint64_t generation, struct policy **out,
                         struct reason *why)
{
    struct policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL) {
        config_free(config);
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    atomic_init(&policy->references, 1);
    policy->generation = generation;
    policy->loaded_at = clock_wall_s();
    policy->config = config;
    enum outcome outcome = sha256_text(buffer_span(&config->text), policy->digest)
                               ? profiles_load(config, &policy->profiles, why)
                               : refuse(why, OUTCOME_INTERNAL, "no SHA-256");
    if (outcome == OUTCOME_OK) {
        outcome = load_peers(policy, why);
    }
    if (outcome == OUTCOME_OK) {
        policy->loads = calloc(config->n_tokens, sizeof *policy->loads);
        outcome =
            policy->loads == NULL ? refuse(why, OUTCOME_INTERNAL, "out of memory") : OUTCOME_OK;
    }
    if (outcome != OUTCOME_OK) {
        policy_unref(policy);
        return outcome;
    }
    *out = policy;
    return OUTCOME_OK;
}

enum outcome policy_load(const char *path, uint64_t generation, struct policy **out,
                         struct reason *why)
{
    struct config *config = NULL;
    enum outcome outcome = config_load(path, &config, why);
    return outcome == OUTCOME_OK ? policy_make(config, generation, out, why) : outcome;
}

struct policy *policy_ref(struct policy *policy)
{
    atomic_fetch_add(&policy->references, 1);
    return policy;
}

void policy_unref(struct policy *policy)
{
    if (policy == NULL || atomic_fetch_sub(&policy->references, 1) != 1) {
        return;
    }
    free_peers(policy);
    free(policy->loads);
    profiles_free(policy->profiles);
    config_free(policy->config);
    free(policy);
}

static struct key_end *find_ends(const struct config *config, const struct keyring *keyring)
{
    struct key_end *ends = calloc(keyring->n_keys + 1, sizeof *ends);
    for (size_t i = 0; ends != NULL && i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        ends[i] = key_end_of(config_role(config, key->role), key);
    }
    return ends;
}

/* A key that may sign is set up now, and not by its first request. */
static enum outcome find_usable(struct view *view, struct reason *why)
{
    const struct keyring *keyring = view->keyring;
    view->usable = calloc(keyring->n_keys + 1, sizeof *view->usable);
    if (view->usable == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = keyring->n_keys; i > 0 && outcome == OUTCOME_OK; i--) {
        const struct key *key = &keyring->keys[i - 1];
        if (key_state_may(key->state, key_act_of(key->purpose))) {
            view->usable[view->n_usable++] = key;
            outcome = public_key_prepare(key->public_key, why);
        }
    }
    return outcome;
}

/* A key has one purpose for life (NIST SP 800-57 §5.2), whatever the configuration says now. */
static enum outcome check_purposes(const struct policy *policy, const struct keyring *keyring,
                                   struct reason *why)
{
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        const struct config_role *role = config_role(policy->config, key->role);
        if (role != NULL && role->purpose != key->purpose && key->state != KEY_DESTROYED) {
            return refuse(why, OUTCOME_RULE,
                          "%s: role %s is of purpose %s, but its key %s is %s: give the role "
                          "another name, or destroy its keys first",
                          policy->config->path, role->name, purpose_name(role->purpose),
                          public_key_thumbprint(key->public_key), purpose_key_text(key->purpose));
        }
    }
    return OUTCOME_OK;
}

enum outcome view_new(struct policy *policy, struct keyring *keyring, struct view **out,
                      struct reason *why)
{
    *out = NULL;
    struct view *view = calloc(1, sizeof *view);
    if (view == NULL) {
        policy_unref(policy);
        keyring_free(keyring);
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    atomic_init(&view->references, 1);
    view->policy = policy;
    view->keyring = keyring;
    view->jwks = BUFFER_INIT(KEYRING_JWKS_MAX);
    keyring_put_jwks(keyring, &view->jwks);
    view->ends = find_ends(policy->config, keyring);
    enum outcome outcome = view->ends == NULL ? refuse(why, OUTCOME_INTERNAL, "out of memory")
                                              : check_purposes(policy, keyring, why);
    if (outcome == OUTCOME_OK) {
        outcome = find_usable(view, why);
    }
    if (outcome == OUTCOME_OK && !buffer_ok(&view->jwks)) {
        outcome = refuse(why, OUTCOME_RULE,
                         "the JWK Set would be larger than %d bytes: retire keys that nobody needs",
                         KEYRING_JWKS_MAX);
    }
    if (outcome != OUTCOME_OK) {
        view_unref(view);
        return outcome;
    }
    *out = view;
    return OUTCOME_OK;
}

void view_put_record(const struct view *view, struct buffer *members)
{
    record_put_text(members, "configuration_sha256", view->policy->digest);
    record_put_number(members, "profiles", (int64_t)profiles_total(view->policy->profiles));
    record_put_number(members, "keyring_generation", (int64_t)view->keyring->generation);
}

struct view *view_ref(struct view *view)
{
    atomic_fetch_add(&view->references, 1);
    return view;
}

const struct key_end *view_key_end(const struct view *view, const struct key *key)
{
    return &view->ends[key - view->keyring->keys];
}

void view_unref(struct view *view)
{
    if (view == NULL || atomic_fetch_sub(&view->references, 1) != 1) {
        return;
    }
    policy_unref(view->policy);
    keyring_free(view->keyring);
    buffer_fini(&view->jwks);
    free(view->ends);
    free(view->usable);
    free(view);
}

struct view_cell *view_cell_new(struct view *first)
{
    struct view_cell *cell = calloc(1, sizeof *cell);
    if (cell != NULL) {
        pthread_mutex_init(&cell->lock, NULL);
        cell->current = first;
    }
    return cell;
}

void view_cell_free(struct view_cell *cell)
{
    if (cell == NULL) {
        return;
    }
    view_unref(cell->current);
    pthread_mutex_destroy(&cell->lock);
    free(cell);
}

struct view *view_cell_get(struct view_cell *cell)
{
    pthread_mutex_lock(&cell->lock);
    struct view *view = view_ref(cell->current);
    pthread_mutex_unlock(&cell->lock);
    return view;
}

void view_cell_set(struct view_cell *cell, struct view *next)
{
    pthread_mutex_lock(&cell->lock);
    struct view *last = cell->current;
    cell->current = next;
    pthread_mutex_unlock(&cell->lock);
    view_unref(last);
}
