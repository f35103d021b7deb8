/* SPDX-License-Identifier: Apache-2.0
 * The shape guard: whether bytes are what a key of this purpose signs. It knows nothing of profiles
 * and shares no code with the side that builds the bytes, so that a mistake there, or a qseald in
 * foreign hands, still gets no free signature.
 *
 * A seal key signs JWS signing inputs (RFC 7515 §5.1): BASE64URL(header) "." BASE64URL(payload), or
 * with "b64":false BASE64URL(header) "." raw payload (RFC 7797 §3), where
 *   - header is a strict, flat-readable JSON object: no duplicate top-level members, depth ≤ 8,
 * valid UTF-8,
 *   - "alg" is there once and is exactly the algorithm asked for ("EdDSA" or "Ed25519" for
 * Ed25519),
 *   - "b64", when there, is the boolean false for a raw payload; true or absent otherwise,
 *   - the payload is one JSON object: it starts with '{' and ends with '}' after nothing but JSON
 * white space. So no digest, no DigestInfo, no TLS CertificateVerify content (it starts with
 * spaces), no CSR (it starts with 0x30) passes.
 *
 * An audit key signs notes of checkpoints (docs/audit.md), whole and in their one spelling:
 * shape_checkpoint.h. */
#ifndef QSEAL_MODEL_SHAPE_H
#define QSEAL_MODEL_SHAPE_H

#include "base/span.h"
#include "model/alg.h"
#include "model/outcome.h"
#include "model/purpose.h"

/* OUTCOME_OK, or OUTCOME_SHAPE with the reason. */
enum outcome shape_check(enum purpose purpose, enum alg alg, struct span input,
                         struct reason *why) MUST_USE;

#endif
