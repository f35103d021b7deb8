/* SPDX-License-Identifier: Apache-2.0
 * Which keys of the keyring a verb is about. */
#include "custody/change.h"

#include <string.h>

static bool is_wanted(const char *token, const struct key *key)
{
    return token == NULL || strcmp(token, key->token) == 0;
}

static enum outcome put_index(struct selection *out, size_t index, struct reason *why)
{
    if (out->n == SELECTION_MAX) {
        return refuse(why, OUTCOME_RULE, "more than %d keys: name one by its thumbprint",
                      SELECTION_MAX);
    }
    out->indexes[out->n++] = index;
    return OUTCOME_OK;
}

/* "generated or certified" */
static void put_states(struct buffer *out, unsigned int states)
{
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        if ((states & 1U << i) != 0) {
            buffer_put_format(out, "%s%s", out->len == 0 ? "" : " or ",
                              key_state_name((enum key_state)i));
        }
    }
}

static enum outcome refuse_role(const char *role, const char *format, unsigned int states,
                                struct reason *why)
{
    BUFFER_CLEANUP struct buffer names = BUFFER_INIT(200);
    put_states(&names, states);
    return refuse(why, OUTCOME_RULE, "role %s has %s %s; qsealctl key list shows its keys", role,
                  format, buffer_text(&names));
}

/* One per token: with two it would be a guess. */
static enum outcome select_by_role(const char *token, const struct keyring *keyring,
                                   const char *role, unsigned int from, struct selection *out,
                                   struct reason *why)
{
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        if (strcmp(key->role, role) != 0 || !is_wanted(token, key) ||
            (from & 1U << key->state) == 0) {
            continue;
        }
        for (size_t j = 0; j < out->n; j++) {
            if (strcmp(keyring->keys[out->indexes[j]].token, key->token) == 0) {
                return refuse(why, OUTCOME_RULE,
                              "role %s has more than one such key on token %s: name one by its "
                              "thumbprint (qsealctl key list)",
                              role, key->token);
            }
        }
        enum outcome outcome = put_index(out, i, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return out->n > 0 ? OUTCOME_OK : refuse_role(role, "no key that is", from, why);
}

enum outcome select_by_thumbprint(const char *token, const struct keyring *keyring,
                                  const char *prefix, struct selection *out, struct reason *why)
{
    const char *found = NULL;
    if (strlen(prefix) < SELECTION_PREFIX_MIN) {
        return refuse(why, OUTCOME_NOT_FOUND,
                      "the configuration has no such role, and a thumbprint needs at least its "
                      "first %d characters",
                      SELECTION_PREFIX_MIN);
    }
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        const char *thumbprint = public_key_thumbprint(key->public_key);
        if (!is_wanted(token, key) || strncmp(thumbprint, prefix, strlen(prefix)) != 0) {
            continue;
        }
        if (found != NULL && strcmp(found, thumbprint) != 0) {
            return refuse(why, OUTCOME_RULE, "more than one key's thumbprint begins so: say more");
        }
        found = thumbprint;
        enum outcome outcome = put_index(out, i, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return found != NULL ? OUTCOME_OK
                         : refuse(why, OUTCOME_NOT_FOUND,
                                  "no such role in the configuration, and no key whose thumbprint "
                                  "begins so in the keyring");
}

enum outcome select_keys_on(const struct act *act, const struct keyring *keyring, const char *token,
                            unsigned int from, struct selection *out, struct reason *why)
{
    const char *name = act_argument(act, "key");
    const struct config *config = act->view->policy->config;
    out->n = 0;
    if (name == NULL) {
        return refuse(why, OUTCOME_MALFORMED, "\"key\" is missing: a thumbprint, or a role");
    }
    if (config_role(config, name) == NULL) {
        return select_by_thumbprint(token, keyring, name, out, why);
    }
    if (from == 0) {
        return refuse(why, OUTCOME_RULE,
                      "this is done to one key and not to a role: name it by its thumbprint "
                      "(qsealctl key list)");
    }
    return select_by_role(token, keyring, name, from, out, why);
}

enum outcome select_keys(const struct act *act, const struct keyring *keyring, unsigned int from,
                         struct selection *out, struct reason *why)
{
    return select_keys_on(act, keyring, act_argument(act, "token"), from, out, why);
}
