/* SPDX-License-Identifier: Apache-2.0
 * Whether the wall clock is to be believed. It is compared with the time since boot
 * (CLOCK_BOOTTIME, which nobody can set): where it has jumped against that by more than a limit,
 * nothing is signed until a person confirms the new time, or it is back. At the start, when there
 * is nothing to compare with, it must not be earlier than what the keyring has seen.
 *
 * Wall and boot seconds come as arguments, so that the rules can be tested. Thread-safe. */
#ifndef QSEAL_SIGNING_CLOCK_GUARD_H
#define QSEAL_SIGNING_CLOCK_GUARD_H

#include "base/attributes.h"
#include "model/outcome.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct clock_guard {
    pthread_mutex_t lock; /* held by whoever changes what is below */
    atomic_bool trusted;
    _Atomic int64_t base;    /* wall minus boot, as believed */
    _Atomic int64_t limit_s; /* 0: every clock is believed */
    _Atomic int64_t latest;  /* the last time given out */
    bool starting;           /* not believed since the start: there is no base yet */
    int64_t known;           /* the newest time in the keyring at the start */
};

/* What a confirmation accepts: the time that was expected, and the one that is. */
struct clock_jump {
    int64_t from; /* wall seconds, as below */
    int64_t to;
};

/* `known`: a time that was once, 0 for none. */
void clock_guard_init(struct clock_guard *guard, int64_t limit_s, int64_t known, int64_t wall_s,
                      int64_t boot_s);
void clock_guard_fini(struct clock_guard *guard);
/* Follows a reload. */
void clock_guard_set_limit(struct clock_guard *guard, int64_t limit_s);

/* To be called once a second; says in the log when the clock is believed no more, or again. */
void clock_guard_look(struct clock_guard *guard, int64_t wall_s, int64_t boot_s);
/* As of the last look. */
bool clock_guard_is_trusted(struct clock_guard *guard);
/* The time for claims: it never goes back, unless by a confirmed jump. OUTCOME_CLOCK while the
 * clock is not believed, also of a jump since the last look. */
enum outcome clock_guard_take(struct clock_guard *guard, int64_t wall_s, int64_t boot_s,
                              int64_t *now, struct reason *why) MUST_USE;
/* What the clock did; false when it is believed. */
bool clock_guard_jump(struct clock_guard *guard, int64_t wall_s, int64_t boot_s,
                      struct clock_jump *out) MUST_USE;
/* The clock is right as it is: OUTCOME_RULE when it is believed anyway. */
enum outcome clock_guard_confirm(struct clock_guard *guard, int64_t wall_s, int64_t boot_s,
                                 struct clock_jump *out, struct reason *why) MUST_USE;

#endif
