/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: a rotation of a role as it would go, with its dates. */
#ifndef QSEAL_CUSTODY_ROTATION_H
#define QSEAL_CUSTODY_ROTATION_H

#include "custody/change.h"

enum { ROTATION_WARNINGS_MAX = 16 * 1024, ROTATION_DAYS_MAX = 3660 };

/* A key that waits, on one token. */
struct rotation_key {
    const struct key *key;
    const struct key *former; /* whose place it takes; NULL: nobody's */
    bool is_published;
};

struct rotation {
    const struct config_role *role;
    const struct config_token *only; /* NULL: all tokens of the role */
    int64_t now;                     /* all wall seconds */
    int64_t publish_at;              /* of those that are not published */
    int64_t activate_at;
    int64_t retire_at;
    bool publishes;
    bool retires; /* not for transport keys: programs present the old certificate for a while */
    struct rotation_key keys[SELECTION_MAX];
    size_t n;
    struct buffer warnings; /* texts of a JSON array, with commas between them */
};

/* From the arguments "role", "token"?, "publish_at"?, "activate_at"? and the keyring of the act's
 * view. Without "publish_at" it is `lead` seconds from now. Refuses what cannot be: with what would
 * have to come first, or the earliest time. `out->warnings` is the caller's. */
enum outcome rotation_make(const struct act *act, int64_t lead, struct rotation *out,
                           struct reason *why) MUST_USE;

#endif
