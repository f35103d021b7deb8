/* SPDX-License-Identifier: Apache-2.0
 * A caller's object against the claims of its profile: first whether every member may be there,
 * then each claim in the template's order. Nothing is changed and nothing is written here. */
#include "policy/compiled.h"

#include "jose/json.h"
#include "policy/kinds.h"
#include "policy/pointer.h"
#include "policy/template_check.h"

#include <string.h>

static enum outcome refuse_member(const struct profile *profile, const char *name,
                                  struct reason *why)
{
    char pointer[REASON_CLAIM_SIZE];
    (void)pointer_step(pointer, "", name);
    const char *detail = "this profile has no such claim";
    size_t at = profile_claim(profile, name);
    if (name_is_service_set(name)) {
        detail = "is set by the service, never by the caller, even with the right value";
    } else if (at < profile->n_claims && profile->claims[at].rule == CLAIM_FORBIDDEN) {
        detail = "this profile forbids this claim";
    } else if (at < profile->n_claims && profile->claims[at].rule == CLAIM_DERIVED) {
        detail = "is made by the service from other members";
    }
    return refuse_claim(why, OUTCOME_RULE, pointer, "%s", detail);
}

/* The claim that a member of this name belongs to, when a caller may send it; else n_claims. */
static size_t find_welcome(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->n_claims; i++) {
        const struct claim *claim = &profile->claims[i];
        switch (claim->rule) {
        case CLAIM_CALLER:
        case CLAIM_CHOICE:
            if (strcmp(claim->name, name) == 0) {
                return i;
            }
            break;
        case CLAIM_CONST:
        case CLAIM_CONFIG:
            if (!claim->service_set && claim->literal != NULL && strcmp(claim->name, name) == 0) {
                return i;
            }
            break;
        case CLAIM_DERIVED:
            if (strcmp(claim->from, name) == 0) {
                return i;
            }
            break;
        case CLAIM_GENERATED:
        case CLAIM_FORBIDDEN:
            break;
        }
    }
    return profile->n_claims;
}

/* Sorts the members to their claims. */
static enum outcome place_members(const struct profile *profile, struct evaluation *evaluation,
                                  struct reason *why)
{
    const char *name;
    json_t *value;
    json_object_foreach (evaluation->body, name, value) {
        size_t at = find_welcome(profile, name);
        if (at < profile->n_claims) {
            evaluation->values[at] = value;
            continue;
        }
        if (profile->shorthand.name == NULL || strcmp(profile->shorthand.name, name) != 0) {
            return refuse_member(profile, name, why);
        }
        evaluation->short_value = value;
    }
    return OUTCOME_OK;
}

/* The value sent, checked by the claim's rule. */
static enum outcome check_sent(const struct profile *profile, size_t at, const json_t *value,
                               struct reason *why)
{
    const struct claim *claim = &profile->claims[at];
    switch (claim->rule) {
    case CLAIM_CONST:
    case CLAIM_CONFIG:
        return json_equal(claim->constant, value)
                   ? OUTCOME_OK
                   : refuse_claim(why, OUTCOME_RULE, claim->pointer,
                                  "may be left out, or must equal the profile's own value");
    case CLAIM_CHOICE:
        return text_check(&claim->limits, claim->pointer, value, why);
    case CLAIM_DERIVED:
        return text_check(&claim->limits, claim->from_pointer, value, why);
    case CLAIM_CALLER:
        break;
    case CLAIM_GENERATED:
    case CLAIM_FORBIDDEN:
        return refuse_member(profile, claim->name, why);
    }
    enum outcome outcome = value_check(claim, value, why);
    return outcome != OUTCOME_OK || claim->type != TYPE_OBJECT
               ? outcome
               : nested_evaluate(profile, at, value, why);
}

static enum outcome refuse_missing(const struct profile *profile, size_t at, struct reason *why)
{
    const struct claim *claim = &profile->claims[at];
    const struct shorthand *shorthand = &profile->shorthand;
    if (shorthand->name != NULL && shorthand->claim == at) {
        return refuse_claim(why, OUTCOME_RULE, claim->pointer, "is required (or \"%s\" instead)",
                            shorthand->name);
    }
    return refuse_claim(why, OUTCOME_RULE,
                        claim->rule == CLAIM_DERIVED ? claim->from_pointer : claim->pointer,
                        "is required");
}

static enum outcome evaluate_shorthand(const struct profile *profile, struct evaluation *evaluation,
                                       struct reason *why)
{
    const struct shorthand *shorthand = &profile->shorthand;
    if (evaluation->short_value == NULL) {
        return OUTCOME_OK;
    }
    if (evaluation->values[shorthand->claim] != NULL) {
        return refuse_claim(why, OUTCOME_RULE, shorthand->pointer,
                            "stands for \"%s\": send one of them, not both",
                            profile->claims[shorthand->claim].name);
    }
    evaluation->shorthand = json_string_value(evaluation->short_value);
    return text_check(shorthand->limits, shorthand->pointer, evaluation->short_value, why);
}

static enum outcome evaluate_claim(const struct profile *profile, size_t at,
                                   struct evaluation *evaluation, struct reason *why)
{
    const struct claim *claim = &profile->claims[at];
    bool has_short_form = profile->shorthand.name != NULL && profile->shorthand.claim == at;
    if (evaluation->values[at] != NULL) {
        enum outcome outcome = check_sent(profile, at, evaluation->values[at], why);
        if (outcome == OUTCOME_OK && has_short_form) {
            evaluation->shorthand = shorthand_string(profile, evaluation->values[at]);
        }
        return outcome;
    }
    bool asked = claim->rule == CLAIM_CALLER || claim->rule == CLAIM_DERIVED ||
                 (claim->rule == CLAIM_CHOICE && claim->literal == NULL);
    bool stood_for = has_short_form && evaluation->shorthand != NULL;
    return asked && claim->required && !stood_for ? refuse_missing(profile, at, why) : OUTCOME_OK;
}

enum outcome rules_evaluate(const struct profile *profile, struct evaluation *evaluation,
                            struct reason *why)
{
    enum outcome outcome = place_members(profile, evaluation, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    char pointer[REASON_CLAIM_SIZE];
    if (kinds_value_is_refused(profile_operation(profile), evaluation->body, "", pointer)) {
        return refuse_claim(why, OUTCOME_RULE, pointer,
                            "asks for what only a grant assertion may ask for");
    }
    if (evaluation->body != NULL && !json_reals_are_exact(evaluation->body, pointer)) {
        return refuse_claim(why, OUTCOME_RULE, pointer,
                            "has more digits than can be repeated exactly");
    }
    outcome = evaluate_shorthand(profile, evaluation, why);
    for (size_t i = 0; outcome == OUTCOME_OK && i < profile->n_claims; i++) {
        outcome = evaluate_claim(profile, i, evaluation, why);
    }
    return outcome;
}
