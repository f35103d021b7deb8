/* SPDX-License-Identifier: Apache-2.0
 * The token service by PKCS#11. */
#include "token/local.h"

#include "base/log.h"
#include "pkcs11/pin.h"
#include "pkcs11/rv.h"
#include "pkcs11/sign.h"
#include "token/content.h"
#include "token/local_parts.h"
#include "token/login.h"
#include "token/lookup.h"

#include <stdlib.h>

enum {
    LONG_INPUT = 64 * 1024, /* more than this at once is more than some devices take */
};

/* What was already done for one request to get over a fault; each is done once. */
struct repairs {
    bool looked_again;
    bool logged_in_again;
    bool renewed;
};

struct token *token_local_new(struct room *room, unsigned int index)
{
    struct token *token = calloc(1, sizeof *token);
    struct digest_context *digest = digest_context_new(room->digests);
    if (token == NULL || digest == NULL) {
        free(token);
        digest_context_free(digest);
        return NULL;
    }
    *token = (struct token){
        .room = room,
        .place = index,
        .session = {.calls = room->module.calls,
                    .handle = CK_INVALID_HANDLE,
                    .quirks = &room->quirks},
        .digest = digest,
    };
    return token;
}

void token_local_free(struct token *token)
{
    if (token == NULL) {
        return;
    }
    digest_context_free(token->digest);
    free(token);
}

CK_RV local_open_session(struct token *token, CK_FLAGS flags, CK_SESSION_HANDLE *out)
{
    struct room *room = token->room;
    guard_enter(&room->guard, token->place, room->options.deadline_ms);
    CK_RV rv = token->session.calls->C_OpenSession(room->slot_id, CKF_SERIAL_SESSION | flags, NULL,
                                                   NULL, out);
    guard_leave(&room->guard, token->place);
    return rv;
}

void local_close_session(struct token *token, CK_SESSION_HANDLE handle)
{
    struct room *room = token->room;
    guard_enter(&room->guard, token->place, room->options.deadline_ms);
    (void)token->session.calls->C_CloseSession(handle);
    guard_leave(&room->guard, token->place);
}

static CK_SESSION_HANDLE take_spare(struct room *room)
{
    pthread_mutex_lock(&room->lock);
    CK_SESSION_HANDLE spare = room->spare;
    room->spare = CK_INVALID_HANDLE;
    pthread_mutex_unlock(&room->lock);
    return spare;
}

CK_RV local_ensure_session(struct token *token)
{
    if (token->session.handle != CK_INVALID_HANDLE) {
        return CKR_OK;
    }
    token->session.handle = take_spare(token->room);
    if (token->session.handle != CK_INVALID_HANDLE) {
        return CKR_OK;
    }
    return local_open_session(token, 0, &token->session.handle);
}

/* The new session is opened before the old one is closed, if the token has room for both: the last
 * session to close takes the login with it. */
static void renew_session(struct token *token)
{
    CK_SESSION_HANDLE old = token->session.handle;
    CK_SESSION_HANDLE fresh = CK_INVALID_HANDLE;
    CK_RV rv = local_open_session(token, 0, &fresh);
    if (old != CK_INVALID_HANDLE) {
        local_close_session(token, old);
    }
    token->session.handle = rv == CKR_OK ? fresh : CK_INVALID_HANDLE;
}

static enum outcome finish(struct token *token, const struct key *key, const uint8_t *bytes,
                           CK_ULONG len, struct buffer *signature, struct reason *why)
{
    size_t wanted = key_type_signature_len(key->type);
    if (len != wanted) {
        renew_session(token);
        log_error("token %s: a signature of %lu bytes instead of %zu", token->room->options.name,
                  len, wanted);
        return refuse(why, OUTCOME_VERIFY, "the token's signature has %lu bytes, not %zu", len,
                      wanted);
    }
    atomic_fetch_add_explicit(&token->room->signatures, 1, memory_order_relaxed);
    buffer_put(signature, bytes, len);
    return buffer_ok(signature) ? OUTCOME_OK
                                : refuse(why, OUTCOME_INTERNAL, "no room for the signature");
}

