/* SPDX-License-Identifier: Apache-2.0
 * The keyring: which keys there are, for what, and their pinned public keys. One JSON file,
 * replaced whole with a generation number; what is in it, not what the token shows, decides which
 * key may sign. */
#ifndef QSEAL_KEYRING_KEYRING_H
#define QSEAL_KEYRING_KEYRING_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "jose/public_key.h"
#include "jose/sha256.h"
#include "model/alg.h"
#include "model/key_state.h"
#include "model/outcome.h"
#include "model/purpose.h"

#include <stdint.h>

enum {
    KEYRING_ID_LEN = 16,
    KEYRING_TOKEN_SIZE = 64,
    KEYRING_CHAIN_MAX = 64 * 1024, /* bytes of PEM beside a key */
    KEYRING_CERTIFICATES_MAX = 16,
    KEYRING_REASON_MAX = 200,  /* characters */
    KEYRING_HISTORY_MAX = 100, /* changes of one key; the last ten are kept for its end */
    KEYRING_HISTORY_FREE = 90,
    KEYRING_JWKS_MAX = 1024 * 1024, /* bytes of the JWK Set's text */
    KEYRING_SCHEDULE_MAX = 8,       /* changes of one key to come */
    KEYRING_KEPT = 8,               /* older generations beside the file */
};

#define KEYRING_WAIT_MAX INT64_C(4294967295) /* seconds */

/* One step in a key's life. */
struct key_change {
    enum key_state state; /* from then on */
    int64_t at;           /* wall seconds */
    uint32_t by;          /* uid */
    bool approved;        /* by a second person: */
    uint32_t approved_by; /* uid */
    int64_t wait_s; /* what the configuration asked for at that moment: when published, for how
                       long before it signs; when it stopped signing, for how long it is shown
                       after that; 0: nothing, or it is not on record */
    char reason[KEYRING_REASON_MAX + 1]; /* printable ASCII, or "" */
    char replica_of[KEYRING_TOKEN_SIZE]; /* "", or: from here on the entry is a replica's, of the
                                            key on that token; the state stays as it was */
};

/* A step that the clock will take. */
struct key_planned {
    struct key_change change; /* `at` is when, `by` who scheduled it */
    int64_t made_at;          /* wall seconds */
};

/* What people have on record of a key beside its states. */
enum key_proof {
    KEY_PROOF_BACKUP, /* a backup of it exists */
    KEY_PROOF_SEEN,   /* its kid is visible outside */
};
enum { KEY_PROOF_COUNT = KEY_PROOF_SEEN + 1 };

struct key_record {
    bool recorded;
    int64_t at;                        /* wall seconds */
    uint32_t by;                       /* uid */
    char text[KEYRING_REASON_MAX + 1]; /* why, or where; printable ASCII, or "" */
};

struct key {
    char role[ROLE_NAME_MAX + 1];
    char token[KEYRING_TOKEN_SIZE];
    enum purpose purpose;
    enum key_state state;           /* that of the last change */
    uint32_t algs;                  /* bits the role granted when the key was made */
    uint8_t key_id[KEYRING_ID_LEN]; /* CKA_ID */
    int64_t created;                /* wall seconds */
    uint32_t created_by;            /* uid */
    struct public_key *public_key;  /* owned */
    char *chain_pem;                /* owned; NULL, or its certificates as PEM, its own first */
    struct key_change *history;     /* owned; the first one is how the key came here */
    size_t n_history;
    struct key_record proofs[KEY_PROOF_COUNT];
    struct key_planned *schedule; /* owned; NULL, or what is to come, in the order of time */
    size_t n_schedule;
};

/* A step of one key of a keyring. */
struct keyring_step {
    size_t index; /* in keyring->keys */
    struct key_change change;
};

/* What is to come for one key of a keyring, in place of what was. */
struct keyring_schedule {
    size_t index;
    struct key_planned steps[KEYRING_SCHEDULE_MAX];
    size_t n;
};

struct keyring {
    uint64_t generation;
    struct key *keys; /* owned, in order of creation */
    size_t n_keys;
    size_t room; /* how many keys there is memory for */
};

/* Frees what the key owns. */
void key_fini(struct key *key);
/* Notes a change of a key that is being made or read: its next state, if there is a way to it from
 * the last one, and for the entry of a replica the same state again. OUTCOME_RULE when there is
 * none, the reason is over the bound or not printable, or the history has its KEYRING_HISTORY_FREE
 * entries and this is no step towards the key's end. */
enum outcome key_note(struct key *key, const struct key_change *change,
                      struct reason *why) MUST_USE;
/* Where a suspended key goes on: where it was, but to published if it was active, since verifiers
 * may have fetched a set without it. False when it is not suspended. */
bool key_resumes_to(const struct key *key, enum key_state *to) MUST_USE;
/* Whether two entries are one key, on different tokens. */
bool key_is_twin(const struct key *a, const struct key *b);
/* When the key came into the state it is in, wall seconds. */
int64_t key_since(const struct key *key);
/* Since when the key has been in the JWK Set without a break; false when it is not in it. */
bool key_shown_since(const struct key *key, int64_t *at) MUST_USE;
/* When the key left the state active for the last time; false when it never signed, or still does.
 */
