/* SPDX-License-Identifier: Apache-2.0
 * Lines about ends: one when something begins, however often it is looked at. */
#include "signing/key_end_log.h"

#include "check.h"
#include "instance.h"

#include "base/clock.h"

enum { DAY_S = 86400 };

static int setup(void **state)
{
    static struct instance instance;
    instance_init(&instance, "[\"*\"]", "[custodian]");
    instance_make_keys(&instance);
    *state = &instance;
    return 0;
}

static int teardown(void **state)
{
    instance_fini(*state);
    return 0;
}

static void reload(struct instance *instance, const char *more)
{
    struct reason why = {0};
    instance->seal_ec_more = more;
    instance_configure(instance, "[\"*\"]", "[custodian]");
    assert_done(custody_reload(instance->custody, &why), why);
}

/* Of the view that is current. */
static size_t look(struct key_end_log *log, struct instance *instance, int64_t now)
{
    struct view *view = view_cell_get(instance->views);
    size_t lines = key_end_log_look(log, view, now);
    view_unref(view);
    return lines;
}

static void each_level_of_each_key_is_said_once(void **state)
{
    struct instance *instance = *state;
    struct key_end_log log = {0};
    int64_t now = clock_wall_s();
    log_set_level(LOG_LEVEL_ERROR);
    reload(instance, ", cryptoperiod_days: 100, warn_days: 10");
    assert_int_equal(look(&log, instance, now), 0);
    assert_int_equal(look(&log, instance, now + 89 * DAY_S), 0);
    assert_int_equal(look(&log, instance, now + 91 * DAY_S), 2); /* on each of two tokens */
    for (int i = 0; i < 100; i++) {
        assert_int_equal(look(&log, instance, now + 91 * DAY_S + i), 0);
    }
    /* Another view of the same keys. */
    reload(instance, ", cryptoperiod_days: 100, warn_days: 11");
    assert_int_equal(look(&log, instance, now + 92 * DAY_S), 0);
    assert_int_equal(look(&log, instance, now + 101 * DAY_S), 2);
    assert_int_equal(look(&log, instance, now + 102 * DAY_S), 0);
    key_end_log_fini(&log);
}

static void what_a_start_or_a_reload_finds_is_said(void **state)
{
    struct instance *instance = *state;
    struct key_end_log log = {0};
    int64_t now = clock_wall_s();
    log_set_level(LOG_LEVEL_ERROR);
    reload(instance, ", cryptoperiod_days: 20");
    assert_int_equal(look(&log, instance, now), 2);
    reload(instance, ", cryptoperiod_days: 90");
    assert_int_equal(look(&log, instance, now + 1), 0);
    reload(instance, ", cryptoperiod_days: 20");
    assert_int_equal(look(&log, instance, now + 2), 2);
    key_end_log_fini(&log);
}

static void the_first_look_says_all(void **state)
{
    struct instance *instance = *state;
    struct key_end_log log = {0};
    log_set_level(LOG_LEVEL_ERROR);
    reload(instance, ", cryptoperiod_days: 1");
    assert_int_equal(look(&log, instance, clock_wall_s() + 5 * DAY_S), 2);
    assert_int_equal(look(&log, instance, clock_wall_s() + 5 * DAY_S), 0);
    key_end_log_fini(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_level_of_each_key_is_said_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_start_or_a_reload_finds_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_look_says_all, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
