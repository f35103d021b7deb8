/* SPDX-License-Identifier: Apache-2.0
 * Taking a key pair out of the token, for good. */
#ifndef QSEAL_PKCS11_DESTROY_H
#define QSEAL_PKCS11_DESTROY_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/outcome.h"
#include "model/purpose.h"
#include "pkcs11/session.h"

struct destroy_request {
    enum purpose purpose;
    struct span id;          /* CKA_ID */
    struct span spki_digest; /* SHA-256 of the pinned SubjectPublicKeyInfo */
};

/* Needs a read-write session. Destroys the private key and then the public one, if they are the
 * pinned pair; a public key whose private one is gone already is destroyed, too (a crash in
 * between). OUTCOME_NO_KEY when there is neither, OUTCOME_KEY_MISMATCH when the pair is another or
 * not alone under its CKA_ID, OUTCOME_RULE when the token refuses, OUTCOME_TOKEN_UNAVAILABLE. */
enum outcome destroy_pair(struct session *session, const struct destroy_request *request,
                          struct reason *why) MUST_USE;

#endif
