/* SPDX-License-Identifier: Apache-2.0
 * How often the tokens' rooms say that each key has signed: what a checkpoint of the audit log
 * holds against the records. */
#ifndef QSEAL_SIGNING_USES_H
#define QSEAL_SIGNING_USES_H

#include "audit/checkpoint.h"
#include "base/clock.h"
#include "signing/view.h"
#include "signing/watch.h"

/* Adds what the rooms say of the keys that can still sign something. At most half of the time until
 * the deadline goes into it, an equal part of what is left into each token: the rest is for the
 * signature. A room that does not answer in it is left out: the next checkpoint has it again. */
void uses_take(const struct view *view, struct watch *watch, struct deadline deadline,
               struct checkpoint *out);

#endif
