/* SPDX-License-Identifier: Apache-2.0
 * Jumps of the clock, with clocks that the test holds in its hands. */
#include "signing/clock_guard.h"

#include "check.h"

enum { BOOT = 1000, WALL = 1795253400, HOUR = 3600, YEARS_10 = 315576000 };

static const char reason_text[] =
    "the clock has jumped, and nothing is signed until an "
    "administrator confirms it (qsealctl clock confirm) or it is back";

static struct clock_guard start(int64_t limit_s, int64_t known)
{
    struct clock_guard guard;
    clock_guard_init(&guard, limit_s, known, WALL, BOOT);
    return guard;
}

/* `after` seconds later the clock is off by `jump`. */
static enum outcome take(struct clock_guard *guard, int64_t after, int64_t jump, int64_t *now,
                         struct reason *why)
{
    return clock_guard_take(guard, WALL + after + jump, BOOT + after, now, why);
}

static void a_clock_that_goes_on_is_believed(void **state)
{
    (void)state;
    struct clock_guard guard = start(60, 0);
    struct reason why = {0};
    int64_t now = 0;
    for (int64_t after = 0; after < YEARS_10; after += YEARS_10 / 50) {
        assert_done(take(&guard, after, 0, &now, &why), why);
        assert_int_equal(now, WALL + after);
    }
    clock_guard_fini(&guard);
}

static void up_to_the_limit_nothing_happens(void **state)
{
    (void)state;
    static const int64_t good[] = {1, -1, 60, -60};
    static const int64_t bad[] = {61, -61, HOUR, -HOUR, YEARS_10, -YEARS_10};
    struct reason why = {0};
    int64_t now = 0;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct clock_guard guard = start(60, 0);
        assert_done(take(&guard, 10, good[i], &now, &why), why);
        clock_guard_look(&guard, WALL + 10 + good[i], BOOT + 10);
        assert_true(clock_guard_is_trusted(&guard));
        clock_guard_fini(&guard);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct clock_guard guard = start(60, 0);
        now = 4711;
        /* Not seen by any look before. */
        assert_refused(take(&guard, 10, bad[i], &now, &why), OUTCOME_CLOCK, why, reason_text);
        assert_int_equal(now, 4711);
        assert_false(clock_guard_is_trusted(&guard));
        /* And back. */
        assert_done(take(&guard, 11, 0, &now, &why), why);
        assert_int_equal(now, WALL + 11);
        assert_true(clock_guard_is_trusted(&guard));
        clock_guard_fini(&guard);
    }
}

/* Many small jumps are one large one. */
static void jumps_add_up(void **state)
{
    (void)state;
    struct clock_guard guard = start(60, 0);
    struct reason why = {0};
    int64_t now = 0;
    for (int64_t i = 0; i <= 60; i++) {
        assert_done(take(&guard, i, i, &now, &why), why);
    }
    assert_refused(take(&guard, 61, 61, &now, &why), OUTCOME_CLOCK, why, reason_text);
    clock_guard_fini(&guard);
}

static void time_for_claims_never_goes_back(void **state)
{
    (void)state;
    struct clock_guard guard = start(60, 0);
    struct reason why = {0};
    static const int64_t jumps[] = {0, 30, 29, -60, 60, -59, -1, 0};
    int64_t before = 0;
    int64_t now = 0;
    for (size_t i = 0; i < COUNT_OF(jumps); i++) {
        assert_done(take(&guard, (int64_t)i, jumps[i], &now, &why), why);
        assert_true(now >= before);
        before = now;
    }
    assert_int_equal(now, WALL + 4 + 60);
    assert_done(take(&guard, 100, 0, &now, &why), why);
    assert_int_equal(now, WALL + 100);
    clock_guard_fini(&guard);
}

static void a_time_that_is_not_believed_leaves_no_trace(void **state)
{
    (void)state;
    struct clock_guard guard = start(60, 0);
    struct reason why = {0};
    int64_t now = 0;
    assert_refused(take(&guard, 1, HOUR, &now, &why), OUTCOME_CLOCK, why, reason_text);
    assert_done(take(&guard, 2, 0, &now, &why), why);
    assert_int_equal(now, WALL + 2);
    clock_guard_fini(&guard);
}

