/* SPDX-License-Identifier: Apache-2.0
 * Asking for the counts of uses. */
#include "signing/uses.h"

#include "token/remote.h"

#include <stdio.h>
#include <string.h>

enum { US_PER_MS = 1000 };

static bool can_sign(const struct key *key)
{
    return key->state != KEY_RETIRED && key->state != KEY_DESTROYED;
}

static enum outcome ask(struct token *token, const struct key *key, struct deadline deadline,
                        struct token_key *shown)
{
    struct reason unused;
    struct token_show_request request;
    memcpy(request.key_id, key->key_id, sizeof request.key_id);
    memcpy(request.spki_digest, public_key_spki_sha256(key->public_key),
           sizeof request.spki_digest);
    return token_show(token, &request, deadline, shown, &unused);
}

static void add(struct checkpoint *out, const struct key *key, const struct token_key *shown)
{
    struct checkpoint_use *use = &out->uses[out->n_uses++];
    (void)snprintf(use->token, sizeof use->token, "%s", key->token);
    (void)snprintf(use->kid, sizeof use->kid, "%s", public_key_thumbprint(key->public_key));
    use->count = shown->signatures;
    use->since = shown->started;
}

static void take_of(const struct view *view, const struct config_token *place,
                    struct deadline deadline, struct checkpoint *out)
{
    struct token *token = token_remote_new(place->name, place->socket);
    struct token_key shown;
    bool answers = token != NULL;
    for (size_t i = 0; answers && i < view->keyring->n_keys; i++) {
        const struct key *key = &view->keyring->keys[i];
        if (strcmp(key->token, place->name) != 0 || !can_sign(key) ||
            out->n_uses == CHECKPOINT_USES_MAX) {
            continue;
        }
        enum outcome outcome = ask(token, key, deadline, &shown);
        answers = outcome != OUTCOME_TOKEN_UNAVAILABLE && outcome != OUTCOME_DEADLINE;
        if (outcome == OUTCOME_OK && shown.signatures != TOKEN_UNKNOWN) {
            add(out, key, &shown);
        }
    }
    token_remote_free(token);
}

static size_t count_ready(const struct config *config, struct watch *watch)
{
    size_t n = 0;
    for (size_t i = 0; i < config->n_tokens; i++) {
        n += watch_state(watch, config->tokens[i].name, NULL) == TOKEN_READY;
    }
    return n;
}

/* An equal part of what is left until then. */
static struct deadline share_of(struct deadline end, size_t n)
{
    return deadline_in_ms(deadline_left_us(end) / US_PER_MS / (int64_t)n);
}

void uses_take(const struct view *view, struct watch *watch, struct deadline deadline,
               struct checkpoint *out)
{
    const struct config *config = view->policy->config;
    const struct deadline end = share_of(deadline, 2);
    size_t left = count_ready(config, watch);
    for (size_t i = 0; left > 0 && i < config->n_tokens; i++) {
        if (watch_state(watch, config->tokens[i].name, NULL) == TOKEN_READY) {
            take_of(view, &config->tokens[i], share_of(end, left--), out);
        }
    }
}
