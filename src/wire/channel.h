/* SPDX-License-Identifier: Apache-2.0
 * The calling side of a door: one connection, one question at a time, each with a deadline. It
 * connects by itself, and when the peer was restarted since the last call it reconnects and asks
 * once more (a signature made twice is released once). */
#ifndef QSEAL_WIRE_CHANNEL_H
#define QSEAL_WIRE_CHANNEL_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "model/outcome.h"

struct channel {
    const char *path; /* borrowed; the unix socket */
    const char *peer; /* borrowed; what messages call the other side, e.g. "tokend hsm-a" */
    int fd;           /* -1 when not connected */
    int passed;       /* borrowed; goes beside the next question, -1: none */
    struct buffer out;
    struct buffer in;
};

/* Does not connect yet. Both texts must outlive the channel. */
void channel_init(struct channel *channel, const char *path, const char *peer);
void channel_fini(struct channel *channel);

/* Starts a question; put its fields into the returned buffer. */
struct buffer *channel_begin(struct channel *channel, uint8_t kind);
/* The question begun takes this descriptor along (SCM_RIGHTS); it stays the caller's. */
void channel_pass(struct channel *channel, int fd);
/* Sends it and waits for the answer, whose fields (after the outcome) are then read from `*answer`,
 * valid until the next call. OUTCOME_UNAVAILABLE: nobody there; OUTCOME_DEADLINE; OUTCOME_INTERNAL:
 * the peer spoke nonsense (connection dropped); otherwise the outcome the peer gave, with its
 * reason. */
enum outcome channel_call(struct channel *channel, struct deadline deadline, struct reader *answer,
                          struct reason *why) MUST_USE;

/* Connects a unix stream socket by the deadline, blocking, CLOEXEC. -1 with errno. */
int channel_connect(const char *path, struct deadline deadline) MUST_USE;

#endif