static void a_confirmation_accepts_the_jump_and_no_other(void **state)
{
    (void)state;
    static const int64_t jumps[] = {HOUR, -HOUR, YEARS_10, -YEARS_10};
    struct reason why = {0};
    for (size_t i = 0; i < COUNT_OF(jumps); i++) {
        struct clock_guard guard = start(60, 0);
        struct clock_jump jump;
        int64_t now = 0;
        assert_refused(clock_guard_confirm(&guard, WALL, BOOT, &jump, &why), OUTCOME_RULE, why,
                       "there is nothing to confirm");
        assert_refused(take(&guard, 5, jumps[i], &now, &why), OUTCOME_CLOCK, why, reason_text);
        assert_true(clock_guard_jump(&guard, WALL + 5 + jumps[i], BOOT + 5, &jump));
        assert_int_equal(jump.from, WALL + 5);
        assert_done(clock_guard_confirm(&guard, WALL + 6 + jumps[i], BOOT + 6, &jump, &why), why);
        assert_int_equal(jump.from, WALL + 6);
        assert_int_equal(jump.to, WALL + 6 + jumps[i]);
        assert_false(clock_guard_jump(&guard, WALL + 6 + jumps[i], BOOT + 6, &jump));
        assert_done(take(&guard, 7, jumps[i], &now, &why), why);
        assert_int_equal(now, WALL + 7 + jumps[i]);
        /* Where it was before is now a jump. */
        assert_refused(take(&guard, 8, 0, &now, &why), OUTCOME_CLOCK, why, reason_text);
        clock_guard_fini(&guard);
    }
}

static void at_the_start_the_keyring_knows_better(void **state)
{
    (void)state;
    struct reason why = {0};
    struct clock_jump jump;
    int64_t now = 0;
    struct clock_guard guard = start(60, WALL + 60);
    assert_done(take(&guard, 0, 0, &now, &why), why);
    clock_guard_fini(&guard);

    guard = start(60, WALL + HOUR);
    assert_false(clock_guard_is_trusted(&guard));
    assert_refused(take(&guard, 1, 0, &now, &why), OUTCOME_CLOCK, why, reason_text);
    assert_true(clock_guard_jump(&guard, WALL + 1, BOOT + 1, &jump));
    assert_int_equal(jump.from, WALL + HOUR);
    assert_int_equal(jump.to, WALL + 1);
    /* Set right by a time server, it is as at a start. */
    assert_done(take(&guard, 2, 2 * HOUR, &now, &why), why);
    assert_int_equal(now, WALL + 2 + 2 * HOUR);
    assert_refused(take(&guard, 3, 3 * HOUR, &now, &why), OUTCOME_CLOCK, why, reason_text);
    clock_guard_fini(&guard);

    guard = start(60, WALL + HOUR);
    assert_done(clock_guard_confirm(&guard, WALL + 1, BOOT + 1, &jump, &why), why);
    assert_done(take(&guard, 2, 0, &now, &why), why);
    assert_int_equal(now, WALL + 2);
    clock_guard_fini(&guard);
}

static void without_a_limit_every_clock_is_believed(void **state)
{
    (void)state;
    struct reason why = {0};
    struct clock_guard guard = start(0, WALL + YEARS_10);
    int64_t now = 0;
    assert_done(take(&guard, 0, 0, &now, &why), why);
    assert_done(take(&guard, 1, YEARS_10, &now, &why), why);
    assert_int_equal(now, WALL + 1 + YEARS_10);
    assert_done(take(&guard, 2, 0, &now, &why), why); /* nobody waits ten years for it */
    assert_int_equal(now, WALL + 2);
    assert_done(take(&guard, 3, -60, &now, &why), why);
    assert_int_equal(now, WALL + 2);
    /* A reload brings one. */
    clock_guard_set_limit(&guard, 60);
    assert_refused(take(&guard, 4, 61, &now, &why), OUTCOME_CLOCK, why, reason_text);
    clock_guard_fini(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_goes_on_is_believed),
        cmocka_unit_test(up_to_the_limit_nothing_happens),
        cmocka_unit_test(jumps_add_up),
        cmocka_unit_test(time_for_claims_never_goes_back),
        cmocka_unit_test(a_time_that_is_not_believed_leaves_no_trace),
        cmocka_unit_test(a_confirmation_accepts_the_jump_and_no_other),
        cmocka_unit_test(at_the_start_the_keyring_knows_better),
        cmocka_unit_test(without_a_limit_every_clock_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
