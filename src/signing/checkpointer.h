/* SPDX-License-Identifier: Apache-2.0
 * A thread that seals the audit log: it has checkpoints signed by the key of purpose audit, writes
 * them into the log and beside it, and removes sealed segments that are over their age. */
#ifndef QSEAL_SIGNING_CHECKPOINTER_H
#define QSEAL_SIGNING_CHECKPOINTER_H

#include "audit/audit.h"
#include "base/attributes.h"
#include "signing/view.h"
#include "signing/watch.h"

struct checkpointer;

/* All outlive it. NULL with the reason. */
struct checkpointer *checkpointer_new(struct view_cell *views, struct watch *watch,
                                      struct audit *audit, struct reason *why) MUST_USE;
/* After a last checkpoint, if the token still answers. Accepts NULL. */
void checkpointer_free(struct checkpointer *checkpointer);

#endif
