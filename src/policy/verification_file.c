/* SPDX-License-Identifier: Apache-2.0
 * The YAML schemas of what verifies. */
#include "policy/verification_file.h"

#include "base/file.h"
#include "base/name.h"
#include "policy/template.h"
#include "policy/yaml.h"
#include "policy/yaml_tree.h"

#include <string.h>

enum { TEXT_MAX_BYTES = 2048, PATH_MAX_BYTES = 4096, JWKS_MAX_BYTES = 128 * 1024 };
enum { ALGORITHM_MAX_BYTES = 16, LEEWAY_MAX_S = 300, IAT_AGE_MAX_S = 86400 };

static const cyaml_strval_t kinds[] = {{"verify-detached-jws", VERIFICATION_DETACHED_JWS},
                                       {"verify-id-token", VERIFICATION_ID_TOKEN}};
static const cyaml_strval_t needs[] = {
    {"required", NEED_REQUIRED}, {"when-sent", NEED_WHEN_SENT}, {"if-present", NEED_IF_PRESENT}};
static const cyaml_strval_t payloads[] = {
    {"body-b64", VERIFY_BODY_B64}, {"body-raw", VERIFY_BODY_RAW}, {"either", VERIFY_BODY_EITHER}};

static const cyaml_schema_value_t algorithm_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, ALGORITHM_MAX_BYTES)};

static const cyaml_schema_field_t detached_fields[] = {
    CYAML_FIELD_ENUM("payload", CYAML_FLAG_STRICT, struct verify_detached, payload, payloads,
                     COUNT_OF(payloads)),
    CYAML_FIELD_BOOL("crit_required", CYAML_FLAG_OPTIONAL, struct verify_detached, crit_required),
    CYAML_FIELD_BOOL("allow_b64_without_crit", CYAML_FLAG_OPTIONAL, struct verify_detached,
                     allow_b64_without_crit),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, TEXT_MAX_BYTES)};

#define NEED(member)                                                                               \
    CYAML_FIELD_ENUM(#member, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct verify_id_token,     \
                     member, needs, COUNT_OF(needs))

static const cyaml_schema_field_t id_token_fields[] = {
    CYAML_FIELD_UINT_PTR("leeway_s", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct verify_id_token, leeway_s),
    CYAML_FIELD_UINT_PTR("max_iat_age_s", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct verify_id_token, max_iat_age_s),
    NEED(nonce),
    NEED(auth_time),
    NEED(response_iss),
    NEED(c_hash),
    NEED(s_hash),
    NEED(at_hash),
    NEED(rt_hash),
    CYAML_FIELD_SEQUENCE("acr_values", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct verify_id_token, acr_values, &text_entry, 1, TEMPLATE_LIST_MAX),
    CYAML_FIELD_SEQUENCE("intent_claims", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct verify_id_token, intent_claims, &text_entry, 1, TEMPLATE_LIST_MAX),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t template_fields[] = {
    CYAML_FIELD_STRING_PTR("template", CYAML_FLAG_POINTER, struct verify_template, name, 1,
                           NAME_LEN_MAX),
    CYAML_FIELD_STRING_PTR("description", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct verify_template, description, 0, TEXT_MAX_BYTES),
    CYAML_FIELD_ENUM("operation", CYAML_FLAG_STRICT, struct verify_template, kind, kinds,
                     COUNT_OF(kinds)),
    CYAML_FIELD_SEQUENCE("algorithms", CYAML_FLAG_POINTER, struct verify_template, algorithms,
                         &algorithm_entry, 1, ALG_COUNT),
    CYAML_FIELD_BOOL_PTR("kid_required", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct verify_template, kid_required),
    CYAML_FIELD_MAPPING_PTR("detached", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                            struct verify_template, detached, detached_fields),
    CYAML_FIELD_MAPPING_PTR("id_token", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                            struct verify_template, id_token, id_token_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t template_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct verify_template, template_fields)};

static const cyaml_schema_field_t binding_fields[] = {
    CYAML_FIELD_STRING_PTR("profile", CYAML_FLAG_POINTER, struct verify_binding, name, 1,
                           NAME_LEN_MAX),
    CYAML_FIELD_STRING_PTR("template", CYAML_FLAG_POINTER, struct verify_binding, template, 1,
                           NAME_LEN_MAX),
    CYAML_FIELD_SEQUENCE("algorithms", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct verify_binding, algorithms, &algorithm_entry, 1, ALG_COUNT),
    CYAML_FIELD_STRING_PTR("jwks", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct verify_binding,
                           jwks, 1, JWKS_MAX_BYTES),
    CYAML_FIELD_STRING_PTR("jwks_file", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct verify_binding, jwks_file, 1, PATH_MAX_BYTES),
    CYAML_FIELD_BOOL("jwks_from_caller", CYAML_FLAG_OPTIONAL, struct verify_binding,
                     jwks_from_caller),
    CYAML_FIELD_STRING_PTR("issuer", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct verify_binding, issuer, 1, TEXT_MAX_BYTES),
    CYAML_FIELD_STRING_PTR("client_id", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct verify_binding, client_id, 1, TEXT_MAX_BYTES),
    CYAML_FIELD_UINT_PTR("max_age_s", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct verify_binding, max_age_s),
    CYAML_FIELD_SEQUENCE("trusted_audiences", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct verify_binding, trusted_audiences, &text_entry, 1,
                         TEMPLATE_LIST_MAX),
    CYAML_FIELD_SEQUENCE("acr_values", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct verify_binding, acr_values, &text_entry, 1, TEMPLATE_LIST_MAX),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t binding_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct verify_binding, binding_fields)};

