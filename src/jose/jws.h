/* SPDX-License-Identifier: Apache-2.0
 * Verifying a JWS somebody else made (RFC 7515 §5.2): compact, or detached with the payload beside
 * it. */
#ifndef QSEAL_JOSE_JWS_H
#define QSEAL_JOSE_JWS_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"
#include "jose/public_key.h"
#include "model/alg.h"
#include "model/outcome.h"

#include <jansson.h>

enum { JWS_MAX = 2 * 1024 * 1024 };

/* What "b64" must be (RFC 7797). */
enum jws_b64 { JWS_B64_ANY, JWS_B64_TRUE, JWS_B64_FALSE };

struct jws_rules {
    const json_t
        *jwks; /* {"keys":[…]}: the only source of keys; header jwk, jku, x5u, x5c are ignored */
    uint32_t algs; /* bit (1 << enum alg): what may stand in "alg" */
    const char *const *
        crit; /* names of critical members understood, NULL-terminated, and only these; NULL: b64 */
    bool require_kid; /* otherwise a set of one key needs none */
    /* The keys of the set, made beforehand, one for each of its elements, NULL for one that cannot
     * be made; or NULL: the one that is needed is made then. */
    struct public_key *const *made;
    enum jws_b64 b64;
    bool require_crit;     /* "b64" must stand in "crit" */
    bool b64_without_crit; /* "b64" may stand in the header alone, against RFC 7797 §6 */
};

/* Verifies in the order of the domain's rule list: three parts, strict base64url, header without
 * duplicates; alg in the list; kid to exactly one JWK with fitting kty, crv, use and alg; crit;
 * signature. `*header` and `*payload` are owned by the caller on success. For a detached JWS pass
 * the payload bytes; for a compact one an empty span with NULL data. OUTCOME_RULE with the rule's
 * name first in the detail: "malformed: …", "alg: …", "key: …", "crit: …", "signature: …". */
enum outcome jws_verify(struct span token, struct span detached, const struct jws_rules *rules,
                        json_t **header, struct buffer *payload, struct reason *why) MUST_USE;

#endif
