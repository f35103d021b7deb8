/* SPDX-License-Identifier: Apache-2.0
 * Which artefact is which: the table that keeps one operation from making an artefact of another
 * kind (RFC 8725 §3.12, finding F1), whatever a template file says. Templates are data an
 * administrator may write; this table is not. */
#ifndef QSEAL_POLICY_KINDS_H
#define QSEAL_POLICY_KINDS_H

#include "policy/template.h"

#include <jansson.h>

/* OUTCOME_OK, or OUTCOME_RULE with "file:line: …". */
enum outcome kinds_check(const struct template *template, const char *path,
                         struct reason *why) MUST_USE;

/* Claims that tell one artefact from another; bits. */
enum name_family {
    FAMILY_FOREIGN = 1,       /* in no JWT of these rooms but those that have a list of their own */
    FAMILY_REGISTRATION = 2,  /* client metadata */
    FAMILY_FRONT_CHANNEL = 4, /* requests through a browser */
    FAMILY_AUTHORIZATION = 8, /* any authorization request */
    FAMILY_RIGHTS = 16,       /* what is asked for, or granted */
};

/* Whether the name is in one of the families. */
bool kinds_name_is_of(const char *name, unsigned int wanted);

/* Whether no artefact of this operation may hold this value: a JAR, or a body that could be read as
 * one, never asks for the exemption's acr (finding F6). The place goes to `pointer`, below `base`.
 */
bool kinds_value_is_refused(enum operation operation, const json_t *value, const char *base,
                            char pointer[REASON_CLAIM_SIZE]) MUST_USE;

/* Whether `word` is one of the words between blanks. */
bool kinds_has_word(const char *text, const char *word);

/* Top-level members of a detached payload that would make it readable as a JWT: refused, unless a
 * template permits one, a single one, of the few that may be permitted: two of them together begin
 * an authorization request. */
bool kinds_body_member_is_refused(const char *name);
bool kinds_body_member_may_be_permitted(const char *name);
const char *const *kinds_body_members(size_t *count);

#endif
