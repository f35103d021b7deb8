/* SPDX-License-Identifier: Apache-2.0
 * One connection to the callers' door, for one exchange, under one deadline. No SIGPIPE, and the
 * descriptor is CLOEXEC. */
#ifndef QSEAL_CLIENT_DOOR_H
#define QSEAL_CLIENT_DOOR_H

#include "base/attributes.h"
#include "base/clock.h"
#include "base/span.h"

#include <stdbool.h>
#include <sys/types.h>

/* All of these are false or -1 with errno: ETIMEDOUT at the deadline. A full backlog is waited for.
 */
int door_connect(const char *path, struct deadline deadline) MUST_USE;
/* Sends both, one after the other. True also when the peer has stopped reading and has something to
 * say: an early refusal must be read, not lost. */
bool door_send(int fd, struct span head, struct span body, struct deadline deadline) MUST_USE;
/* Bytes received, 0 at the end. */
ssize_t door_receive(int fd, void *at, size_t room, struct deadline deadline) MUST_USE;

#endif
