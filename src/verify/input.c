/* SPDX-License-Identifier: Apache-2.0
 * The body of a request to verify something. */
#include "jose/json.h"
#include "policy/pointer.h"
#include "verify/parts.h"

#include <string.h>

static const struct member *find(const struct member *members, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(members[i].name, name) == 0) {
            return &members[i];
        }
    }
    return NULL;
}

static enum outcome check_member(const struct member *member, const char *name, const json_t *value,
                                 struct reason *why)
{
    char pointer[REASON_CLAIM_SIZE];
    (void)pointer_step(pointer, "", name);
    if (member == NULL) {
        return refuse_claim(why, OUTCOME_RULE, pointer, "this door takes no such member");
    }
    if (member->type == MEMBER_TEXT && !json_is_string(value)) {
        return refuse_claim(why, OUTCOME_RULE, pointer, "must be a string");
    }
    if (member->type == MEMBER_OBJECT && !json_is_object(value)) {
        return refuse_claim(why, OUTCOME_RULE, pointer, "must be an object");
    }
    if (member->type == MEMBER_COUNT &&
        (!json_is_integer(value) || json_integer_value(value) < 0)) {
        return refuse_claim(why, OUTCOME_RULE, pointer, "must be an integer, not negative");
    }
    return OUTCOME_OK;
}

enum outcome input_read(const struct verify_request *request, const struct member *members,
                        size_t n, json_t **out, struct reason *why)
{
    JSON_CLEANUP json_t *input = NULL;
    if (!content_type_is_json(request->content_type)) {
        return refuse(why, OUTCOME_MEDIA_TYPE,
                      "this door takes application/json, or no Content-Type");
    }
    enum outcome outcome = json_parse_object(request->body, &input, why);
    const char *name;
    json_t *value;
    json_object_foreach (input, name, value) {
        outcome = check_member(find(members, n, name), name, value, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < n; i++) {
        if (members[i].required && json_object_get(input, members[i].name) == NULL) {
            char pointer[REASON_CLAIM_SIZE];
            (void)pointer_step(pointer, "", members[i].name);
            outcome = refuse_claim(why, OUTCOME_RULE, pointer, "this member is missing");
        }
    }
    if (outcome == OUTCOME_OK) {
        *out = input;
        input = NULL;
    }
    return outcome;
}

enum outcome input_rules(const struct verification *profile, const json_t *input,
                         struct jws_rules *out, struct reason *why)
{
    *out = profile->rules;
    if (profile->jwks != NULL) {
        return OUTCOME_OK;
    }
    out->jwks = json_object_get(input, "jwks");
    return out->jwks != NULL
               ? OUTCOME_OK
               : refuse_claim(why, OUTCOME_RULE, "/jwks",
                              "this member is missing: no keys are pinned to this profile");
}
