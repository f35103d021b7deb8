/* SPDX-License-Identifier: Apache-2.0
 * Who may say that the clock is right, and what is said of the jump. */
#include "check.h"
#include "custody_support.h"

#include "base/utc.h"

#include <stdio.h>

static int setup(void **state)
{
    static struct instance instance;
    instance_init(&instance, "[\"*\"]", "[custodian]");
    *state = &instance;
    return 0;
}

static int teardown(void **state)
{
    instance_fini(*state);
    return 0;
}

static void rights(struct instance *instance, const char *list)
{
    struct reason why = {0};
    instance_configure(instance, "[\"*\"]", list);
    assert_done(custody_reload(instance->custody, &why), why);
}

static void a_jump_is_accepted_with_where_from_and_where_to(void **state)
{
    struct instance *instance = *state;
    static const char *const may[] = {"[custodian]", "[operator]"};
    static const int64_t jumps[] = {3600, -7200};
    for (size_t i = 0; i < COUNT_OF(may); i++) {
        int64_t from = 0;
        int64_t to = 0;
        rights(instance, may[i]);
        instance_jump(instance, jumps[i]);
        assert_false(clock_guard_is_trusted(watch_clock(instance->watch)));
        JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_CLOCK_CONFIRM, "{}");
        assert_true(utc_read(span_of_text(text_of(result, "from")), &from));
        assert_true(utc_read(span_of_text(text_of(result, "to")), &to));
        assert_int_equal(to - from, json_integer_value(json_object_get(result, "seconds")));
        assert_in_range(to - from + 10000, jumps[i] + 10000 - 1, jumps[i] + 10000 + 1);
        assert_true(clock_guard_is_trusted(watch_clock(instance->watch)));
    }
}

/* A change bears the time of its making; what stops a key does not wait. */
static void keys_are_not_changed_by_a_clock_that_is_not_believed(void **state)
{
    static const struct {
        enum custody_verb verb;
        const char *arguments;
    } dated[] = {
        {CUSTODY_KEY_GENERATE, "{\"role\":\"seal\"}"}, {CUSTODY_KEY_IMPORT, "{\"role\":\"seal\"}"},
        {CUSTODY_KEY_PUBLISH, "{\"key\":\"seal\"}"},   {CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal\"}"},
        {CUSTODY_KEY_RETIRE, "{\"key\":\"seal\"}"},    {CUSTODY_KEY_RESUME, "{\"key\":\"seal\"}"},
        {CUSTODY_KEY_DESTROY, "{\"key\":\"seal\"}"},
    };
    struct instance *instance = *state;
    char arguments[100];
    instance_make_keys(instance);
    struct public_key *key = pinned(instance, "seal", "hsm-a");
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\"}", public_key_thumbprint(key));
    instance_jump(instance, 3600);
    for (size_t i = 0; i < COUNT_OF(dated); i++) {
        refuse_verb(instance, dated[i].verb, dated[i].arguments, OUTCOME_CLOCK,
                    "the clock has jumped, and this change would bear its time: confirm it first "
                    "(qsealctl clock confirm)");
    }
    json_decref(do_verb(instance, CUSTODY_KEY_SUSPEND, arguments));
    json_decref(do_verb(instance, CUSTODY_KEY_COMPROMISED, arguments));
    json_decref(do_verb(instance, CUSTODY_KEY_LIST, "{}"));
    instance_jump(instance, 0);
    json_decref(do_verb(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal\"}"));
    public_key_free(key);
}

static void others_may_not(void **state)
{
    struct instance *instance = *state;
    rights(instance, "[auditor]");
    instance_jump(instance, 3600);
    refuse_verb(instance, CUSTODY_CLOCK_CONFIRM, "{}", OUTCOME_NOT_GRANTED,
                "may not: clock confirm");
    assert_false(clock_guard_is_trusted(watch_clock(instance->watch)));
}

static void without_a_jump_there_is_nothing_to_confirm(void **state)
{
    refuse_verb(*state, CUSTODY_CLOCK_CONFIRM, "{}", OUTCOME_RULE,
                "the clock has not jumped by more than limits/clock_jump_s: there is nothing to "
                "confirm");
    refuse_verb(*state, CUSTODY_CLOCK_CONFIRM, "{\"at\":\"now\"}", OUTCOME_MALFORMED,
                "an argument is unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_jump_is_accepted_with_where_from_and_where_to, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(keys_are_not_changed_by_a_clock_that_is_not_believed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(others_may_not, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_jump_there_is_nothing_to_confirm, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
