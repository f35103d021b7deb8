/* SPDX-License-Identifier: Apache-2.0
 * The log as it is written: its chain over records, segments and starts. */
#include "audit_log_disk.h"

#include <pthread.h>

static void a_chain_goes_on_over_starts(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    for (int i = 0; i < 3; i++) {
        struct audit *audit = open_log(&folder, BIG);
        must_append(audit, "one");
        assert_true(status_of(audit).durable > 0);
        must_append(audit, "two");
        audit_close(audit);
    }
    struct found found = check_log(&folder);
    assert_int_equal(found.segments, 3);
    assert_int_equal(count_of(&found, "\"cause\":\"begin\""), 1);
    assert_int_equal(count_of(&found, "\"cause\":\"start\""), 2);
    assert_int_equal(count_of(&found, "\"cause\":\"stop\""), 3);
    assert_int_equal(count_of(&found, "\"text\":\"one\""), 3);
    assert_int_equal(found.seq, 3 * 4);
    forget(&found);
    folder_remove(&folder);
}

struct crew {
    struct audit *audit;
    atomic_uint failed;
};

static void *append_many(void *context)
{
    struct crew *crew = context;
    for (int i = 0; i < 200; i++) {
        struct audit_ticket ticket;
        struct reason why = {0};
        if (append(crew->audit, "many", &ticket, &why) != OUTCOME_OK) {
            (void)atomic_fetch_add(&crew->failed, 1);
            continue;
        }
        audit_done(crew->audit, &ticket, "done", span_of(NULL, 0));
    }
    return NULL;
}

static void run_crew(struct crew *crew)
{
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, crew), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

static void segments_follow_each_other_under_load(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct crew crew = {.audit = open_log(&folder, 40000)};
    atomic_store(&short_writes, true);
    run_crew(&crew);
    audit_close(crew.audit);
    assert_int_equal(atomic_load(&crew.failed), 0);
    struct found found = check_log(&folder);
    assert_true(found.segments > 5);
    assert_int_equal(count_of(&found, "\"text\":\"many\""), 1600);
    assert_int_equal(count_of(&found, "\"kind\":\"done\""), 1600);
    assert_int_equal(count_of(&found, "\"cause\":\"size\""), 2 * (found.segments - 1));
    forget(&found);
    folder_remove(&folder);
}

static void a_flood_of_refusals_is_counted_exactly(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    struct audit_refusal refusal = {.caller = {.uid = 7, .gid = 8, .pid = 9},
                                    .caller_name = "engine",
                                    .operation = "jar",
                                    .profile = "p",
                                    .request = "r",
                                    .outcome = OUTCOME_RULE,
                                    .detail = "a \"rule\"\n"};
    for (int i = 0; i < 5000; i++) {
        audit_refused(audit, &refusal);
    }
    refusal.outcome = OUTCOME_LIMIT;
    audit_refused(audit, &refusal);
    audit_close(audit);
    struct found found = check_log(&folder);
    uint64_t counted = sum_of(&found, "\"count\":");
    size_t alone = count_of(&found, "\"detail\":\"a \\\"rule\\\"\\u000a\"}");
    assert_int_equal(alone + counted, 5001);
    assert_true(alone < 500);
    assert_int_equal(count_of(&found, "\"outcome\":\"limit-exceeded\""), 1);
    forget(&found);
    folder_remove(&folder);
}

static void checkpoints_are_due_by_records_time_and_request(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    const struct audit_rhythm by_records = {.records = 20, .seconds = 86400};
    const struct audit_rhythm by_time = {.records = 1000000, .seconds = 0};
    struct audit_head head;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer none = BUFFER_INIT(16);
    assert_false(audit_checkpoint_due(audit, &by_records, 1, &head));
    for (int i = 0; i < 25; i++) {
        must_append(audit, "x");
    }
    assert_true(audit_checkpoint_due(audit, &by_records, WAIT_MS, &head));
    assert_int_equal(head.seq, 26);
    assert_done(audit_append_checkpoint(audit, &head, &none, deadline_in_ms(WAIT_MS), &why), why);
    assert_false(audit_checkpoint_due(audit, &by_records, 1, &head));
    assert_false(audit_checkpoint_due(audit, &by_time, 1, &head));
    for (int i = 0; i < AUDIT_CHECKPOINT_RECORDS; i++) {
        must_append(audit, "x");
    }
    assert_true(audit_checkpoint_due(audit, &by_time, WAIT_MS, &head));
    assert_false(audit_checkpoint_due(audit, &by_records, 1, &head));
    audit_ask_checkpoint(audit);
    assert_true(audit_checkpoint_due(audit, &by_records, WAIT_MS, &head));
    audit_close(audit);
    folder_remove(&folder);
}

static void a_full_segment_waits_for_its_checkpoint(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, 20000);
    const struct audit_rhythm rare = {.records = 1000000, .seconds = 86400};
    struct audit_head head;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer none = BUFFER_INIT(16);
    while (status_of(audit).bytes < 20000) {
        must_append(audit, "x");
    }
    assert_true(audit_checkpoint_due(audit, &rare, WAIT_MS, &head));
    assert_done(audit_append_checkpoint(audit, &head, &none, deadline_in_ms(WAIT_MS), &why), why);
    struct deadline end = deadline_in_ms(WAIT_MS);
    while (status_of(audit).segment == 1) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
    }
    must_append(audit, "x");
    /* Everything of segment 1 but its last records is sealed: it stays. */
    audit_expire(audit, INT64_MAX);
    assert_int_equal(folder_count(&folder), 2);
    audit_ask_checkpoint(audit);
    assert_true(audit_checkpoint_due(audit, &rare, WAIT_MS, &head));
    assert_done(audit_append_checkpoint(audit, &head, &none, deadline_in_ms(WAIT_MS), &why), why);
    audit_expire(audit, 0); /* not old enough */
    assert_int_equal(folder_count(&folder), 2);
    audit_expire(audit, INT64_MAX);
    assert_int_equal(folder_count(&folder), 1);
    audit_close(audit);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(LOG_MAX);
    read_segment(&folder, 2, &text);
    assert_non_null(
        strstr(buffer_text(&text), "\"kind\":\"retention\",\"segment\":1,\"first\":1,"));
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_chain_goes_on_over_starts, set_up),
        cmocka_unit_test_setup(segments_follow_each_other_under_load, set_up),
        cmocka_unit_test_setup(a_flood_of_refusals_is_counted_exactly, set_up),
        cmocka_unit_test_setup(checkpoints_are_due_by_records_time_and_request, set_up),
        cmocka_unit_test_setup(a_full_segment_waits_for_its_checkpoint, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
