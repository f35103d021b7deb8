/* SPDX-License-Identifier: Apache-2.0
 * What qseald runs at one moment: configuration, profiles and keyring that were read together. A
 * view never changes; a reload or a new key makes the next one, and requests finish with the one
 * they began with. */
#ifndef QSEAL_SIGNING_VIEW_H
#define QSEAL_SIGNING_VIEW_H

#include "base/attributes.h"
#include "jose/sha256.h"
#include "keyring/keyring.h"
#include "pki/peer.h"
#include "policy/config.h"
#include "policy/profile.h"
#include "signing/key_end.h"

#include <stdatomic.h>

/* How busy a token is with requests, for all workers to see. */
struct token_load {
    atomic_uint busy;
    _Atomic int64_t
        answered_ms; /* monotonic: the last good answer, or the first question after a rest */
};

/* Configuration and profiles; shared by every view until the next reload. */
struct policy {
    atomic_uint references;
    uint64_t generation; /* 1 at start, one more at each reload that succeeded */
    int64_t loaded_at;   /* wall seconds */
    struct config *config;
    struct profiles *profiles;
    char digest[SHA256_TEXT_SIZE]; /* of the configuration file, as sha256_text() */
    struct token_load *loads;      /* one per token, in the order of config->tokens */
    struct peer_set **peers;       /* one per role, in the order of config->roles; NULL: any peer */
};

struct view {
    atomic_uint references;
    struct policy *policy;
    struct keyring *keyring;   /* owned */
    struct buffer jwks;        /* JWK Set text, made once */
    struct key_end *ends;      /* one per key, in the order of keyring->keys */
    const struct key **usable; /* those that may sign, the newest first: what a request looks for is
                                  among a few, however many keys have come and gone */
    size_t n_usable;
};

/* Reads configuration and profiles. *out has one reference. */
enum outcome policy_load(const char *path, uint64_t generation, struct policy **out,
                         struct reason *why) MUST_USE;
/* The same from a configuration that was read before, which it takes over, also when it refuses. */
enum outcome policy_make(struct config *config, uint64_t generation, struct policy **out,
                         struct reason *why) MUST_USE;
struct policy *policy_ref(struct policy *policy);
/* Accepts NULL. */
void policy_unref(struct policy *policy);

/* Takes both over, also when it refuses: OUTCOME_RULE when a role has another purpose in the
 * configuration than its keys have, or the JWK Set is too large to be served; OUTCOME_INTERNAL when
 * OpenSSL cannot verify with a key that may sign. */
enum outcome view_new(struct policy *policy, struct keyring *keyring, struct view **out,
                      struct reason *why) MUST_USE;
struct view *view_ref(struct view *view);
/* When that key of the view's keyring ends. */
const struct key_end *view_key_end(const struct view *view, const struct key *key);
/* Accepts NULL. */
void view_unref(struct view *view);

/* Members of an audit record: what is in force. */
void view_put_record(const struct view *view, struct buffer *members);

/* Where the current view hangs. */
struct view_cell;
struct view_cell *view_cell_new(struct view *first) MUST_USE;
void view_cell_free(struct view_cell *cell);
/* The current view, with a reference for the caller. */
struct view *view_cell_get(struct view_cell *cell);
/* Replaces it; takes the reference over. */
void view_cell_set(struct view_cell *cell, struct view *next);

#endif
