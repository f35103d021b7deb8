/* SPDX-License-Identifier: Apache-2.0
 * One profile: what it says of itself, and the building of an artefact's signing input. */
#include "policy/compiled.h"

#include "base/base64url.h"
#include "jose/json.h"

#include <string.h>
#include <strings.h>

const char *profile_digest(const struct profile *profile)
{
    return profile->digest;
}

const char *profile_name(const struct profile *profile)
{
    return profile->binding->name;
}

const char *profile_template(const struct profile *profile)
{
    return profile->template->name;
}

enum operation profile_operation(const struct profile *profile)
{
    return profile->template->operation;
}

const char *profile_role(const struct profile *profile)
{
    return profile->binding->role;
}

enum alg profile_alg(const struct profile *profile)
{
    return profile->alg;
}

const char *profile_kid(const struct profile *profile)
{
    return profile->binding->kid;
}

const char *profile_input_schema(const struct profile *profile)
{
    return profile->input_schema;
}

uint32_t profile_longest_lifetime_s(const struct profile *profile)
{
    const struct template_lifetime *lifetime = profile->template->lifetime;
    return lifetime == NULL ? 0 : lifetime->exp_after_s;
}

void artefact_init(struct artefact *artefact)
{
    *artefact = (struct artefact){.signing_input = BUFFER_INIT(SIGNING_INPUT_MAX),
                                  .iat = -1,
                                  .exp = -1,
                                  .parameters = BUFFER_INIT(JWT_MAX)};
}

void artefact_reset(struct artefact *artefact)
{
    buffer_reset(&artefact->signing_input);
    buffer_reset(&artefact->parameters);
    artefact->header_len = 0;
    artefact->iat = -1;
    artefact->exp = -1;
    artefact->jti[0] = '\0';
}

void artefact_fini(struct artefact *artefact)
{
    buffer_fini(&artefact->signing_input);
    buffer_fini(&artefact->parameters);
}

bool content_type_is_json(const char *content_type)
{
    static const char json[] = "application/json";
    size_t len = strcspn(content_type, "; \t");
    const char *behind = content_type + len + strspn(content_type + len, " \t");
    if (*behind != '\0' && *behind != ';') {
        return false;
    }
    return content_type[0] == '\0' ||
           (len == sizeof json - 1 && strncasecmp(content_type, json, len) == 0);
}

static enum outcome put_header(const struct profile *profile, const struct signing_key *key,
                               int64_t now, struct artefact *out, struct reason *why)
{
    BUFFER_CLEANUP struct buffer header = BUFFER_INIT(HEADER_MAX);
    header_put(profile, key, now, &header);
    if (!buffer_ok(&header)) {
        return refuse(why, OUTCOME_INTERNAL, "the header would be over %d bytes", HEADER_MAX);
    }
    base64url_encode(&out->signing_input, buffer_span(&header));
    out->header_len = out->signing_input.len;
    buffer_put_u8(&out->signing_input, '.');
    return OUTCOME_OK;
}

static enum outcome put_jwt(const struct profile *profile, const struct signing_key *key,
                            const struct evaluation *evaluation, int64_t now, struct artefact *out,
                            struct reason *why)
{
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(JWT_MAX);
    enum outcome outcome = put_header(profile, key, now, out, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = claims_put(profile, evaluation, now, out, &payload, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    base64url_encode(&out->signing_input, buffer_span(&payload));
    size_t len = out->signing_input.len + 1 + base64url_encoded_len(SIGNATURE_MAX);
    if (!buffer_ok(&payload) || len > JWT_MAX) {
        return refuse(why, OUTCOME_RULE, "the JWT would be over %d bytes", JWT_MAX);
    }
    parameters_put(profile, evaluation, &out->parameters);
    return buffer_ok(&out->signing_input) && buffer_ok(&out->parameters)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_INTERNAL, "out of memory");
}

static enum outcome build_jwt(const struct profile *profile, const struct signing_key *key,
                              struct span body, const char *content_type, int64_t now,
                              struct artefact *out, struct reason *why)
{
    if (!content_type_is_json(content_type)) {
        return refuse(why, OUTCOME_MEDIA_TYPE,
                      "this door takes application/json, or no Content-Type");
    }
    struct evaluation evaluation = {.body = NULL};
    JSON_CLEANUP json_t *object = NULL;
    bool empty = body.len == 0 && profile->template->operation == OPERATION_CLIENT_ASSERTION;
    enum outcome outcome = empty ? OUTCOME_OK : json_parse_object(body, &object, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    evaluation.body = object;
    outcome = rules_evaluate(profile, &evaluation, why);
    return outcome != OUTCOME_OK ? outcome : put_jwt(profile, key, &evaluation, now, out, why);
}

static enum outcome build_detached(const struct profile *profile, const struct signing_key *key,
                                   struct span body, int64_t now, struct artefact *out,
                                   struct reason *why)
{
    enum outcome outcome = body_check(profile, body, why);
    outcome = outcome != OUTCOME_OK ? outcome : put_header(profile, key, now, out, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (profile->template->payload == PAYLOAD_BODY_RAW) {
        buffer_put_span(&out->signing_input, body);
    } else {
        base64url_encode(&out->signing_input, body);
    }
    buffer_put_text(&out->parameters, "{}");
    return buffer_ok(&out->signing_input) && buffer_ok(&out->parameters)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_INTERNAL, "out of memory");
}

enum outcome profile_build(const struct profile *profile, const struct signing_key *key,
                           struct span body, const char *content_type, int64_t now,
                           struct artefact *out, struct reason *why)
{
    artefact_reset(out);
    if (body.len > profile->body_max) {
        return refuse(why, OUTCOME_TOO_LARGE, "this profile takes bodies of up to %zu bytes",
                      profile->body_max);
    }
    enum outcome outcome = profile->template->payload == PAYLOAD_CLAIMS
                               ? build_jwt(profile, key, body, content_type, now, out, why)
                               : build_detached(profile, key, body, now, out, why);
    if (outcome != OUTCOME_OK) {
        artefact_reset(out);
    }
    return outcome;
}
