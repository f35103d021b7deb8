/* SPDX-License-Identifier: Apache-2.0
 * One signature: hash, C_SignInit, C_Sign. No search, attribute or login. */
#ifndef QSEAL_PKCS11_SIGN_H
#define QSEAL_PKCS11_SIGN_H

#include "base/attributes.h"
#include "base/span.h"
#include "pkcs11/digest.h"
#include "pkcs11/mechanism.h"
#include "pkcs11/session.h"

enum { SIGN_ROOM = 1024 };

struct sign_plan {
    CK_OBJECT_HANDLE private_key;
    enum key_type type;
    enum alg alg;
    bool prehash; /* hashed here, signed by the raw mechanism */
};

/* Signs `message` into `out`; *len is what the token says. A digest longer than the curve's order
 * is cut to its leftmost bytes (FIPS 186-5 §6.4.1): tokens differ in whether they do that. The code
 * of the call that failed, or CKR_OK. */
CK_RV sign_message(struct session *session, struct digest_context *digest,
                   const struct sign_plan *plan, struct span message, uint8_t out[SIGN_ROOM],
                   CK_ULONG *len) MUST_USE;

#endif
