/* SPDX-License-Identifier: Apache-2.0
 * What the caller supplies, as a JSON Schema (2020-12), for GET /v1/profiles. It says what a
 * program can check beforehand; the rules here are what decides. */
#include "policy/compiled.h"

#include "jose/json.h"
#include "policy/kinds.h"

#include <stdio.h>
#include <string.h>

/* A member that goes unset for lack of memory leaves the schema short: the caller sees NULL only
 * when the text itself cannot be made. */
static void set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new(object, name, value);
}

static void set_limits(json_t *schema, const struct limits *limits)
{
    set(schema, "type", json_string("string"));
    if (limits->choices != NULL) {
        set(schema, "enum", json_deep_copy(limits->choices));
        return;
    }
    if (limits->min_length > 0) {
        set(schema, "minLength", json_integer((json_int_t)limits->min_length));
    }
    set(schema, "maxLength", json_integer((json_int_t)limits->max_length));
    if (limits->pattern != NULL) {
        set(schema, "pattern", json_sprintf("^(%s)$", pattern_text(limits->pattern)));
    }
}

static const char *type_name(enum value_type type)
{
    switch (type) {
    case TYPE_STRING:
        return "string";
    case TYPE_INTEGER:
        return "integer";
    case TYPE_NUMBER:
        return "number";
    case TYPE_BOOLEAN:
        return "boolean";
    case TYPE_OBJECT:
        return "object";
    case TYPE_ARRAY:
    case TYPE_STRING_ARRAY:
        return "array";
    }
    return "null";
}

static json_t *plain_schema(const struct claim *claim)
{
    json_t *schema = json_object();
    if (claim->type == TYPE_STRING) {
        set_limits(schema, &claim->limits);
        return schema;
    }
    set(schema, "type", json_string(type_name(claim->type)));
    if (claim->min_value != NULL) {
        set(schema, "minimum", json_integer(*claim->min_value));
    }
    if (claim->max_value != NULL) {
        set(schema, "maximum", json_integer(*claim->max_value));
    }
    if (claim->type == TYPE_STRING_ARRAY) {
        json_t *items = json_object();
        set_limits(items, &claim->limits);
        set(schema, "items", items);
        set(schema, "minItems", json_integer(1));
        set(schema, "maxItems", json_integer(ITEMS_MAX));
    }
    return schema;
}

/* The object schema that holds the last step of the place, made where it is not there yet. */
static json_t *descend(json_t *schema, const char **step)
{
    size_t len = strcspn(*step, "/");
    while ((*step)[len] == '/') {
        char name[REASON_CLAIM_SIZE];
        (void)snprintf(name, sizeof name, "%.*s", (int)len, *step);
        json_t *properties = json_object_get(schema, "properties");
        schema = json_object_get(properties, name);
        if (schema == NULL) {
            schema = json_pack("{s:s,s:{},s:[]}", "type", "object", "properties", "required");
            set(properties, name, schema);
        }
        *step += len + 1;
        len = strcspn(*step, "/");
    }
    return schema;
}

static void add_required(json_t *schema, const char *name)
{
    json_t *required = json_object_get(schema, "required");
    (void)json_array_append_new(required, json_string(name));
}

static void add_place(json_t *root, const struct nested *nested, const char *place, bool closed)
{
    const char *step = place;
    json_t *owner = descend(root, &step);
    json_t *leaf = json_object();
    if (nested->equals != NULL) {
        set(leaf, "const", json_deep_copy(nested->equals));
    } else {
        set_limits(leaf, &nested->limits);
    }
    set(json_object_get(owner, "properties"), step, leaf);
    add_required(owner, step);
    if (closed) {
        set(owner, "additionalProperties", json_false());
    }
}

static void close_objects(json_t *schema)
{
    const char *name;
    json_t *item;
    json_object_foreach (json_object_get(schema, "properties"), name, item) {
        if (json_object_get(item, "properties") == NULL) {
            continue;
        }
        add_required(schema, name);
        close_objects(item);
    }
    set(schema, "additionalProperties", json_false());
}

static json_t *nested_schema(const struct profile *profile, size_t at)
{
    const struct claim *claim = &profile->claims[at];
    json_t *root = json_pack("{s:s,s:{},s:[]}", "type", "object", "properties", "required");
    for (size_t i = 0; i < profile->n_nested; i++) {
        const struct nested *nested = &profile->nested[i];
        for (size_t k = 0; nested->claim == at && k < nested->n_at; k++) {
            add_place(root, nested, nested->at[k] + 2 + strlen(claim->name), claim->closed);
        }
    }
    if (claim->closed) {
        close_objects(root);
    }
    return root;
}

