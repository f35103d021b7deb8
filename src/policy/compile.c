/* SPDX-License-Identifier: Apache-2.0
 * Template and binding become a profile: every value that does not depend on the request is
 * rendered once, here. */
#include "policy/compiled.h"

#include "jose/json.h"
#include "policy/kinds.h"
#include "policy/template_check.h"
#include "policy/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum outcome no_memory(struct reason *why)
{
    return refuse(why, OUTCOME_INTERNAL, "out of memory while profiles are loaded");
}

static enum outcome compile_limits(struct limits *limits, const char *pattern,
                                   const uint32_t *min_length, const uint32_t *max_length,
                                   const json_t *choices, struct reason *why)
{
    limits->min_length = min_length == NULL ? 0 : *min_length;
    limits->max_length = max_length == NULL ? STRING_LENGTH_MAX : *max_length;
    limits->choices = choices;
    const char *wrong = pattern == NULL ? NULL : pattern_compile(pattern, &limits->pattern);
    return wrong == NULL ? OUTCOME_OK : refuse(why, OUTCOME_INTERNAL, "a pattern: %s", wrong);
}

static json_t *string_list(char *const *values, uint32_t count)
{
    JSON_CLEANUP json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        if (json_array_append_new(list, json_string(values[i])) != 0) {
            return NULL;
        }
    }
    return json_incref(list);
}

/* The value of const and config claims, and of a choice of one; NULL when there is none. */
static json_t *constant_of(const struct template_claim *source, const struct binding *binding,
                           const json_t *choices)
{
    JSON_CLEANUP json_t *value = NULL;
    if (source->value != NULL) {
        value = json_string(source->value);
    } else if (source->json != NULL) {
        value = literal_parse(source->json);
    } else if (source->config != NULL) {
        value = binding_json(binding, source->config);
    } else if (source->rule == CLAIM_CHOICE && json_array_size(choices) == 1) {
        value = json_incref(json_array_get(choices, 0));
    }
    return json_incref(value);
}

static char *literal_of(const json_t *constant, enum claim_as as)
{
    char *bare = text_json(constant);
    if (as == AS_IS || bare == NULL) {
        return bare;
    }
    struct buffer out = BUFFER_INIT(SIGNING_INPUT_MAX);
    buffer_put_u8(&out, '[');
    buffer_put_text(&out, bare);
    buffer_put_u8(&out, ']');
    free(bare);
    return text_steal(&out);
}

static enum outcome compile_constant(const struct profile *profile, struct claim *claim,
                                     const struct template_claim *source, const char *path,
                                     struct reason *why)
{
    claim->constant = constant_of(source, profile->binding, claim->choices);
    if (claim->constant == NULL) {
        return OUTCOME_OK;
    }
    char pointer[REASON_CLAIM_SIZE];
    if (kinds_value_is_refused(profile->template->operation, claim->constant, claim->pointer,
                               pointer)) {
        return yaml_refuse(why, path, "", "the value of %s belongs to another artefact",
                           claim->name);
    }
    claim->literal = literal_of(claim->constant, claim->as);
    return claim->literal != NULL ? OUTCOME_OK : no_memory(why);
}

static enum outcome compile_claim(struct profile *profile, size_t at, const char *path,
                                  struct reason *why)
{
    const struct template_claim *source = &profile->template->claims[at];
    struct claim *claim = &profile->claims[at];
    claim->name = source->name;
    claim->pointer = text_pointer(source->name);
    claim->key = text_key(source->name);
    claim->from = source->from;
    claim->from_pointer = source->from == NULL ? NULL : text_pointer(source->from);
    claim->rule = source->rule;
    claim->type = source->type;
    claim->generated = source->generated;
    claim->as = source->as;
    claim->required = is_required(source->required);
    claim->service_set = name_is_service_set(source->name);
    claim->closed = source->closed;
    claim->min_value = source->min_value;
    claim->max_value = source->max_value;
    claim->max_bytes = source->max_bytes == NULL ? OBJECT_BYTES_MAX : *source->max_bytes;
    claim->description = source->description;
    if (source->enum_from != NULL) {
        claim->choices = binding_json(profile->binding, source->enum_from);
    } else if (source->values_count > 0) {
        claim->choices = string_list(source->values, source->values_count);
    }
    bool lists = source->enum_from != NULL || source->values_count > 0;
    if (claim->pointer == NULL || claim->key == NULL || (lists && claim->choices == NULL)) {
        return no_memory(why);
    }
    enum outcome outcome = compile_limits(&claim->limits, source->pattern, source->min_length,
                                          source->max_length, claim->choices, why);
    return outcome != OUTCOME_OK ? outcome : compile_constant(profile, claim, source, path, why);
}

