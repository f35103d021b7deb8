/* SPDX-License-Identifier: Apache-2.0
 * Template and binding of a profile that verifies, as they stand in their YAML files
 * (docs/verify.md explains every key). */
#ifndef QSEAL_POLICY_VERIFICATION_FILE_H
#define QSEAL_POLICY_VERIFICATION_FILE_H

#include "base/name.h"
#include "policy/verification.h"

/* How the octets of a detached JWS are signed. */
enum verify_payload { VERIFY_BODY_B64 = 1, VERIFY_BODY_RAW, VERIFY_BODY_EITHER };

struct verify_detached {
    enum verify_payload payload;
    bool crit_required;
    bool allow_b64_without_crit;
};

struct verify_id_token {
    uint32_t *leeway_s;      /* NULL: 60 */
    uint32_t *max_iat_age_s; /* NULL: 600 */
    enum verify_need nonce;  /* this and those below: 0 where the file says nothing */
    enum verify_need auth_time;
    enum verify_need response_iss;
    enum verify_need c_hash;
    enum verify_need s_hash;
    enum verify_need at_hash;
    enum verify_need rt_hash;
    char **acr_values;
    uint32_t acr_values_count;
    char **intent_claims;
    uint32_t intent_claims_count;
};

struct verify_template {
    char *name;
    char *description;
    enum verification_kind kind;
    char **algorithms;
    uint32_t algorithms_count;
    bool *kid_required;               /* NULL: true */
    struct verify_detached *detached; /* of its own kind only */
    struct verify_id_token *id_token; /* likewise */
};

struct verify_binding {
    char *name;
    char *template;
    char **algorithms; /* of the template's; none: all of them */
    uint32_t algorithms_count;
    /* exactly one of these */
    char *jwks;
    char *jwks_file;
    bool jwks_from_caller;
    /* for ID tokens */
    char *issuer;
    char *client_id;
    uint32_t *max_age_s;
    char **trusted_audiences;
    uint32_t trusted_audiences_count;
    char **acr_values; /* none: the template's */
    uint32_t acr_values_count;
};

/* Whether the file is a template of an operation verify-…; a file that cannot be read is none. */
bool verify_template_is(const char *path);
/* `name` is what the file must declare. OUTCOME_RULE with "file:line: …". *out is owned by the
 * caller. */
enum outcome verify_template_load(const char *path, const char *name, struct verify_template **out,
                                  struct reason *why) MUST_USE;
enum outcome verify_binding_load(const char *path, const char *name, struct verify_binding **out,
                                 struct reason *why) MUST_USE;
/* Accept NULL. */
void verify_template_free_ref(struct verify_template **template);
void verify_binding_free_ref(struct verify_binding **binding);

/* The template's name in a binding, whatever else is in it; false when there is none. */
bool verify_binding_template(const char *path, char out[NAME_LEN_MAX + 1]) MUST_USE;

/* Both together, as one profile; the JWK Set is read. Takes both over, also when it refuses. *out
 * is owned by the caller. */
enum outcome verification_compile(struct verify_template *template, struct verify_binding *binding,
                                  const char *path, struct verification **out,
                                  struct reason *why) MUST_USE;
/* Accepts NULL. */
void verification_free(struct verification *verification);

/* verification_schema.c: JSON Schema of the body; owned by the caller, NULL when memory is short.
 */
char *verification_schema(const struct verification *verification) MUST_USE;

/* Template and binding at these paths. */
enum outcome verification_load(const char *template_path, const char *template_name,
                               const char *path, const char *name, struct verification **out,
                               struct reason *why) MUST_USE;

#endif
