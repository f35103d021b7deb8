/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: what custody lets a key sign, a certificate request for the key itself.
 */
#ifndef QSEAL_CUSTODY_SELF_SIGN_H
#define QSEAL_CUSTODY_SELF_SIGN_H

#include "audit/audit.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "keyring/keyring.h"
#include "policy/config.h"

/* One that a certificate authority knows: RS256 before PS256, and for a curve its own digest, also
 * where the role was granted others alone. */
enum alg self_sign_alg(const struct key *key);
/* Who has a key sign, and what for: what the audit record says. */
struct self_signer {
    const struct config *config;
    struct audit *audit; /* NULL: no record is kept */
    struct caller caller;
    const char *operation; /* "certificate-request", or "trial" */
    bool leaves;           /* somebody gets the signature */
};

/* Appends the key's raw signature over this CertificationRequestInfo (RFC 2986 §4.1), made in its
 * token. OUTCOME_VERIFY when it does not verify under the pinned public key; OUTCOME_RULE when the
 * configuration has no such token; and what token_sign() refuses; OUTCOME_AUDIT
 * when there can be no record. */
enum outcome self_sign(const struct self_signer *signer, const struct key *key, struct span info,
                       struct deadline deadline, struct buffer *signature,
                       struct reason *why) MUST_USE;

#endif
