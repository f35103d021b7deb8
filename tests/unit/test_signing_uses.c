/* SPDX-License-Identifier: Apache-2.0
 * The counts of a checkpoint leave it the time for its signature. */
#include "signing/uses.h"

#include "custody_support.h"

enum { DEADLINE_MS = 4000, COUNT = 7 };

static int setup(void **state)
{
    static struct instance instance;
    instance_init(&instance, "[\"*\"]", "[operator, custodian]");
    instance_make_keys(&instance); /* on hsm-a two, on hsm-b one */
    for (size_t i = 0; i < INSTANCE_TOKENS; i++) {
        instance.tokens[i].shows = (struct token_key){.signatures = COUNT, .started = 1};
    }
    *state = &instance;
    return 0;
}

static int teardown(void **state)
{
    instance_fini(*state);
    return 0;
}

/* The time that is left after it. */
static int64_t take(struct instance *instance, struct checkpoint *out)
{
    struct deadline deadline = deadline_in_ms(DEADLINE_MS);
    struct view *view = view_cell_get(instance->views);
    *out = (struct checkpoint){.n_uses = 0};
    uses_take(view, instance->watch, deadline, out);
    view_unref(view);
    return deadline_left_us(deadline);
}

static void every_room_that_answers_has_its_counts(void **state)
{
    static struct checkpoint found;
    assert_true(take(*state, &found) > 0);
    assert_int_equal(found.n_uses, 3);
}

static void a_slow_room_takes_the_time_of_no_other(void **state)
{
    static struct checkpoint found;
    struct instance *instance = *state;
    instance->tokens[0].shows_late = true;
    assert_true(take(instance, &found) > 0);
    assert_int_equal(found.n_uses, 1);
    assert_string_equal(found.uses[0].token, "hsm-b");
    assert_int_equal(found.uses[0].count, COUNT);
}

static void slow_rooms_leave_the_time_for_the_signature(void **state)
{
    static struct checkpoint found;
    struct instance *instance = *state;
    instance->tokens[0].shows_late = instance->tokens[1].shows_late = true;
    assert_true(take(instance, &found) > 0);
    assert_int_equal(found.n_uses, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_room_that_answers_has_its_counts),
        TEST(a_slow_room_takes_the_time_of_no_other),
        TEST(slow_rooms_leave_the_time_for_the_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
