/* SPDX-License-Identifier: Apache-2.0
 * A template as it stands in its YAML file (docs/templates.md explains every key), read and checked
 * by itself: names, patterns, pointers, crit, and the table of kinds. It has no values of any TPP:
 * those come with a binding. */
#ifndef QSEAL_POLICY_TEMPLATE_H
#define QSEAL_POLICY_TEMPLATE_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/operation.h"
#include "model/outcome.h"

#include <stdbool.h>
#include <stdint.h>

enum { TEMPLATE_CLAIMS_MAX = 64, TEMPLATE_LIST_MAX = 64 };

enum serialization { SERIALIZATION_COMPACT = 1, SERIALIZATION_DETACHED };
enum payload { PAYLOAD_CLAIMS = 1, PAYLOAD_BODY_B64, PAYLOAD_BODY_RAW };
enum binding_type { BINDING_TEXT = 1, BINDING_LIST, BINDING_INTEGER, BINDING_JSON };
enum header_source {
    HEADER_ALG = 1,
    HEADER_KID,
    HEADER_CONST,
    HEADER_CONFIG,
    HEADER_NOW,
    HEADER_JWK,
    HEADER_CRIT,
};
enum claim_rule {
    CLAIM_CONST = 1, /* from the template */
    CLAIM_CONFIG,    /* from the binding */
    CLAIM_GENERATED, /* iat, nbf, exp, jti */
    CLAIM_CALLER,    /* the caller's, within limits */
    CLAIM_CHOICE,    /* the caller picks one from a list */
    CLAIM_DERIVED,   /* BASE64URL(SHA-256(another member of the caller's)) */
    CLAIM_FORBIDDEN, /* never there */
};
enum value_type {
    TYPE_STRING = 1,
    TYPE_INTEGER,
    TYPE_NUMBER,
    TYPE_BOOLEAN,
    TYPE_OBJECT,
    TYPE_ARRAY,
    TYPE_STRING_ARRAY,
};
enum generated { GENERATED_IAT = 1, GENERATED_NBF, GENERATED_EXP, GENERATED_JTI };
enum claim_as { AS_IS, AS_ARRAY1 };
enum parameter_source { PARAMETER_CLAIM = 1, PARAMETER_CONST };

struct template_binding {
    char *name;
    enum binding_type type;
    bool *required; /* NULL: true */
    char *pattern;
    char **values; /* NULL: any */
    uint32_t values_count;
    char *description;
};

struct template_header {
    char *name;
    enum header_source source;
    char *value;  /* const: a text */
    char *json;   /* const: any JSON */
    char *config; /* config: name of a binding */
};

struct template_claim {
    char *name;
    enum claim_rule rule;
    enum value_type type;
    bool *required; /* NULL: true */
    char *value;
    char *json;
    char *config;
    enum generated generated;
    char *from; /* derived: the caller's member that is hashed */
    enum claim_as as;
    char *pattern;
    char **values; /* key `enum` */
    uint32_t values_count;
    char *enum_from; /* a binding of type list */
    uint32_t *min_length;
    uint32_t *max_length;
    int64_t *min_value;
    int64_t *max_value;
    uint32_t *max_bytes;
    bool closed;
    char *description;
};

/* What must stand at these places inside the caller's objects: a constant, or one string in all of
 * them. */
struct template_nested {
    char **at;
    uint32_t at_count;
    char *equals; /* JSON; NULL: one string, the same everywhere */
    char *pattern;
    uint32_t *min_length;
    uint32_t *max_length;
};

struct template_shorthand {
    char *name;
    char *claim;
    char *description;
};

struct template_lifetime {
    uint32_t exp_after_s;
    uint32_t nbf_before_s;
    int32_t iat_offset_s;
};

struct template_body {
    char **require_top_level;
    uint32_t require_top_level_count;
    char **forbid_top_level;
    uint32_t forbid_top_level_count;
    char **permit_top_level;
    uint32_t permit_top_level_count;
    uint32_t *max_bytes;
};

struct template_parameter {
    char *name;
    enum parameter_source source;
    char *claim; /* NULL: the claim of the same name */
    char *value;
};

struct template_answer {
    char *artefact; /* the parameter the artefact itself travels in; NULL: none */
    char *header;   /* detached: the HTTP header it travels in; NULL: x-jws-signature */
    struct template_parameter *parameters;
    uint32_t parameters_count;
};

struct template
{
    char *name;
    char *description;
    enum operation operation;
    enum serialization serialization;
    enum payload payload;
    char *purpose;
    char **algorithms;
    uint32_t algorithms_count;
    char *alg_name; /* NULL: alg_name() */
    struct template_binding *bindings;
    uint32_t bindings_count;
    struct template_header *header;
    uint32_t header_count;
    char **crit;
    uint32_t crit_count;
    bool allow_b64_without_crit;
    struct template_claim *claims;
    uint32_t claims_count;
    struct template_nested *nested;
    uint32_t nested_count;
    struct template_shorthand *shorthand;
    struct template_lifetime *lifetime;
    struct template_body *body;
    struct template_answer *answer;
};

/* Reads the file and runs every check that needs no binding, the table of kinds last. `name` is
 * what the file must declare. OUTCOME_RULE with "file:line: …". *out is owned by the caller. The
 * octets that it was made of are appended to `text`, or not when that is NULL. */
enum outcome template_load(const char *path, const char *name, struct buffer *text,
                           struct template **out, struct reason *why) MUST_USE;
/* Accepts NULL. */
void template_free(struct template *template);
void template_free_ref(struct template **template);

#define TEMPLATE_CLEANUP CLEANUP(template_free_ref)

/* NULL when there is none of that name. */
const struct template_binding *template_binding(const struct template *template, const char *name);
const struct template_claim *template_claim(const struct template *template, const char *name);
const struct template_header *template_header(const struct template *template, const char *name);
/* Whether the name is in one of its lists. */
bool template_lists(char *const *list, uint32_t count, const char *name);
bool template_allows(const struct template *template, const char *alg);
/* `required: true` is the default. */
bool is_required(const bool *required);

#endif
