/* SPDX-License-Identifier: Apache-2.0
 * What changes the token: key pairs made and destroyed, each in a read-write session of its own. */
#include "base/log.h"
#include "base/name.h"
#include "pkcs11/destroy.h"
#include "pkcs11/generate.h"
#include "pkcs11/rv.h"
#include "token/local_parts.h"

#include <stdio.h>

enum {
    GENERATE_FACTOR = 24, /* making an RSA key takes a device a minute */
    DESTROY_FACTOR = 4,   /* several calls under one deadline */
    ID_TEXT_SIZE = 2 * KEY_ID_LEN + 1,
};

/* For the log: a key that no keyring knows, since qseald was killed in between, is found by it. */
static const char *id_text(const uint8_t *id, char out[ID_TEXT_SIZE])
{
    for (size_t i = 0; i < KEY_ID_LEN; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", id[i]);
    }
    return out;
}

static enum outcome check_generate(struct token *token,
                                   const struct token_generate_request *request, struct reason *why)
{
    if (!atomic_load(&token->room->ready)) {
        return room_not_ready(token->room, why);
    }
    if (!name_is_valid(span_of_text(request->role))) {
        return refuse(why, OUTCOME_RULE, "not the name of a role");
    }
    if (request->algs == 0 || request->algs >> ALG_COUNT != 0) {
        return refuse(why, OUTCOME_RULE, "a key needs at least one known algorithm");
    }
    for (unsigned int alg = 0; alg < ALG_COUNT; alg++) {
        if ((request->algs & 1U << alg) != 0 &&
            !purpose_alg_fits_key(request->purpose, (enum alg)alg, request->type)) {
            return refuse(why, OUTCOME_RULE, "a %s key does not sign %s",
                          key_type_name(request->type), alg_name((enum alg)alg));
        }
    }
    return OUTCOME_OK;
}

/* A session of its own, read-write. When the token has no session left, this worker's is given up
 * for it. */
static CK_RV open_for_writing(struct token *token, CK_SESSION_HANDLE *out)
{
    CK_RV rv = local_open_session(token, CKF_RW_SESSION, out);
    if (rv != CKR_SESSION_COUNT || token->session.handle == CK_INVALID_HANDLE) {
        return rv;
    }
    local_close_session(token, token->session.handle);
    token->session.handle = CK_INVALID_HANDLE;
    return local_open_session(token, CKF_RW_SESSION, out);
}

static enum outcome generate(struct token *token, const struct token_generate_request *request,
                             struct buffer *spki, struct reason *why)
{
    struct room *room = token->room;
    struct session session = token->session;
    CK_RV rv = open_for_writing(token, &session.handle);
    if (rv != CKR_OK) {
        return rv_refuse(rv, "C_OpenSession for writing", why);
    }
    char label[LABEL_SIZE];
    purpose_label(request->purpose, request->role, label);
    const struct generate_request wanted = {
        .type = request->type,
        .id = span_of(request->key_id, sizeof request->key_id),
        .label = label,
        .algs = request->algs,
        .copyable = room->options.session_copy,
    };
    guard_enter(&room->guard, token->place, (int64_t)room->options.deadline_ms * GENERATE_FACTOR);
    enum outcome outcome = generate_pair(&session, &room->mechanisms, &wanted, spki, why);
    guard_leave(&room->guard, token->place);
    local_close_session(token, session.handle);
    return outcome;
}

enum outcome token_generate(struct token *token, const struct token_generate_request *request,
                            struct deadline deadline, struct buffer *spki, struct reason *why)
{
    enum outcome outcome = check_generate(token, request, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    /* One at a time: SoftHSM fails at random when two threads generate. */
    pthread_mutex_lock(&token->room->login_lock);
    outcome = deadline_passed(deadline) ? refuse(why, OUTCOME_DEADLINE, "the deadline has passed")
                                        : generate(token, request, spki, why);
    pthread_mutex_unlock(&token->room->login_lock);
    char id[ID_TEXT_SIZE];
    log_info("token %s: generating a %s key with CKA_ID %s for role %s: %s%s%s",
             token->room->options.name, key_type_name(request->type), id_text(request->key_id, id),
             request->role, outcome_name(outcome), outcome == OUTCOME_OK ? "" : ": ",
             outcome == OUTCOME_OK ? "" : why->detail);
    return outcome;
}

/* A session copy would outlive its key. */
static void forget(struct token *token, const struct session *session, const uint8_t *key_id)
{
    struct room *room = token->room;
    struct key cached;
    if (!key_cache_get(&room->keys, key_id, &cached)) {
        return;
    }
    key_cache_drop(&room->keys, key_id, cached.private_key);
    if (room->options.session_copy) {
        (void)session->calls->C_DestroyObject(session->handle, cached.private_key);
    }
}

static enum outcome destroy(struct token *token, const struct token_destroy_request *request,
                            struct reason *why)
{
    struct room *room = token->room;
    struct session session = token->session;
    CK_RV rv = open_for_writing(token, &session.handle);
    if (rv != CKR_OK) {
        return rv_refuse(rv, "C_OpenSession for writing", why);
    }
    const struct destroy_request wanted = {
        .purpose = request->purpose,
        .id = span_of(request->key_id, sizeof request->key_id),
        .spki_digest = span_of(request->spki_digest, sizeof request->spki_digest),
    };
    guard_enter(&room->guard, token->place, (int64_t)room->options.deadline_ms * DESTROY_FACTOR);
    enum outcome outcome = destroy_pair(&session, &wanted, why);
    if (outcome == OUTCOME_OK) {
        forget(token, &session, request->key_id);
    }
    guard_leave(&room->guard, token->place);
    local_close_session(token, session.handle);
    return outcome;
}

enum outcome token_destroy(struct token *token, const struct token_destroy_request *request,
                           struct deadline deadline, struct reason *why)
{
    if (!atomic_load(&token->room->ready)) {
        return room_not_ready(token->room, why);
    }
    pthread_mutex_lock(&token->room->login_lock); /* one writer at a time, as when generating */
    enum outcome outcome = deadline_passed(deadline)
                               ? refuse(why, OUTCOME_DEADLINE, "the deadline has passed")
                               : destroy(token, request, why);
    pthread_mutex_unlock(&token->room->login_lock);
    char id[ID_TEXT_SIZE];
    log_info("token %s: destroying %s with CKA_ID %s: %s%s%s", token->room->options.name,
             purpose_key_text(request->purpose), id_text(request->key_id, id),
             outcome_name(outcome), outcome == OUTCOME_OK ? "" : ": ",
             outcome == OUTCOME_OK ? "" : why->detail);
    return outcome;
}
