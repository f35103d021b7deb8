/* SPDX-License-Identifier: Apache-2.0
 * The YAML schema of a template, and its loading. What a template may say beyond the schema is
 * template_check.c's and kinds.c's affair. */
#include "policy/template.h"

#include "base/name.h"
#include "policy/kinds.h"
#include "policy/template_check.h"
#include "policy/yaml.h"

#include <string.h>

enum {
    NAME_MAX_BYTES = 127,
    TEXT_MAX_BYTES = 2048,
    JSON_MAX_BYTES = 16384,
    PATTERN_MAX_BYTES = 256
};

#define TEXT(structure, member, max)                                                               \
    CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER, structure, member, 1, max)
#define TEXT_OR_NOT(structure, member, max)                                                        \
    CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, member,   \
                           0, max)
#define WORD(structure, member, words)                                                             \
    CYAML_FIELD_ENUM(#member, CYAML_FLAG_STRICT, structure, member, words, COUNT_OF(words))
#define WORD_OR_NOT(structure, member, words)                                                      \
    CYAML_FIELD_ENUM(#member, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, structure, member, words,   \
                     COUNT_OF(words))
#define FLAG_OR_NOT(structure, member)                                                             \
    CYAML_FIELD_BOOL_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, member)
#define COUNT_OR_NOT(structure, member)                                                            \
    CYAML_FIELD_UINT_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, member)
#define NUMBER_OR_NOT(structure, member)                                                           \
    CYAML_FIELD_INT_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, member)
#define LIST_OR_NOT(key, structure, member, entry)                                                 \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, member, entry,  \
                         0, TEMPLATE_LIST_MAX)
#define ENTRY(structure, fields)                                                                   \
    {                                                                                              \
        CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, structure, fields)                                 \
    }

static const cyaml_strval_t operations[] = {
    {"jar", OPERATION_JAR},
    {"client-assertion", OPERATION_CLIENT_ASSERTION},
    {"grant-assertion", OPERATION_GRANT_ASSERTION},
    {"registration", OPERATION_REGISTRATION},
    {"body-jwt", OPERATION_BODY_JWT},
    {"dpop", OPERATION_DPOP},
    {"detached-jws", OPERATION_DETACHED_JWS},
};
static const cyaml_strval_t serializations[] = {{"compact", SERIALIZATION_COMPACT},
                                                {"detached", SERIALIZATION_DETACHED}};
static const cyaml_strval_t payloads[] = {
    {"claims", PAYLOAD_CLAIMS}, {"body-b64", PAYLOAD_BODY_B64}, {"body-raw", PAYLOAD_BODY_RAW}};
static const cyaml_strval_t binding_types[] = {{"text", BINDING_TEXT},
                                               {"list", BINDING_LIST},
                                               {"integer", BINDING_INTEGER},
                                               {"json", BINDING_JSON}};
static const cyaml_strval_t header_sources[] = {
    {"alg", HEADER_ALG}, {"kid", HEADER_KID}, {"const", HEADER_CONST}, {"config", HEADER_CONFIG},
    {"now", HEADER_NOW}, {"jwk", HEADER_JWK}, {"crit", HEADER_CRIT},
};
static const cyaml_strval_t claim_rules[] = {
    {"const", CLAIM_CONST},         {"config", CLAIM_CONFIG}, {"generated", CLAIM_GENERATED},
    {"caller", CLAIM_CALLER},       {"choice", CLAIM_CHOICE}, {"derived", CLAIM_DERIVED},
    {"forbidden", CLAIM_FORBIDDEN},
};
static const cyaml_strval_t value_types[] = {
    {"string", TYPE_STRING},
    {"integer", TYPE_INTEGER},
    {"number", TYPE_NUMBER},
    {"boolean", TYPE_BOOLEAN},
    {"object", TYPE_OBJECT},
    {"array", TYPE_ARRAY},
    {"string_array", TYPE_STRING_ARRAY},
};
static const cyaml_strval_t generated_names[] = {
    {"iat", GENERATED_IAT}, {"nbf", GENERATED_NBF}, {"exp", GENERATED_EXP}, {"jti", GENERATED_JTI}};
static const cyaml_strval_t as_names[] = {{"value", AS_IS}, {"array1", AS_ARRAY1}};
static const cyaml_strval_t parameter_sources[] = {{"claim", PARAMETER_CLAIM},
                                                   {"const", PARAMETER_CONST}};

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, TEXT_MAX_BYTES)};

