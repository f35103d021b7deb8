/* SPDX-License-Identifier: Apache-2.0
 * Deadlines of calls into the module. A hung call cannot be cancelled from inside its process, so
 * each thread writes down by when it must be back, and a watchdog thread, which never enters the
 * module, ends the process when one is not. */
#ifndef QSEAL_TOKEN_GUARD_H
#define QSEAL_TOKEN_GUARD_H

#include "base/attributes.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One thread's place; 0: it is not inside the module. */
struct guard_place {
    _Alignas(64) atomic_int_least64_t until_us;
};

struct guard {
    struct guard_place *places; /* owned */
    unsigned int n;
};

bool guard_init(struct guard *guard, unsigned int places) MUST_USE;
void guard_fini(struct guard *guard);

void guard_enter(struct guard *guard, unsigned int place, int64_t ms);
void guard_leave(struct guard *guard, unsigned int place);
/* Whether a thread is overdue, and which. */
bool guard_overrun(const struct guard *guard, unsigned int *place) MUST_USE;

#endif