static size_t owner_of(const struct profile *profile, const char *place)
{
    for (size_t i = 0; i < profile->n_claims; i++) {
        size_t len = strlen(profile->claims[i].name);
        if (strncmp(place + 1, profile->claims[i].name, len) == 0 && place[len + 1] == '/') {
            return i;
        }
    }
    return profile->n_claims;
}

static enum outcome compile_nested(struct profile *profile, size_t at, const char *path,
                                   struct reason *why)
{
    const struct template_nested *source = &profile->template->nested[at];
    struct nested *nested = &profile->nested[at];
    nested->at = (const char *const *)source->at;
    nested->n_at = source->at_count;
    nested->claim = owner_of(profile, source->at[0]);
    nested->equals = source->equals == NULL ? NULL : literal_parse(source->equals);
    char pointer[REASON_CLAIM_SIZE];
    if (nested->equals != NULL && kinds_value_is_refused(profile->template->operation,
                                                         nested->equals, source->at[0], pointer)) {
        return yaml_refuse(why, path, "/nested", "the value of %s belongs to another artefact",
                           source->at[0]);
    }
    return compile_limits(&nested->limits, source->pattern, source->min_length, source->max_length,
                          NULL, why);
}

static enum outcome compile_parameter(struct profile *profile, size_t at, struct reason *why)
{
    const struct template_parameter *source = &profile->template->answer->parameters[at];
    struct parameter *parameter = &profile->parameters[at];
    parameter->key = text_key(source->name);
    if (source->value != NULL) {
        JSON_CLEANUP json_t *value = json_string(source->value);
        parameter->literal = text_json(value);
        return parameter->literal != NULL ? OUTCOME_OK : no_memory(why);
    }
    parameter->claim = profile_claim(profile, source->claim ? source->claim : source->name);
    return parameter->key != NULL ? OUTCOME_OK : no_memory(why);
}

static bool allocate(struct profile *profile)
{
    const struct template *template = profile->template;
    profile->n_claims = template->claims_count;
    profile->n_nested = template->nested_count;
    profile->n_header = template->header_count;
    profile->n_parameters = template->answer == NULL ? 0 : template->answer->parameters_count;
    /* One more than needed: calloc(0, …) may return NULL. */
    profile->claims = calloc(profile->n_claims + 1, sizeof *profile->claims);
    profile->nested = calloc(profile->n_nested + 1, sizeof *profile->nested);
    profile->header = calloc(profile->n_header + 1, sizeof *profile->header);
    profile->parameters = calloc(profile->n_parameters + 1, sizeof *profile->parameters);
    return profile->claims != NULL && profile->nested != NULL && profile->header != NULL &&
           profile->parameters != NULL;
}

static enum outcome compile_head(struct profile *profile, const char *binding_path,
                                 struct reason *why)
{
    const struct template *template = profile->template;
    if (!alg_from_name(span_of_text(profile->binding->alg), &profile->alg)) {
        return yaml_refuse(why, binding_path, "/alg", "no such algorithm");
    }
    profile->alg_name = template->alg_name != NULL ? template->alg_name : alg_name(profile->alg);
    const uint32_t *max = template->body == NULL ? NULL : template->body->max_bytes;
    profile->body_max = template->payload == PAYLOAD_CLAIMS ? CLAIMS_BODY_MAX : DETACHED_BODY_MAX;
    if (max != NULL && *max < profile->body_max) {
        profile->body_max = *max;
    }
    return allocate(profile) ? OUTCOME_OK : no_memory(why);
}

