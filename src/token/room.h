/* SPDX-License-Identifier: Apache-2.0
 * What all workers of one qseal-tokend share: the module, the token, the login, the checked keys.
 *
 * States only go forward: absent or down until the token is found and the PIN accepted, then ready.
 * When a ready token is lost the whole process is given up (room_abandon), because only a new
 * C_Initialize brings most modules back; the service manager starts a new one. */
#ifndef QSEAL_TOKEN_ROOM_H
#define QSEAL_TOKEN_ROOM_H

#include "base/attributes.h"
#include "pkcs11/attempt.h"
#include "pkcs11/digest.h"
#include "pkcs11/mechanism.h"
#include "pkcs11/module.h"
#include "pkcs11/quirks.h"
#include "pkcs11/session.h"
#include "pkcs11/slot.h"
#include "pkcs11/uri.h"
#include "token/guard.h"
#include "token/key_cache.h"
#include "token/key_uses.h"
#include "token/token.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct room_options {
    const char *name;   /* of the token, for texts */
    const char *module; /* absolute path */
    const char *uri;
    bool pin_typed;    /* by a person; otherwise the URI has a pin-source */
    const char *state; /* folder of the PIN attempt record */
    unsigned int sessions;
    unsigned int deadline_ms; /* of one call into the module */
    enum mechanism_choice mechanisms;
    bool session_copy;
    uint64_t marks[TOKEN_MARKS_MAX]; /* for the status */
    uint32_t n_marks;
};

struct room {
    struct room_options options;
    struct module module;
    struct uri *uri;
    struct digests *digests;
    struct guard guard; /* one place per worker, and one for maintenance */
    struct key_cache keys;
    struct key_uses uses;
    atomic_bool ready;
    atomic_bool abandoned; /* the process must end */
    atomic_bool copy_refused;
    atomic_uint_least64_t signatures;
    struct quirks quirks;
    int64_t started; /* wall seconds */
    struct mechanisms
        mechanisms;     /* these two are set before the room is ready for the first time */
    CK_SLOT_ID slot_id; /* and do not change any more */

    pthread_mutex_t login_lock; /* one thread finds the token, logs in or generates */
    bool initialized;
    bool probed;
    bool relogin_used;
    bool pin_refused;    /* in this process; what counts should the record not get onto the disk */
    unsigned int misses; /* times in a row that a ready token did not answer */

    pthread_mutex_t lock; /* the following, briefly */
    enum token_state state;
    char detail[REASON_DETAIL_SIZE];
    char description[TOKEN_TEXT_SIZE]; /* of the module */
    struct slot slot;
    bool found;              /* there is a slot */
    CK_SESSION_HANDLE spare; /* the session that logged in, until a worker takes it */
};

/* Loads the module and parses the URI; calls nothing in the module yet. OUTCOME_RULE with the
 * reason. The texts must outlive the room. */
enum outcome room_init(struct room *room, const struct room_options *options,
                       struct reason *why) MUST_USE;
/* Leaves the module as it is: loaded and initialized. */
void room_fini(struct room *room);

/* The place of the thread that maintains. */
unsigned int room_maintenance_place(const struct room *room);

enum room_tick {
    ROOM_STEADY,  /* ready, or waiting for a person */
    ROOM_WAITING, /* the token is absent or fails: a new process may see it */
};
/* One round, to be called about every second by one thread: initializes, finds the token, logs in
 * if that is allowed; looks whether a ready token still answers. */
enum room_tick room_maintain(struct room *room);

void room_status(struct room *room, struct token_status *out);
/* The refusal for a request while the room is not ready. */
enum outcome room_not_ready(struct room *room, struct reason *why) MUST_USE;
void room_set_state(struct room *room, enum token_state state, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Asks for the end of the process, and says why in the log once. */
void room_abandon(struct room *room, const char *format, ...) PRINTF_LIKE(2, 3);
/* Finds the token and its flags anew; login_lock is held. */
enum outcome room_find(struct room *room, struct reason *why) MUST_USE;

#endif
