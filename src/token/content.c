/* SPDX-License-Identifier: Apache-2.0
 * The shape guard in front of the keys. */
#include "token/content.h"

#include "model/shape.h"
#include "model/shape_csr.h"
#include "pkcs11/digest.h"
#include "pki/tls_guard.h"

#include <assert.h>

static_assert((int)SPKI_DIGEST_LEN == (int)DIGEST_SHA256_LEN, "both are SHA-256");

static enum outcome check_csr(const struct token_sign_request *request, struct reason *why)
{
    struct span spki;
    uint8_t digest[DIGEST_SHA256_LEN];
    enum outcome outcome = shape_csr_check(request->input, &spki, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (!digest_sha256(spki, digest)) {
        return refuse(why, OUTCOME_TOKEN_UNAVAILABLE, "the crypto library cannot hash");
    }
    if (!span_equal(span_of(digest, sizeof digest),
                    span_of(request->spki_digest, sizeof request->spki_digest))) {
        return refuse(why, OUTCOME_SHAPE, "certificate request: for another key than this one");
    }
    return OUTCOME_OK;
}

enum outcome content_check(const struct token_sign_request *request, struct reason *why)
{
    switch (request->use) {
    case USE_PURPOSE:
        return request->purpose == PURPOSE_TRANSPORT
                   ? OUTCOME_OK /* not before its key is found */
                   : shape_check(request->purpose, request->alg, request->input, why);
    case USE_CSR:
        return check_csr(request, why);
    }
    return refuse(why, OUTCOME_SHAPE, "no such use of a key");
}

enum outcome content_check_with_key(const struct token_sign_request *request, enum key_type type,
                                    struct reason *why)
{
    if (request->purpose != PURPOSE_TRANSPORT || request->use != USE_PURPOSE) {
        return OUTCOME_OK;
    }
    const struct tls_key key = {.type = type, .spki_sha256 = request->spki_digest};
    struct tls_proof proof;
    return tls_guard_check(&key, request->alg, request->input, &proof, why);
}
