/* SPDX-License-Identifier: Apache-2.0
 * Which role, token and key an administrator means. */
#include "custody/act.h"

#include <string.h>

static bool is_on(const struct config_role *role, const char *token)
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
    if (*only != NULL && !is_on(*role, token_name)) {
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

enum outcome act_no_key(const struct config_role *role, const struct config_token *only,
                        struct reason *why)
{
    return refuse(why, OUTCOME_NO_KEY,
                  "role %s has no active key%s%s; a custodian runs: qsealctl key generate %s",
                  role->name, only == NULL ? "" : " on token ", only == NULL ? "" : only->name,
                  role->name);
}
