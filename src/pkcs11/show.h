/* SPDX-License-Identifier: Apache-2.0
 * A private key as the token shows it now. Nothing is judged here (pkcs11/key.h does that). */
#ifndef QSEAL_PKCS11_SHOW_H
#define QSEAL_PKCS11_SHOW_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/outcome.h"
#include "pkcs11/digest.h"
#include "pkcs11/find.h"
#include "pkcs11/session.h"

enum { SHOW_LABEL_SIZE = 256, SHOW_FLAGS_MAX = 16, SHOW_ID_MAX = 64 };

struct shown_key {
    enum find_flag flags[SHOW_FLAGS_MAX]; /* of each type that was asked for */
    char label[SHOW_LABEL_SIZE];
    /* CKA_ALLOWED_MECHANISMS, by name, with blanks between; "" when there are none in it. */
    struct buffer mechanisms; /* owned */
    bool has_mechanisms;
    uint8_t spki_digest[DIGEST_SHA256_LEN]; /* of the public key under the same CKA_ID */
};

/* Reads these boolean attributes, at most SHOW_FLAGS_MAX, and the rest. out->mechanisms is the
 * caller's, made before. OUTCOME_NO_KEY, OUTCOME_KEY_MISMATCH (more than one, or a public key that
 * is none of ours), OUTCOME_TOKEN_UNAVAILABLE. */
enum outcome show_key(struct session *session, struct span id, const CK_ATTRIBUTE_TYPE *types,
                      size_t n_types, struct shown_key *out, struct reason *why) MUST_USE;
/* Whether the public key of this object has this digest; then its CKA_ID in `id`, which has room
 * for SHOW_ID_MAX bytes. False, too, when the token fails. */
bool show_is_at(struct session *session, CK_OBJECT_HANDLE public_key, struct span spki_digest,
                struct buffer *id) MUST_USE;

#endif
