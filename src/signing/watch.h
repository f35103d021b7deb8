/* SPDX-License-Identifier: Apache-2.0
 * A thread that looks once a second at what changes by itself: every tokend is asked how it is, so
 * that health and status answer at once and a request goes first to a token that is up; the clock
 * is judged (signing/clock_guard.h); and keys that near their end are named in the log. */
#ifndef QSEAL_SIGNING_WATCH_H
#define QSEAL_SIGNING_WATCH_H

#include "base/attributes.h"
#include "signing/clock_guard.h"
#include "signing/view.h"
#include "token/token.h"

struct watch;

/* Starts the thread; it asks at once. NULL with the reason. `views` must outlive it. */
struct watch *watch_new(struct view_cell *views, struct reason *why) MUST_USE;
/* Ends the thread; what was seen last stays. */
void watch_stop(struct watch *watch);
/* Accepts NULL. */
void watch_free(struct watch *watch);

/* The last state seen of the token of that name; TOKEN_DOWN when none was. `*out` may be NULL. */
enum token_state watch_state(struct watch *watch, const char *name, struct token_status *out);
/* The guard of the clock; lives as long as the watch. */
struct clock_guard *watch_clock(struct watch *watch);
/* A request found the token out of reach: says so until the next look. */
void watch_mark_down(struct watch *watch, const char *name, const char *detail);

#endif
