/* SPDX-License-Identifier: Apache-2.0
 * One artefact, from the profile to the verified signature. */
#include "signing/seal.h"

#include "base/log.h"
#include "token/remote.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEEP_ROOM = 32 * 1024,
    SPARE_SHARE = 4, /* a quarter of the workers is kept from a token that hangs */
    STALLED_MS = 1000,
};

struct sealer {
    struct policy *policy; /* whose tokens these connections are for */
    struct token **tokens; /* in the order of config->tokens */
    size_t n_tokens;
    struct artefact artefact;
    struct buffer signature;
};

struct sealer *sealer_new(void)
{
    struct sealer *sealer = calloc(1, sizeof *sealer);
    if (sealer != NULL) {
        artefact_init(&sealer->artefact);
        sealer->signature = BUFFER_INIT(SIGNATURE_MAX);
    }
    return sealer;
}

static void forget_tokens(struct sealer *sealer)
{
    for (size_t i = 0; i < sealer->n_tokens; i++) {
        token_remote_free(sealer->tokens[i]);
    }
    free(sealer->tokens);
    sealer->tokens = NULL;
    sealer->n_tokens = 0;
    policy_unref(sealer->policy);
    sealer->policy = NULL;
}

void sealer_free(struct sealer *sealer)
{
    if (sealer == NULL) {
        return;
    }
    forget_tokens(sealer);
    artefact_fini(&sealer->artefact);
    buffer_fini(&sealer->signature);
    free(sealer);
}

/* Follows a reload: tokens may have come, gone or moved. */
static bool follow_policy(struct sealer *sealer, struct policy *policy)
{
    if (sealer->policy == policy) {
        return true;
    }
    forget_tokens(sealer);
    sealer->tokens = calloc(policy->config->n_tokens, sizeof *sealer->tokens);
    if (sealer->tokens == NULL) {
        return false;
    }
    sealer->n_tokens = policy->config->n_tokens;
    sealer->policy = policy_ref(policy);
    return true;
}

static struct token *connection_to(struct sealer *sealer, const struct config_token *token)
{
    size_t at = (size_t)(token - sealer->policy->config->tokens);
    if (sealer->tokens[at] == NULL) {
        sealer->tokens[at] = token_remote_new(token->name, token->socket);
    }
    return sealer->tokens[at];
}

static struct signing_key signing_key_of(const struct profile *profile, const struct key *key)
{
    const char *kid = profile_kid(profile);
    return (struct signing_key){
        .kid = kid == NULL ? public_key_thumbprint(key->public_key) : kid,
        .jwk = public_key_jwk(key->public_key),
    };
}

