/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: what the clock has found, for those who ask. */
#ifndef QSEAL_CUSTODY_CLOCK_STATE_H
#define QSEAL_CUSTODY_CLOCK_STATE_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "keyring/keyring.h"

#include <sys/types.h>
#include <time.h>

struct act;
struct custody;
struct trials;

enum {
    OVERDUE_MAX = 64,
    PROBES_MAX = 64, /* as many as there can be roles */
    CLOCK_DETAIL_SIZE = 320,
};

/* A step that is due and was refused. */
struct overdue {
    char role[ROLE_NAME_MAX + 1];
    char token[KEYRING_TOKEN_SIZE];
    char kid[THUMBPRINT_SIZE];
    enum key_state state;
    int64_t at; /* wall seconds */
    char detail[CLOCK_DETAIL_SIZE];
};

struct overdue_list {
    struct overdue list[OVERDUE_MAX];
    size_t n;
};

/* A probe file as it was when it was read. */
struct probe {
    char role[ROLE_NAME_MAX + 1];
    bool read;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written;
    enum outcome outcome;
    char detail[CLOCK_DETAIL_SIZE]; /* what is wrong with it, or "" */
};

/* Changed by the clock alone, under the lock of reports. */
struct clock_state {
    bool paused;       /* nobody vouches for the wall clock */
    int64_t looked_at; /* of the last look that is over; 0: none yet */
    struct overdue_list overdue;
    struct probe probes[PROBES_MAX];
    size_t n_probes;
};

/* Asks the tokens whether the keys sign that are due to become active at `now`. */
void due_try(struct custody *custody, int64_t now, struct trials *trials);
/* Takes what is due at `now`; `custody->change` is held. What is refused is in *overdue. Whether a
 * step was taken. */
bool due_take_locked(struct act *act, int64_t now, const struct trials *trials,
                     struct overdue_list *overdue);
/* Looks at each probe file that is another one than at the last look, and puts on record what is
 * seen there. */
void probe_look(struct custody *custody, int64_t now);

/* "schedule":{"paused","looked_at","overdue":[…],"probes":[…]}: the second is there once the clock
 * has looked, the last are those that are wrong. */
void schedule_put(struct buffer *out, const struct clock_state *state);
/* What is overdue of the key, or NULL. */
const struct overdue *clock_overdue_of(const struct clock_state *state, const struct key *key);

#endif
