/* SPDX-License-Identifier: Apache-2.0
 * A profile after compilation: what the files of this folder share, and nobody else sees.
 *
 * Nothing in it changes after profile_compile(), not even the reference counts of its JSON values,
 * so any number of threads may read it. */
#ifndef QSEAL_POLICY_COMPILED_H
#define QSEAL_POLICY_COMPILED_H

#include "base/buffer.h"
#include "jose/sha256.h"
#include "policy/binding.h"
#include "policy/pattern.h"
#include "policy/profile.h"
#include "policy/template.h"

#include <jansson.h>

enum {
    STRING_LENGTH_MAX = 1024,     /* characters of a caller's string, unless the template says */
    OBJECT_BYTES_MAX = 16 * 1024, /* of a caller's object or array, serialised */
    ITEMS_MAX = 64,               /* of a string_array */
    JWT_MAX = 64 * 1024,
    CLAIMS_BODY_MAX = 64 * 1024,
    HEADER_MAX = 8 * 1024,
    DETACHED_BODY_MAX = 1024 * 1024,
    SIGNING_INPUT_MAX = 2 * 1024 * 1024,
};

/* A text of claims, with what each of them takes. */
struct limits {
    struct pattern *pattern; /* NULL: any */
    size_t min_length;
    size_t max_length;
    const json_t *choices; /* NULL: any; an array of strings, owned by the claim */
};

struct claim {
    char *name;
    char *pointer; /* "/name", escaped (RFC 6901 §3) */
    char *key;     /* "\"name\":" */
    enum claim_rule rule;
    enum value_type type;
    enum generated generated;
    enum claim_as as;
    bool required;
    bool service_set; /* refused from callers even when equal */
    bool closed;
    struct limits limits;
    const int64_t *min_value; /* in the template; NULL: none */
    const int64_t *max_value;
    size_t max_bytes;
    json_t *choices;
    json_t *constant;   /* const, config; also a choice of one */
    char *literal;      /* its JSON text */
    const char *from;   /* derived */
    char *from_pointer; /* derived */
    const char *description;
};

struct nested {
    const char *const *at; /* in the template */
    size_t n_at;
    size_t claim;   /* index of the claim they are in */
    json_t *equals; /* NULL: the same string everywhere */
    struct limits limits;
};

/* A value that takes the shorthand's string at each cut: pieces[0] string pieces[1] string … */
struct shorthand {
    const char *name;
    char *pointer;
    size_t claim;
    const struct limits *limits;
    const char *place; /* the first place of the string */
    size_t n_places;   /* of the string */
    json_t *shape;     /* the object, with a mark where the string stands */
    char **pieces;
    size_t n_pieces;
    const char *description;
};

struct header_part {
    char *literal; /* NULL: from the source; for kid, now and jwk the text before it */
    enum header_source source;
};

struct parameter {
    char *key;     /* "\"name\":" */
    char *literal; /* NULL: the claim's value */
    size_t claim;
};

struct profile {
    struct template *template; /* owned */
    struct binding *binding;   /* owned */
    enum alg alg;
    const char *alg_name;
    struct header_part *header;
    size_t n_header;
    struct claim *claims;
    size_t n_claims;
    struct nested *nested;
    size_t n_nested;
    struct shorthand shorthand; /* name NULL: none */
    struct parameter *parameters;
    size_t n_parameters;
    char *client_id; /* of a client assertion, as JSON text */
    size_t body_max;
    char *input_schema;
    char digest[SHA256_TEXT_SIZE];
};

/* Takes over template and binding, also when it fails. OUTCOME_RULE with "file:line: …". */
enum outcome profile_compile(struct template *template, const char *template_path,
                             struct binding *binding, const char *binding_path,
                             struct profile **out, struct reason *why) MUST_USE;
/* Accepts NULL. */
void profile_free(struct profile *profile);
/* The claim of that name, or n_claims. */
size_t profile_claim(const struct profile *profile, const char *name);

/* What one request gave. */
struct evaluation {
    json_t *body;                              /* NULL: none was sent */
    const json_t *values[TEMPLATE_CLAIMS_MAX]; /* as sent, for each claim; NULL: left out */
    const json_t *short_value;                 /* the shorthand, as sent; NULL: left out */
    const char *shorthand; /* its string, from either form; NULL: there is none */
};

/* rules.c: OUTCOME_OK, or OUTCOME_RULE with the claim. */
enum outcome rules_evaluate(const struct profile *profile, struct evaluation *evaluation,
                            struct reason *why) MUST_USE;
/* value.c: one value against its claim's type and limits. */
enum outcome value_check(const struct claim *claim, const json_t *value,
                         struct reason *why) MUST_USE;
enum outcome text_check(const struct limits *limits, const char *pointer, const json_t *value,
                        struct reason *why) MUST_USE;
/* nested.c: the constants and equality groups of one claim. */
enum outcome nested_evaluate(const struct profile *profile, size_t claim, const json_t *value,
                             struct reason *why) MUST_USE;
/* The one string that the rules of the shorthand's claim leave open. */
const char *shorthand_string(const struct profile *profile, const json_t *value);
enum outcome shorthand_compile(struct profile *profile, const char *path,
                               struct reason *why) MUST_USE;
void shorthand_put(const struct shorthand *shorthand, const char *text, struct buffer *out);

/* claims.c: the payload of a JWT, and the parameters beside it. OUTCOME_RULE when a value is longer
 * than its claim may be. */
enum outcome claims_put(const struct profile *profile, const struct evaluation *evaluation,
                        int64_t now, struct artefact *artefact, struct buffer *out,
                        struct reason *why) MUST_USE;
void parameters_put(const struct profile *profile, const struct evaluation *evaluation,
                    struct buffer *out);
/* header.c */
enum outcome header_compile(struct profile *profile, const char *path, struct reason *why) MUST_USE;
void header_put(const struct profile *profile, const struct signing_key *key, int64_t now,
                struct buffer *out);
/* body.c: a detached payload. */
enum outcome body_check(const struct profile *profile, struct span body,
                        struct reason *why) MUST_USE;
/* schema.c: JSON text, owned by the caller; NULL when memory is short. */
char *schema_text(const struct profile *profile) MUST_USE;

/* text.c: small makers of owned texts; NULL when memory is short. */
char *text_pointer(const char *name) MUST_USE;    /* "/name" escaped */
char *text_key(const char *name) MUST_USE;        /* "\"name\":" */
char *text_json(const json_t *value) MUST_USE;    /* json_put() */
char *text_steal(struct buffer *buffer) MUST_USE; /* the buffer's text, which is empty then */

#endif
