/* SPDX-License-Identifier: Apache-2.0
 * How many signatures each key has made in this process. CKA_IDs are random, so their first bytes
 * say where to look. */
#ifndef QSEAL_TOKEN_KEY_USES_H
#define QSEAL_TOKEN_KEY_USES_H

#include "base/attributes.h"
#include "token/token.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    KEY_USES_PLACES = 4096,
    KEY_USES_MAX = 2048, /* keys that are counted; further ones are not */
};

struct key_use {
    uint8_t id[KEY_ID_LEN];
    bool taken;
    atomic_uint_least64_t signatures;
};

struct key_uses {
    pthread_rwlock_t lock;
    struct key_use *places; /* owned */
    size_t n;
};

bool key_uses_init(struct key_uses *uses) MUST_USE;
void key_uses_fini(struct key_uses *uses);

void key_uses_add(struct key_uses *uses, const uint8_t id[KEY_ID_LEN]);
/* TOKEN_UNKNOWN for a key that is not counted. */
uint64_t key_uses_of(struct key_uses *uses, const uint8_t id[KEY_ID_LEN]);

#endif
