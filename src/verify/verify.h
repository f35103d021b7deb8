/* SPDX-License-Identifier: Apache-2.0
 * What others signed: judged by the rules of a profile, with public keys only. In goes a caller's
 * body, out comes the answer's text, or the first rule that failed. */
#ifndef QSEAL_VERIFY_VERIFY_H
#define QSEAL_VERIFY_VERIFY_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/outcome.h"
#include "policy/verification.h"

struct verify_request {
    const struct verification *profile;
    struct span body;
    const char *content_type; /* as sent, "" when absent */
    int64_t now;              /* wall seconds, for an ID token */
};

/* A detached JWS over exact octets. Appends {"valid":true,…}. OUTCOME_RULE with *rule set to the
 * name of the rule of docs/verify.md that the JWS broke, or NULL when the body itself is not what
 * the door takes (then with its claim); OUTCOME_MALFORMED, OUTCOME_MEDIA_TYPE, OUTCOME_TOO_LARGE.
 * A reason never holds what was sent. */
enum outcome verify_detached_jws(const struct verify_request *request, struct buffer *json,
                                 const char **rule, struct reason *why) MUST_USE;
/* The same for an ID token, in the order of docs/verify.md. */
enum outcome verify_id_token(const struct verify_request *request, struct buffer *json,
                             const char **rule, struct reason *why) MUST_USE;

#endif
