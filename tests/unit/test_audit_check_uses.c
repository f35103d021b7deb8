/* SPDX-License-Identifier: Apache-2.0
 * What tokens have counted, held against the log: a signature that has no record is found, and
 * what is in flight while a checkpoint is made is none. */
#include "made_log.h"

enum { SINCE = 1795200000, SINCE_LATER = 1795290000 };

static struct audit_log begun(void)
{
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    return log;
}

static void checkpoint(struct audit_log *log, uint64_t count, int64_t since)
{
    struct checkpoint note = audit_log_note(log);
    audit_log_count(&note, count, since);
    audit_log_checkpoint_of(log, &note);
}

/* Frees the log. */
static struct audit_report expect_good(struct audit_log *log)
{
    struct folder folder = audit_log_write(log);
    struct audit_report report;
    if (audit_log_verify(log, &folder, &report) != AUDIT_GOOD) {
        fail_msg("record %llu: %s", (unsigned long long)report.problem.seq, report.problem.what);
    }
    folder_remove(&folder);
    audit_log_free(log);
    return report;
}

static void counts_that_fit_are_good(void **state)
{
    (void)state;
    struct audit_log log = begun();
    audit_log_signature(&log);
    checkpoint(&log, 1001, SINCE); /* the room was there before the log */
    audit_log_signature(&log);
    audit_log_signature(&log);
    checkpoint(&log, 1003, SINCE);
    checkpoint(&log, 1003, SINCE);
    (void)expect_good(&log);
}

static void a_signature_that_has_no_record_is_found(void **state)
{
    (void)state;
    struct audit_log log = begun();
    audit_log_signature(&log);
    checkpoint(&log, 1001, SINCE);
    audit_log_signature(&log);
    audit_log_signature(&log);
    checkpoint(&log, 1004, SINCE);
    audit_log_expect_bad(
        &log, 1, 9, 9,
        "counts 1004 signatures of key " LOG_KID " in token hsm-a since "
        "2026-11-20T18:40:00Z, and the log has 1003 at most: 1 of them have no record");
}

/* One is asked for before the record that is covered, and counted after the counts were taken;
 * another is asked for and counted between that record and the checkpoint's. */
static void what_is_in_flight_is_no_finding(void **state)
{
    (void)state;
    struct audit_log log = begun();
    audit_log_signature(&log);
    uint64_t flying = audit_log_sign(&log);
    struct checkpoint note = audit_log_note(&log);
    audit_log_count(&note, 1, SINCE); /* not yet the one that flies */
    audit_log_done(&log, flying);
    audit_log_signature(&log);
    audit_log_checkpoint_of(&log, &note);
    checkpoint(&log, 3, SINCE);
    (void)expect_good(&log);

    log = begun();
    checkpoint(&log, 5, SINCE);
    note = audit_log_note(&log);
    audit_log_signature(&log);
    audit_log_count(&note, 6, SINCE); /* taken after that one */
    audit_log_checkpoint_of(&log, &note);
    (void)expect_good(&log);
}

/* A room that has begun anew counts from 0; what it has signed since is in the log all the same. */
static void a_room_that_begins_anew_is_held_too(void **state)
{
    (void)state;
    for (uint64_t more = 0; more < 2; more++) {
        struct audit_log log = begun();
        audit_log_signature(&log);
        checkpoint(&log, 500, SINCE);
        audit_log_signature(&log);
        audit_log_signature(&log);
        checkpoint(&log, 2 + more, SINCE_LATER);
        if (more == 0) {
            (void)expect_good(&log);
        } else {
            audit_log_expect_bad(&log, 1, 9, 9, "the log has 2 at most: 1 of them have no record");
        }
    }
}

/* It has the same time of start; its count shows it. */
static void a_room_may_begin_anew_within_a_second(void **state)
{
    (void)state;
    for (uint64_t more = 0; more < 2; more++) {
        struct audit_log log = begun();
        audit_log_signature(&log);
        checkpoint(&log, 7, SINCE);
        audit_log_signature(&log);
        checkpoint(&log, 1, SINCE);
        audit_log_signature(&log);
        checkpoint(&log, 2 + more, SINCE);
        if (more == 0) {
            (void)expect_good(&log);
        } else {
            audit_log_expect_bad(&log, 1, 10, 10,
                                 "the log has 2 at most: 1 of them have no record");
        }
    }
    struct audit_log log = begun();
    audit_log_signature(&log);
    checkpoint(&log, 7, SINCE);
    checkpoint(&log, 6, SINCE);
    audit_log_expect_bad(&log, 1, 5, 5, "the log has 0 at most: 6 of them have no record");
}

