/* SPDX-License-Identifier: Apache-2.0
 * Profiles: templates bound to this TPP's own values, compiled once at load; and what one of them
 * makes of a caller's body.
 *
 * A template (YAML, docs/templates.md) says which header, claims, body and lifetime an artefact of
 * one standard or bank has. The loader refuses any template that could make an artefact of another
 * kind (kinds.c). Everything here is immutable after loading and free of frames, sockets and keys:
 * in go bytes, out come the signing input and, later, the answer's text. */
#ifndef QSEAL_POLICY_PROFILE_H
#define QSEAL_POLICY_PROFILE_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/random.h"
#include "model/alg.h"
#include "model/operation.h"
#include "model/outcome.h"
#include "policy/config.h"

struct profile;  /* one, compiled */
struct profiles; /* all of them */

/* Reads templates and bindings named by the configuration, and checks that each binding's role
 * exists, grants its alg and has the template's purpose. OUTCOME_RULE with "file:line: …". */
enum outcome profiles_load(const struct config *config, struct profiles **out,
                           struct reason *why) MUST_USE;
/* Accepts NULL. */
void profiles_free(struct profiles *profiles);
/* Those that sign; and these together with those that verify (policy/verification.h). */
size_t profiles_count(const struct profiles *profiles);
size_t profiles_total(const struct profiles *profiles);
/* In order of name. */
const struct profile *profiles_at(const struct profiles *profiles, size_t index);
/* NULL when there is no profile of that name for that operation. */
const struct profile *profiles_find(const struct profiles *profiles, enum operation operation,
                                    const char *name);

const char *profile_name(const struct profile *profile);
const char *profile_template(const struct profile *profile);
enum operation profile_operation(const struct profile *profile);
const char *profile_role(const struct profile *profile);
enum alg profile_alg(const struct profile *profile);
/* kid the bank chose, or NULL: then it is the key's RFC 7638 thumbprint. */
const char *profile_kid(const struct profile *profile);
/* BASE64URL(SHA-256(its own file, and behind it its template's)), as they were when it was read. */
const char *profile_digest(const struct profile *profile);
/* JSON Schema (2020-12) of what the caller supplies, as JSON text. */
const char *profile_input_schema(const struct profile *profile);
/* Longest time, in seconds, that an artefact of this profile is valid for (0: it does not expire).
 */
uint32_t profile_longest_lifetime_s(const struct profile *profile);

/* Whether a top-level claim of this name is the profile's or the service's own, and not one a
 * caller made up. */
bool profile_knows_claim(const struct profile *profile, const char *name);

/* What the profile needs to know of the key that will sign. */
struct signing_key {
    const char *kid; /* thumbprint, or the profile's own */
    const char *jwk; /* public JWK text, for a header member of source `jwk` */
};

struct artefact {
    struct buffer signing_input; /* the exact bytes that are signed; for compact ones the answer
                                    starts with them */
    size_t header_len;           /* of BASE64URL(header), without the dot */
    int64_t iat;                 /* -1 when the artefact has none */
    int64_t exp;                 /* -1 likewise */
    char jti[UUID_TEXT_SIZE];    /* "" likewise */
    struct buffer parameters;    /* JSON object text of what must be repeated beside the artefact,
                                    without the artefact itself */
};

void artefact_init(struct artefact *artefact);
/* Keeps the memory, for the next request of the same thread. */
void artefact_reset(struct artefact *artefact);
void artefact_fini(struct artefact *artefact);

/* "application/json", in any case, with any parameters; or nothing. */
bool content_type_is_json(const char *content_type);

/* Evaluates the body a caller sent (`content_type` as sent, "" when absent) at wall time `now` and
 * writes the signing input. OUTCOME_MALFORMED, OUTCOME_MEDIA_TYPE, OUTCOME_TOO_LARGE, or
 * OUTCOME_RULE with the claim's JSON pointer. */
enum outcome profile_build(const struct profile *profile, const struct signing_key *key,
                           struct span body, const char *content_type, int64_t now,
                           struct artefact *out, struct reason *why) MUST_USE;

/* The JSON text of the 200 answer (design §4), from the artefact and its raw signature. */
void profile_answer(const struct profile *profile, const struct signing_key *key,
                    const struct artefact *artefact, struct span signature, const char *request_id,
                    struct buffer *json);

#endif
