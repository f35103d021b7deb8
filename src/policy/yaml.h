/* SPDX-License-Identifier: Apache-2.0
 * YAML files read by libcyaml, after a strict look at them that libcyaml does not take.
 *
 * The file is parsed into a tree first and compared with the schema, node by node: unknown, missing
 * and wrong members are refused as "PATH:LINE: unknown key "foo" in /callers/0; known here: a, b".
 * Values are never repeated in a reason. Numbers are decimal digits, booleans are true and false;
 * enums and flags must be named; an empty value, `~` or `null` counts only where the schema has
 * CYAML_FLAG_POINTER_NULL. Members of type CYAML_IGNORE may hold anything: read those from
 * yaml_tree.h. Not supported in a schema: CYAML_BITFIELD, case-insensitive names.
 *
 * (The names yaml_free, yaml_malloc and yaml_strdup belong to libyaml's own library.) */
#ifndef QSEAL_POLICY_YAML_H
#define QSEAL_POLICY_YAML_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/outcome.h"

#include <cyaml/cyaml.h>

/* OUTCOME_RULE with the reason, or OUTCOME_INTERNAL when memory is short. *out (set only on
 * success) is given back to yaml_unload() with the same schema; the schema's top is a mapping with
 * CYAML_FLAG_POINTER. The octets that *out was made of are appended to `text`; NULL when nobody
 * wants them. */
enum outcome yaml_load(const char *path, const cyaml_schema_value_t *schema, struct buffer *text,
                       void **out, struct reason *why) MUST_USE;
/* Accepts NULL. */
void yaml_unload(const cyaml_schema_value_t *schema, void *data);

/* OUTCOME_RULE with "PATH:LINE: …", the line being that of the member at this JSON pointer, or of
 * the nearest thing around it that exists; without one when the file cannot be read: it is read
 * again. */
enum outcome yaml_refuse(struct reason *why, const char *path, const char *pointer,
                         const char *format, ...) PRINTF_LIKE(4, 5);

#endif
