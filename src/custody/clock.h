/* SPDX-License-Identifier: Apache-2.0
 * The clock: a thread that takes the steps which people have scheduled when their time has come, by
 * the same rules as theirs, and looks at the probe files of roles. What is due and refused stays
 * due, is said once in the log and as long as it lasts in the status. */
#ifndef QSEAL_CUSTODY_CLOCK_H
#define QSEAL_CUSTODY_CLOCK_H

#include "base/attributes.h"
#include "custody/local.h"

struct custody_clock;

/* Starts the thread; it looks at once, and then as each second of the wall clock begins. NULL with
 * the reason. `custody` must outlive it. */
struct custody_clock *custody_clock_new(struct custody *custody, struct reason *why) MUST_USE;
/* Ends the thread. Accepts NULL. */
void custody_clock_free(struct custody_clock *clock);

/* One look, as if it were `now` (wall seconds); for the thread, or a test in its place. Whether a
 * step was taken: then more may be due. */
bool custody_clock_step(struct custody *custody, int64_t now);

#endif
