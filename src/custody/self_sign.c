/* SPDX-License-Identifier: Apache-2.0
 * Signatures that custody asks of keys. */
#include "custody/self_sign.h"

#include "token/remote.h"

#include <string.h>

static bool first_that_fits(enum key_type type, uint32_t algs, enum alg *out)
{
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        if ((algs & 1U << i) != 0 && alg_fits_key((enum alg)i, type)) {
            *out = (enum alg)i;
            return true;
        }
    }
    return false;
}

enum alg self_sign_alg(const struct key *key)
{
    enum key_type type = public_key_type(key->public_key);
    enum alg alg = ALG_RS256;
    if (!first_that_fits(type, key->algs, &alg)) {
        (void)first_that_fits(type, UINT32_MAX, &alg);
    }
    return alg;
}

enum outcome self_sign(const struct config *config, const struct key *key, struct span info,
                       struct deadline deadline, struct buffer *signature, struct reason *why)
{
    const struct config_token *place = config_token(config, key->token);
    if (place == NULL) {
        return refuse(why, OUTCOME_RULE, "token %s is not in the configuration any more",
                      key->token);
    }
    struct token_sign_request request = {
        .purpose = key->purpose, .use = USE_CSR, .alg = self_sign_alg(key), .input = info};
    memcpy(request.key_id, key->key_id, sizeof request.key_id);
    memcpy(request.spki_digest, public_key_spki_sha256(key->public_key),
           sizeof request.spki_digest);
    struct token *token = token_remote_new(place->name, place->socket);
    if (token == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    enum outcome outcome = token_sign(token, &request, deadline, signature, why);
    token_remote_free(token);
    if (outcome == OUTCOME_OK &&
        !public_key_verify(key->public_key, request.alg, info, buffer_span(signature))) {
        return refuse(why, OUTCOME_VERIFY,
                      "token %s gave a signature that does not verify; it was withheld",
                      key->token);
    }
    return outcome;
}