static enum outcome ask_token(struct sealer *sealer, const struct seal_request *request,
                              const struct config_token *config, const struct key *key,
                              struct reason *why)
{
    struct token *token = connection_to(sealer, config);
    if (token == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    struct token_sign_request question = {
        .purpose = key->purpose,
        .alg = profile_alg(request->profile),
        .input = buffer_span(&sealer->artefact.signing_input),
    };
    memcpy(question.key_id, key->key_id, sizeof question.key_id);
    memcpy(question.spki_digest, public_key_spki_sha256(key->public_key),
           sizeof question.spki_digest);
    buffer_reset(&sealer->signature);
    return token_sign(token, &question, request->deadline, &sealer->signature, why);
}

/* A token that hangs may not take every worker with it: others' tokens need some. As long as
 * answers come, it may have all. */
static bool is_stalled(const struct seal_request *request, const struct token_load *load)
{
    const struct config *config = request->view->policy->config;
    uint32_t most = config->limits.workers - config->limits.workers / SPARE_SHARE;
    return config->n_tokens > 1 && atomic_load(&load->busy) > most &&
           clock_monotonic_ms() - atomic_load(&load->answered_ms) > STALLED_MS;
}

static enum outcome ask_in_turn(struct sealer *sealer, const struct seal_request *request,
                                const struct config_token *config, const struct key *key,
                                struct reason *why)
{
    struct policy *policy = request->view->policy;
    struct token_load *load = &policy->loads[config - policy->config->tokens];
    if (atomic_fetch_add(&load->busy, 1) == 0) {
        atomic_store(&load->answered_ms, clock_monotonic_ms());
    }
    enum outcome outcome = is_stalled(request, load)
                               ? refuse(why, OUTCOME_TOKEN_UNAVAILABLE,
                                        "token %s does not answer those before", config->name)
                               : ask_token(sealer, request, config, key, why);
    if (outcome == OUTCOME_OK) {
        atomic_store(&load->answered_ms, clock_monotonic_ms());
    }
    atomic_fetch_sub(&load->busy, 1);
    return outcome;
}

/* Signs with this key on this token. Nothing leaves that does not verify under the pinned public
 * key: a fault in the token, a wrong salt or another key under the same id ends here (security:
 * faulty RSA signatures give the key away). */
static enum outcome seal_on(struct sealer *sealer, const struct seal_request *request,
                            const struct config_token *config, const struct key *key,
                            struct buffer *json, struct reason *why)
{
    enum alg alg = profile_alg(request->profile);
    if ((key->algs & 1U << alg) == 0) {
        return refuse(why, OUTCOME_NO_KEY,
                      "the active key of role %s was not granted %s when it was generated",
                      key->role, alg_name(alg));
    }
    struct signing_key signing_key = signing_key_of(request->profile, key);
    artefact_reset(&sealer->artefact);
    enum outcome outcome =
        profile_build(request->profile, &signing_key, request->body, request->content_type,
                      clock_wall_s(), &sealer->artefact, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = ask_in_turn(sealer, request, config, key, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct span signature = buffer_span(&sealer->signature);
    if (!public_key_verify(key->public_key, profile_alg(request->profile),
                           buffer_span(&sealer->artefact.signing_input), signature)) {
        log_error(
            "request %s: token %s gave a signature that does not verify under key %s; withheld",
            request->request_id, config->name, public_key_thumbprint(key->public_key));
        return refuse(why, OUTCOME_VERIFY,
                      "token %s gave a signature that does not verify; it was withheld",
                      config->name);
    }
    if (deadline_passed(request->deadline)) {
        return refuse(why, OUTCOME_DEADLINE,
                      "the signature came after the deadline and was withheld");
    }
    profile_answer(request->profile, &signing_key, &sealer->artefact, signature,
                   request->request_id, json);
    return OUTCOME_OK;
}

/* Whether another token may do what this one did not. */
static bool another_may_help(enum outcome outcome)
{
    return outcome == OUTCOME_TOKEN_UNAVAILABLE || outcome == OUTCOME_UNAVAILABLE ||
           outcome == OUTCOME_PIN || outcome == OUTCOME_KEY_MISMATCH || outcome == OUTCOME_NO_KEY ||
           outcome == OUTCOME_VERIFY;
}

/* What the caller is told when the token's room is out of reach: the token is not available. */
static enum outcome as_token_fault(enum outcome outcome, const struct config_token *config,
                                   struct watch *watch, const struct reason *why)
{
    if (outcome == OUTCOME_DEADLINE) {
        watch_mark_down(watch, config->name, why->detail);
    }
    if (outcome == OUTCOME_UNAVAILABLE || outcome == OUTCOME_TOKEN_UNAVAILABLE) {
        watch_mark_down(watch, config->name, why->detail);
        return OUTCOME_TOKEN_UNAVAILABLE;
    }
    return outcome;
}

/* What the caller is told of a token that the watch has seen not ready; the watch asks it again,
 * requests do not. */
static enum outcome refuse_not_ready(const struct config_token *token, struct watch *watch,
                                     struct reason *why)
{
    struct token_status status;
    enum token_state state = watch_state(watch, token->name, &status);
    return refuse(why, state == TOKEN_LOCKED ? OUTCOME_PIN : OUTCOME_TOKEN_UNAVAILABLE,
                  "token %s is %s%s%s", token->name, token_state_name(state),
                  status.detail[0] == '\0' ? "" : ": ", status.detail);
}

enum outcome seal_artefact(struct sealer *sealer, const struct seal_request *request,
                           struct buffer *json, struct reason *why)
{
    const struct config_role *role =
        config_role(request->view->policy->config, profile_role(request->profile));
    if (role == NULL || !follow_policy(sealer, request->view->policy)) {
        return refuse(why, OUTCOME_INTERNAL, "role %s is not at hand",
                      profile_role(request->profile));
    }
    enum outcome outcome =
        refuse(why, OUTCOME_NO_KEY,
               "role %s has no active key; a custodian runs: qsealctl key generate %s", role->name,
               role->name);
    for (size_t i = 0; i < role->n_tokens && another_may_help(outcome); i++) {
        const struct config_token *token =
            config_token(request->view->policy->config, role->tokens[i]);
        const struct key *key = keyring_active(request->view->keyring, role->name, role->tokens[i]);
        if (key == NULL) {
            continue;
        }
        if (watch_state(request->watch, token->name, NULL) != TOKEN_READY) {
            outcome = refuse_not_ready(token, request->watch, why);
            continue;
        }
        outcome = seal_on(sealer, request, token, key, json, why);
        outcome = as_token_fault(outcome, token, request->watch, why);
    }
    buffer_trim(&sealer->artefact.signing_input, KEEP_ROOM);
    return outcome;
}
