/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: what custody lets a key sign, a certificate request for the key itself.
 */
#ifndef QSEAL_CUSTODY_SELF_SIGN_H
#define QSEAL_CUSTODY_SELF_SIGN_H

#include "base/attributes.h"
#include "base/clock.h"
#include "keyring/keyring.h"
#include "policy/config.h"

/* One that a certificate authority knows: RS256 before PS256, and for a curve its own digest, also
 * where the role was granted others alone. */
enum alg self_sign_alg(const struct key *key);
/* Appends the key's raw signature over this CertificationRequestInfo (RFC 2986 §4.1), made in its
 * token. OUTCOME_VERIFY when it does not verify under the pinned public key; OUTCOME_RULE when the
 * configuration has no such token; and what token_sign() refuses. */
enum outcome self_sign(const struct config *config, const struct key *key, struct span info,
                       struct deadline deadline, struct buffer *signature,
                       struct reason *why) MUST_USE;

#endif
