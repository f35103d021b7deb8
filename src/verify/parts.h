/* SPDX-License-Identifier: Apache-2.0
 * Inside src/verify only. */
#ifndef QSEAL_VERIFY_PARTS_H
#define QSEAL_VERIFY_PARTS_H

#include "verify/verify.h"

/* input.c: what a member of the body must be. */
enum member_type { MEMBER_TEXT = 1, MEMBER_OBJECT };

struct member {
    const char *name;
    enum member_type type;
    bool required;
};

/* The body as an object of these members and no others; *out is owned by the caller. */
enum outcome input_read(const struct verify_request *request, const struct member *members,
                        size_t n, json_t **out, struct reason *why) MUST_USE;
/* The rules with the keys that count: a pinned set is never replaced. OUTCOME_RULE when there is
 * none. */
enum outcome input_rules(const struct verification *profile, const json_t *input,
                         struct jws_rules *out, struct reason *why) MUST_USE;

/* rule.c: the name in front of a reason of jws_verify(); NULL when there is none. */
const char *rule_of_jws(const struct reason *why);

/* answer.c: {"valid":true,…} with alg and kid of the header, and the payload as `claims` where it
 * is one JSON object. */
void answer_put(struct buffer *json, const json_t *header, struct span payload);

#endif
