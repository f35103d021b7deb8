/* SPDX-License-Identifier: Apache-2.0
 * An ID token: its signature, then the rules of id_token_rules.c. */
#include "jose/json.h"
#include "verify/parts.h"

enum { CLAIMS_MAX = 64 * 1024 };

static const struct member members[] = {
    {"id_token", MEMBER_TEXT, true},      {"nonce", MEMBER_TEXT, false},
    {"state", MEMBER_TEXT, false},        {"code", MEMBER_TEXT, false},
    {"access_token", MEMBER_TEXT, false}, {"refresh_token", MEMBER_TEXT, false},
    {"max_age", MEMBER_COUNT, false},     {"sub", MEMBER_TEXT, false},
    {"iss", MEMBER_TEXT, false},          {"intent_id", MEMBER_TEXT, false},
    {"jwks", MEMBER_OBJECT, false},
};

/* What is sent is compared: an intent that no claim is held against would only look so. */
static enum outcome check_intent_sent(const struct verification *profile, const json_t *input,
                                      struct reason *why)
{
    bool is_wanted = profile->id_token.intent.n > 0;
    if (is_wanted == (json_object_get(input, "intent_id") != NULL)) {
        return OUTCOME_OK;
    }
    return refuse_claim(why, OUTCOME_RULE, "/intent_id",
                        is_wanted ? "this member is missing"
                                  : "the profile has no intent_claims to hold it against");
}

/* Nothing of the claims is read before the signature is good. */
static enum outcome check_signature(const struct verification *profile, const json_t *input,
                                    json_t **header, struct buffer *claims, const char **rule,
                                    struct reason *why)
{
    struct jws_rules rules;
    enum outcome outcome = input_rules(profile, input, &rules, why);
    if (outcome == OUTCOME_OK) {
        outcome = check_intent_sent(profile, input, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = jws_verify(json_text(json_object_get(input, "id_token")), span_of(NULL, 0), &rules,
                         header, claims, why);
    *rule = outcome == OUTCOME_RULE ? rule_of_jws(why) : NULL;
    return outcome;
}

static enum outcome parse_claims(const struct buffer *text, json_t **claims, const char **rule,
                                 struct reason *why)
{
    struct reason inner = {.detail = ""};
    if (json_parse_object(buffer_span(text), claims, &inner) == OUTCOME_OK) {
        return OUTCOME_OK;
    }
    *rule = "malformed";
    return refuse(why, OUTCOME_RULE, "malformed: the claims: %.400s", inner.detail);
}

enum outcome verify_id_token(const struct verify_request *request, struct buffer *json,
                             const char **rule, struct reason *why)
{
    *rule = NULL;
    JSON_CLEANUP json_t *input = NULL;
    JSON_CLEANUP json_t *header = NULL;
    JSON_CLEANUP json_t *claims = NULL;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CLAIMS_MAX);
    enum outcome outcome = input_read(request, members, COUNT_OF(members), &input, why);
    if (outcome == OUTCOME_OK) {
        outcome = check_signature(request->profile, input, &header, &text, rule, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = parse_claims(&text, &claims, rule, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct id_token token = {.rules = &request->profile->id_token,
                                   .input = input,
                                   .header = header,
                                   .claims = claims,
                                   .now = request->now};
    outcome = id_token_judge(&token, rule, why);
    if (outcome == OUTCOME_OK) {
        answer_put(json, header, buffer_span(&text));
    }
    return outcome;
}
