/* SPDX-License-Identifier: Apache-2.0
 * Keys with something to come, and a clock that is what the test says. */
#ifndef QSEAL_TESTS_UNIT_SCHEDULE_SUPPORT_H
#define QSEAL_TESTS_UNIT_SCHEDULE_SUPPORT_H

#include "custody/clock.h"
#include "custody_support.h"

/* What is to come for the key in the keyring's place, by uid 4711 for the reason "yearly". */
static inline void set_schedule(struct instance *instance, size_t index, size_t n,
                                const enum key_state *states, const int64_t *at)
{
    struct view *view = view_cell_get(instance->views);
    struct keyring *next = NULL;
    struct reason why = {0};
    struct keyring_schedule schedule = {.index = index, .n = n};
    for (size_t i = 0; i < n; i++) {
        schedule.steps[i].change =
            (struct key_change){.state = states[i], .at = at[i], .by = 4711, .reason = "yearly"};
    }
    assert_done(keyring_set_schedules(view->keyring, &schedule, 1, &next, &why), why);
    assert_done(keyring_save(next, instance->keyring_path, &why), why);
    keyring_free(next);
    view_unref(view);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

static inline uint64_t generation_of(struct instance *instance)
{
    struct view *view = view_cell_get(instance->views);
    uint64_t generation = view->keyring->generation;
    view_unref(view);
    return generation;
}

/* The status has exactly this much overdue, and of the first of them this to say. */
static inline void expect_overdue(struct instance *instance, size_t n, const char *fragment)
{
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    json_t *overdue = json_at_pointer(status, "/schedule/overdue");
    assert_int_equal(json_array_size(overdue), n);
    if (n > 0) {
        const char *detail = text_of(json_array_get(overdue, 0), "detail");
        if (strstr(detail, fragment) == NULL) {
            print_error("overdue: \"%s\", want \"%s\"\n", detail, fragment);
        }
        assert_non_null(strstr(detail, fragment));
    }
}

#endif
