/* SPDX-License-Identifier: Apache-2.0
 * Making a key pair inside the token, which it never leaves. */
#ifndef QSEAL_PKCS11_GENERATE_H
#define QSEAL_PKCS11_GENERATE_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/alg.h"
#include "model/outcome.h"
#include "pkcs11/mechanism.h"
#include "pkcs11/session.h"

struct generate_request {
    enum key_type type;
    struct span id;    /* CKA_ID */
    const char *label; /* purpose_label() */
    uint32_t algs;     /* for CKA_ALLOWED_MECHANISMS */
    /* For session copies: SoftHSM copies no object that is CKA_MODIFIABLE=false, so that ban is
     * then left out. */
    bool copyable;
};

/* Needs a read-write session. Generates, reads back and checks as any key is checked before it is
 * used, and appends the SubjectPublicKeyInfo. A pair that fails the check is destroyed.
 * OUTCOME_RULE when the CKA_ID is taken or the token cannot make such a key. */
enum outcome generate_pair(struct session *session, const struct mechanisms *mechanisms,
                           const struct generate_request *request, struct buffer *spki,
                           struct reason *why) MUST_USE;

#endif
