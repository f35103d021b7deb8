/* SPDX-License-Identifier: Apache-2.0
 * Bindings: schema, loading, and the comparison with what the template wants. */
#include "policy/binding.h"

#include "base/name.h"
#include "jose/json.h"
#include "policy/pattern.h"
#include "policy/template_check.h"
#include "policy/yaml.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 127, KID_MAX_BYTES = 256, VALUE_MAX_BYTES = 4096, JSON_MAX_BYTES = 16384 };
enum { WHERE_SIZE = 64 };

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, VALUE_MAX_BYTES)};

static const cyaml_schema_field_t value_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct binding_value, name, 1,
                           NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR("value", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct binding_value,
                           value, 1, VALUE_MAX_BYTES),
    CYAML_FIELD_SEQUENCE("values", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct binding_value,
                         values, &text_entry, 1, TEMPLATE_LIST_MAX),
    CYAML_FIELD_INT_PTR("integer", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct binding_value,
                        integer),
    CYAML_FIELD_STRING_PTR("json", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct binding_value,
                           json, 1, JSON_MAX_BYTES),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t value_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct binding_value, value_fields)};

static const cyaml_schema_field_t binding_fields[] = {
    CYAML_FIELD_STRING_PTR("profile", CYAML_FLAG_POINTER, struct binding, name, 1, NAME_LEN_MAX),
    CYAML_FIELD_STRING_PTR("template", CYAML_FLAG_POINTER, struct binding, template, 1,
                           NAME_LEN_MAX),
    CYAML_FIELD_STRING_PTR("role", CYAML_FLAG_POINTER, struct binding, role, 1, NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR("alg", CYAML_FLAG_POINTER, struct binding, alg, 1, NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR("kid", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct binding, kid, 1,
                           KID_MAX_BYTES),
    CYAML_FIELD_SEQUENCE("values", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct binding, values,
                         &value_entry, 0, TEMPLATE_LIST_MAX),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t binding_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct binding, binding_fields)};

enum outcome binding_load(const char *path, const char *name, struct buffer *text,
                          struct binding **out, struct reason *why)
{
    void *data = NULL;
    enum outcome outcome = yaml_load(path, &binding_schema, text, &data, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    BINDING_CLEANUP struct binding *binding = data;
    if (strcmp(binding->name, name) != 0) {
        return yaml_refuse(why, path, "/profile",
                           "the profile must be named as its file is: \"%s\"", name);
    }
    *out = binding;
    binding = NULL;
    return OUTCOME_OK;
}

void binding_free(struct binding *binding)
{
    yaml_unload(&binding_schema, binding);
}

void binding_free_ref(struct binding **binding)
{
    binding_free(*binding);
    *binding = NULL;
}

static const struct binding_value *find_value(const struct binding *binding, const char *name)
{
    for (uint32_t i = 0; i < binding->values_count; i++) {
        if (strcmp(binding->values[i].name, name) == 0) {
            return &binding->values[i];
        }
    }
    return NULL;
}

static const char *wrong_text(const struct template_binding *wanted, const struct pattern *pattern,
                              const char *text)
{
    if (pattern != NULL && !pattern_matches(pattern, text)) {
        return "the value does not match the template's pattern";
    }
    for (uint32_t i = 0; i < wanted->values_count; i++) {
        if (strcmp(text, wanted->values[i]) == 0) {
            return NULL;
        }
    }
    return wanted->values_count == 0 ? NULL : "the value is not in the template's enum";
}

static const char *wrong_texts(const struct template_binding *wanted,
                               const struct binding_value *value)
{
    struct pattern *pattern = NULL;
    const char *wrong = wanted->pattern == NULL ? NULL : pattern_compile(wanted->pattern, &pattern);
    if (wrong == NULL && value->value != NULL) {
        wrong = wrong_text(wanted, pattern, value->value);
    }
    for (uint32_t i = 0; wrong == NULL && i < value->values_count; i++) {
        wrong = wrong_text(wanted, pattern, value->values[i]);
        for (uint32_t k = 0; wrong == NULL && k < i; k++) {
            wrong = strcmp(value->values[i], value->values[k]) == 0 ? "a value stands here twice"
                                                                    : NULL;
        }
    }
    pattern_free(pattern);
    return wrong;
}

static const char *wrong_value(const struct template_binding *wanted,
                               const struct binding_value *value)
{
    int given = (value->value != NULL) + (value->values_count > 0) + (value->integer != NULL) +
                (value->json != NULL);
    if (given != 1) {
        return "exactly one of value, values, integer and json is wanted";
    }
    switch (wanted->type) {
    case BINDING_TEXT:
        return value->value == NULL ? "the template wants a text here: value: …"
                                    : wrong_texts(wanted, value);
    case BINDING_LIST:
        return value->values_count == 0 ? "the template wants a list here: values: […]"
                                        : wrong_texts(wanted, value);
    case BINDING_INTEGER:
        return value->integer == NULL ? "the template wants a number here: integer: …" : NULL;
    case BINDING_JSON:
        break;
    }
    JSON_CLEANUP json_t *parsed = value->json == NULL ? NULL : literal_parse(value->json);
    return parsed == NULL ? "the template wants JSON text here: json: '…'" : NULL;
}

static enum outcome check_head(const struct binding *binding, const struct template *template,
                               const char *path, struct reason *why)
{
    if (!template_allows(template, binding->alg)) {
        return yaml_refuse(why, path, "/alg", "the template does not allow this algorithm");
    }
    for (const char *at = binding->kid; at != NULL && *at != '\0'; at++) {
        if (*at < 0x21 || *at > 0x7e) {
            return yaml_refuse(why, path, "/kid", "kid is printable ASCII without blanks");
        }
    }
    return OUTCOME_OK;
}

enum outcome binding_check(const struct binding *binding, const struct template *template,
                           const char *path, struct reason *why)
{
    enum outcome outcome = check_head(binding, template, path, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    for (uint32_t i = 0; i < binding->values_count; i++) {
        const struct binding_value *value = &binding->values[i];
        const struct template_binding *wanted = template_binding(template, value->name);
        char where[WHERE_SIZE];
        (void)snprintf(where, sizeof where, "/values/%u", i);
        const char *wrong = wanted == NULL ? "the template wants no value of this name"
                                           : wrong_value(wanted, value);
        wrong = find_value(binding, value->name) == value ? wrong : "a second value of this name";
        if (wrong != NULL) {
            return yaml_refuse(why, path, where, "%s", wrong);
        }
    }
    for (uint32_t i = 0; i < template->bindings_count; i++) {
        const struct template_binding *wanted = &template->bindings[i];
        if (is_required(wanted->required) && find_value(binding, wanted->name) == NULL) {
            return yaml_refuse(
                why, path, "/values", "the value \"%s\" is missing: %s", wanted->name,
                wanted->description == NULL ? "the template wants it" : wanted->description);
        }
    }
    return OUTCOME_OK;
}

json_t *binding_json(const struct binding *binding, const char *name)
{
    const struct binding_value *value = find_value(binding, name);
    if (value == NULL) {
        return NULL;
    }
    if (value->value != NULL) {
        return json_string(value->value);
    }
    if (value->integer != NULL) {
        return json_integer(*value->integer);
    }
    if (value->json != NULL) {
        return literal_parse(value->json);
    }
    JSON_CLEANUP json_t *list = json_array();
    for (uint32_t i = 0; i < value->values_count; i++) {
        if (json_array_append_new(list, json_string(value->values[i])) != 0) {
            return NULL;
        }
    }
    return json_incref(list);
}
