/* SPDX-License-Identifier: Apache-2.0
 * One artefact: built by its profile, signed by a token that is up, verified under the pinned key,
 * and only then written out. */
#ifndef QSEAL_SIGNING_SEAL_H
#define QSEAL_SIGNING_SEAL_H

#include "base/attributes.h"
#include "signing/dispatch.h"

/* One thread's memory. */
struct sealer;

struct seal_request {
    struct dispatcher *dispatcher; /* of the same thread */
    struct view *view;
    struct view_cell *views; /* what holds when the signature is there */
    struct watch *watch;
    const struct profile *profile;
    struct span body;
    const char *content_type;
    const struct dispatch_subject *subject;
    struct deadline deadline;
};

/* NULL: out of memory. */
struct sealer *sealer_new(void) MUST_USE;
/* Accepts NULL. */
void sealer_free(struct sealer *sealer);

/* Appends the answer's JSON text. */
enum outcome seal_artefact(struct sealer *sealer, const struct seal_request *request,
                           struct buffer *json, struct reason *why) MUST_USE;

#endif
