/* SPDX-License-Identifier: Apache-2.0
 * Destroying a key pair. */
#include "pkcs11/destroy.h"

#include "base/buffer.h"
#include "pkcs11/find.h"
#include "pkcs11/key.h"
#include "pkcs11/rv.h"
#include "pkcs11/spki.h"

enum { SPKI_ROOM = 1024 };

static enum outcome token_failed(const struct session *session, const char *what,
                                 struct reason *why)
{
    bool refused = rv_class(session->rv) == RV_REFUSED;
    return refuse(why, refused ? OUTCOME_RULE : OUTCOME_TOKEN_UNAVAILABLE, "%s: %s", what,
                  rv_text(session->rv).text);
}

static enum outcome check_digest(const uint8_t *digest, const struct destroy_request *request,
                                 struct reason *why)
{
    return span_equal(span_of(digest, DIGEST_SHA256_LEN), request->spki_digest)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_KEY_MISMATCH,
                        "the public key under this CKA_ID is not the pinned one");
}

static enum outcome destroy_object(struct session *session, CK_OBJECT_HANDLE object,
                                   const char *what, struct reason *why)
{
    session->rv = session->calls->C_DestroyObject(session->handle, object);
    return session->rv == CKR_OK ? OUTCOME_OK : token_failed(session, what, why);
}

static enum outcome destroy_public(struct session *session, const struct destroy_request *request,
                                   struct reason *why)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(SPKI_ROOM);
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    uint8_t digest[DIGEST_SHA256_LEN];
    enum key_type type;
    unsigned int n = 0;
    if (!find_by_id(session, CKO_PUBLIC_KEY, request->id, &object, &n)) {
        return token_failed(session, "looking for the public key", why);
    }
    if (n != 1) {
        return refuse(why, n == 0 ? OUTCOME_NO_KEY : OUTCOME_KEY_MISMATCH,
                      n == 0 ? "the token has no key with this CKA_ID"
                             : "more than one public key has this CKA_ID");
    }
    enum outcome outcome = spki_read(session, object, &type, &der, why);
    if (outcome == OUTCOME_OK) {
        outcome = digest_sha256(buffer_span(&der), digest)
                      ? check_digest(digest, request, why)
                      : refuse(why, OUTCOME_INTERNAL, "SHA-256 failed");
    }
    return outcome == OUTCOME_OK ? destroy_object(session, object, "destroying the public key", why)
                                 : outcome;
}

/* With the private key there, the whole pair is looked at as before a signature. */
static enum outcome destroy_private(struct session *session, const struct destroy_request *request,
                                    struct reason *why)
{
    struct key key;
    enum outcome outcome = key_load(session, request->id, &key, NULL, why);
    if (outcome == OUTCOME_OK && key.purpose != request->purpose) {
        return refuse(why, OUTCOME_KEY_MISMATCH, "CKA_LABEL: the key is for %s, not for %s",
                      purpose_name(key.purpose), purpose_name(request->purpose));
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_digest(key.spki_digest, request, why);
    }
    return outcome == OUTCOME_OK
               ? destroy_object(session, key.private_key, "destroying the private key", why)
               : outcome;
}

enum outcome destroy_pair(struct session *session, const struct destroy_request *request,
                          struct reason *why)
{
    CK_OBJECT_HANDLE object;
    unsigned int n = 0;
    if (!find_by_id(session, CKO_PRIVATE_KEY, request->id, &object, &n)) {
        return token_failed(session, "looking for the private key", why);
    }
    enum outcome outcome = n == 0 ? OUTCOME_OK : destroy_private(session, request, why);
    return outcome == OUTCOME_OK ? destroy_public(session, request, why) : outcome;
}
