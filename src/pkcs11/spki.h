/* SPDX-License-Identifier: Apache-2.0
 * A public key object of the token as DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), which is what
 * is pinned, and as one of our key types. */
#ifndef QSEAL_PKCS11_SPKI_H
#define QSEAL_PKCS11_SPKI_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/alg.h"
#include "model/outcome.h"
#include "pkcs11/session.h"

/* OUTCOME_KEY_MISMATCH when the key is of no type we know; OUTCOME_TOKEN_UNAVAILABLE, with
 * session->rv set, when the token fails. */
enum outcome spki_read(struct session *session, CK_OBJECT_HANDLE public_key, enum key_type *type,
                       struct buffer *spki, struct reason *why) MUST_USE;

/* CKA_EC_PARAMS of a curve: DER of its OID. `as_name` gives the older spelling of Ed25519, the
 * PrintableString "edwards25519" (PKCS#11 3.0 §2.3.10). Empty for RSA. */
struct span spki_curve_params(enum key_type type, bool as_name);

#endif