/* What a crashed service had asked for may be in no record: counting begins anew. */
static void after_a_crash_counting_begins_anew(void **state)
{
    (void)state;
    static const struct {
        const char *end; /* of the segment before; NULL: it has none */
        const char *cause;
        bool is_good;
    } rows[] = {
        {NULL, "start", true},   {NULL, "fault", true},    {"stop", "fault", true},
        {"size", "start", true}, /* the segment behind that end was lost */
        {"age", "start", true},  {"stop", "start", false}, {"size", "size", false},
        {"age", "age", false},   {NULL, "size", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct audit_log log = begun();
        audit_log_signature(&log);
        checkpoint(&log, 1, SINCE);
        if (rows[i].end != NULL) {
            audit_log_end_of(&log, rows[i].end);
        }
        audit_log_segment(&log, rows[i].cause);
        checkpoint(&log, 2, SINCE);
        if (rows[i].is_good) {
            assert_int_equal(expect_good(&log).counts_renewed, 1);
        } else {
            audit_log_expect_bad(&log, 2, 2, log.seq, "1 of them have no record");
        }
    }
}

static void later(struct audit_log *log, int64_t seconds)
{
    log->time_us += seconds * 1000000;
}

/* A token may still work on what was asked for before a fault, and count it after it. */
static void what_a_token_still_works_on_is_no_finding(void **state)
{
    (void)state;
    static const int64_t steps_back[] = {0, 86400};
    for (size_t i = 0; i < COUNT_OF(steps_back); i++) {
        for (uint64_t more = 0; more < 2; more++) {
            struct audit_log log = begun();
            audit_log_signature(&log);
            checkpoint(&log, 1, SINCE);
            audit_log_segment(&log, "fault"); /* a record `sign` is lost */
            checkpoint(&log, 1, SINCE);
            later(&log, -steps_back[i]); /* as a clock that is set back */
            audit_log_put(&log, "policy", ",\"x\":1");
            later(&log, 59);
            checkpoint(&log, 2, SINCE); /* it is counted now */
            later(&log, 1);
            checkpoint(&log, 3, SINCE); /* so is another; from here on nothing can be */
            audit_log_signature(&log);
            checkpoint(&log, 4 + more, SINCE);
            if (more == 0) {
                assert_int_equal(expect_good(&log).counts_renewed, 1);
            } else {
                audit_log_expect_bad(&log, 2, log.seq - 4, log.seq,
                                     "the log has 4 at most: 1 of them have no record");
            }
        }
    }
}

/* Memory has bounds; what goes over them is counted, and is no finding. */
static void what_is_too_much_is_counted(void **state)
{
    (void)state;
    struct audit_log log = begun();
    for (int i = 0; i < 1100; i++) {
        audit_log_put(&log, "sign", ",\"token\":\"t%d\",\"kid\":\"" LOG_KID "\"", i);
    }
    for (int i = 0; i < 65000; i++) {
        (void)audit_log_sign(&log);
    }
    audit_log_done(&log, 2);
    audit_log_done(&log, 60000);
    audit_log_checkpoint(&log);
    struct audit_report report = expect_good(&log);
    assert_int_equal(report.not_compared, 1100 + 65000 - 1024);
    /* one of the two that are done was forgotten before */
    assert_int_equal(report.signs_open, 1100 + 65000 - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_that_fit_are_good),
        cmocka_unit_test(a_signature_that_has_no_record_is_found),
        cmocka_unit_test(what_is_in_flight_is_no_finding),
        cmocka_unit_test(a_room_that_begins_anew_is_held_too),
        cmocka_unit_test(a_room_may_begin_anew_within_a_second),
        cmocka_unit_test(after_a_crash_counting_begins_anew),
        cmocka_unit_test(what_a_token_still_works_on_is_no_finding),
        cmocka_unit_test(what_is_too_much_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
