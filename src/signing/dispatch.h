/* SPDX-License-Identifier: Apache-2.0
 * One signature by a role's key: which token is asked and which next, and that nothing leaves that
 * was not verified under the pinned key. What is signed is others' affair. */
#ifndef QSEAL_SIGNING_DISPATCH_H
#define QSEAL_SIGNING_DISPATCH_H

#include "audit/audit.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "signing/view.h"
#include "signing/watch.h"

/* One thread's connections to the tokens. */
struct dispatcher;

/* Who asks for what, for the audit record; texts may be NULL or "" where there is nothing to say.
 */
struct dispatch_subject {
    struct audit *audit; /* NULL: no record is kept */
    const struct caller *caller;
    const char *caller_name;
    const char *request_id;
    const char *interaction_id;
    const char *operation;
    const char *profile;
    const char *profile_digest;
};

struct dispatch {
    const struct dispatch_subject *subject;
    struct view *view;
    struct view_cell *views; /* what holds when the signature is there */
    struct watch *watch;
    const struct config_role *role;
    const char *kid; /* the thumbprint of the key to use; "": the active one of each token */
    struct deadline deadline;
};

/* One token and its key, tried for one dispatch. */
struct attempt {
    struct dispatcher *dispatcher;
    const struct dispatch *dispatch;
    const struct config_token *token;
    const struct key *key;
    int64_t now; /* wall seconds, for claims */
};

/* Does what is to be done with that key, by dispatch_sign(). */
typedef enum outcome dispatch_use(void *context, const struct attempt *attempt, struct reason *why);

/* NULL: out of memory. */
struct dispatcher *dispatcher_new(void) MUST_USE;
/* Accepts NULL. */
void dispatcher_free(struct dispatcher *dispatcher);

/* Calls `use` for the role's tokens in the configured order, those that are up, until one has done
 * it or another could not do better. OUTCOME_NOT_FOUND: no key of that thumbprint;
 * OUTCOME_NO_KEY, OUTCOME_CLOCK, OUTCOME_TOKEN_UNAVAILABLE, OUTCOME_PIN, or what `use` said last.
 */
enum outcome dispatch_to_tokens(struct dispatcher *dispatcher, const struct dispatch *dispatch,
                                dispatch_use *use, void *context, struct reason *why) MUST_USE;
/* What is signed, and what the record says of it. */
struct dispatch_content {
    enum alg alg;
    struct span input;   /* the whole signing input */
    struct span payload; /* what it means */
    const char *jti;
    const char *scheme;
    const char *peer;
};

/* The raw signature over the whole input, verified, and its record on the disk; borrowed until the
 * next one. OUTCOME_AUDIT: without a record nothing is signed, or what was signed is withheld. */
enum outcome dispatch_sign(const struct attempt *attempt, const struct dispatch_content *content,
                           struct span *signature, struct reason *why) MUST_USE;
/* What became of the last signature of this dispatcher: the completion of its record. `released` is
 * what the caller gets, empty for the raw signature. Once per question, whether or not there was
 * one. */
void dispatch_finish(struct dispatcher *dispatcher, struct audit *audit, enum outcome outcome,
                     struct span released);

#endif
