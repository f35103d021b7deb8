/* SPDX-License-Identifier: Apache-2.0
 * qseald as a whole: what it listens on, and the services behind it. */
#ifndef QSEAL_ROLES_QSEALD_ROOM_H
#define QSEAL_ROLES_QSEALD_ROOM_H

#include "base/attributes.h"
#include "model/outcome.h"

struct room;

/* Reads configuration, profiles and keyring, opens the sockets (or takes those of socket
 * activation) and starts answering. OUTCOME_RULE: what it read is wrong, and will be at the next
 * start; any other refusal may pass. *out is given back to room_stop(). */
enum outcome room_start(const char *config_path, struct room **out, struct reason *why) MUST_USE;
/* Reads everything anew; the reason is in the log and in the status. */
void room_reload(struct room *room);
/* Stops accepting, lets what is in flight finish for at most `limits.drain_ms`, and frees
 * everything. */
void room_stop(struct room *room);

#endif
