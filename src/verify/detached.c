/* SPDX-License-Identifier: Apache-2.0
 * A detached JWS (RFC 7515 Appendix F, RFC 7797) over octets that the caller received. */
#include "base/base64url.h"
#include "jose/json.h"
#include "verify/parts.h"

enum { PAYLOAD_MAX = 1024 * 1024 };

static const struct member members[] = {
    {"jws", MEMBER_TEXT, true},
    {"payload", MEMBER_TEXT, true},
    {"jwks", MEMBER_OBJECT, false},
};

static bool is_object(struct span payload)
{
    JSON_CLEANUP json_t *object = NULL;
    struct reason unused;
    return json_parse_object(payload, &object, &unused) == OUTCOME_OK;
}

static enum outcome judge(const struct verification *profile, const json_t *input,
                          struct span payload, json_t **header, const char **rule,
                          struct reason *why)
{
    struct jws_rules rules;
    BUFFER_CLEANUP struct buffer unused = BUFFER_INIT(PAYLOAD_MAX);
    enum outcome outcome = input_rules(profile, input, &rules, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome =
        jws_verify(json_text(json_object_get(input, "jws")), payload, &rules, header, &unused, why);
    *rule = outcome == OUTCOME_RULE ? rule_of_jws(why) : NULL;
    return outcome;
}

enum outcome verify_detached_jws(const struct verify_request *request, struct buffer *json,
                                 const char **rule, struct reason *why)
{
    *rule = NULL;
    JSON_CLEANUP json_t *input = NULL;
    JSON_CLEANUP json_t *header = NULL;
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(PAYLOAD_MAX);
    enum outcome outcome = input_read(request, members, COUNT_OF(members), &input, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (!base64url_decode(&payload, json_text(json_object_get(input, "payload")))) {
        return refuse_claim(why, OUTCOME_RULE, "/payload",
                            "must be base64url without padding, of the octets that were received");
    }
    /* An empty body was signed, too: its span is not the NULL that says "compact". */
    struct span octets = payload.len == 0 ? span_of("", 0) : buffer_span(&payload);
    outcome = judge(request->profile, input, octets, &header, rule, why);
    if (outcome == OUTCOME_OK) {
        answer_put(json, header, is_object(octets) ? octets : span_of(NULL, 0));
    }
    return outcome;
}
