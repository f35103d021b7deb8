/* SPDX-License-Identifier: Apache-2.0
 * Deadlines of calls into the module. */
#include "token/guard.h"

#include "base/clock.h"

#include <stdlib.h>

bool guard_init(struct guard *guard, unsigned int places)
{
    size_t size = places * sizeof(struct guard_place);
    *guard = (struct guard){
        .places = aligned_alloc(_Alignof(struct guard_place), size),
        .n = places,
    };
    for (unsigned int i = 0; guard->places != NULL && i < places; i++) {
        atomic_init(&guard->places[i].until_us, 0);
    }
    return guard->places != NULL;
}

void guard_fini(struct guard *guard)
{
    free(guard->places);
    *guard = (struct guard){0};
}

void guard_enter(struct guard *guard, unsigned int place, int64_t ms)
{
    atomic_store_explicit(&guard->places[place].until_us, deadline_in_ms(ms).at_us,
                          memory_order_relaxed);
}

void guard_leave(struct guard *guard, unsigned int place)
{
    atomic_store_explicit(&guard->places[place].until_us, 0, memory_order_relaxed);
}

bool guard_overrun(const struct guard *guard, unsigned int *place)
{
    int64_t now = clock_monotonic_us();
    for (unsigned int i = 0; i < guard->n; i++) {
        int64_t until = atomic_load_explicit(&guard->places[i].until_us, memory_order_relaxed);
        if (until != 0 && now > until) {
            *place = i;
            return true;
        }
    }
    return false;
}
