/* SPDX-License-Identifier: Apache-2.0
 * A short secret, for the moment that it is needed: in a page of its own that is locked into memory
 * and left out of core dumps, and wiped at once. */
#ifndef QSEAL_BASE_SECRET_H
#define QSEAL_BASE_SECRET_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct secret {
    uint8_t *page; /* owned mapping, or NULL */
    size_t room;   /* bytes */
    size_t len;
    bool locked; /* false where no memory may be locked: it is wiped all the same */
};

/* An empty one, with room for 4096 bytes. False with errno. */
bool secret_make(struct secret *secret) MUST_USE;
/* Wipes and unmaps; accepts an empty one. */
void secret_wipe(struct secret *secret);

#define SECRET_CLEANUP CLEANUP(secret_wipe)

#endif
