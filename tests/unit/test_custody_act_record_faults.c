/* SPDX-License-Identifier: Apache-2.0
 * What administrators may do while there is no log. */
#include "audit_faults.h"

static int setup(void **state)
{
    atomic_store(&disk_fault, 0);
    atomic_store(&disk_hangs, false);
    *state = audited_instance("[operator, custodian]");
    return 0;
}

static int teardown(void **state)
{
    atomic_store(&disk_fault, 0);
    transport_instance_free(*state);
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
                    OUTCOME_AUDIT,
                    "the audit log cannot be written: audit-0000000001.jsonl: writing it: No space "
                    "left on device");
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
                "the audit log cannot be written");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_log_nothing_is_changed),
        TEST(without_a_log_keys_are_stopped_all_the_same),
        TEST(without_a_log_reading_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
