/* SPDX-License-Identifier: Apache-2.0
 * The custody service, done here: what qseald does for an administrator. */
#ifndef QSEAL_CUSTODY_LOCAL_H
#define QSEAL_CUSTODY_LOCAL_H

#include "audit/audit.h"
#include "base/attributes.h"
#include "custody/custody.h"
#include "model/caller.h"
#include "signing/callers.h"
#include "signing/signing.h"
#include "signing/view.h"
#include "signing/watch.h"

struct custody;

/* The parts of the room it works on; all borrowed and outliving it. */
struct custody_room {
    const char *config_path;
    const char *keyring_path;
    struct view_cell *views;
    struct watch *watch;
    struct callers *callers;
    struct audit *audit; /* NULL: no log is kept */
    unsigned int askers; /* how many requests are handled at a time; one of them is never left
                            waiting for a token */
    /* What httpd said of itself; false when there is none. */
    bool (*front_about)(void *front, struct door_front *out);
    void *front;
};

/* NULL: out of memory. */
struct custody *custody_new(const struct custody_room *room) MUST_USE;
/* Accepts NULL. */
void custody_free(struct custody *custody);

/* What an administrator brings along. */
struct custody_question {
    uint8_t verb;
    struct caller peer;
    struct span arguments; /* JSON */
    int pin;               /* token unlock: the pipe with a typed PIN, borrowed; -1: none */
};
/* Does what the administrator asks, if the table allows it to this peer; appends the result's JSON
 * text. Thread-safe: changes are made one after the other. */
enum outcome custody_do(struct custody *custody, const struct custody_question *question,
                        struct buffer *result, struct reason *why) MUST_USE;

/* Reads configuration, profiles and keyring anew; on a refusal everything stays as it was, and
 * status says why. */
enum outcome custody_reload(struct custody *custody, struct reason *why) MUST_USE;

#endif
