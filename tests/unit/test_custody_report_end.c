/* SPDX-License-Identifier: Apache-2.0
 * What administrators read about the ends of keys and the clock. */
#include "custody/report_end.h"

#include "custody/report.h"

#include "custody_support.h"

static int setup(void **state)
{
    static struct instance instance;
    instance_init_audited(&instance, "[\"*\"]", "[custodian]");
    *state = &instance;
    return 0;
}

static int teardown(void **state)
{
    instance_fini(*state);
    return 0;
}

static void the_ends_of_keys_are_warned_of(void **state)
{
    enum { DAY_S = 86400 };
    struct instance *instance = *state;
    struct reason why = {0};
    instance_make_keys(instance);
    instance->seal_ec_more = ", cryptoperiod_days: 100, warn_days: 10";
    instance_configure(instance, "[\"*\"]", "[custodian]");
    assert_done(custody_reload(instance->custody, &why), why);
    instance_age_keys(instance, 89 * DAY_S);
    JSON_CLEANUP json_t *far = do_verb(instance, CUSTODY_STATUS, "{}");
    assert_int_equal(json_array_size(json_object_get(far, "warnings")), 0);
    instance_age_keys(instance, 2 * DAY_S - 3600);
    JSON_CLEANUP json_t *near = do_verb(instance, CUSTODY_STATUS, "{}");
    const json_t *warnings = json_object_get(near, "warnings");
    assert_int_equal(json_array_size(warnings), 2);
    const json_t *first = json_array_get(warnings, 0);
    assert_string_equal(text_of(first, "role"), "seal-ec");
    assert_string_equal(text_of(first, "token"), "hsm-a");
    assert_string_equal(text_of(first, "what"), "cryptoperiod");
    assert_int_equal(strlen(text_of(first, "kid")), THUMBPRINT_LEN);
    assert_int_equal(strlen(text_of(first, "ends")), strlen("2026-01-01T00:00:00Z"));
    assert_non_null(strstr(text_of(first, "detail"), "its cryptoperiod ends at "));
    assert_non_null(
        strstr(text_of(first, "detail"), ", in 9 days; a custodian activates another key"));
    instance_age_keys(instance, 10 * DAY_S);
    JSON_CLEANUP json_t *past = do_verb(instance, CUSTODY_STATUS, "{}");
    first = json_array_get(json_object_get(past, "warnings"), 0);
    assert_non_null(strstr(text_of(first, "detail"), ", and the key signs on; "));

    JSON_CLEANUP json_t *list = do_verb(instance, CUSTODY_KEY_LIST, "{}");
    const json_t *keys = json_object_get(list, "keys");
    const json_t *ends = json_object_get(json_array_get(keys, 1), "ends");
    assert_string_equal(text_of(ends, "cryptoperiod"), text_of(first, "ends"));
    assert_int_equal(json_object_size(json_object_get(json_array_get(keys, 0), "ends")), 0);
}

static void status_says_what_the_clock_did(void **state)
{
    struct instance *instance = *state;
    JSON_CLEANUP json_t *calm = do_verb(instance, CUSTODY_STATUS, "{}");
    assert_true(json_is_true(json_object_get(json_object_get(calm, "clock"), "trusted")));
    instance->seal_ec_more = ", cryptoperiod_days: 1, warn_days: 10";
    struct reason why = {0};
    instance_make_keys(instance);
    instance_configure(instance, "[\"*\"]", "[custodian]");
    assert_done(custody_reload(instance->custody, &why), why);
    instance_jump(instance, 86400);
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    const json_t *clock = json_object_get(status, "clock");
    assert_true(json_is_false(json_object_get(clock, "trusted")));
    assert_string_not_equal(text_of(clock, "from"), text_of(clock, "to"));
    assert_string_equal(text_of(status, "status"), "unready");
    assert_int_equal(json_array_size(json_object_get(status, "warnings")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_ends_of_keys_are_warned_of, setup, teardown),
        cmocka_unit_test_setup_teardown(status_says_what_the_clock_did, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
