/* SPDX-License-Identifier: Apache-2.0
 * What the status says of the audit log, and when it warns of it. */
#include "audit_faults.h"

static int setup(void **state)
{
    *state = disk_instance("[operator]");
    return 0;
}

/* The detail of the only warning, "" when there is none; lives as long as the status. */
static const char *warning_of(const json_t *status)
{
    const json_t *warnings = json_object_get(status, "warnings");
    if (json_array_size(warnings) == 0) {
        return "";
    }
    const json_t *warning = json_array_get(warnings, 0);
    assert_int_equal(json_array_size(warnings), 1);
    expect_members(warning, "what detail");
    expect_text(warning, "what", "audit");
    return text_of(warning, "detail");
}

/* Until there is a warning, or there is none. */
static json_t *wait_warning(struct instance *instance, bool wanted)
{
    struct deadline end = deadline_in_ms(AUDIT_PATIENCE_MS);
    for (;;) {
        json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
        if ((warning_of(status)[0] != '\0') == wanted) {
            return status;
        }
        json_decref(status);
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 10);
    }
}

static void a_log_that_is_written_is_no_reason_to_warn(void **state)
{
    struct instance *instance = *state;
    uint64_t seq = audit_mark(instance);
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    const json_t *log = json_object_get(status, "audit_log");
    expect_text(status, "audit", "ok");
    expect_members(log, "chain segment records since faults unrecorded sealed unsealed_s detail "
                        "checkpoint_detail");
    assert_int_equal(number_of(log, "records"), seq);
    assert_int_equal(number_of(log, "segment"), 1);
    assert_int_equal(number_of(log, "faults"), 0);
    expect_text(log, "detail", "");
    assert_string_equal(warning_of(status), "");
}

static void a_log_that_has_failed_is_warned_of(void **state)
{
    struct instance *instance = *state;
    disk_break(instance);
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    const json_t *log = json_object_get(status, "audit_log");
    expect_text(status, "audit", "failed");
    assert_int_equal(number_of(log, "faults"), 1);
    expect_text(log, "detail", "audit-0000000002.jsonl: No space left on device");
    assert_string_equal(warning_of(status),
                        "the audit log cannot be written, and nothing is signed: "
                        "audit-0000000002.jsonl: No space left on device");
    disk_mend(instance);
    JSON_CLEANUP json_t *mended = do_verb(instance, CUSTODY_STATUS, "{}");
    assert_string_equal(warning_of(mended), "");
    assert_int_equal(number_of(json_object_get(mended, "audit_log"), "faults"), 1);
}

static void a_log_that_is_off_is_warned_of(void **state)
{
    (void)state;
    struct instance *instance = new_instance("[operator]");
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    expect_text(status, "audit", "off");
    assert_null(json_object_get(status, "audit_log"));
    assert_string_equal(warning_of(status),
                        "no audit log is kept, and nothing proves what was signed: audit/enabled "
                        "was false when qseald started");
    transport_instance_free(instance);
}

static void seal(struct instance *instance)
{
    const struct audit_rhythm rhythm = {.records = 1000000, .seconds = 86400};
    struct audit_head head;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer none = BUFFER_INIT(16);
    (void)audit_mark(instance);
    audit_ask_checkpoint(instance->audit);
    assert_true(audit_checkpoint_due(instance->audit, &rhythm, AUDIT_PATIENCE_MS, &head));
    assert_done(audit_append_checkpoint(instance->audit, &head, &none,
                                        deadline_in_ms(AUDIT_PATIENCE_MS), &why),
                why);
}

/* Nobody makes any here. With one second between them, two may pass. */
static void a_checkpoint_that_is_overdue_is_warned_of(void **state)
{
    struct instance *instance = *state;
    instance->audit_more = ", checkpoint_s: 1";
    instance_configure(instance, "[\"*\"]", "[operator]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    JSON_CLEANUP json_t *late = wait_warning(instance, true);
    assert_non_null(
        strstr(warning_of(late), "the audit log is not sealed: there are records since "));
    assert_non_null(strstr(warning_of(late), " s, and a checkpoint was to come after 1 s"));
    assert_true(number_of(json_object_get(late, "audit_log"), "unsealed_s") > 2);

    audit_note_checkpoint(instance->audit, "the token is away");
    JSON_CLEANUP json_t *reason = do_verb(instance, CUSTODY_STATUS, "{}");
    assert_non_null(strstr(warning_of(reason), "after 1 s: the token is away"));

    seal(instance);
    JSON_CLEANUP json_t *sealed = do_verb(instance, CUSTODY_STATUS, "{}");
    const json_t *log = json_object_get(sealed, "audit_log");
    assert_string_equal(warning_of(sealed), "");
    assert_int_equal(number_of(log, "unsealed_s"), 0);
    assert_int_equal(number_of(log, "sealed") + 1, number_of(log, "records"));
    assert_int_equal(strlen(text_of(log, "checkpoint_at")), strlen("2026-01-01T00:00:00Z"));
}

/* What making one has added is nothing that waits for the next. */
static void a_log_at_rest_is_not_overdue(void **state)
{
    struct instance *instance = *state;
    seal(instance);
    struct deadline end = deadline_in_ms(1500);
    while (!deadline_passed(end)) {
        assert_int_equal(audit_status_of(instance).unsealed_s, 0);
        (void)poll(NULL, 0, 50);
    }
    for (int i = 0; i < AUDIT_CHECKPOINT_RECORDS; i++) {
        (void)audit_mark(instance);
    }
    end = deadline_in_ms(AUDIT_PATIENCE_MS);
    while (audit_status_of(instance).unsealed_s == 0) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 50);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, disk_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_log_that_is_written_is_no_reason_to_warn),
        TEST(a_log_that_has_failed_is_warned_of),
        cmocka_unit_test(a_log_that_is_off_is_warned_of),
        TEST(a_checkpoint_that_is_overdue_is_warned_of),
        TEST(a_log_at_rest_is_not_overdue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
