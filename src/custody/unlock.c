/* SPDX-License-Identifier: Apache-2.0
 * token unlock. */
#include "custody/act.h"
#include "jose/json.h"
#include "token/remote.h"

enum { UNLOCK_DEADLINE_MS = 30000 };

/* Who may unlock is told that the PIN is wanted, and what the token says, before it is typed. */
static enum outcome ask_for_pin(struct act *act, const struct config_token *config,
                                const struct reason *why)
{
    buffer_put_format(
        act->result,
        "{\"token\":\"%s\",\"state\":\"locked\",\"pin\":\"wanted\",\"detail\":", config->name);
    json_put_string(act->result, span_of_text(why->detail));
    buffer_put_text(act->result, "}");
    return OUTCOME_OK;
}

enum outcome act_token_unlock(struct act *act, struct reason *why)
{
    static const char *const names[] = {"token", NULL};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *name = act_argument(act, "token");
    const struct config_token *config =
        name == NULL ? NULL : config_token(act->view->policy->config, name);
    if (config == NULL) {
        return refuse(why, OUTCOME_NOT_FOUND, "the configuration has no such token");
    }
    struct token *token = token_remote_new(config->name, config->socket);
    if (token == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    outcome = token_unlock(token, act->pin, deadline_in_ms(UNLOCK_DEADLINE_MS), why);
    token_remote_free(token);
    if (outcome == OUTCOME_OK) {
        buffer_put_format(act->result, "{\"token\":\"%s\",\"state\":\"ready\"}", config->name);
    }
    return outcome == OUTCOME_PIN && config->pin_typed && act->pin < 0
               ? ask_for_pin(act, config, why)
               : outcome;
}
