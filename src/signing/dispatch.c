/* SPDX-License-Identifier: Apache-2.0
 * From a role to a verified signature. */
#include "signing/dispatch.h"

#include "audit/record.h"
#include "base/log.h"
#include "signing/role.h"
#include "token/remote.h"

#include <stdlib.h>
#include <string.h>

enum {
    SPARE_SHARE = 4, /* a quarter of the workers is kept from a token that hangs */
    STALLED_MS = 1000,
};

struct dispatcher {
    struct policy *policy; /* whose tokens these connections are for */
    struct token **tokens; /* in the order of config->tokens */
    size_t n_tokens;
    struct buffer signature;
    struct buffer record;       /* its members */
    struct audit_ticket ticket; /* of a signature whose end is not recorded yet */
};

struct dispatcher *dispatcher_new(void)
{
    struct dispatcher *dispatcher = calloc(1, sizeof *dispatcher);
    if (dispatcher != NULL) {
        dispatcher->signature = BUFFER_INIT(SIGNATURE_MAX);
        dispatcher->record = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    }
    return dispatcher;
}

static void forget_tokens(struct dispatcher *dispatcher)
{
    for (size_t i = 0; i < dispatcher->n_tokens; i++) {
        token_remote_free(dispatcher->tokens[i]);
    }
    free(dispatcher->tokens);
    dispatcher->tokens = NULL;
    dispatcher->n_tokens = 0;
    policy_unref(dispatcher->policy);
    dispatcher->policy = NULL;
}

void dispatcher_free(struct dispatcher *dispatcher)
{
    if (dispatcher == NULL) {
        return;
    }
    forget_tokens(dispatcher);
    buffer_fini(&dispatcher->signature);
    buffer_fini(&dispatcher->record);
    free(dispatcher);
}

/* Follows a reload: tokens may have come, gone or moved. */
static bool follow_policy(struct dispatcher *dispatcher, struct policy *policy)
{
    if (dispatcher->policy == policy) {
        return true;
    }
    forget_tokens(dispatcher);
    dispatcher->tokens = calloc(policy->config->n_tokens, sizeof *dispatcher->tokens);
    if (dispatcher->tokens == NULL) {
        return false;
    }
    dispatcher->n_tokens = policy->config->n_tokens;
    dispatcher->policy = policy_ref(policy);
    return true;
}

static struct token *connection_to(struct dispatcher *dispatcher, const struct config_token *token)
{
    size_t at = (size_t)(token - dispatcher->policy->config->tokens);
    if (dispatcher->tokens[at] == NULL) {
        dispatcher->tokens[at] = token_remote_new(token->name, token->socket);
    }
    return dispatcher->tokens[at];
}

