/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: changes of keys that wait for a second person. They stand in plans.json
 * beside the keyring, each under the SHA-256 of all that it says; what is approved is that digest.
 */
#ifndef QSEAL_CUSTODY_PLANS_H
#define QSEAL_CUSTODY_PLANS_H

#include "base/attributes.h"
#include "model/outcome.h"

#include <jansson.h>
#include <stdint.h>

enum {
    PLANS_MAX = 32,
    PLAN_DIGEST_LEN = 64, /* lower-case hex */
    PLAN_DIGEST_SIZE = PLAN_DIGEST_LEN + 1,
    PLAN_PREFIX_MIN = 16, /* so much of it is enough to name a plan */
};

struct plan {
    /* Owned: {"verb","arguments","effect","by","made","expires"}. The digest is over this value as
     * compact JSON text, members in the order of their bytes, at every depth. */
    json_t *body;
    char digest[PLAN_DIGEST_SIZE];
    const char *verb;        /* "key activate"; this and the next two are borrowed from the body */
    const json_t *arguments; /* as they came */
    const json_t *effect;    /* what it would have done when it was made, see effect.h */
    uint32_t by;             /* uid that asked */
    int64_t made, expires;   /* wall seconds; from `expires` on it cannot be approved */
};

struct plans {
    struct plan list[PLANS_MAX];
    size_t n;
};

/* Copies what it is given. OUTCOME_INTERNAL: out of memory. */
enum outcome plan_make(struct plan *out, const char *verb, const json_t *arguments,
                       const json_t *effect, uint32_t by, int64_t made, int64_t expires,
                       struct reason *why) MUST_USE;
void plan_fini(struct plan *plan);
/* The body with "digest" beside, for who looks at it; NULL when out of memory. Owned by the caller.
 */
json_t *plan_shown(const struct plan *plan) MUST_USE;

/* A missing file holds none. A damaged one is OUTCOME_RULE with file, reason and what to do: no
 * plan is made or approved then, and nothing else is touched by it. */
enum outcome plans_load(const char *path, struct plans *out, struct reason *why) MUST_USE;
/* Durable before it returns. */
enum outcome plans_save(const struct plans *plans, const char *path, struct reason *why) MUST_USE;
void plans_fini(struct plans *plans);

/* Takes the plan over when it succeeds; one with its digest may be there already, and stays.
 * OUTCOME_RULE when there are PLANS_MAX. */
enum outcome plans_add(struct plans *plans, struct plan *plan, struct reason *why) MUST_USE;
/* The plan of this digest, or of its first PLAN_PREFIX_MIN characters or more: OUTCOME_NOT_FOUND,
 * or OUTCOME_RULE when two begin so. */
enum outcome plans_find(const struct plans *plans, const char *digest, const struct plan **out,
                        struct reason *why) MUST_USE;
/* Does nothing when there is none of this digest. */
void plans_drop(struct plans *plans, const char *digest);
void plans_drop_expired(struct plans *plans, int64_t now);

#define PLAN_CLEANUP CLEANUP(plan_fini)
#define PLANS_CLEANUP CLEANUP(plans_fini)

#endif
