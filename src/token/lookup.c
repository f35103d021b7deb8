/* SPDX-License-Identifier: Apache-2.0
 * Keys for requests. */
#include "token/lookup.h"

#include "base/log.h"
#include "pkcs11/rv.h"

/* Compared at every signature, cached or not. */
static enum outcome check_pinned(const struct key *key, const struct token_sign_request *request,
                                 struct reason *why)
{
    if (key->purpose != request->purpose) {
        return refuse(why, OUTCOME_KEY_MISMATCH, "CKA_LABEL: the key is for %s, not for %s",
                      purpose_name(key->purpose), purpose_name(request->purpose));
    }
    if (!span_equal(span_of(key->spki_digest, sizeof key->spki_digest),
                    span_of(request->spki_digest, sizeof request->spki_digest))) {
        return refuse(why, OUTCOME_KEY_MISMATCH,
                      "the public key under this CKA_ID is not the pinned one");
    }
    /* Which pairs TLS has depends on its version, which only the content says. */
    bool handshake = request->purpose == PURPOSE_TRANSPORT && request->use == USE_PURPOSE;
    if (!handshake && !alg_fits_key(request->alg, key->type)) {
        return refuse(why, OUTCOME_KEY_MISMATCH, "a %s key does not sign %s",
                      key_type_name(key->type), alg_name(request->alg));
    }
    return OUTCOME_OK;
}

/* SoftHSM signs 1.5 times as fast with a copy in the session (no file look-up); a token that makes
 * none signs with the key itself. */
static void use_session_copy(struct room *room, struct session *session, struct key *key)
{
    CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
    if (key_copy(session, key->private_key, &copy)) {
        key->private_key = copy;
        return;
    }
    if (!atomic_exchange(&room->copy_refused, true)) {
        log_info("token %s makes no session copies (%s): it signs with the keys themselves",
                 room->options.name, rv_text(session->rv).text);
    }
    session->rv = CKR_OK;
}

static enum outcome load(struct room *room, struct session *session,
                         const struct token_sign_request *request, struct key *out,
                         struct reason *why)
{
    enum outcome outcome =
        key_load(session, span_of(request->key_id, sizeof request->key_id), out, NULL, why);
    if (outcome == OUTCOME_TOKEN_UNAVAILABLE && rv_class(session->rv) == RV_REFUSED) {
        session->rv = CKR_OK;
        return refuse(why, OUTCOME_KEY_MISMATCH, "an attribute is longer than in any key of ours");
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    /* A key that is not the pinned one is not worth a place. */
    outcome = check_pinned(out, request, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (room->options.session_copy) {
        use_session_copy(room, session, out);
    }
    key_cache_put(&room->keys, request->key_id, out);
    return OUTCOME_OK;
}

enum outcome lookup_key(struct room *room, struct session *session, unsigned int place,
                        const struct token_sign_request *request, struct key *out,
                        struct reason *why)
{
    if (key_cache_get(&room->keys, request->key_id, out)) {
        return check_pinned(out, request, why);
    }
    guard_enter(&room->guard, place, room->options.deadline_ms);
    enum outcome outcome = load(room, session, request, out, why);
    guard_leave(&room->guard, place);
    return outcome;
}
