/* SPDX-License-Identifier: Apache-2.0
 * One artefact: built by its profile, signed by a token that is up, verified under the pinned key,
 * and only then written out. */
#ifndef QSEAL_SIGNING_SEAL_H
#define QSEAL_SIGNING_SEAL_H

#include "base/attributes.h"
#include "base/clock.h"
#include "signing/view.h"
#include "signing/watch.h"

/* One thread's connections to the tokens and its memory. */
struct sealer;

struct seal_request {
    struct view *view;
    struct watch *watch;
    const struct profile *profile;
    struct span body;
    const char *content_type;
    const char *request_id;
    struct deadline deadline;
};

/* NULL: out of memory. */
struct sealer *sealer_new(void) MUST_USE;
/* Accepts NULL. */
void sealer_free(struct sealer *sealer);

/* Appends the answer's JSON text. Tries the role's tokens in the configured order, those that are
 * up first. */
enum outcome seal_artefact(struct sealer *sealer, const struct seal_request *request,
                           struct buffer *json, struct reason *why) MUST_USE;

#endif