bool key_stopped_at(const struct key *key, int64_t *at) MUST_USE;
/* What is on record of the waits: before a published key signs, and after the last time that the
 * key left the state active; 0: nothing. */
int64_t key_wait_s(const struct key *key);
int64_t key_keep_s(const struct key *key);
/* Appends members of a JSON object, each with a comma in front and only if there is something to
 * say: "backup":{"at","by","reason"}, "seen":{"at","by","where"}; */
void key_put_records(const struct key *key, struct buffer *out);
/* "schedule":[{"state","at","by","reason","made_at"}]. */
void key_put_schedule(const struct key *key, struct buffer *out);
/* Whether it was seen since it is in the JWK Set without a break. */
bool key_is_seen(const struct key *key);

/* A missing file is an empty keyring of generation 0, unless generations are kept beside it. A
 * damaged one is OUTCOME_RULE with file, reason and what to do, and so is one that is older than a
 * generation kept beside it: somebody has put it there. */
enum outcome keyring_load(const char *path, struct keyring **out, struct reason *why) MUST_USE;
/* Accepts NULL. */
void keyring_free(struct keyring *keyring);
/* A copy with one key more and the next generation; takes over what the key owns when it
 * succeeds. A key without history gets one change, that of its making.
 * Refuses a public key that is already there for another purpose or role, a second active key of a
 * role on a token, and a CKA_ID in use on the token. */
enum outcome keyring_add(const struct keyring *keyring, struct key *key, struct keyring **out,
                         struct reason *why) MUST_USE;
/* A copy with a replica of the key of this index on another token, and the next generation. It has
 * its key's certificates, records and history, up to where that came into the state of `adoption`,
 * which is noted last: the state that the key is in, or for an active one the one before it. What
 * is scheduled for the key is not for its replica. Refuses what keyring_add() does. */
enum outcome keyring_add_replica(const struct keyring *keyring, size_t index, const char *token,
                                 const struct key_change *adoption, struct keyring **out,
                                 struct reason *why) MUST_USE;
/* A copy with these certificates beside the key, on whatever tokens it is, these steps taken, and
 * the next generation.
 * OUTCOME_RULE when the text is not as pem_put() writes certificates, or over the bounds above;
 * OUTCOME_NOT_FOUND when there is no such key. Whether they are the key's is the caller's affair.
 */
enum outcome keyring_set_chain(const struct keyring *keyring, const struct public_key *key,
                               const char *pem, const struct keyring_step *steps, size_t n_steps,
                               struct keyring **out, struct reason *why) MUST_USE;
/* A copy in which these keys have taken these steps, all in one generation. OUTCOME_RULE when a
 * step is not in the table (model/key_state.h), or a role had two active keys on one token after
 * all of them. What was scheduled for them and is done now, or possible no more, is dropped: all
 * of it when the key was stopped, by suspension or otherwise. */
enum outcome keyring_change(const struct keyring *keyring, const struct keyring_step *steps,
                            size_t n, struct keyring **out, struct reason *why) MUST_USE;
/* A copy in which this is on record for these keys, in place of what was. OUTCOME_RULE when the
 * text is over the bound or not printable. */
enum outcome keyring_set_record(const struct keyring *keyring, const size_t *indexes, size_t n,
                                enum key_proof proof, const struct key_record *record,
                                struct keyring **out, struct reason *why) MUST_USE;
/* A copy with these schedules. OUTCOME_RULE when a step is not in the table after the one before
 * it, times go back, or a reason is over the bound or not printable. */
enum outcome keyring_set_schedules(const struct keyring *keyring,
                                   const struct keyring_schedule *schedules, size_t n,
                                   struct keyring **out, struct reason *why) MUST_USE;
/* Durable before it returns; the generation that was there stays beside it as PATH.N, the last
 * KEYRING_KEPT of them. OUTCOME_RULE when nothing was changed: it could not be read again, or not
 * written; OUTCOME_INTERNAL when nobody knows what the disk holds. */
enum outcome keyring_save(const struct keyring *keyring, const char *path,
                          struct reason *why) MUST_USE;
/* Of the text that keyring_save() writes, as sha256_text(). False: no memory. */
bool keyring_digest(const struct keyring *keyring, char out[SHA256_TEXT_SIZE]) MUST_USE;
/* The newest time that it holds, wall seconds; 0 for an empty one. */
int64_t keyring_newest_time(const struct keyring *keyring);
/* The role's active key on that token; NULL when there is none. */
const struct key *keyring_active(const struct keyring *keyring, const char *role,
                                 const char *token);
/* The role's key on that token with this RFC 7638 thumbprint, in whatever state; NULL. */
const struct key *keyring_by_thumbprint(const struct keyring *keyring, const char *role,
                                        const char *token, const char *thumbprint);
/* JWK Set text of the seal keys from published to retiring (RFC 7517 §5): kid, use, alg where there
 * is one, key members, and with a certificate x5c (§4.7) and x5t#S256 (§4.9). */
void keyring_put_jwks(const struct keyring *keyring, struct buffer *out);

#endif
