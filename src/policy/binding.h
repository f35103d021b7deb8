/* SPDX-License-Identifier: Apache-2.0
 * A binding as it stands in profiles.d/NAME.yaml: which template, under which name, with which of
 * this TPP's own values. */
#ifndef QSEAL_POLICY_BINDING_H
#define QSEAL_POLICY_BINDING_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/outcome.h"
#include "policy/template.h"

#include <jansson.h>
#include <stdint.h>

struct binding_value {
    char *name;
    /* exactly one of these, fitting the type the template declares */
    char *value;
    char **values;
    uint32_t values_count;
    int64_t *integer;
    char *json;
};

struct binding {
    char *name;
    char *template;
    char *role;
    char *alg;
    char *kid; /* NULL: the key's thumbprint */
    struct binding_value *values;
    uint32_t values_count;
};

/* `name` is what the file must declare as its profile. OUTCOME_RULE with "file:line: …". The octets
 * that it was made of are appended to `text`, or not when that is NULL. */
enum outcome binding_load(const char *path, const char *name, struct buffer *text,
                          struct binding **out, struct reason *why) MUST_USE;
/* Accepts NULL. */
void binding_free(struct binding *binding);
void binding_free_ref(struct binding **binding);

#define BINDING_CLEANUP CLEANUP(binding_free_ref)

/* Whether the values are those the template wants: none missing, none surplus, each of its type,
 * pattern and enum; and the algorithm is one of the template's. */
enum outcome binding_check(const struct binding *binding, const struct template *template,
                           const char *path, struct reason *why) MUST_USE;
/* The value as JSON, owned by the caller; NULL when it is not bound. */
json_t *binding_json(const struct binding *binding, const char *name) MUST_USE;

#endif
