/* SPDX-License-Identifier: Apache-2.0
 * The walk of a file's tree along a libcyaml schema, then libcyaml itself.
 *
 * The walk is stricter than libcyaml 1.3.1, which lets the last of two equal keys win, takes every
 * unknown word for `true`, reads "010" as eight, and names the line after an unknown key. */
#include "policy/yaml.h"

#include "base/file.h"
#include "policy/yaml_tree.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    const char *path;
    struct reason *why;
};

static enum outcome check_value(const struct walk *walk, const struct yaml_node *node,
                                const cyaml_schema_value_t *schema);

/* "PATH:LINE: /callers/0/rate: …" */
static enum outcome refuse_node(const struct walk *walk, const struct yaml_node *node,
                                const char *what)
{
    char pointer[REASON_CLAIM_SIZE];
    yaml_tree_pointer(node, pointer);
    return yaml_tree_refuse(walk->why, walk->path, node->line, "%s%s%s", pointer,
                            pointer[0] != '\0' ? ": " : "", what);
}

/* Digits only, with a sign where one is allowed: no octal, hexadecimal, blanks or underscores. */
static bool is_decimal(const struct yaml_node *node, bool with_sign)
{
    const char *text = node->text;
    text += with_sign && *text == '-' ? 1 : 0;
    size_t len = strspn(text, "0123456789");
    return node->plain && len > 0 && len <= 20 && text[len] == '\0' && (len == 1 || *text != '0');
}

static enum outcome check_uint(const struct walk *walk, const struct yaml_node *node,
                               const cyaml_schema_value_t *schema)
{
    unsigned int bits = schema->data_size >= 8 ? 64 : schema->data_size * 8;
    errno = 0;
    unsigned long long value = is_decimal(node, false) ? strtoull(node->text, NULL, 10) : 0;
    if (!is_decimal(node, false) || errno == ERANGE || (bits < 64 && value >> bits != 0)) {
        return refuse_node(walk, node, "a whole number, not negative, is wanted here");
    }
    return OUTCOME_OK;
}

static enum outcome check_int(const struct walk *walk, const struct yaml_node *node,
                              const cyaml_schema_value_t *schema)
{
    unsigned int bits = schema->data_size >= 8 ? 64 : schema->data_size * 8;
    long long top = (long long)(ULLONG_MAX >> (65 - bits));
    errno = 0;
    long long value = is_decimal(node, true) ? strtoll(node->text, NULL, 10) : 0;
    if (!is_decimal(node, true) || errno == ERANGE || value > top || value < -top - 1) {
        return refuse_node(walk, node, "a whole number is wanted here");
    }
    return OUTCOME_OK;
}

static enum outcome check_bool(const struct walk *walk, const struct yaml_node *node)
{
    if (!node->plain || (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0)) {
        return refuse_node(walk, node, "true or false is wanted here");
    }
    return OUTCOME_OK;
}

static enum outcome check_float(const struct walk *walk, const struct yaml_node *node)
{
    char *end = NULL;
    (void)strtod(node->text, &end);
    if (!node->plain || end == node->text || *end != '\0' ||
        strspn(node->text, "0123456789+-.eE") != strlen(node->text)) {
        return refuse_node(walk, node, "a number is wanted here");
    }
    return OUTCOME_OK;
}

static enum outcome check_enum(const struct walk *walk, const struct yaml_node *node,
                               const cyaml_schema_value_t *schema)
{
    char known[REASON_CLAIM_SIZE] = "";
    size_t at = 0;
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        const char *name = schema->enumeration.strings[i].str;
        if (strcmp(node->text, name) == 0) {
            return OUTCOME_OK;
        }
        int put = at < sizeof known
                      ? snprintf(known + at, sizeof known - at, "%s%s", i == 0 ? "" : ", ", name)
                      : 0;
        at += put > 0 ? (size_t)put : 0;
    }
    char what[REASON_DETAIL_SIZE];
    (void)snprintf(what, sizeof what, "one of these is wanted here: %s", known);
    return refuse_node(walk, node, what);
}

