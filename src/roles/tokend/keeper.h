/* SPDX-License-Identifier: Apache-2.0
 * The two threads beside the workers. One maintains: it finds the token, logs in, looks after it.
 * The other is the watchdog: it never enters the module, and ends the process when a call into the
 * module does not return. */
#ifndef QSEAL_ROLES_TOKEND_KEEPER_H
#define QSEAL_ROLES_TOKEND_KEEPER_H

#include "base/attributes.h"
#include "token/room.h"

enum {
    KEEPER_EXIT_HUNG = 70,   /* EX_SOFTWARE: the module hangs or fails for good */
    KEEPER_EXIT_ABSENT = 75, /* EX_TEMPFAIL: a new process may see the token */
};

struct keeper;

/* READY=1 is told to systemd after the first look at the token, whatever came of it. NULL with the
 * reason. */
struct keeper *keeper_start(struct room *room, struct reason *why) MUST_USE;
/* Readable once the room is given up: then finish what is in flight and leave with
 * KEEPER_EXIT_HUNG, which the watchdog does by itself after two seconds. */
int keeper_given_up_fd(const struct keeper *keeper);

#endif
