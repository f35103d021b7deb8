/* SPDX-License-Identifier: Apache-2.0
 * Profiles that verify what others signed: a template of an operation verify-… and its binding.
 * They have no role: public keys are all they need. Everything here is immutable after loading. */
#ifndef QSEAL_POLICY_VERIFICATION_H
#define QSEAL_POLICY_VERIFICATION_H

#include "base/attributes.h"
#include "jose/jws.h"
#include "policy/profile.h"

enum verification_kind {
    VERIFICATION_DETACHED_JWS = 1, /* RFC 7515 Appendix F, RFC 7797 */
};

/* As in templates and in GET /v1/profiles: "verify-detached-jws". */
const char *verification_kind_name(enum verification_kind kind);

struct verification {
    char *name;
    char *template;
    enum verification_kind kind;
    /* Algorithms, header and keys. Without pinned keys jwks is NULL, and the caller supplies it. */
    struct jws_rules rules;
    json_t *jwks;             /* pinned, or NULL */
    struct public_key **made; /* of the pinned ones */
    size_t n_made;
    char *input_schema; /* JSON Schema (2020-12) of the body, as JSON text */
};

/* In order of name, of those that profiles_load() found. */
size_t profiles_verifications(const struct profiles *profiles);
const struct verification *profiles_verification_at(const struct profiles *profiles, size_t index);
/* NULL when there is none of that name and kind. */
const struct verification *profiles_verification(const struct profiles *profiles,
                                                 enum verification_kind kind, const char *name);

#endif
