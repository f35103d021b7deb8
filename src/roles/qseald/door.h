/* SPDX-License-Identifier: Apache-2.0
 * The callers' door: qseald accepts every caller itself, asks the kernel who it is, and hands the
 * descriptor with a connection number to httpd. While there is no httpd nobody is accepted: callers
 * wait in the socket's backlog. So they do while httpd is restarted: the leaving one says so, keeps
 * the callers it has, and the next one may come before it is gone. */
#ifndef QSEAL_ROLES_QSEALD_DOOR_H
#define QSEAL_ROLES_QSEALD_DOOR_H

#include "base/attributes.h"
#include "signing/callers.h"
#include "signing/signing.h"
#include "signing/view.h"

#include <stdbool.h>

enum { DOOR_LISTENERS_MAX = 2 };

struct door;

/* Starts the thread. `listeners` are owned by the door from then on. NULL with the reason. */
struct door *door_new(const int listeners[DOOR_LISTENERS_MAX], struct view_cell *views,
                      struct callers *callers, const struct door_settings *settings,
                      struct reason *why) MUST_USE;
/* Ends the thread and closes everything. Accepts NULL. */
void door_free(struct door *door);

/* A connection of httpd becomes the door; an older one is closed, unless it is leaving. Takes the
 * descriptor over. */
void door_adopt(struct door *door, int fd, const struct door_front *about);
/* No caller is accepted any more, and httpd is told to finish. */
void door_drain(struct door *door);
/* Also while the only one is leaving. */
bool door_is_connected(struct door *door);
/* What the one that came last said of itself; false while none is connected. */
bool door_about(struct door *door, struct door_front *out);

#endif
