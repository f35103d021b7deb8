/* SPDX-License-Identifier: Apache-2.0
 * Counting refusals. */
#include "audit/flood.h"

#include <string.h>

static bool is_same(const struct flood_kind *a, const struct flood_kind *b)
{
    return a->second != 0 && a->caller.uid == b->caller.uid && a->outcome == b->outcome &&
           strcmp(a->operation, b->operation) == 0;
}

/* One that may be taken: nothing of it is left to be said. */
static bool is_free(const struct flood_kind *kind, int64_t second)
{
    return kind->second == 0 || (kind->second < second && kind->counted == 0);
}

static struct flood_kind *place_for(struct flood *flood, const struct flood_kind *kind,
                                    int64_t second)
{
    struct flood_kind *free_place = NULL;
    for (size_t i = 0; i < FLOOD_KINDS; i++) {
        if (is_same(&flood->kinds[i], kind)) {
            return &flood->kinds[i];
        }
        if (free_place == NULL && is_free(&flood->kinds[i], second)) {
            free_place = &flood->kinds[i];
        }
    }
    if (free_place != NULL) {
        *free_place = *kind;
        free_place->second = second;
        free_place->seen = 0;
        free_place->counted = 0;
    }
    return free_place;
}

bool flood_allows(struct flood *flood, const struct flood_kind *kind, int64_t second)
{
    struct flood_kind *place = place_for(flood, kind, second);
    if (place == NULL) {
        return true; /* more kinds at once than this: they are all recorded */
    }
    if (place->second != second && place->counted == 0) {
        place->second = second;
        place->seen = 0;
    }
    place->caller = kind->caller;
    place->caller.groups = NULL;
    /* What was counted and is not said yet keeps its second open: one more count. */
    if (place->second == second && place->seen++ < FLOOD_FREE) {
        return true;
    }
    place->counted++;
    return false;
}

bool flood_take(struct flood *flood, int64_t second, struct flood_kind *out)
{
    for (size_t i = 0; second > flood->looked && i < FLOOD_KINDS; i++) {
        struct flood_kind *kind = &flood->kinds[i];
        if (kind->second != 0 && kind->second < second && kind->counted > 0) {
            *out = *kind;
            kind->second = 0;
            return true;
        }
    }
    flood->looked = second;
    return false;
}