static enum outcome compile_parts(struct profile *profile, const char *template_path,
                                  const char *binding_path, struct reason *why)
{
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; outcome == OUTCOME_OK && i < profile->n_claims; i++) {
        outcome = compile_claim(profile, i, binding_path, why);
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < profile->n_nested; i++) {
        outcome = compile_nested(profile, i, template_path, why);
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < profile->n_parameters; i++) {
        outcome = compile_parameter(profile, i, why);
    }
    outcome = outcome != OUTCOME_OK ? outcome : header_compile(profile, binding_path, why);
    return outcome != OUTCOME_OK ? outcome : shorthand_compile(profile, template_path, why);
}

static void free_ref(struct profile **profile)
{
    profile_free(*profile);
    *profile = NULL;
}

enum outcome profile_compile(struct template *template, const char *template_path,
                             struct binding *binding, const char *binding_path,
                             struct profile **out, struct reason *why)
{
    CLEANUP(free_ref) struct profile *profile = calloc(1, sizeof *profile);
    if (profile == NULL) {
        template_free(template);
        binding_free(binding);
        return no_memory(why);
    }
    profile->template = template;
    profile->binding = binding;
    enum outcome outcome = binding_check(binding, template, binding_path, why);
    outcome = outcome != OUTCOME_OK ? outcome : compile_head(profile, binding_path, why);
    outcome =
        outcome != OUTCOME_OK ? outcome : compile_parts(profile, template_path, binding_path, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    size_t sub = profile_claim(profile, "sub");
    if (template->operation == OPERATION_CLIENT_ASSERTION) {
        profile->client_id = strdup(profile->claims[sub].literal);
    }
    profile->input_schema = schema_text(profile);
    if (profile->input_schema == NULL) {
        return no_memory(why);
    }
    *out = profile;
    profile = NULL;
    return OUTCOME_OK;
}

static void free_limits(struct limits *limits)
{
    pattern_free(limits->pattern);
}

static void free_claim(struct claim *claim)
{
    free(claim->pointer);
    free(claim->key);
    free(claim->from_pointer);
    free(claim->literal);
    json_decref(claim->choices);
    json_decref(claim->constant);
    free_limits(&claim->limits);
}

static void free_arrays(struct profile *profile)
{
    for (size_t i = 0; profile->claims != NULL && i < profile->n_claims; i++) {
        free_claim(&profile->claims[i]);
    }
    for (size_t i = 0; profile->nested != NULL && i < profile->n_nested; i++) {
        json_decref(profile->nested[i].equals);
        free_limits(&profile->nested[i].limits);
    }
    for (size_t i = 0; profile->header != NULL && i < profile->n_header; i++) {
        free(profile->header[i].literal);
    }
    for (size_t i = 0; profile->parameters != NULL && i < profile->n_parameters; i++) {
        free(profile->parameters[i].key);
        free(profile->parameters[i].literal);
    }
    free(profile->claims);
    free(profile->nested);
    free(profile->header);
    free(profile->parameters);
}

void profile_free(struct profile *profile)
{
    if (profile == NULL) {
        return;
    }
    free_arrays(profile);
    for (size_t i = 0; i < profile->shorthand.n_pieces; i++) {
        free(profile->shorthand.pieces[i]);
    }
    free(profile->shorthand.pieces);
    json_decref(profile->shorthand.shape);
    free(profile->shorthand.pointer);
    free(profile->client_id);
    free(profile->input_schema);
    template_free(profile->template);
    binding_free(profile->binding);
    free(profile);
}

size_t profile_claim(const struct profile *profile, const char *name)
{
    size_t at = 0;
    while (at < profile->n_claims && strcmp(profile->claims[at].name, name) != 0) {
        at++;
    }
    return at;
}
