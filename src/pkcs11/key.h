/* SPDX-License-Identifier: Apache-2.0
 * A key of the token, accepted only if it is what we would have made: sensitive, never extractable,
 * for signing only, and with its purpose in its label. What is pinned (the digest of the public
 * key) is compared by the caller at every use, with the values kept here. */
#ifndef QSEAL_PKCS11_KEY_H
#define QSEAL_PKCS11_KEY_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/alg.h"
#include "model/outcome.h"
#include "model/purpose.h"
#include "pkcs11/digest.h"
#include "pkcs11/session.h"

struct key {
    CK_OBJECT_HANDLE private_key;
    enum key_type type;
    enum purpose purpose;
    uint8_t spki_digest[DIGEST_SHA256_LEN];
};

/* Finds the pair by CKA_ID, reads it and checks it; appends its SubjectPublicKeyInfo to `spki`
 * unless that is NULL. OUTCOME_NO_KEY; OUTCOME_KEY_MISMATCH naming the attribute;
 * OUTCOME_TOKEN_UNAVAILABLE with session->rv set. */
enum outcome key_load(struct session *session, struct span id, struct key *out, struct buffer *spki,
                      struct reason *why) MUST_USE;
/* The one token object of this class with this CKA_ID; `what` is its name in refusals.
 * OUTCOME_NO_KEY, OUTCOME_KEY_MISMATCH when there are more; OUTCOME_TOKEN_UNAVAILABLE with
 * session->rv set, also when the session has lost its login. */
enum outcome key_find(struct session *session, CK_OBJECT_CLASS class, const char *what,
                      struct span id, CK_OBJECT_HANDLE *out, struct reason *why) MUST_USE;
/* A session object with the same rights as the key; false when the token does not make one. */
bool key_copy(struct session *session, CK_OBJECT_HANDLE private_key,
              CK_OBJECT_HANDLE *out) MUST_USE;

#endif
