/* SPDX-License-Identifier: Apache-2.0
 * The keyring: which keys there are, for what, and their pinned public keys. One JSON file,
 * replaced whole with a generation number; what is in it, not what the token shows, decides which
 * key may sign. */
#ifndef QSEAL_KEYRING_KEYRING_H
#define QSEAL_KEYRING_KEYRING_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "jose/public_key.h"
#include "model/alg.h"
#include "model/outcome.h"
#include "model/purpose.h"

#include <stdint.h>

enum {
    KEYRING_ID_LEN = 16,
    KEYRING_TOKEN_SIZE = 64,
    KEYRING_CHAIN_MAX = 64 * 1024, /* bytes of PEM beside a key */
    KEYRING_CERTIFICATES_MAX = 16,
};

enum key_state { KEY_ACTIVE };
const char *key_state_name(enum key_state state);

struct key {
    char role[ROLE_NAME_MAX + 1];
    char token[KEYRING_TOKEN_SIZE];
    enum purpose purpose;
    enum key_state state;
    uint32_t algs;                  /* bits the role granted when the key was made */
    uint8_t key_id[KEYRING_ID_LEN]; /* CKA_ID */
    int64_t created;                /* wall seconds */
    uint32_t created_by;            /* uid */
    struct public_key *public_key;  /* owned */
    char *chain_pem;                /* owned; NULL, or its certificates as PEM, its own first */
};

struct keyring {
    uint64_t generation;
    struct key *keys; /* owned, in order of creation */
    size_t n_keys;
};

/* A missing file is an empty keyring of generation 0. A damaged one is OUTCOME_RULE with file and
 * reason. */
enum outcome keyring_load(const char *path, struct keyring **out, struct reason *why) MUST_USE;
/* Accepts NULL. */
void keyring_free(struct keyring *keyring);
/* A copy with one key more and the next generation; takes key->public_key and key->chain_pem over
 * when it succeeds.
 * Refuses a public key that is already there for another purpose or role, a second active key of a
 * role on a token, and a CKA_ID in use on the token. */
enum outcome keyring_add(const struct keyring *keyring, struct key *key, struct keyring **out,
                         struct reason *why) MUST_USE;
/* A copy with these certificates beside the key, on whatever tokens it is, and the next generation.
 * OUTCOME_RULE when the text is not as pem_put() writes certificates, or over the bounds above;
 * OUTCOME_NOT_FOUND when there is no such key. Whether they are the key's is the caller's affair.
 */
enum outcome keyring_set_chain(const struct keyring *keyring, const struct public_key *key,
                               const char *pem, struct keyring **out, struct reason *why) MUST_USE;
/* Durable before it returns. */
enum outcome keyring_save(const struct keyring *keyring, const char *path,
                          struct reason *why) MUST_USE;
/* The role's active key on that token; NULL when there is none. */
const struct key *keyring_active(const struct keyring *keyring, const char *role,
                                 const char *token);
/* JWK Set text of the published seal keys (RFC 7517 §5): kid, use, alg where there is one, key
 * members. */
void keyring_put_jwks(const struct keyring *keyring, struct buffer *out);

#endif
