/* SPDX-License-Identifier: Apache-2.0
 * Detached payloads. A detached JWS over a body has the same signing input as a compact JWT over it
 * (finding F1), so the body must be one JSON object without the members that make a JWT. It is
 * signed byte for byte as it was sent (RFC 7515 Appendix F, RFC 7797 §3). */
#include "policy/compiled.h"

#include "jose/json.h"
#include "policy/kinds.h"
#include "policy/pointer.h"

static enum outcome check_member(const struct template_body *rules, const char *name,
                                 struct reason *why)
{
    char pointer[REASON_CLAIM_SIZE];
    (void)pointer_step(pointer, "", name);
    bool permitted = template_lists(rules->permit_top_level, rules->permit_top_level_count, name);
    if (kinds_body_member_is_refused(name) && !permitted) {
        return refuse_claim(why, OUTCOME_RULE, pointer,
                            "a signed body with this member could be taken for a JWT");
    }
    if (template_lists(rules->forbid_top_level, rules->forbid_top_level_count, name)) {
        return refuse_claim(why, OUTCOME_RULE, pointer, "this profile forbids this member");
    }
    return OUTCOME_OK;
}

static enum outcome check_members(const struct template_body *rules, json_t *root,
                                  struct reason *why)
{
    char pointer[REASON_CLAIM_SIZE];
    if (kinds_value_is_refused(OPERATION_DETACHED_JWS, root, "", pointer)) {
        return refuse_claim(why, OUTCOME_RULE, pointer,
                            "asks for what only a grant assertion may ask for");
    }
    const char *name;
    json_t *value;
    json_object_foreach (root, name, value) {
        enum outcome outcome = check_member(rules, name, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    for (uint32_t i = 0; i < rules->require_top_level_count; i++) {
        if (json_object_get(root, rules->require_top_level[i]) == NULL) {
            (void)pointer_step(pointer, "", rules->require_top_level[i]);
            return refuse_claim(why, OUTCOME_RULE, pointer, "is required");
        }
    }
    return OUTCOME_OK;
}

enum outcome body_check(const struct profile *profile, struct span body, struct reason *why)
{
    static const struct template_body none;
    const struct template_body *rules =
        profile->template->body == NULL ? &none : profile->template->body;
    JSON_CLEANUP json_t *root = NULL;
    enum outcome outcome = json_parse_object(body, &root, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    /* Raw bytes that start with "{" are no base64url text, so nobody can read them as a JWT; the
     * shape guard wants the same of the others. */
    if (body.data[0] != '{') {
        return refuse(why, OUTCOME_RULE,
                      "a body that is signed starts with \"{\", not with blanks");
    }
    return check_members(rules, root, why);
}
