/* SPDX-License-Identifier: Apache-2.0
 * Signing inputs of the right shape, and verification of what the token made of them by OpenSSL
 * with the SubjectPublicKeyInfo that was returned. */
#ifndef QSEAL_TESTS_PKCS11_JWS_H
#define QSEAL_TESTS_PKCS11_JWS_H

#include "base/buffer.h"
#include "model/alg.h"

/* BASE64URL({"alg":…,"typ":"JWT"}) "." BASE64URL({"iss":"test"}). */
void jws_input(struct buffer *out, enum alg alg);
/* Whether the raw JOSE signature verifies. */
bool jws_verifies(struct span spki, enum alg alg, struct span input, struct span signature);
/* SHA-256, as pinned. */
void jws_spki_digest(struct span spki, uint8_t out[32]);

#endif