static enum outcome ask_token(const struct attempt *attempt, enum alg alg, struct span input,
                              struct reason *why)
{
    struct dispatcher *dispatcher = attempt->dispatcher;
    struct token *token = connection_to(dispatcher, attempt->token);
    if (token == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    struct token_sign_request question = {
        .purpose = attempt->key->purpose,
        .use = USE_PURPOSE,
        .alg = alg,
        .input = input,
    };
    memcpy(question.key_id, attempt->key->key_id, sizeof question.key_id);
    memcpy(question.spki_digest, public_key_spki_sha256(attempt->key->public_key),
           sizeof question.spki_digest);
    buffer_reset(&dispatcher->signature);
    return token_sign(token, &question, attempt->dispatch->deadline, &dispatcher->signature, why);
}

/* A token that hangs may not take every worker with it: others' tokens need some. As long as
 * answers come, it may have all. */
static bool is_stalled(const struct dispatch *dispatch, const struct token_load *load)
{
    const struct config *config = dispatch->view->policy->config;
    uint32_t most = config->limits.workers - config->limits.workers / SPARE_SHARE;
    return config->n_tokens > 1 && atomic_load(&load->busy) > most &&
           clock_monotonic_ms() - atomic_load(&load->answered_ms) > STALLED_MS;
}

static enum outcome ask_in_turn(const struct attempt *attempt, enum alg alg, struct span input,
                                struct reason *why)
{
    struct policy *policy = attempt->dispatch->view->policy;
    struct token_load *load = &policy->loads[attempt->token - policy->config->tokens];
    if (atomic_fetch_add(&load->busy, 1) == 0) {
        atomic_store(&load->answered_ms, clock_monotonic_ms());
    }
    enum outcome outcome =
        is_stalled(attempt->dispatch, load)
            ? refuse(why, OUTCOME_TOKEN_UNAVAILABLE, "token %s does not answer those before",
                     attempt->token->name)
            : ask_token(attempt, alg, input, why);
    if (outcome == OUTCOME_OK) {
        atomic_store(&load->answered_ms, clock_monotonic_ms());
    }
    if (outcome == OUTCOME_DEADLINE) {
        watch_mark_down(attempt->dispatch->watch, attempt->token->name, why->detail);
    }
    atomic_fetch_sub(&load->busy, 1);
    return outcome;
}

/* The guards have judged which algorithm goes with the key; here only the signature is looked at.
 */
static bool verifies(const struct key *key, enum alg alg, struct span input, struct span signature)
{
    return key->purpose == PURPOSE_TRANSPORT
               ? public_key_verify_tls(key->public_key, alg, input, signature)
               : public_key_verify(key->public_key, alg, input, signature);
}

/* When `key compromised` has returned, nothing of that key leaves any more. A key that retires
 * meanwhile is another matter: what it signed is good. */
static bool is_stopped(const struct attempt *attempt)
{
    struct view *now = view_cell_get(attempt->dispatch->views);
    const struct key *key = attempt->key;
    if (now != attempt->dispatch->view) {
        key = keyring_by_thumbprint(now->keyring, key->role, key->token,
                                    public_key_thumbprint(key->public_key));
    }
    bool stopped = key == NULL || key->state == KEY_SUSPENDED || key->state == KEY_COMPROMISED ||
                   key->state == KEY_DESTROYED;
    view_unref(now);
    return stopped;
}

/* --- one signature --- */

static void put_record(const struct attempt *attempt, const struct dispatch_content *content,
                       struct buffer *out)
{
    const struct dispatch_subject *subject = attempt->dispatch->subject;
    buffer_reset(out);
    record_put_text_if(out, "request", subject->request_id);
    record_put_text_if(out, "interaction", subject->interaction_id);
    record_put_caller(out, subject->caller);
    record_put_text_if(out, "caller", subject->caller_name);
    record_put_text(out, "operation", subject->operation);
    record_put_text_if(out, "profile", subject->profile);
    record_put_text_if(out, "profile_sha256", subject->profile_digest);
    record_put_text(out, "role", attempt->key->role);
    record_put_text(out, "kid", public_key_thumbprint(attempt->key->public_key));
    record_put_text(out, "alg", alg_name(content->alg));
    record_put_text(out, "token", attempt->token->name);
    record_put_digest(out, "payload_sha256", content->payload);
    record_put_digest(out, "input_sha256", content->input);
    record_put_text_if(out, "jti", content->jti);
    record_put_text_if(out, "scheme", content->scheme);
    record_put_text_if(out, "peer", content->peer);
}

/* The record goes to the disk while the token works. */
static enum outcome begin_record(const struct attempt *attempt,
                                 const struct dispatch_content *content, struct reason *why)
{
    struct dispatcher *dispatcher = attempt->dispatcher;
    const struct dispatch_subject *subject = attempt->dispatch->subject;
    if (subject->audit == NULL) {
        return OUTCOME_OK;
    }
    put_record(attempt, content, &dispatcher->record);
    return audit_append(subject->audit, "sign", &dispatcher->record, &dispatcher->ticket, why);
}

/* Nothing leaves that does not verify under the pinned public key: a fault in the token, a wrong
 * salt or another key under the same id ends here (security: faulty RSA signatures give the key
 * away). */
static enum outcome sign(const struct attempt *attempt, const struct dispatch_content *content,
                         struct span *signature, struct reason *why)
{
    enum outcome outcome = ask_in_turn(attempt, content->alg, content->input, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    *signature = buffer_span(&attempt->dispatcher->signature);
    if (!verifies(attempt->key, content->alg, content->input, *signature)) {
        log_error(
            "request %s: token %s gave a signature that does not verify under key %s; withheld",
            attempt->dispatch->subject->request_id, attempt->token->name,
            public_key_thumbprint(attempt->key->public_key));
        return refuse(why, OUTCOME_VERIFY,
                      "token %s gave a signature that does not verify; it was withheld",
                      attempt->token->name);
    }
    return OUTCOME_OK;
}

/* What must hold when the signature leaves. */
static enum outcome check_release(const struct attempt *attempt, struct reason *why)
{
    const struct dispatch *dispatch = attempt->dispatch;
    enum outcome outcome =
        audit_wait(dispatch->subject->audit, &attempt->dispatcher->ticket, dispatch->deadline, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (is_stopped(attempt)) {
        return refuse(why, OUTCOME_NO_KEY,
                      "the key was stopped while it signed, and the signature was withheld");
    }
    if (deadline_passed(dispatch->deadline)) {
        return refuse(why, OUTCOME_DEADLINE,
                      "the signature came after the deadline and was withheld");
    }
    return OUTCOME_OK;
}

enum outcome dispatch_sign(const struct attempt *attempt, const struct dispatch_content *content,
                           struct span *signature, struct reason *why)
{
    /* Not the token's fault: it is not asked, and not marked down. */
    if (deadline_passed(attempt->dispatch->deadline)) {
        return refuse(why, OUTCOME_DEADLINE, "the deadline had passed before a token was asked");
    }
    enum outcome outcome = begin_record(attempt, content, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = sign(attempt, content, signature, why);
    if (outcome == OUTCOME_OK) {
        outcome = check_release(attempt, why);
    }
    if (outcome != OUTCOME_OK) {
        dispatch_finish(attempt->dispatcher, attempt->dispatch->subject->audit, outcome,
                        span_of(NULL, 0));
    }
    return outcome;
}

void dispatch_finish(struct dispatcher *dispatcher, struct audit *audit, enum outcome outcome,
                     struct span released)
{
    if (dispatcher->ticket.epoch == 0) {
        return;
    }
    bool leaves = outcome == OUTCOME_OK;
    struct span raw = buffer_span(&dispatcher->signature);
    audit_done(audit, &dispatcher->ticket, leaves ? "released" : outcome_name(outcome),
               !leaves             ? span_of(NULL, 0)
               : released.len == 0 ? raw
                                   : released);
    dispatcher->ticket = (struct audit_ticket){0};
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

enum outcome dispatch_to_tokens(struct dispatcher *dispatcher, const struct dispatch *dispatch,
                                dispatch_use *use, void *context, struct reason *why)
{
    const struct config_role *role = dispatch->role;
    if (!follow_policy(dispatcher, dispatch->view->policy)) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    if (!role_has_key(dispatch->view, role, dispatch->kid)) {
        return role_refuse_without_key(dispatch->view, role, dispatch->kid, why);
    }
    int64_t now = 0;
    enum outcome outcome =
        clock_guard_take(watch_clock(dispatch->watch), clock_wall_s(), clock_boot_s(), &now, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = OUTCOME_NO_KEY;
    for (size_t i = 0; i < role->n_tokens && another_may_help(outcome); i++) {
        struct attempt attempt = {
            .now = now,
            .dispatcher = dispatcher,
            .dispatch = dispatch,
            .token = config_token(dispatch->view->policy->config, role->tokens[i]),
            .key = role_key(dispatch->view, role, role->tokens[i], dispatch->kid),
        };
        if (attempt.key == NULL) {
            continue;
        }
        if (key_end_is_over(view_key_end(dispatch->view, attempt.key), now)) {
            outcome = key_end_refuse(attempt.key, view_key_end(dispatch->view, attempt.key), why);
            continue;
        }
        if (watch_state(dispatch->watch, attempt.token->name, NULL) != TOKEN_READY) {
            outcome = refuse_not_ready(attempt.token, dispatch->watch, why);
            continue;
        }
        outcome = use(context, &attempt, why);
        outcome = as_token_fault(outcome, attempt.token, dispatch->watch, why);
    }
    return outcome;
}
