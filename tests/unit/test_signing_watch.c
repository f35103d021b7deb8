/* SPDX-License-Identifier: Apache-2.0
 * What the look at the tokens sees, and how soon. */
#include "signing/watch.h"

#include "base/clock.h"
#include "check.h"
#include "instance.h"

#include <poll.h>

static int setup(void **state)
{
    static struct instance instance;
    instance_init(&instance, "[\"*\"]", "[operator]");
    *state = &instance;
    return 0;
}

static int teardown(void **state)
{
    instance_fini(*state);
    return 0;
}

static void each_state_is_seen(void **state)
{
    struct instance *instance = *state;
    static const enum token_state states[] = {TOKEN_LOCKED, TOKEN_ABSENT, TOKEN_DOWN, TOKEN_READY};
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        instance->tokens[1].state = states[i];
        instance_wait_state(instance, "hsm-b", states[i]);
        assert_int_equal(watch_state(instance->watch, "hsm-a", NULL), TOKEN_READY);
    }
}

static void a_token_that_does_not_answer_is_down_with_the_reason(void **state)
{
    struct instance *instance = *state;
    struct token_status status;
    instance->tokens[0].state = TOKEN_DOWN;
    instance_wait_state(instance, "hsm-a", TOKEN_DOWN);
    (void)watch_state(instance->watch, "hsm-a", &status);
    assert_string_equal(status.detail, "the double does not answer");
}

static void what_a_request_found_is_known_at_once_and_mended_by_the_next_look(void **state)
{
    struct instance *instance = *state;
    struct token_status status;
    watch_mark_down(instance->watch, "hsm-a", "it hung up");
    (void)watch_state(instance->watch, "hsm-a", &status);
    assert_true(status.state == TOKEN_READY || strcmp(status.detail, "it hung up") == 0);
    instance_wait_state(instance, "hsm-a", TOKEN_READY);
}

/* Otherwise every reload would refuse what comes until the next look. */
static void a_reload_forgets_nothing(void **state)
{
    struct instance *instance = *state;
    struct reason why = {0};
    for (int i = 0; i < 50; i++) {
        assert_done(custody_reload(instance->custody, &why), why);
        watch_mark_down(instance->watch, "hsm-b",
                        "wakes the thread, so that it follows the reload");
        assert_int_equal(watch_state(instance->watch, "hsm-a", NULL), TOKEN_READY);
    }
    instance_wait_state(instance, "hsm-b", TOKEN_READY);
}

static void an_unknown_token_is_down(void **state)
{
    struct instance *instance = *state;
    struct token_status status;
    assert_int_equal(watch_state(instance->watch, "hsm-z", &status), TOKEN_DOWN);
    watch_mark_down(instance->watch, "hsm-z", "no such");
    watch_free(NULL);
}

/* Nobody asks for a signature, and the status still knows. */
static void a_clock_that_jumps_is_seen_by_the_next_look(void **state)
{
    struct instance *instance = *state;
    struct clock_guard *clock = watch_clock(instance->watch);
    const int64_t base = clock->base;
    assert_true(clock_guard_is_trusted(clock));
    clock->base = base - 3600;
    struct deadline end = deadline_in_ms(20000);
    while (clock_guard_is_trusted(clock) && !deadline_passed(end)) {
        (void)poll(NULL, 0, 2);
    }
    assert_false(clock_guard_is_trusted(clock));
    clock->base = base;
    while (!clock_guard_is_trusted(clock) && !deadline_passed(end)) {
        (void)poll(NULL, 0, 2);
    }
    assert_true(clock_guard_is_trusted(clock));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_state_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_that_does_not_answer_is_down_with_the_reason, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            what_a_request_found_is_known_at_once_and_mended_by_the_next_look, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reload_forgets_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_token_is_down, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_jumps_is_seen_by_the_next_look, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
