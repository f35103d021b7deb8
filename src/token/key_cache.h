/* SPDX-License-Identifier: Apache-2.0
 * Keys that were found and checked, shared by all workers: so a signature needs no search. Looking
 * up copies the entry out; purpose and pinned digest are still compared at every use. */
#ifndef QSEAL_TOKEN_KEY_CACHE_H
#define QSEAL_TOKEN_KEY_CACHE_H

#include "base/attributes.h"
#include "pkcs11/key.h"
#include "token/token.h"

#include <pthread.h>
#include <stdbool.h>

enum {
    KEY_CACHE_MAX = 256
}; /* more keys than a token here holds; past it the oldest is replaced */

struct key_cache_entry {
    uint8_t id[KEY_ID_LEN];
    struct key key;
};

struct key_cache {
    pthread_rwlock_t lock;
    struct key_cache_entry entries[KEY_CACHE_MAX];
    size_t n;
    size_t next; /* to be replaced when full */
};

void key_cache_init(struct key_cache *cache);
void key_cache_fini(struct key_cache *cache);

bool key_cache_get(struct key_cache *cache, const uint8_t id[KEY_ID_LEN], struct key *out) MUST_USE;
void key_cache_put(struct key_cache *cache, const uint8_t id[KEY_ID_LEN], const struct key *key);
/* Forgets the entry if it still holds this handle: another thread may have renewed it. */
void key_cache_drop(struct key_cache *cache, const uint8_t id[KEY_ID_LEN], CK_OBJECT_HANDLE stale);

#endif
