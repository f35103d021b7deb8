/* SPDX-License-Identifier: Apache-2.0
 * What administrators may do while there is no log. */
#include "audit_faults.h"
#include "custody/clock.h"

static int setup(void **state)
{
    *state = disk_instance("[operator, custodian]");
    return 0;
}

static void without_a_log_nothing_is_changed(void **state)
{
    static const enum custody_verb verbs[] = {
        CUSTODY_RELOAD,          CUSTODY_KEY_GENERATE,  CUSTODY_TOKEN_UNLOCK,
        CUSTODY_KEY_CSR,         CUSTODY_KEY_IMPORT,    CUSTODY_KEY_PUBLISH,
        CUSTODY_KEY_ACTIVATE,    CUSTODY_KEY_RETIRE,    CUSTODY_KEY_RESUME,
        CUSTODY_KEY_DESTROY,     CUSTODY_CLOCK_CONFIRM, CUSTODY_PLAN_WITHDRAW,
        CUSTODY_ROTATION_APPLY,  CUSTODY_KEY_SEEN,      CUSTODY_KEY_BACKUP_RECORDED,
        CUSTODY_ROTATION_CANCEL,
    };
    struct instance *instance = *state;
    make_key(instance, "{\"role\":\"seal\"}");
    disk_break(instance);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        refuse_verb(instance, verbs[i], "{\"key\":\"x\",\"role\":\"seal\",\"token\":\"hsm-a\"}",
                    OUTCOME_AUDIT, WHY_NOT);
    }
    assert_int_equal(instance->tokens[0].unlocks, 0);
    expect_state(instance, 0, KEY_ACTIVE);
    disk_mend(instance);
}

/* Stopping a key must not wait for a disk. */
static void without_a_log_keys_are_stopped_all_the_same(void **state)
{
    struct instance *instance = *state;
    char arguments[200];
    make_key(instance, "{\"role\":\"seal-ec\"}");
    disk_break(instance);
    json_decref(do_verb(instance, CUSTODY_KEY_SUSPEND, with_key(0, instance, arguments)));
    json_decref(do_verb(instance, CUSTODY_KEY_COMPROMISED, with_key(1, instance, arguments)));
    expect_state(instance, 0, KEY_SUSPENDED);
    expect_state(instance, 1, KEY_COMPROMISED);
    refuse_verb(instance, CUSTODY_KEY_RESUME, with_key(0, instance, arguments), OUTCOME_AUDIT,
                WHY_NOT);
    disk_mend(instance);
    json_decref(do_verb(instance, CUSTODY_KEY_RESUME, with_key(0, instance, arguments)));
    expect_state(instance, 0, KEY_PUBLISHED);
}

/* Who looks why nothing is signed gets an answer. */
static void without_a_log_reading_goes_on(void **state)
{
    struct instance *instance = *state;
    disk_break(instance);
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    expect_text(status, "audit", "failed");
    expect_text(status, "status", "unready");
    json_decref(do_verb(instance, CUSTODY_KEY_LIST, "{}"));
    disk_mend(instance);
}

static uint64_t generation_of(struct instance *instance)
{
    struct view *view = view_cell_get(instance->views);
    uint64_t generation = view->policy->generation;
    view_unref(view);
    return generation;
}

static void without_a_log_commands_that_are_not_permitted_are_counted(void **state)
{
    struct instance *instance = *state;
    const struct caller nobody = {.uid = 65534, .gid = 65534, .pid = 77};
    disk_break(instance);
    uint64_t lost = audit_status_of(instance).unrecorded;
    for (int i = 0; i < 3; i++) {
        struct reason why = {0};
        BUFFER_CLEANUP struct buffer result = BUFFER_INIT(CUSTODY_RESULT_MAX);
        assert_refused(instance_ask_as(instance, &nobody, CUSTODY_KEY_SUSPEND, "{}", &result, &why),
                       OUTCOME_NOT_GRANTED, why, "uid 65534 may not: key suspend");
    }
    assert_int_equal(audit_status_of(instance).unrecorded, lost + 3);
    disk_mend(instance);
}

/* SIGHUP asks nobody's leave, and is refused as well. */
static void without_a_log_nothing_is_put_in_force(void **state)
{
    struct instance *instance = *state;
    struct reason why = {0};
    disk_break(instance);
    assert_refused(custody_reload(instance->custody, &why), OUTCOME_AUDIT, why, WHY_NOT);
    assert_int_equal(generation_of(instance), 1);
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    const json_t *reload = json_object_get(status, "reload");
    assert_true(json_is_true(json_object_get(reload, "refused")));
    assert_non_null(strstr(text_of(reload, "detail"), WHY_NOT));
    disk_mend(instance);
    assert_done(custody_reload(instance->custody, &why), why);
    assert_int_equal(generation_of(instance), 2);
}

/* A record that comes late is not the last word. */
static void a_reload_that_waited_too_long_is_taken_back(void **state)
{
    struct instance *instance = *state;
    struct reason why = {0};
    uint64_t before = audit_mark(instance);
    atomic_store(&disk_hangs, true);
    enum outcome outcome = custody_reload(instance->custody, &why);
    atomic_store(&disk_hangs, false);
    assert_refused(outcome, OUTCOME_AUDIT, why,
                   "the audit record was not on the disk before the deadline");
    assert_int_equal(generation_of(instance), 1);
    JSON_CLEANUP json_t *records = audit_records(instance, before, "policy");
    assert_int_equal(json_array_size(records), 2);
    assert_int_equal(number_of(json_array_get(records, 0), "generation"), 2);
    assert_int_equal(number_of(json_array_get(records, 1), "generation"), 1);
}

static void after_a_fault_what_is_in_force_is_recorded_once_more(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    (void)custody_clock_step(instance->custody, clock_wall_s());
    JSON_CLEANUP json_t *none = audit_records(instance, before, "policy");
    assert_int_equal(json_array_size(none), 0);
    for (int fault = 1; fault <= 2; fault++) {
        disk_break(instance);
        (void)custody_clock_step(instance->custody, clock_wall_s());
        disk_mend(instance);
        before = audit_mark(instance);
        (void)custody_clock_step(instance->custody, clock_wall_s());
        (void)custody_clock_step(instance->custody, clock_wall_s());
        JSON_CLEANUP json_t *policy = audit_record(instance, before, "policy");
        expect_members(policy, "seq prev time kind configuration_sha256 profiles "
                               "keyring_generation generation");
        assert_int_equal(number_of(policy, "generation"), 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, disk_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_log_nothing_is_changed),
        TEST(without_a_log_keys_are_stopped_all_the_same),
        TEST(without_a_log_reading_goes_on),
        TEST(without_a_log_commands_that_are_not_permitted_are_counted),
        TEST(without_a_log_nothing_is_put_in_force),
        TEST(a_reload_that_waited_too_long_is_taken_back),
        TEST(after_a_fault_what_is_in_force_is_recorded_once_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
