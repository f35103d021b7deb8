/* SPDX-License-Identifier: Apache-2.0
 * Between plan.c and plans.c. */
#ifndef QSEAL_CUSTODY_PLANS_READ_H
#define QSEAL_CUSTODY_PLANS_READ_H

#include "custody/plans.h"

/* Strict: no member more, none less. *out keeps a reference to the body, which nobody may change
 * from then on. */
enum outcome plan_read(json_t *body, struct plan *out, struct reason *why) MUST_USE;

#endif