static enum outcome check_string(const struct walk *walk, const struct yaml_node *node,
                                 const cyaml_schema_value_t *schema)
{
    size_t len = strlen(node->text);
    if (yaml_tree_is_null(node) || (len == 0 && schema->string.min > 0)) {
        return refuse_node(walk, node, "a text is wanted here, and there is none");
    }
    char what[80];
    if (len < schema->string.min) {
        (void)snprintf(what, sizeof what, "shorter than %u bytes", schema->string.min);
        return refuse_node(walk, node, what);
    }
    if (len > schema->string.max) {
        (void)snprintf(what, sizeof what, "longer than %u bytes", schema->string.max);
        return refuse_node(walk, node, what);
    }
    return OUTCOME_OK;
}

static const cyaml_schema_field_t *find_field(const cyaml_schema_field_t *fields, const char *key)
{
    for (; fields->key != NULL; fields++) {
        if (strcmp(fields->key, key) == 0) {
            return fields;
        }
    }
    return NULL;
}

static enum outcome refuse_key(const struct walk *walk, const struct yaml_node *mapping,
                               unsigned int line, const char *problem, const char *key,
                               const cyaml_schema_field_t *fields)
{
    char pointer[REASON_CLAIM_SIZE];
    yaml_tree_pointer(mapping, pointer);
    char known[REASON_CLAIM_SIZE] = "";
    size_t at = 0;
    for (const cyaml_schema_field_t *field = fields; field->key != NULL; field++) {
        int put = at < sizeof known ? snprintf(known + at, sizeof known - at, "%s%s",
                                               field == fields ? "" : ", ", field->key)
                                    : 0;
        at += put > 0 ? (size_t)put : 0;
    }
    char shown[YAML_SHOWN_SIZE];
    yaml_tree_printable(key, shown);
    return yaml_tree_refuse(walk->why, walk->path, line, "%s \"%s\" %s%s; known here: %s", problem,
                            shown, pointer[0] != '\0' ? "in " : "at the top", pointer, known);
}

