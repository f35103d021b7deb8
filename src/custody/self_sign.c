/* SPDX-License-Identifier: Apache-2.0
 * Signatures that custody asks of keys. */
#include "custody/self_sign.h"

#include "audit/record.h"
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

static void put_record(const struct self_signer *signer, const struct key *key, enum alg alg,
                       struct span info, struct buffer *out)
{
    record_put_caller(out, &signer->caller);
    record_put_text(out, "operation", signer->operation);
    record_put_text(out, "role", key->role);
    record_put_text(out, "kid", public_key_thumbprint(key->public_key));
    record_put_text(out, "alg", alg_name(alg));
    record_put_text(out, "token", key->token);
    record_put_digest(out, "payload_sha256", info);
    record_put_digest(out, "input_sha256", info);
}

static enum outcome begin_record(const struct self_signer *signer, const struct key *key,
                                 enum alg alg, struct span info, struct audit_ticket *ticket,
                                 struct reason *why)
{
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    put_record(signer, key, alg, info, &members);
    return audit_append(signer->audit, "sign", &members, ticket, why);
}

static enum outcome ask(const struct config_token *place, const struct key *key, enum alg alg,
                        struct span info, struct deadline deadline, struct buffer *signature,
                        struct reason *why)
{
    struct token_sign_request request = {
        .purpose = key->purpose, .use = USE_CSR, .alg = alg, .input = info};
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
        !public_key_verify(key->public_key, alg, info, buffer_span(signature))) {
        return refuse(why, OUTCOME_VERIFY,
                      "token %s gave a signature that does not verify; it was withheld",
                      key->token);
    }
    return outcome;
}

enum outcome self_sign(const struct self_signer *signer, const struct key *key, struct span info,
                       struct deadline deadline, struct buffer *signature, struct reason *why)
{
    struct audit_ticket ticket = {0};
    enum alg alg = self_sign_alg(key);
    const struct config_token *place = config_token(signer->config, key->token);
    if (place == NULL) {
        return refuse(why, OUTCOME_RULE, "token %s is not in the configuration any more",
                      key->token);
    }
    enum outcome outcome = begin_record(signer, key, alg, info, &ticket, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = ask(place, key, alg, info, deadline, signature, why);
    if (outcome == OUTCOME_OK) {
        outcome = audit_wait(signer->audit, &ticket, deadline, why);
    }
    const char *end = outcome != OUTCOME_OK ? outcome_name(outcome)
                      : signer->leaves      ? "released"
                                            : "done";
    audit_done(signer->audit, &ticket, end,
               outcome == OUTCOME_OK && signer->leaves ? buffer_span(signature) : span_of(NULL, 0));
    return outcome;
}
