/* SPDX-License-Identifier: Apache-2.0
 * Deadlines of calls into the module. */
#include "check.h"

#include "token/guard.h"

static void test_overrun(void **state)
{
    (void)state;
    struct guard guard;
    unsigned int place = 99;
    assert_true(guard_init(&guard, 3));
    assert_false(guard_overrun(&guard, &place));
    guard_enter(&guard, 0, 60000);
    assert_false(guard_overrun(&guard, &place));
    guard_enter(&guard, 2, -1);
    assert_true(guard_overrun(&guard, &place));
    assert_int_equal(place, 2);
    guard_leave(&guard, 2);
    assert_false(guard_overrun(&guard, &place));
    guard_leave(&guard, 0);
    guard_fini(&guard);
    guard_fini(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_overrun)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