static enum outcome check_mapping(const struct walk *walk, const struct yaml_node *node,
                                  const cyaml_schema_value_t *schema)
{
    const cyaml_schema_field_t *fields = schema->mapping.fields;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        const cyaml_schema_field_t *field = find_field(fields, child->key);
        if (field == NULL) {
            return refuse_key(walk, node, child->line, "unknown key", child->key, fields);
        }
        enum outcome outcome = check_value(walk, child, &field->value);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    for (const cyaml_schema_field_t *field = fields; field->key != NULL; field++) {
        if ((field->value.flags & CYAML_FLAG_OPTIONAL) == 0 &&
            yaml_tree_child(node, field->key) == NULL) {
            return refuse_key(walk, node, node->line, "missing key", field->key, fields);
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_entries(const struct walk *walk, const struct yaml_node *node,
                                  const cyaml_schema_value_t *entry, uint32_t min, uint32_t max)
{
    char what[80];
    if (node->n_children < min || node->n_children > max) {
        (void)snprintf(what, sizeof what, "%s %u entries in this list",
                       node->n_children < min ? "fewer than" : "more than",
                       node->n_children < min ? min : max);
        return refuse_node(walk, node, what);
    }
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        enum outcome outcome = check_value(walk, child, entry);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_flags(const struct walk *walk, const struct yaml_node *node,
                                const cyaml_schema_value_t *schema)
{
    const cyaml_schema_value_t flag = {.type = CYAML_ENUM, .enumeration = schema->enumeration};
    return check_entries(walk, node, &flag, 0, schema->enumeration.count);
}

/* Which shape a value of this type has in the file; false for a type that is not supported. */
static bool kind_of(enum cyaml_type type, enum yaml_kind *kind)
{
    switch (type) {
    case CYAML_INT:
    case CYAML_UINT:
    case CYAML_BOOL:
    case CYAML_ENUM:
    case CYAML_FLOAT:
    case CYAML_STRING:
        *kind = YAML_KIND_SCALAR;
        return true;
    case CYAML_MAPPING:
        *kind = YAML_KIND_MAPPING;
        return true;
    case CYAML_FLAGS:
    case CYAML_SEQUENCE:
    case CYAML_SEQUENCE_FIXED:
        *kind = YAML_KIND_SEQUENCE;
        return true;
    case CYAML_BITFIELD:
    case CYAML_IGNORE:
    case CYAML__TYPE_COUNT:
        return false;
    }
    return false;
}

static enum outcome check_typed(const struct walk *walk, const struct yaml_node *node,
                                const cyaml_schema_value_t *schema)
{
    switch (schema->type) {
    case CYAML_INT:
        return check_int(walk, node, schema);
    case CYAML_UINT:
        return check_uint(walk, node, schema);
    case CYAML_BOOL:
        return check_bool(walk, node);
    case CYAML_ENUM:
        return check_enum(walk, node, schema);
    case CYAML_FLAGS:
        return check_flags(walk, node, schema);
    case CYAML_FLOAT:
        return check_float(walk, node);
    case CYAML_STRING:
        return check_string(walk, node, schema);
    case CYAML_MAPPING:
        return check_mapping(walk, node, schema);
    case CYAML_SEQUENCE:
    case CYAML_SEQUENCE_FIXED:
        return check_entries(walk, node, schema->sequence.entry, schema->sequence.min,
                             schema->sequence.max);
    case CYAML_IGNORE:
        return OUTCOME_OK;
    case CYAML_BITFIELD:
    case CYAML__TYPE_COUNT:
        break;
    }
    return refuse(walk->why, OUTCOME_INTERNAL, "a schema of this kind is not supported");
}

static enum outcome check_value(const struct walk *walk, const struct yaml_node *node,
                                const cyaml_schema_value_t *schema)
{
    static const char *const wanted[] = {
        [YAML_KIND_SCALAR] = "one value is wanted here, not a list or a mapping",
        [YAML_KIND_SEQUENCE] = "a list is wanted here",
        [YAML_KIND_MAPPING] = "a mapping (name: value) is wanted here",
    };
    bool may_be_null =
        (schema->flags & CYAML_FLAG_POINTER_NULL & ~(unsigned int)CYAML_FLAG_POINTER) != 0;
    if (may_be_null && yaml_tree_is_null(node)) {
        return OUTCOME_OK;
    }
    enum yaml_kind kind = YAML_KIND_SCALAR;
    if (kind_of(schema->type, &kind) && node->kind != kind) {
        return refuse_node(walk, node, wanted[kind]);
    }
    return check_typed(walk, node, schema);
}

/* Reads the file, NUL-terminated behind its length, and its tree. */
static enum outcome read_tree(const char *path, struct buffer *text, struct yaml_node **root,
                              struct reason *why)
{
    if (file_read(path, text) != 0) {
        if (errno == EFBIG) {
            return yaml_tree_refuse(why, path, 0, "larger than %d bytes", YAML_FILE_MAX);
        }
        return yaml_tree_refuse(why, path, 0, "cannot be read: %s", strerror(errno));
    }
    return yaml_tree_parse(path, buffer_span(text), root, why);
}

static const cyaml_config_t reader = {
    .mem_fn = cyaml_mem,
    .flags = CYAML_CFG_NO_ALIAS,
};

enum outcome yaml_load(const char *path, const cyaml_schema_value_t *schema, struct buffer *text,
                       void **out, struct reason *why)
{
    BUFFER_CLEANUP struct buffer own = BUFFER_INIT(YAML_FILE_MAX);
    YAML_TREE_CLEANUP struct yaml_node *root = NULL;
    enum outcome outcome = read_tree(path, &own, &root, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct walk walk = {.path = path, .why = why};
    outcome = check_value(&walk, root, schema);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    cyaml_data_t *data = NULL;
    cyaml_err_t error = cyaml_load_data(own.data, own.len, &reader, schema, &data, NULL);
    if (error == CYAML_ERR_OOM) {
        return refuse(why, OUTCOME_INTERNAL, "%.200s: out of memory", path);
    }
    if (error != CYAML_OK) {
        return yaml_tree_refuse(why, path, 0, "%s", cyaml_strerror(error));
    }
    if (text != NULL) {
        buffer_put_span(text, buffer_span(&own));
    }
    *out = data;
    return OUTCOME_OK;
}

void yaml_unload(const cyaml_schema_value_t *schema, void *data)
{
    if (data != NULL) {
        (void)cyaml_free(&reader, schema, data, 0);
    }
}

/* From 1; 0 when the file cannot be read. */
static unsigned int line_of(const char *path, const char *pointer)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(YAML_FILE_MAX);
    YAML_TREE_CLEANUP struct yaml_node *root = NULL;
    struct reason ignored;
    if (read_tree(path, &text, &root, &ignored) != OUTCOME_OK) {
        return 0;
    }
    return yaml_tree_nearest(root, pointer)->line;
}

enum outcome yaml_refuse(struct reason *why, const char *path, const char *pointer,
                         const char *format, ...)
{
    char text[REASON_DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return yaml_tree_refuse(why, path, line_of(path, pointer), "%s", text);
}
