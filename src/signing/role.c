/* SPDX-License-Identifier: Apache-2.0
 * Roles, their grants and their keys. */
#include "signing/role.h"

#include "base/clock.h"

#include <string.h>

static bool has_profile_of(const struct view *view, const struct config_caller *caller,
                           const char *role)
{
    const struct profiles *profiles = view->policy->profiles;
    for (size_t i = 0; i < profiles_count(profiles); i++) {
        const struct profile *profile = profiles_at(profiles, i);
        if (strcmp(profile_role(profile), role) == 0 &&
            config_caller_is_granted(caller, profile_name(profile))) {
            return true;
        }
    }
    return false;
}

bool role_is_granted(const struct view *view, const struct config_caller *caller, const char *role)
{
    const struct config_role *row = config_role(view->policy->config, role);
    if (row == NULL) {
        return false;
    }
    switch (row->purpose) {
    case PURPOSE_SEAL:
        return has_profile_of(view, caller, role);
    case PURPOSE_TRANSPORT:
        return config_caller_has_role(caller, role);
    case PURPOSE_AUDIT:
        break; /* the service's own: no caller knows of it */
    }
    return false;
}

enum outcome role_find_transport(const struct view *view, const struct config_caller *caller,
                                 const char *name, const struct config_role **out,
                                 struct reason *why)
{
    *out = config_role(view->policy->config, name);
    if (*out == NULL || (*out)->purpose != PURPOSE_TRANSPORT) {
        return refuse(why, OUTCOME_NOT_FOUND,
                      "there is no transport role %s; GET /v1/keys lists yours", name);
    }
    if (!config_caller_has_role(caller, name)) {
        return refuse(why, OUTCOME_NOT_GRANTED,
                      "transport key %s is not granted to caller %s (uid %u)", name, caller->name,
                      caller->uid);
    }
    return OUTCOME_OK;
}

enum outcome role_find_any(const struct view *view, const struct config_caller *caller,
                           const char *name, const struct config_role **out, struct reason *why)
{
    *out = config_role(view->policy->config, name);
    if (*out == NULL || (*out)->purpose == PURPOSE_AUDIT) {
        return refuse(why, OUTCOME_NOT_FOUND, "there is no role %s; GET /v1/keys lists yours",
                      name);
    }
    if ((*out)->purpose == PURPOSE_TRANSPORT) {
        return role_find_transport(view, caller, name, out, why);
    }
    if (!has_profile_of(view, caller, name)) {
        return refuse(why, OUTCOME_NOT_GRANTED,
                      "no profile of role %s is granted to caller %s (uid %u)", name, caller->name,
                      caller->uid);
    }
    return OUTCOME_OK;
}

const struct key *role_key(const struct view *view, const struct config_role *role,
                           const char *token, const char *kid)
{
    for (size_t i = 0; i < view->n_usable; i++) {
        const struct key *key = view->usable[i];
        bool meant = kid[0] == '\0' ? key->state == KEY_ACTIVE
                                    : strcmp(public_key_thumbprint(key->public_key), kid) == 0;
        if (meant && key_state_may(key->state, key_act_of(key->purpose)) &&
            strcmp(key->role, role->name) == 0 && strcmp(key->token, token) == 0) {
            return key;
        }
    }
    return NULL;
}

bool role_has_key(const struct view *view, const struct config_role *role, const char *kid)
{
    for (size_t i = 0; i < role->n_tokens; i++) {
        if (role_key(view, role, role->tokens[i], kid) != NULL) {
            return true;
        }
    }
    return false;
}

/* The role's key of this thumbprint, or for "" its newest, in whatever state. */
static const struct key *idle_key(const struct view *view, const struct config_role *role,
                                  const char *kid)
{
    const struct key *found = NULL;
    for (size_t i = 0; i < view->keyring->n_keys; i++) {
        const struct key *key = &view->keyring->keys[i];
        bool named = kid[0] == '\0' || strcmp(public_key_thumbprint(key->public_key), kid) == 0;
        found = named && strcmp(key->role, role->name) == 0 ? key : found;
    }
    return found;
}

/* Asking again will not help. */
static bool is_over(enum key_state state)
{
    return state == KEY_RETIRED || state == KEY_DESTROYED || state == KEY_COMPROMISED;
}

enum outcome role_refuse_without_key(const struct view *view, const struct config_role *role,
                                     const char *kid, struct reason *why)
{
    const struct key *idle = idle_key(view, role, kid);
    if (kid[0] != '\0' && idle == NULL) {
        return refuse(
            why, OUTCOME_NOT_FOUND,
            "role %s has no active key of this thumbprint; GET /v1/keys lists those there "
            "are",
            role->name);
    }
    if (kid[0] != '\0') {
        return refuse(why, is_over(idle->state) ? OUTCOME_NOT_FOUND : OUTCOME_NO_KEY,
                      "the key of role %s with this thumbprint is %s, and a "
                      "key that is %s signs nothing",
                      role->name, key_state_name(idle->state), key_state_name(idle->state));
    }
    if (idle != NULL) {
        return refuse(why, OUTCOME_NO_KEY,
                      "role %s has no active key: its newest is %s; a custodian runs: qsealctl key "
                      "show %.8s",
                      role->name, key_state_name(idle->state),
                      public_key_thumbprint(idle->public_key));
    }
    return refuse(why, OUTCOME_NO_KEY,
                  "role %s has no active key; a custodian runs: qsealctl key generate %s",
                  role->name, role->name);
}

const struct key *role_key_shown(const struct view *view, struct watch *watch,
                                 const struct config_role *role, const char *kid)
{
    const struct key *first = NULL;
    for (size_t i = 0; i < role->n_tokens; i++) {
        const struct key *key = role_key(view, role, role->tokens[i], kid);
        if (key != NULL && watch_state(watch, role->tokens[i], NULL) == TOKEN_READY &&
            !key_end_is_over(view_key_end(view, key), clock_wall_s())) {
            return key;
        }
        first = first == NULL ? key : first;
    }
    return first;
}
