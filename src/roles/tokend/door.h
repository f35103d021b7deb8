/* SPDX-License-Identifier: Apache-2.0
 * The door of qseal-tokend: which questions it takes, and from whom. */
#ifndef QSEAL_ROLES_TOKEND_DOOR_H
#define QSEAL_ROLES_TOKEND_DOOR_H

#include "base/attributes.h"
#include "token/room.h"
#include "wire/serve.h"

/* Serves the room on this listener, owned from here on, with one worker per PKCS#11 session.
 * `qseald` is the only user that may connect; it must outlive the door. NULL with the reason. */
struct serve *door_open(struct room *room, int listener, const uid_t *qseald,
                        struct reason *why) MUST_USE;

#endif
