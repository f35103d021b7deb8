/* SPDX-License-Identifier: Apache-2.0
 * One artefact, from the profile to the verified signature. */
#include "signing/seal.h"

#include "base/base64url.h"
#include "signing/signing.h"

#include <stdlib.h>

enum { KEEP_ROOM = 32 * 1024 };

struct sealer {
    struct artefact artefact;
    struct buffer payload; /* decoded, for the record */
};

/* One artefact on its way through the tokens. */
struct sealing {
    struct sealer *sealer;
    const struct seal_request *request;
    struct buffer *json;
};

struct sealer *sealer_new(void)
{
    struct sealer *sealer = calloc(1, sizeof *sealer);
    if (sealer != NULL) {
        artefact_init(&sealer->artefact);
        sealer->payload = BUFFER_INIT(SIGNING_BODY_MAX);
    }
    return sealer;
}

void sealer_free(struct sealer *sealer)
{
    if (sealer == NULL) {
        return;
    }
    artefact_fini(&sealer->artefact);
    buffer_fini(&sealer->payload);
    free(sealer);
}

static struct signing_key signing_key_of(const struct profile *profile, const struct key *key)
{
    const char *kid = profile_kid(profile);
    return (struct signing_key){
        .kid = kid == NULL ? public_key_thumbprint(key->public_key) : kid,
        .jwk = public_key_jwk(key->public_key),
    };
}

/* RFC 7515 §5.1: the payload of a JWT is inside the signing input; a detached one is the body. */
static struct span payload_of(const struct sealing *sealing)
{
    struct sealer *sealer = sealing->sealer;
    struct span input = buffer_span(&sealer->artefact.signing_input);
    if (profile_operation(sealing->request->profile) == OPERATION_DETACHED_JWS) {
        return sealing->request->body;
    }
    buffer_reset(&sealer->payload);
    (void)!base64url_decode(&sealer->payload,
                            span_part(input, sealer->artefact.header_len + 1, input.len));
    return buffer_span(&sealer->payload);
}

static enum outcome seal_with(void *context, const struct attempt *attempt, struct reason *why)
{
    const struct sealing *sealing = context;
    const struct seal_request *request = sealing->request;
    struct artefact *artefact = &sealing->sealer->artefact;
    enum alg alg = profile_alg(request->profile);
    if ((attempt->key->algs & 1U << alg) == 0) {
        return refuse(why, OUTCOME_NO_KEY,
                      "the active key of role %s was not granted %s when it was generated",
                      attempt->key->role, alg_name(alg));
    }
    struct signing_key signing_key = signing_key_of(request->profile, attempt->key);
    artefact_reset(artefact);
    enum outcome outcome = profile_build(request->profile, &signing_key, request->body,
                                         request->content_type, attempt->now, artefact, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct span input = buffer_span(&artefact->signing_input);
    const struct dispatch_content content = {
        .alg = alg,
        .input = input,
        .payload = payload_of(sealing),
        .jti = artefact->jti,
    };
    struct span signature;
    outcome = dispatch_sign(attempt, &content, &signature, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    profile_answer(request->profile, &signing_key, artefact, signature,
                   request->subject->request_id, sealing->json);
    return OUTCOME_OK;
}

enum outcome seal_artefact(struct sealer *sealer, const struct seal_request *request,
                           struct buffer *json, struct reason *why)
{
    struct sealing sealing = {.sealer = sealer, .request = request, .json = json};
    struct dispatch dispatch = {
        .subject = request->subject,
        .view = request->view,
        .views = request->views,
        .watch = request->watch,
        .role = config_role(request->view->policy->config, profile_role(request->profile)),
        .kid = "",
        .deadline = request->deadline,
    };
    if (dispatch.role == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "role %s is not at hand",
                      profile_role(request->profile));
    }
    enum outcome outcome =
        dispatch_to_tokens(request->dispatcher, &dispatch, seal_with, &sealing, why);
    buffer_trim(&sealer->artefact.signing_input, KEEP_ROOM);
    buffer_trim(&sealer->payload, KEEP_ROOM);
    return outcome;
}
