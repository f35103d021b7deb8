/* SPDX-License-Identifier: Apache-2.0
 * Which role, token and key an administrator means. */
#include "custody/change.h"

#include <string.h>

bool act_role_is_on(const struct config_role *role, const char *token)
{
    for (size_t i = 0; i < role->n_tokens; i++) {
        if (strcmp(role->tokens[i], token) == 0) {
            return true;
        }
    }
    return false;
}

enum outcome act_choose_role(const struct act *act, const struct config_role **role,
                             const struct config_token **only, struct reason *why)
{
    const char *role_name = act_argument(act, "role");
    const char *token_name = act_argument(act, "token");
    *role = role_name == NULL ? NULL : config_role(act->view->policy->config, role_name);
    *only = token_name == NULL ? NULL : config_token(act->view->policy->config, token_name);
    if (*role == NULL) {
        return refuse(why, OUTCOME_NOT_FOUND, "the configuration has no such role");
    }
    if (token_name != NULL && *only == NULL) {
        return refuse(why, OUTCOME_NOT_FOUND, "the configuration has no such token");
    }
    if (*only != NULL && !act_role_is_on(*role, token_name)) {
        return refuse(why, OUTCOME_RULE, "role %s is not on token %s", role_name, token_name);
    }
    return OUTCOME_OK;
}

const struct key *act_key_on(const struct act *act, const struct config_role *role,
                             const struct config_token *only, size_t index)
{
    bool wanted = only == NULL || strcmp(role->tokens[index], only->name) == 0;
    return wanted ? keyring_active(act->view->keyring, role->name, role->tokens[index]) : NULL;
}

enum outcome act_choose_key(const struct act *act, const struct key **out, struct reason *why)
{
    const struct config_role *role = NULL;
    const struct config_token *only = NULL;
    enum outcome outcome = act_choose_role(act, &role, &only, why);
    *out = NULL;
    for (size_t i = 0; outcome == OUTCOME_OK && *out == NULL && i < role->n_tokens; i++) {
        *out = act_key_on(act, role, only, i);
    }
    if (outcome == OUTCOME_OK && *out == NULL) {
        return act_no_key(role, only, why);
    }
    return outcome;
}

bool act_has_key(const struct keyring *keyring, const char *role, const char *token)
{
    for (size_t i = 0; i < keyring->n_keys; i++) {
        if (strcmp(keyring->keys[i].role, role) == 0 &&
            (token == NULL || strcmp(keyring->keys[i].token, token) == 0)) {
            return true;
        }
    }
    return false;
}

/* How much a key is meant when somebody asks for a request of its role; 0: not at all. */
static int csr_rank(const struct key *key)
{
    if (!key_state_may(key->state, KEY_ACT_CSR)) {
        return 0;
    }
    switch (key->state) {
    case KEY_GENERATED:
        return 3;
    case KEY_ACTIVE:
        return 2;
    case KEY_CERTIFIED:
    case KEY_PUBLISHED:
    case KEY_RETIRING:
        return 1;
    case KEY_RETIRED:
    case KEY_SUSPENDED:
    case KEY_DESTROYED:
    case KEY_COMPROMISED:
        return 0;
    }
    return 0;
}

static const struct key *newest_for_csr(const struct act *act, const struct config_role *role,
                                        const char *token, int rank)
{
    const struct keyring *keyring = act->view->keyring;
    const struct key *found = NULL;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        found = csr_rank(key) == rank && strcmp(key->role, role->name) == 0 &&
                        strcmp(key->token, token) == 0
                    ? key
                    : found;
    }
    return found;
}

static enum outcome choose_by_thumbprint(const struct act *act, const char *prefix,
                                         const struct key **out, struct reason *why)
{
    struct selection selection = {.n = 0};
    enum outcome outcome = select_by_thumbprint(act_argument(act, "token"), act->view->keyring,
                                                prefix, &selection, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    *out = &act->view->keyring->keys[selection.indexes[0]];
    if (!key_state_may((*out)->state, KEY_ACT_CSR)) {
        return refuse(why, OUTCOME_RULE, "the key is %s: it gets no certificate any more",
                      key_state_name((*out)->state));
    }
    return config_token(act->view->policy->config, (*out)->token) != NULL
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "token %s is not in the configuration any more",
                        (*out)->token);
}

enum outcome act_choose_for_csr(const struct act *act, const struct key **out, struct reason *why)
{
    const struct config_role *role = NULL;
    const struct config_token *only = NULL;
    const char *name = act_argument(act, "role");
    *out = NULL;
    if (name != NULL && strlen(name) >= SELECTION_PREFIX_MIN &&
        config_role(act->view->policy->config, name) == NULL) {
        return choose_by_thumbprint(act, name, out, why);
    }
    enum outcome outcome = act_choose_role(act, &role, &only, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    for (int rank = 3; rank > 0 && *out == NULL; rank--) {
        for (size_t i = 0; i < role->n_tokens && *out == NULL; i++) {
            bool wanted = only == NULL || strcmp(role->tokens[i], only->name) == 0;
            *out = wanted ? newest_for_csr(act, role, role->tokens[i], rank) : NULL;
        }
    }
    return *out != NULL
               ? OUTCOME_OK
               : refuse(why, OUTCOME_NO_KEY,
                        "role %s has no key that may ask for a certificate%s%s; a custodian runs: "
                        "qsealctl key generate %s",
                        role->name, only == NULL ? "" : " on token ",
                        only == NULL ? "" : only->name, role->name);
}

enum outcome act_no_key(const struct config_role *role, const struct config_token *only,
                        struct reason *why)
{
    return refuse(why, OUTCOME_NO_KEY,
                  "role %s has no active key%s%s; a custodian runs: qsealctl key generate %s",
                  role->name, only == NULL ? "" : " on token ", only == NULL ? "" : only->name,
                  role->name);
}
