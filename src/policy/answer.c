/* SPDX-License-Identifier: Apache-2.0
 * The text of a 200 answer (design §4), by concatenation: an artefact is never decoded, and never
 * passes through a JSON encoder. */
#include "policy/compiled.h"

#include "base/base64url.h"
#include "jose/json.h"

#include <assert.h>

struct row {
    const char *member; /* the artefact's name */
    const char *extra;  /* constant members behind it */
    bool parameters;    /* whether the answer has the member `parameters` */
};

static const struct row rows[] = {
    [OPERATION_JAR] = {"request", "", true},
    [OPERATION_CLIENT_ASSERTION] = {"client_assertion",
                                    ",\"client_assertion_type\":"
                                    "\"urn:ietf:params:oauth:client-assertion-type:jwt-bearer\"",
                                    true},
    [OPERATION_GRANT_ASSERTION] =
        {"assertion", ",\"grant_type\":\"urn:ietf:params:oauth:grant-type:jwt-bearer\"", true},
    [OPERATION_REGISTRATION] = {"jwt", ",\"content_type\":\"application/jwt\"", false},
    [OPERATION_BODY_JWT] = {"jwt", ",\"content_type\":\"application/jwt\"", false},
    [OPERATION_DPOP] = {"dpop", ",\"header\":\"DPoP\"", false},
    [OPERATION_DETACHED_JWS] = {"jws", "", false},
};
static_assert(COUNT_OF(rows) == OPERATION_COUNT, "a row for every operation");

static void put_member(struct buffer *json, const char *name, const char *text)
{
    buffer_put_text(json, ",\"");
    buffer_put_text(json, name);
    buffer_put_text(json, "\":");
    json_put_string(json, span_of_text(text));
}

/* base64url and dots: nothing in it needs escaping. */
static void put_artefact(const struct profile *profile, const struct artefact *artefact,
                         struct span signature, struct buffer *json)
{
    struct span input = buffer_span(&artefact->signing_input);
    buffer_put_u8(json, '"');
    if (profile->template->serialization == SERIALIZATION_DETACHED) {
        buffer_put_span(json, span_part(input, 0, artefact->header_len));
        buffer_put_u8(json, '.');
    } else {
        buffer_put_span(json, input);
    }
    buffer_put_u8(json, '.');
    base64url_encode(json, signature);
    buffer_put_u8(json, '"');
}

static void put_parameters(const struct profile *profile, const struct artefact *artefact,
                           struct span signature, struct buffer *json)
{
    const struct template_answer *answer = profile->template->answer;
    struct span beside = buffer_span(&artefact->parameters);
    buffer_put_text(json, ",\"parameters\":");
    if (answer == NULL || answer->artefact == NULL) {
        buffer_put_span(json, beside);
        return;
    }
    buffer_put_u8(json, '{');
    json_put_string(json, span_of_text(answer->artefact));
    buffer_put_u8(json, ':');
    put_artefact(profile, artefact, signature, json);
    /* What follows the "{" of the others: either "}" or members. */
    buffer_put_text(json, span_is_text(beside, "{}") ? "" : ",");
    buffer_put_span(json, span_part(beside, 1, beside.len));
}

static void put_times(const struct artefact *artefact, struct buffer *json)
{
    if (artefact->jti[0] != '\0') {
        put_member(json, "jti", artefact->jti);
    }
    if (artefact->iat >= 0) {
        buffer_put_format(json, ",\"iat\":%lld", (long long)artefact->iat);
    }
    if (artefact->exp >= 0) {
        buffer_put_format(json, ",\"exp\":%lld", (long long)artefact->exp);
    }
}

void profile_answer(const struct profile *profile, const struct signing_key *key,
                    const struct artefact *artefact, struct span signature, const char *request_id,
                    struct buffer *json)
{
    const struct row *row = &rows[profile->template->operation];
    const struct template_answer *answer = profile->template->answer;
    buffer_put_text(json, "{\"");
    buffer_put_text(json, row->member);
    buffer_put_text(json, "\":");
    put_artefact(profile, artefact, signature, json);
    buffer_put_text(json, row->extra);
    if (profile->template->operation == OPERATION_DETACHED_JWS) {
        put_member(json, "header",
                   answer != NULL && answer->header != NULL ? answer->header : "x-jws-signature");
    }
    if (profile->client_id != NULL) {
        buffer_put_text(json, ",\"client_id\":");
        buffer_put_text(json, profile->client_id);
    }
    put_member(json, "kid", key->kid);
    put_member(json, "alg", profile->alg_name);
    put_times(artefact, json);
    if (row->parameters) {
        put_parameters(profile, artefact, signature, json);
    }
    put_member(json, "request_id", request_id);
    buffer_put_u8(json, '}');
}
