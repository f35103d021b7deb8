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
    VERIFICATION_ID_TOKEN,         /* OpenID Connect Core §3.1.3.7, §3.3.2.11 */
};

/* As in templates and in GET /v1/profiles: "verify-detached-jws", "verify-id-token". */
const char *verification_kind_name(enum verification_kind kind);

/* Whether a claim must be there. */
enum verify_need {
    NEED_REQUIRED = 1, /* in every token */
    NEED_WHEN_SENT,    /* when the caller sends what it is compared with */
    NEED_IF_PRESENT,   /* it may be missing */
};

/* The claims that are hashes of what came beside the token. */
enum token_hash { TOKEN_C_HASH, TOKEN_S_HASH, TOKEN_AT_HASH, TOKEN_RT_HASH };
enum { TOKEN_HASH_COUNT = TOKEN_RT_HASH + 1 };

struct text_list {
    char *const *items;
    size_t n;
};

/* What an ID token must be. All texts are borrowed from the profile's files. */
struct id_token_rules {
    const char *issuer;
    const char *client_id;
    struct text_list trusted_audiences; /* beside the client id */
    struct text_list acr;               /* none: any */
    struct text_list intent;            /* claims that must be what the caller calls intent_id */
    uint32_t leeway_s;
    uint32_t max_iat_age_s;
    const uint32_t *max_age_s; /* NULL: what the caller says, or none */
    enum verify_need nonce;
    enum verify_need auth_time;
    enum verify_need response_iss; /* RFC 9207 */
    enum verify_need hashes[TOKEN_HASH_COUNT];
};

struct verify_template;
struct verify_binding;

struct verification {
    struct verify_template *from; /* owned */
    struct verify_binding *bound; /* owned */
    const char *name;
    const char *template;
    enum verification_kind kind;
    struct id_token_rules id_token; /* VERIFICATION_ID_TOKEN only */
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
