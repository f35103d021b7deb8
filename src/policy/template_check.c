/* SPDX-License-Identifier: Apache-2.0
 * Checks of a template: names, which keys go with which rule, patterns, lifetimes, answers. */
#include "policy/template_check.h"

#include "base/attributes.h"
#include "jose/json.h"
#include "model/alg.h"
#include "model/purpose.h"
#include "policy/pattern.h"
#include "policy/yaml.h"

#include <stdio.h>
#include <string.h>

enum { WHERE_SIZE = 64 };

json_t *literal_parse(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    char pointer[REASON_CLAIM_SIZE];
    if (value != NULL && !json_reals_are_exact(value, pointer)) {
        json_decref(value);
        return NULL;
    }
    return value;
}

bool name_is_service_set(const char *name)
{
    static const char *const names[] = {"alg", "kid", "typ", "crit", "iss", "sub",
                                        "aud", "iat", "nbf", "exp",  "jti"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum outcome check_pattern(const char *text, const char *path, const char *where,
                                  struct reason *why)
{
    if (text == NULL) {
        return OUTCOME_OK;
    }
    struct pattern *pattern = NULL;
    const char *wrong = pattern_compile(text, &pattern);
    pattern_free(pattern);
    return wrong == NULL ? OUTCOME_OK
                         : yaml_refuse(why, path, where, "the pattern is refused: %s", wrong);
}

static enum outcome check_algorithms(const struct template *template, const char *path,
                                     struct reason *why)
{
    for (uint32_t i = 0; i < template->algorithms_count; i++) {
        enum alg alg;
        char where[WHERE_SIZE];
        (void)snprintf(where, sizeof where, "/algorithms/%u", i);
        if (!alg_from_name(span_of_text(template->algorithms[i]), &alg)) {
            return yaml_refuse(why, path, where, "no such algorithm; RS256 … ES512, Ed25519");
        }
        if (template->alg_name != NULL &&
            (alg != ALG_ED25519 || (strcmp(template->alg_name, "EdDSA") != 0 &&
                                    strcmp(template->alg_name, "Ed25519") != 0))) {
            return yaml_refuse(why, path, "/alg_name",
                               "only Ed25519 has two names: \"EdDSA\" and \"Ed25519\"");
        }
    }
    enum purpose purpose;
    if (!purpose_from_name(span_of_text(template->purpose), &purpose) || purpose != PURPOSE_SEAL) {
        return yaml_refuse(why, path, "/purpose", "no such purpose; \"seal\" is one");
    }
    return OUTCOME_OK;
}

static enum outcome check_bindings(const struct template *template, const char *path,
                                   struct reason *why)
{
    for (uint32_t i = 0; i < template->bindings_count; i++) {
        const struct template_binding *binding = &template->bindings[i];
        char where[WHERE_SIZE];
        (void)snprintf(where, sizeof where, "/bindings/%u", i);
        if (template_binding(template, binding->name) != binding) {
            return yaml_refuse(why, path, where, "a second binding of this name");
        }
        bool textual = binding->type == BINDING_TEXT || binding->type == BINDING_LIST;
        if (!textual && (binding->pattern != NULL || binding->values_count > 0)) {
            return yaml_refuse(why, path, where, "pattern and enum go with type text and list");
        }
        enum outcome outcome = check_pattern(binding->pattern, path, where, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

/* Which keys a rule takes; one row per rule. */
struct claim_keys {
    bool literal; /* exactly one of value, json */
    bool config;
    bool generated;
    bool typed;
    bool listed; /* exactly one of enum, enum_from */
    bool from;
};

static const struct claim_keys claim_keys[] = {
    [CLAIM_CONST] = {.literal = true},
    [CLAIM_CONFIG] = {.config = true},
    [CLAIM_GENERATED] = {.generated = true},
    [CLAIM_CALLER] = {.typed = true},
    [CLAIM_CHOICE] = {.listed = true},
    [CLAIM_DERIVED] = {.from = true},
    [CLAIM_FORBIDDEN] = {0},
};

static bool has_limits(const struct template_claim *claim)
{
    return claim->pattern != NULL || claim->min_length != NULL || claim->max_length != NULL ||
           claim->min_value != NULL || claim->max_value != NULL || claim->max_bytes != NULL ||
           claim->closed;
}

/* The first thing wrong with a claim's keys; in the order in which a person would ask. */
static const char *wrong_keys(const struct template_claim *claim)
{
    const struct claim_keys *keys = &claim_keys[claim->rule];
    const bool caller = claim->rule == CLAIM_CALLER;
    const bool listed = claim->values_count > 0 || claim->enum_from != NULL;
    const bool of_service = keys->literal || keys->config || keys->generated;
    const int literals = (claim->value != NULL) + (claim->json != NULL);
    const struct {
        bool wrong;
        const char *sentence;
    } checks[] = {
        {literals != (keys->literal ? 1 : 0),
         "rule const, and no other, takes exactly one of value and json"},
        {(claim->config != NULL) != keys->config, "rule config, and no other, takes config"},
        {(claim->generated != 0) != keys->generated,
         "rule generated, and no other, takes generated"},
        {(claim->type != 0) != keys->typed, "rule caller, and no other, takes type"},
        {claim->values_count > 0 && claim->enum_from != NULL,
         "one of enum and enum_from, not both"},
        {!caller && listed != keys->listed, "rule choice takes exactly one of enum and enum_from"},
        {(claim->from != NULL) != keys->from, "rule derived, and no other, takes from"},
        {claim->required != NULL && of_service,
         "required is asked of callers; what the service sets is always there"},
        {claim->as != AS_IS && !keys->config && !keys->literal && !keys->listed,
         "as goes with rule const, config and choice"},
        {has_limits(claim) && !caller && claim->rule != CLAIM_DERIVED,
         "patterns, lengths and values bound what the caller sends; this rule takes none"},
    };
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        if (checks[i].wrong) {
            return checks[i].sentence;
        }
    }
    return NULL;
}

/* Which limits a type takes. */
static const char *wrong_limits(const struct template_claim *claim)
{
    if (claim->rule != CLAIM_CALLER) {
        return NULL;
    }
    bool textual = claim->type == TYPE_STRING || claim->type == TYPE_STRING_ARRAY;
    bool numeric = claim->type == TYPE_INTEGER || claim->type == TYPE_NUMBER;
    bool open = claim->type == TYPE_OBJECT || claim->type == TYPE_ARRAY;
    if (!textual &&
        (claim->pattern != NULL || claim->values_count > 0 || claim->enum_from != NULL ||
         claim->min_length != NULL || claim->max_length != NULL)) {
        return "pattern, enum and lengths go with type string and string_array";
    }
    if (!numeric && (claim->min_value != NULL || claim->max_value != NULL)) {
        return "min_value and max_value go with type integer and number";
    }
    if (!open && (claim->max_bytes != NULL || claim->closed)) {
        return "max_bytes and closed go with type object and array";
    }
    if (claim->min_length != NULL && claim->max_length != NULL &&
        *claim->min_length > *claim->max_length) {
        return "min_length is over max_length";
    }
    return NULL;
}

static const char *wrong_reference(const struct template *template,
                                   const struct template_claim *claim)
{
    if (claim->config != NULL && template_binding(template, claim->config) == NULL) {
        return "config names no binding of this template";
    }
    const struct template_binding *list =
        claim->enum_from == NULL ? NULL : template_binding(template, claim->enum_from);
    if (claim->enum_from != NULL &&
        (list == NULL || list->type != BINDING_LIST || !is_required(list->required))) {
        return "enum_from must name a required binding of type list";
    }
    if (claim->from != NULL &&
        (template_claim(template, claim->from) != NULL || name_is_service_set(claim->from))) {
        return "from must be a name that is no claim of this template";
    }
    return NULL;
}

static enum outcome check_claim(const struct template *template, uint32_t i, const char *path,
                                struct reason *why)
{
    const struct template_claim *claim = &template->claims[i];
    char where[WHERE_SIZE];
    (void)snprintf(where, sizeof where, "/claims/%u", i);
    const char *wrong = template_claim(template, claim->name) != claim
                            ? "a second claim of this name"
                            : wrong_keys(claim);
    wrong = wrong != NULL ? wrong : wrong_limits(claim);
    wrong = wrong != NULL ? wrong : wrong_reference(template, claim);
    if (wrong != NULL) {
        return yaml_refuse(why, path, where, "%s", wrong);
    }
    JSON_CLEANUP json_t *literal = claim->json == NULL ? NULL : literal_parse(claim->json);
    if (claim->json != NULL && literal == NULL) {
        return yaml_refuse(why, path, where, "json is not JSON text");
    }
    return check_pattern(claim->pattern, path, where, why);
}

static enum outcome check_lifetime(const struct template *template, const char *path,
                                   struct reason *why)
{
    bool needs = false;
    for (uint32_t i = 0; i < template->claims_count; i++) {
        needs = needs || template->claims[i].generated == GENERATED_EXP;
    }
    bool has = template->lifetime != NULL && template->lifetime->exp_after_s > 0;
    if (needs && !has) {
        return yaml_refuse(why, path, "/lifetime", "exp is generated: lifetime needs exp_after_s");
    }
    if (!needs && has) {
        return yaml_refuse(why, path, "/lifetime", "exp_after_s is there, but no claim exp");
    }
    return OUTCOME_OK;
}

static enum outcome check_body(const struct template *template, const char *path,
                               struct reason *why)
{
    if (template->body != NULL && template->payload == PAYLOAD_CLAIMS) {
        return yaml_refuse(why, path, "/body", "body goes with payload body-b64 and body-raw");
    }
    if (template->payload != PAYLOAD_CLAIMS &&
        (template->claims_count > 0 || template->nested_count > 0 || template->lifetime != NULL)) {
        return yaml_refuse(why, path, "/payload",
                           "claims, nested and lifetime go with payload claims");
    }
    return OUTCOME_OK;
}

static enum outcome check_parameter(const struct template *template, uint32_t i, const char *path,
                                    struct reason *why)
{
    const struct template_parameter *parameter = &template->answer->parameters[i];
    const char *name = parameter->claim != NULL ? parameter->claim : parameter->name;
    const struct template_claim *claim = template_claim(template, name);
    char where[WHERE_SIZE];
    (void)snprintf(where, sizeof where, "/answer/parameters/%u", i);
    bool is_const = parameter->source == PARAMETER_CONST;
    if (is_const != (parameter->value != NULL) || (is_const && parameter->claim != NULL)) {
        return yaml_refuse(why, path, where, "source const, and no other, takes value");
    }
    if (!is_const && (claim == NULL || claim->rule == CLAIM_FORBIDDEN ||
                      claim->rule == CLAIM_GENERATED || claim->rule == CLAIM_DERIVED)) {
        return yaml_refuse(why, path, where,
                           "a parameter repeats a claim of rule const, config, caller or choice");
    }
    if (template->answer->artefact != NULL &&
        strcmp(parameter->name, template->answer->artefact) == 0) {
        return yaml_refuse(why, path, where, "the artefact itself has this name");
    }
    for (uint32_t k = 0; k < i; k++) {
        if (strcmp(parameter->name, template->answer->parameters[k].name) == 0) {
            return yaml_refuse(why, path, where, "a second parameter of this name");
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_answer(const struct template *template, const char *path,
                                 struct reason *why)
{
    const struct template_answer *answer = template->answer;
    if (answer == NULL) {
        return OUTCOME_OK;
    }
    bool detached = template->serialization == SERIALIZATION_DETACHED;
    if (detached && (answer->artefact != NULL || answer->parameters_count > 0)) {
        return yaml_refuse(why, path, "/answer", "a detached JWS has no parameters beside it");
    }
    if (!detached && answer->header != NULL) {
        return yaml_refuse(why, path, "/answer/header", "header goes with detached serialization");
    }
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    if (answer->header != NULL && answer->header[strspn(answer->header, token)] != '\0') {
        return yaml_refuse(why, path, "/answer/header", "letters, digits and \"-\" only");
    }
    return OUTCOME_OK;
}

enum outcome template_check(const struct template *template, const char *path, struct reason *why)
{
    enum outcome outcome = check_algorithms(template, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_bindings(template, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : header_check(template, path, why);
    for (uint32_t i = 0; outcome == OUTCOME_OK && i < template->claims_count; i++) {
        outcome = check_claim(template, i, path, why);
    }
    outcome = outcome != OUTCOME_OK ? outcome : nested_check(template, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_lifetime(template, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_body(template, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_answer(template, path, why);
    uint32_t parameters = template->answer == NULL ? 0 : template->answer->parameters_count;
    for (uint32_t i = 0; outcome == OUTCOME_OK && i < parameters; i++) {
        outcome = check_parameter(template, i, path, why);
    }
    return outcome;
}
