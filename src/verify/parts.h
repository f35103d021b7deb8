/* SPDX-License-Identifier: Apache-2.0
 * Inside src/verify only. */
#ifndef QSEAL_VERIFY_PARTS_H
#define QSEAL_VERIFY_PARTS_H

#include "verify/verify.h"

/* input.c: what a member of the body must be. */
enum member_type { MEMBER_TEXT = 1, MEMBER_OBJECT, MEMBER_COUNT };

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

/* answer.c: {"valid":true,…} with alg and kid of the header, and `claims`, the text of a strict
 * JSON object; NULL data for none. */
void answer_put(struct buffer *json, const json_t *header, struct span claims);

/* What the rules of an ID token look at; all borrowed. */
struct id_token {
    const struct id_token_rules *rules;
    const json_t *input;  /* what the caller sent */
    const json_t *header; /* of a token whose signature is good */
    const json_t *claims;
    int64_t now;
};

/* id_token_rules.c: the first rule that fails; *rule is its name. */
enum outcome id_token_judge(const struct id_token *token, const char **rule,
                            struct reason *why) MUST_USE;

enum { TOKEN_HASH_SIZE = 44 };
/* token_hash.c: BASE64URL of the left half of the digest that goes with the alg (OpenID Connect
 * Core §3.1.3.6); Ed25519 goes with SHA-512. False: no such digest. */
bool token_hash_put(struct span alg, struct span text, char out[TOKEN_HASH_SIZE]) MUST_USE;

#endif
