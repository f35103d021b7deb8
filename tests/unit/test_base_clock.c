/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "check.h"

#include <limits.h>
#include <time.h>

static void wall_time_is_the_system_s(void **state)
{
    (void)state;
    int64_t before = time(NULL);
    int64_t now = clock_wall_s();
    assert_true(now >= before - 1 && now <= before + 2);
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    int64_t last = clock_monotonic_us();
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_monotonic_us();
        assert_true(now >= last);
        last = now;
    }
    int64_t ms = clock_monotonic_ms();
    assert_true(ms >= last / 1000);
}

static void the_boot_clock_goes_with_the_monotonic_one_or_is_ahead(void **state)
{
    (void)state;
    int64_t boot = clock_boot_s();
    assert_true(boot >= clock_monotonic_ms() / 1000 - 1); /* it counts while the host sleeps */
    assert_true(clock_boot_s() >= boot);
}

static void a_deadline_runs_down(void **state)
{
    (void)state;
    struct deadline deadline = deadline_in_ms(5000);
    int64_t left = deadline_left_us(deadline);
    assert_true(left > 4000000 && left <= 5000000);
    assert_false(deadline_passed(deadline));
    assert_true(deadline_left_us(deadline) <= left);
    int ms = deadline_left_ms(deadline);
    assert_true(ms > 4000 && ms <= 5000);
}

static void a_passed_deadline_has_nothing_left(void **state)
{
    (void)state;
    struct deadline deadline = deadline_in_ms(-1);
    assert_true(deadline_passed(deadline));
    assert_int_equal(deadline_left_us(deadline), 0);
    assert_int_equal(deadline_left_ms(deadline), 0);
    struct deadline soon = {.at_us = clock_monotonic_us() + 300};
    while (!deadline_passed(soon)) { /* ends by itself within 300 µs */
    }
    assert_int_equal(deadline_left_us(soon), 0);
}

/* poll(2) must not be given 0 while there is time left, or a wait becomes a loop. */
static void part_of_a_millisecond_is_rounded_up(void **state)
{
    (void)state;
    struct deadline deadline = {.at_us = clock_monotonic_us() + 1000000 + 1};
    int64_t left_us = deadline_left_us(deadline);
    assert_true((int64_t)deadline_left_ms(deadline) * 1000 >= left_us - 1000);
    struct deadline far = deadline_in_ms((int64_t)INT_MAX * 10);
    assert_int_equal(deadline_left_ms(far), INT_MAX);
}

static void a_deadline_is_a_time_of_the_monotonic_clock(void **state)
{
    (void)state;
    const struct timespec whole = deadline_timespec((struct deadline){.at_us = 5000000});
    assert_int_equal(whole.tv_sec, 5);
    assert_int_equal(whole.tv_nsec, 0);
    const struct timespec part = deadline_timespec((struct deadline){.at_us = 7999999});
    assert_int_equal(part.tv_sec, 7);
    assert_int_equal(part.tv_nsec, 999999000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_time_is_the_system_s),
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
        cmocka_unit_test(the_boot_clock_goes_with_the_monotonic_one_or_is_ahead),
        cmocka_unit_test(a_deadline_runs_down),
        cmocka_unit_test(a_passed_deadline_has_nothing_left),
        cmocka_unit_test(part_of_a_millisecond_is_rounded_up),
        cmocka_unit_test(a_deadline_is_a_time_of_the_monotonic_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