static bool hashes_here(const struct room *room, enum alg alg)
{
    return (room->mechanisms.prehash & 1U << alg) != 0;
}

/* One try. *rv is the module's code when it is what failed, CKR_OK otherwise; *key what was used.
 */
static enum outcome try_sign(struct token *token, const struct token_sign_request *request,
                             struct key *key, CK_RV *rv, struct buffer *signature,
                             struct reason *why)
{
    struct room *room = token->room;
    *rv = local_ensure_session(token);
    if (*rv != CKR_OK) {
        return rv_refuse(*rv, "C_OpenSession", why);
    }
    token->session.rv = CKR_OK;
    enum outcome outcome = lookup_key(room, &token->session, token->place, request, key, why);
    if (outcome != OUTCOME_OK) {
        *rv = outcome == OUTCOME_TOKEN_UNAVAILABLE ? token->session.rv : CKR_OK;
        return outcome;
    }
    outcome = content_check_with_key(request, key->type, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    uint8_t bytes[SIGN_ROOM];
    CK_ULONG len = 0;
    const struct sign_plan plan = {key->private_key, key->type, request->alg,
                                   hashes_here(room, request->alg)};
    guard_enter(&room->guard, token->place, room->options.deadline_ms);
    *rv = sign_message(&token->session, token->digest, &plan, request->input, bytes, &len);
    guard_leave(&room->guard, token->place);
    if (*rv != CKR_OK) {
        return refuse(why, OUTCOME_TOKEN_UNAVAILABLE, "signing %s: %s", alg_name(request->alg),
                      rv_text(*rv).text);
    }
    outcome = finish(token, key, bytes, len, signature, why);
    if (outcome == OUTCOME_OK) {
        key_uses_add(&room->uses, request->key_id);
    }
    return outcome;
}

static bool look_again(struct token *token, const struct token_sign_request *request,
                       const struct key *key, struct repairs *done)
{
    bool first = !done->looked_again;
    done->looked_again = true;
    key_cache_drop(&token->room->keys, request->key_id, key->private_key);
    return first;
}

static bool renew_once(struct token *token, const struct token_sign_request *request,
                       const struct key *key, struct repairs *done)
{
    bool first = !done->renewed;
    done->renewed = true;
    renew_session(token);
    /* Old handles are not carried into a new session: some modules mean another object by them. */
    key_cache_drop(&token->room->keys, request->key_id, key->private_key);
    return first;
}

static bool log_in_once(struct token *token, struct repairs *done)
{
    bool first = !done->logged_in_again;
    done->logged_in_again = true;
    return first && login_again(token->room, &token->session, token->place);
}

/* Whether another try makes sense after this code. */
static bool repair(struct token *token, const struct token_sign_request *request,
                   const struct key *key, CK_RV rv, struct repairs *done)
{
    switch (rv_class(rv)) {
    case RV_DONE:
        return false;
    case RV_KEY_GONE:
        return look_again(token, request, key, done);
    case RV_LOGGED_OUT:
        return log_in_once(token, done);
    case RV_REFUSED:
        renew_session(token); /* an operation may have been left active */
        return false;
    case RV_BROKEN:
        return renew_once(token, request, key, done);
    }
    return false;
}

/* Whether the code, given for a long message that went into the token whole, may mean no more than
 * its length. Modules have no code of their own for that. */
static bool is_too_long(const struct token *token, const struct token_sign_request *request,
                        const struct key *key, CK_RV rv)
{
    bool signed_whole = key->private_key != CK_INVALID_HANDLE &&
                        !hashes_here(token->room, request->alg) && request->input.len > LONG_INPUT;
    return signed_whole && (rv == CKR_DATA_LEN_RANGE || rv == CKR_DEVICE_ERROR ||
                            rv == CKR_DEVICE_MEMORY || rv == CKR_HOST_MEMORY);
}

/* After the last try. A code that the token will give again for this key is the key's affair; too
 * many sessions is the configuration's; too long a message is the request's; anything else has
 * outlived a new session, and then only a new process helps. */
static enum outcome give_up(struct token *token, const struct token_sign_request *request,
                            const struct key *key, CK_RV rv, struct reason *why)
{
    struct room *room = token->room;
    if (is_too_long(token, request, key, rv)) {
        quirk_note(&room->quirks, QUIRK_SHORT_MESSAGES, true);
        return refuse(why, OUTCOME_TOKEN_UNAVAILABLE,
                      "token %s, which hashes %s itself, does not take %zu bytes at once: %s",
                      room->options.name, alg_name(request->alg), request->input.len,
                      rv_text(rv).text);
    }
    if (rv_class(rv) == RV_REFUSED) {
        why->claim[0] = '\0';
        return OUTCOME_KEY_MISMATCH;
    }
    if (rv == CKR_SESSION_COUNT) {
        quirk_note(&room->quirks, QUIRK_FEW_SESSIONS, true);
        return refuse(why, OUTCOME_TOKEN_UNAVAILABLE,
                      "the token gives no more sessions: `sessions: %u` is too many",
                      room->options.sessions);
    }
    if (rv_class(rv) == RV_LOGGED_OUT && !atomic_load(&room->ready)) {
        return room_not_ready(room, why);
    }
    room_abandon(room, "%s", why->detail);
    return OUTCOME_TOKEN_UNAVAILABLE;
}

static enum outcome check_request(struct token *token, const struct token_sign_request *request,
                                  struct deadline deadline, struct reason *why)
{
    struct room *room = token->room;
    /* First of all, and whatever state the token is in: only what such a key signs goes on. */
    enum outcome outcome = content_check(request, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (atomic_load_explicit(&room->abandoned, memory_order_relaxed)) {
        return refuse(why, OUTCOME_TOKEN_UNAVAILABLE, "token %s is being restarted",
                      room->options.name);
    }
    if (!atomic_load(&room->ready)) {
        return room_not_ready(room, why);
    }
    uint32_t can = room->mechanisms.prehash | room->mechanisms.token_hash;
    if ((can & 1U << request->alg) == 0) {
        return refuse(why, OUTCOME_TOKEN_UNAVAILABLE, "token %s has no mechanism for %s",
                      room->options.name, alg_name(request->alg));
    }
    return deadline_passed(deadline) ? refuse(why, OUTCOME_DEADLINE, "the deadline has passed")
                                     : OUTCOME_OK;
}

enum outcome token_sign(struct token *token, const struct token_sign_request *request,
                        struct deadline deadline, struct buffer *signature, struct reason *why)
{
    enum outcome outcome = check_request(token, request, deadline, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct repairs done = {0};
    for (;;) {
        struct key key = {.private_key = CK_INVALID_HANDLE};
        CK_RV rv;
        outcome = try_sign(token, request, &key, &rv, signature, why);
        if (rv == CKR_OK) {
            return outcome;
        }
        log_warning("token %s: %s", token->room->options.name, why->detail);
        if (!repair(token, request, &key, rv, &done)) {
            return give_up(token, request, &key, rv, why);
        }
    }
}

enum outcome token_status(struct token *token, struct deadline deadline, struct token_status *out,
                          struct reason *why)
{
    (void)deadline;
    (void)why;
    room_status(token->room, out);
    return OUTCOME_OK;
}

enum outcome token_unlock(struct token *token, int pin, struct deadline deadline,
                          struct reason *why)
{
    const struct room_options *options = &token->room->options;
    SECRET_CLEANUP struct secret typed = {0};
    if (deadline_passed(deadline)) {
        return refuse(why, OUTCOME_DEADLINE, "the deadline has passed");
    }
    if (pin >= 0 && !options->pin_typed) {
        return refuse(why, OUTCOME_RULE,
                      "token %s takes its PIN from its pin-source: none is typed", options->name);
    }
    enum outcome outcome = pin < 0 ? OUTCOME_OK : pin_read_pipe(pin, &typed, why);
    return outcome == OUTCOME_OK
               ? login_unlock(token->room, token->place, pin < 0 ? NULL : &typed, why)
               : outcome;
}