static bool has_nested(const struct profile *profile, size_t at)
{
    for (size_t i = 0; i < profile->n_nested; i++) {
        if (profile->nested[i].claim == at) {
            return true;
        }
    }
    return false;
}

/* NULL when the caller sends no such member. */
static json_t *claim_schema(const struct profile *profile, size_t at)
{
    const struct claim *claim = &profile->claims[at];
    json_t *schema = NULL;
    switch (claim->rule) {
    case CLAIM_CALLER:
        schema = has_nested(profile, at) ? nested_schema(profile, at) : plain_schema(claim);
        break;
    case CLAIM_CHOICE:
    case CLAIM_DERIVED:
        schema = json_object();
        set_limits(schema, &claim->limits);
        break;
    case CLAIM_CONST:
    case CLAIM_CONFIG:
        if (claim->service_set || claim->literal == NULL) {
            return NULL;
        }
        schema = json_object();
        set(schema, "const", json_deep_copy(claim->constant));
        break;
    case CLAIM_GENERATED:
    case CLAIM_FORBIDDEN:
        return NULL;
    }
    if (claim->description != NULL) {
        set(schema, "description", json_string(claim->description));
    }
    return schema;
}

static bool is_asked(const struct claim *claim)
{
    return claim->required && (claim->rule == CLAIM_CALLER || claim->rule == CLAIM_DERIVED ||
                               (claim->rule == CLAIM_CHOICE && claim->literal == NULL));
}

/* Either the claim or its shorthand. */
static void add_shorthand(const struct profile *profile, json_t *root, json_t *properties)
{
    const struct shorthand *shorthand = &profile->shorthand;
    json_t *schema = json_object();
    set_limits(schema, shorthand->limits);
    if (shorthand->description != NULL) {
        set(schema, "description", json_string(shorthand->description));
    }
    set(properties, shorthand->name, schema);
    set(root, "oneOf",
        json_pack("[{s:[s]},{s:[s]}]", "required", profile->claims[shorthand->claim].name,
                  "required", shorthand->name));
}

static json_t *claims_schema(const struct profile *profile)
{
    json_t *root = json_object();
    json_t *properties = json_object();
    json_t *required = json_array();
    set(root, "type", json_string("object"));
    set(root, "properties", properties);
    for (size_t i = 0; i < profile->n_claims; i++) {
        const struct claim *claim = &profile->claims[i];
        const char *name = claim->from != NULL ? claim->from : claim->name;
        json_t *schema = claim_schema(profile, i);
        if (schema == NULL) {
            continue;
        }
        set(properties, name, schema);
        bool either = profile->shorthand.name != NULL && profile->shorthand.claim == i;
        if (is_asked(claim) && !either) {
            (void)json_array_append_new(required, json_string(name));
        }
    }
    set(root, "required", required);
    set(root, "additionalProperties", json_false());
    if (profile->shorthand.name != NULL) {
        add_shorthand(profile, root, properties);
    }
    return root;
}

static json_t *body_schema(const struct profile *profile)
{
    const struct template_body *body = profile->template->body;
    json_t *root = json_object();
    json_t *properties = json_object();
    json_t *required = json_array();
    set(root, "type", json_string("object"));
    set(root, "properties", properties);
    size_t count = 0;
    const char *const *refused = kinds_body_members(&count);
    for (size_t i = 0; i < count; i++) {
        set(properties, refused[i], json_false());
    }
    for (uint32_t i = 0; body != NULL && i < body->forbid_top_level_count; i++) {
        set(properties, body->forbid_top_level[i], json_false());
    }
    for (uint32_t i = 0; body != NULL && i < body->permit_top_level_count; i++) {
        (void)json_object_del(properties, body->permit_top_level[i]);
    }
    for (uint32_t i = 0; body != NULL && i < body->require_top_level_count; i++) {
        (void)json_array_append_new(required, json_string(body->require_top_level[i]));
    }
    set(root, "required", required);
    return root;
}

char *schema_text(const struct profile *profile)
{
    JSON_CLEANUP json_t *root = profile->template->payload == PAYLOAD_CLAIMS
                                    ? claims_schema(profile)
                                    : body_schema(profile);
    set(root, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    return text_json(root);
}