/* A text at the top of the file; false when there is none, or no such file. */
static bool peek(const char *path, const char *key, char *out, size_t size)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(YAML_FILE_MAX);
    YAML_TREE_CLEANUP struct yaml_node *root = NULL;
    struct reason unused;
    if (file_read(path, &text) != 0 ||
        yaml_tree_parse(path, buffer_span(&text), &root, &unused) != OUTCOME_OK ||
        root->kind != YAML_KIND_MAPPING) {
        return false;
    }
    const struct yaml_node *node = yaml_tree_child(root, key);
    if (node == NULL || node->text == NULL || strlen(node->text) >= size) {
        return false;
    }
    memcpy(out, node->text, strlen(node->text) + 1);
    return true;
}

bool verify_template_is(const char *path)
{
    static const char prefix[] = "verify-";
    char operation[NAME_LEN_MAX + 1];
    return peek(path, "operation", operation, sizeof operation) &&
           strncmp(operation, prefix, sizeof prefix - 1) == 0;
}

bool verify_binding_template(const char *path, char out[NAME_LEN_MAX + 1])
{
    return peek(path, "template", out, NAME_LEN_MAX + 1) && name_is_valid(span_of_text(out));
}

static enum outcome check_algorithms(char *const *names, uint32_t count, const char *path,
                                     struct reason *why)
{
    for (uint32_t i = 0; i < count; i++) {
        enum alg alg;
        if (!alg_from_name(span_of_text(names[i]), &alg) || template_lists(names, i, names[i])) {
            return yaml_refuse(why, path, "/algorithms",
                               "each is one of RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 "
                               "ES512 Ed25519, and stands here once");
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_detached(const struct verify_template *template, const char *path,
                                   struct reason *why)
{
    const struct verify_detached *detached = template->detached;
    if (detached == NULL || template->id_token != NULL) {
        return yaml_refuse(why, path, "/operation",
                           "verify-detached-jws wants `detached`, and no `id_token`");
    }
    if (detached->crit_required && detached->allow_b64_without_crit) {
        return yaml_refuse(why, path, "/detached/allow_b64_without_crit",
                           "crit cannot be required and left out");
    }
    return OUTCOME_OK;
}

static enum outcome check_id_token(const struct verify_template *template, const char *path,
                                   struct reason *why)
{
    const struct verify_id_token *id_token = template->id_token;
    if (id_token == NULL || template->detached != NULL) {
        return yaml_refuse(why, path, "/operation",
                           "verify-id-token wants `id_token`, and no `detached`");
    }
    if (id_token->leeway_s != NULL && *id_token->leeway_s > LEEWAY_MAX_S) {
        return yaml_refuse(why, path, "/id_token/leeway_s", "at most %d seconds", LEEWAY_MAX_S);
    }
    if (id_token->max_iat_age_s != NULL && *id_token->max_iat_age_s > IAT_AGE_MAX_S) {
        return yaml_refuse(why, path, "/id_token/max_iat_age_s", "at most %d seconds",
                           IAT_AGE_MAX_S);
    }
    if (id_token->auth_time == NEED_WHEN_SENT) {
        return yaml_refuse(why, path, "/id_token/auth_time", "required or if-present");
    }
    if (id_token->response_iss == NEED_IF_PRESENT) {
        return yaml_refuse(why, path, "/id_token/response_iss", "required or when-sent");
    }
    return OUTCOME_OK;
}

enum outcome verify_template_load(const char *path, const char *name, struct verify_template **out,
                                  struct reason *why)
{
    void *data = NULL;
    enum outcome outcome = yaml_load(path, &template_schema, NULL, &data, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    CLEANUP(verify_template_free_ref) struct verify_template *template = data;
    if (strcmp(template->name, name) != 0) {
        return yaml_refuse(why, path, "/template",
                           "the template must be named as its file is: \"%s\"", name);
    }
    outcome = check_algorithms(template->algorithms, template->algorithms_count, path, why);
    if (outcome == OUTCOME_OK) {
        outcome = template->kind == VERIFICATION_ID_TOKEN ? check_id_token(template, path, why)
                                                          : check_detached(template, path, why);
    }
    if (outcome == OUTCOME_OK) {
        *out = template;
        template = NULL;
    }
    return outcome;
}

static enum outcome check_keys(const struct verify_binding *binding, const char *path,
                               struct reason *why)
{
    int given = (binding->jwks != NULL) + (binding->jwks_file != NULL) + binding->jwks_from_caller;
    if (given != 1) {
        return yaml_refuse(why, path, "/profile",
                           "exactly one of jwks, jwks_file and jwks_from_caller: true is wanted");
    }
    if (binding->jwks_file != NULL && binding->jwks_file[0] != '/') {
        return yaml_refuse(why, path, "/jwks_file", "an absolute path is wanted");
    }
    return OUTCOME_OK;
}

enum outcome verify_binding_load(const char *path, const char *name, struct verify_binding **out,
                                 struct reason *why)
{
    void *data = NULL;
    enum outcome outcome = yaml_load(path, &binding_schema, NULL, &data, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    CLEANUP(verify_binding_free_ref) struct verify_binding *binding = data;
    if (strcmp(binding->name, name) != 0) {
        return yaml_refuse(why, path, "/profile",
                           "the profile must be named as its file is: \"%s\"", name);
    }
    outcome = check_algorithms(binding->algorithms, binding->algorithms_count, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_keys(binding, path, why);
    if (outcome == OUTCOME_OK) {
        *out = binding;
        binding = NULL;
    }
    return outcome;
}

void verify_template_free_ref(struct verify_template **template)
{
    yaml_unload(&template_schema, *template);
    *template = NULL;
}

void verify_binding_free_ref(struct verify_binding **binding)
{
    yaml_unload(&binding_schema, *binding);
    *binding = NULL;
}