static const cyaml_schema_field_t binding_fields[] = {
    TEXT(struct template_binding, name, NAME_MAX_BYTES),
    WORD(struct template_binding, type, binding_types),
    FLAG_OR_NOT(struct template_binding, required),
    TEXT_OR_NOT(struct template_binding, pattern, PATTERN_MAX_BYTES),
    LIST_OR_NOT("enum", struct template_binding, values, &text_entry),
    TEXT_OR_NOT(struct template_binding, description, TEXT_MAX_BYTES),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t header_fields[] = {
    TEXT(struct template_header, name, NAME_MAX_BYTES),
    WORD(struct template_header, source, header_sources),
    TEXT_OR_NOT(struct template_header, value, TEXT_MAX_BYTES),
    TEXT_OR_NOT(struct template_header, json, JSON_MAX_BYTES),
    TEXT_OR_NOT(struct template_header, config, NAME_MAX_BYTES),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t claim_fields[] = {
    TEXT(struct template_claim, name, NAME_MAX_BYTES),
    WORD(struct template_claim, rule, claim_rules),
    WORD_OR_NOT(struct template_claim, type, value_types),
    FLAG_OR_NOT(struct template_claim, required),
    TEXT_OR_NOT(struct template_claim, value, TEXT_MAX_BYTES),
    TEXT_OR_NOT(struct template_claim, json, JSON_MAX_BYTES),
    TEXT_OR_NOT(struct template_claim, config, NAME_MAX_BYTES),
    WORD_OR_NOT(struct template_claim, generated, generated_names),
    TEXT_OR_NOT(struct template_claim, from, NAME_MAX_BYTES),
    WORD_OR_NOT(struct template_claim, as, as_names),
    TEXT_OR_NOT(struct template_claim, pattern, PATTERN_MAX_BYTES),
    LIST_OR_NOT("enum", struct template_claim, values, &text_entry),
    TEXT_OR_NOT(struct template_claim, enum_from, NAME_MAX_BYTES),
    COUNT_OR_NOT(struct template_claim, min_length),
    COUNT_OR_NOT(struct template_claim, max_length),
    NUMBER_OR_NOT(struct template_claim, min_value),
    NUMBER_OR_NOT(struct template_claim, max_value),
    COUNT_OR_NOT(struct template_claim, max_bytes),
    CYAML_FIELD_BOOL("closed", CYAML_FLAG_OPTIONAL, struct template_claim, closed),
    TEXT_OR_NOT(struct template_claim, description, TEXT_MAX_BYTES),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t nested_fields[] = {
    CYAML_FIELD_SEQUENCE("at", CYAML_FLAG_POINTER, struct template_nested, at, &text_entry, 1,
                         TEMPLATE_LIST_MAX),
    TEXT_OR_NOT(struct template_nested, equals, JSON_MAX_BYTES),
    TEXT_OR_NOT(struct template_nested, pattern, PATTERN_MAX_BYTES),
    COUNT_OR_NOT(struct template_nested, min_length),
    COUNT_OR_NOT(struct template_nested, max_length),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t shorthand_fields[] = {
    TEXT(struct template_shorthand, name, NAME_MAX_BYTES),
    TEXT(struct template_shorthand, claim, NAME_MAX_BYTES),
    TEXT_OR_NOT(struct template_shorthand, description, TEXT_MAX_BYTES),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t lifetime_fields[] = {
    CYAML_FIELD_UINT("exp_after_s", CYAML_FLAG_OPTIONAL, struct template_lifetime, exp_after_s),
    CYAML_FIELD_UINT("nbf_before_s", CYAML_FLAG_OPTIONAL, struct template_lifetime, nbf_before_s),
    CYAML_FIELD_INT("iat_offset_s", CYAML_FLAG_OPTIONAL, struct template_lifetime, iat_offset_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t body_fields[] = {
    LIST_OR_NOT("require_top_level", struct template_body, require_top_level, &text_entry),
    LIST_OR_NOT("forbid_top_level", struct template_body, forbid_top_level, &text_entry),
    LIST_OR_NOT("permit_top_level", struct template_body, permit_top_level, &text_entry),
    COUNT_OR_NOT(struct template_body, max_bytes),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t parameter_fields[] = {
    TEXT(struct template_parameter, name, NAME_MAX_BYTES),
    WORD(struct template_parameter, source, parameter_sources),
    TEXT_OR_NOT(struct template_parameter, claim, NAME_MAX_BYTES),
    TEXT_OR_NOT(struct template_parameter, value, TEXT_MAX_BYTES),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t binding_entry = ENTRY(struct template_binding, binding_fields);
static const cyaml_schema_value_t header_entry = ENTRY(struct template_header, header_fields);
static const cyaml_schema_value_t claim_entry = ENTRY(struct template_claim, claim_fields);
static const cyaml_schema_value_t nested_entry = ENTRY(struct template_nested, nested_fields);
static const cyaml_schema_value_t parameter_entry =
    ENTRY(struct template_parameter, parameter_fields);

static const cyaml_schema_field_t answer_fields[] = {
    TEXT_OR_NOT(struct template_answer, artefact, NAME_MAX_BYTES),
    TEXT_OR_NOT(struct template_answer, header, NAME_MAX_BYTES),
    LIST_OR_NOT("parameters", struct template_answer, parameters, &parameter_entry),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t template_fields[] = {
    CYAML_FIELD_STRING_PTR("template", CYAML_FLAG_POINTER, struct template, name, 1, NAME_LEN_MAX),
    TEXT_OR_NOT(struct template, description, TEXT_MAX_BYTES),
    WORD(struct template, operation, operations),
    WORD(struct template, serialization, serializations),
    WORD(struct template, payload, payloads),
    TEXT(struct template, purpose, NAME_MAX_BYTES),
    CYAML_FIELD_SEQUENCE("algorithms", CYAML_FLAG_POINTER, struct template, algorithms, &text_entry,
                         1, TEMPLATE_LIST_MAX),
    TEXT_OR_NOT(struct template, alg_name, NAME_MAX_BYTES),
    LIST_OR_NOT("bindings", struct template, bindings, &binding_entry),
    CYAML_FIELD_SEQUENCE("header", CYAML_FLAG_POINTER, struct template, header, &header_entry, 1,
                         TEMPLATE_LIST_MAX),
    LIST_OR_NOT("crit", struct template, crit, &text_entry),
    CYAML_FIELD_BOOL("allow_b64_without_crit", CYAML_FLAG_OPTIONAL, struct template,
                     allow_b64_without_crit),
    LIST_OR_NOT("claims", struct template, claims, &claim_entry),
    LIST_OR_NOT("nested", struct template, nested, &nested_entry),
    CYAML_FIELD_MAPPING_PTR("shorthand", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct template,
                            shorthand, shorthand_fields),
    CYAML_FIELD_MAPPING_PTR("lifetime", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct template,
                            lifetime, lifetime_fields),
    CYAML_FIELD_MAPPING_PTR("body", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct template, body,
                            body_fields),
    CYAML_FIELD_MAPPING_PTR("answer", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct template,
                            answer, answer_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t template_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct template, template_fields)};

enum outcome template_load(const char *path, const char *name, struct buffer *text,
                           struct template **out, struct reason *why)
{
    void *data = NULL;
    enum outcome outcome = yaml_load(path, &template_schema, text, &data, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    TEMPLATE_CLEANUP struct template *template = data;
    if (strcmp(template->name, name) != 0) {
        return yaml_refuse(why, path, "/template",
                           "the template must be named as its file is: \"%s\"", name);
    }
    outcome = template_check(template, path, why);
    if (outcome == OUTCOME_OK) {
        outcome = kinds_check(template, path, why);
    }
    if (outcome == OUTCOME_OK) {
        *out = template;
        template = NULL;
    }
    return outcome;
}

void template_free(struct template *template)
{
    yaml_unload(&template_schema, template);
}

void template_free_ref(struct template **template)
{
    template_free(*template);
    *template = NULL;
}

const struct template_binding *template_binding(const struct template *template, const char *name)
{
    for (uint32_t i = 0; i < template->bindings_count; i++) {
        if (strcmp(template->bindings[i].name, name) == 0) {
            return &template->bindings[i];
        }
    }
    return NULL;
}

const struct template_claim *template_claim(const struct template *template, const char *name)
{
    for (uint32_t i = 0; i < template->claims_count; i++) {
        if (strcmp(template->claims[i].name, name) == 0) {
            return &template->claims[i];
        }
    }
    return NULL;
}

const struct template_header *template_header(const struct template *template, const char *name)
{
    for (uint32_t i = 0; i < template->header_count; i++) {
        if (strcmp(template->header[i].name, name) == 0) {
            return &template->header[i];
        }
    }
    return NULL;
}

bool template_lists(char *const *list, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool template_allows(const struct template *template, const char *alg)
{
    return template_lists(template->algorithms, template->algorithms_count, alg);
}

bool is_required(const bool *required)
{
    return required == NULL || *required;
}
