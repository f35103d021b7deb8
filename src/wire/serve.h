/* SPDX-License-Identifier: Apache-2.0
 * The answering side of a door: worker threads that take whole frames from any of the connections,
 * first come first served (one epoll, one-shot), look the kind up in a table and write the answer.
 * A connection whose peer is not an allowed user, that sends an unknown kind, or that is slower
 * than the frame deadline is closed; the room lives on. */
#ifndef QSEAL_WIRE_SERVE_H
#define QSEAL_WIRE_SERVE_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/caller.h"
#include "model/outcome.h"

#include <stdbool.h>
#include <stdint.h>

struct serve;
struct serve_connection;

/* What a handler gets. It reads the request, puts the outcome and the fields of its answer into
 * `answer` (already begun), and returns true; false closes the connection without an answer. */
struct serve_call {
    void *room;                          /* as given in the options */
    void *worker;                        /* this thread's own context, from worker_new, or NULL */
    struct serve_connection *connection; /* for serve_take_fd() */
    uint8_t kind;                        /* of the request's frame */
    struct caller peer;
    struct reader *request;
    struct buffer *answer;
    int passed; /* the descriptor that came with the frame, or -1; closed behind the handler,
                   unless it steals it (base/fd.h) */
};

struct serve_row {
    uint8_t kind;
    bool (*handle)(struct serve_call *call);
};

struct serve_options {
    const char *name; /* in the log */
    int listener;     /* owned from serve_start() on */
    unsigned int workers;
    unsigned int max_connections;
    unsigned int max_per_uid; /* of these; 0: no limit */
    size_t max_payload;
    bool takes_descriptors; /* otherwise one that comes with a frame is dropped unseen */
    /* Peers that may pass one; NULL: all. Of the others, and before a peer is known, the kernel
     * takes none (fd_take_rights()); where it does not know how to, theirs are dropped, too. */
    bool (*trusts)(void *room, const struct caller *peer);
    /* Peers that may connect; an empty list means anybody (the handler then decides by call->peer).
     */
    const uid_t *allowed;
    size_t n_allowed;
    const struct serve_row *rows;
    size_t n_rows;
    /* Takes every kind that no row has; NULL: such a kind closes the connection. */
    bool (*otherwise)(struct serve_call *call);
    bool with_groups; /* call->peer.groups is read when a peer connects */
    void *room;
    /* Called in each worker thread first and last; may be NULL. */
    void *(*worker_new)(void *room, unsigned int index);
    void (*worker_free)(void *worker);
};

/* Starts the threads. NULL with the reason when that is impossible. The rows and the allowed list
 * must outlive it. */
struct serve *serve_start(const struct serve_options *options, struct reason *why) MUST_USE;
/* Takes no new connection or frame, lets what is being handled finish, joins the threads. Accepts
 * NULL. */
void serve_stop(struct serve *serve);
/* Inside a handler that will return false: the connection's descriptor now belongs to the handler
 * (blocking). */
int serve_take_fd(struct serve_connection *connection) MUST_USE;

/* Whether a descriptor that was accepted may become a connection; says in the log why not. */
bool serve_peer_is_welcome(const struct serve_options *options, int fd,
                           struct caller *peer) MUST_USE;
/* The peer of a connected unix socket; false when the kernel does not say. */
bool serve_peer_of(int fd, struct caller *out) MUST_USE;
/* Its supplementary groups; false when the kernel does not say. */
bool serve_groups_of(int fd, struct caller_groups *out) MUST_USE;

#endif
