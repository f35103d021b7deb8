/* SPDX-License-Identifier: Apache-2.0
 * The log on a disk that fails, is slow or full: what is refused and why, what is in the chain
 * afterwards, and how it goes on. */
#include "audit_log_disk.h"

#include <sys/stat.h>

enum { DETAIL_SIZE = 120 };

/* The text for that segment, "writing it: " or "", and that error. */
static const char *why_not(unsigned int segment, const char *what, int error, char out[DETAIL_SIZE])
{
    (void)snprintf(out, DETAIL_SIZE, "the audit log cannot be written: audit-%010u.jsonl: %s%s",
                   segment, what, strerror(error));
    return out;
}

static void expect_fault(struct audit *audit, atomic_int *fault, int error)
{
    char detail[DETAIL_SIZE];
    struct audit_ticket ticket;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer none = BUFFER_INIT(16);
    atomic_store(fault, error);
    audit_note(audit, "test", &none); /* lost with its batch */
    assert_refused(append(audit, "lost", &ticket, &why), OUTCOME_AUDIT, why,
                   why_not(1, "writing it: ", error, detail));
    until_detail(audit, strchr(why_not(2, "", error, detail), ':') + 2);
    assert_refused(append(audit, "lost", &ticket, &why), OUTCOME_AUDIT, why, detail);
    assert_false(status_of(audit).ok);
    audit_done(audit, &ticket, "done", span_of(NULL, 0));
    audit_note(audit, "test", &none);
    atomic_store(fault, 0);
    until(audit, true);
}

/* The file of which a write or sync has failed is not touched any more; what was acknowledged
 * before is in the chain, what was not is not. */
static void a_fault_ends_the_segment_and_the_log_goes_on(void **state)
{
    (void)state;
    static const struct {
        atomic_int *fault;
        int error;
        const char *fault_member;
    } rows[] = {
        {&fail_fdatasync, EIO, "audit-0000000001.jsonl: writing it: Input/output error"},
        {&fail_pwrite, ENOSPC, "audit-0000000001.jsonl: writing it: No space left on device"},
        {&fail_pwrite, EROFS, "audit-0000000001.jsonl: writing it: Read-only file system"},
        {&fail_pwrite, EDQUOT, "audit-0000000001.jsonl: writing it: Disk quota exceeded"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folder folder = folder_make();
        struct audit *audit = open_log(&folder, BIG);
        must_append(audit, "kept");
        expect_fault(audit, rows[i].fault, rows[i].error);
        must_append(audit, "after");
        assert_int_equal(status_of(audit).faults, 1);
        audit_close(audit);
        struct found found = check_log(&folder);
        assert_int_equal(found.segments, 2);
        assert_int_equal(count_of(&found, "\"text\":\"kept\""), 1);
        assert_int_equal(count_of(&found, "\"text\":\"lost\""), 0);
        assert_int_equal(count_of(&found, "\"text\":\"after\""), 1);
        assert_int_equal(count_of(&found, "\"fault\":"), 1);
        assert_int_equal(count_of(&found, rows[i].fault_member), 1);
        assert_int_equal(sum_of(&found, "\"unrecorded\":"), 2);
        forget(&found);
        folder_remove(&folder);
    }
}

/* While it cannot begin anew it says why, and tries again. */
static void it_waits_until_a_segment_can_be_begun(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    struct audit_ticket ticket;
    struct reason why = {0};
    atomic_store(&fail_open, ENOSPC);
    atomic_store(&fail_fdatasync, EIO);
    assert_refused(append(audit, "lost", &ticket, &why), OUTCOME_AUDIT, why,
                   "audit-0000000001.jsonl: writing it: Input/output error");
    until_detail(audit, "audit-0000000002.jsonl: No space left on device");
    atomic_store(&fail_open, 0);
    until_detail(audit, "audit-0000000002.jsonl: Input/output error");
    atomic_store(&fail_fdatasync, 0);
    until(audit, true);
    must_append(audit, "after");
    audit_close(audit);
    struct found found = check_log(&folder);
    assert_int_equal(found.segments, 2);
    assert_int_equal(count_of(&found, "\"cause\":\"fault\""), 1);
    forget(&found);
    folder_remove(&folder);
}

/* Who comes for a record when the log has gone on already is told why it was lost. */
static void a_lost_record_is_told_of_later_too(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    struct reason why = {0};
    struct audit_ticket ticket;
    BUFFER_CLEANUP struct buffer none = BUFFER_INIT(16);
    atomic_store(&fail_fdatasync, EIO);
    assert_done(audit_append(audit, "test", &none, &ticket, &why), why);
    until(audit, false);
    atomic_store(&fail_fdatasync, 0);
    until(audit, true);
    assert_string_equal(status_of(audit).detail, "");
    assert_refused(audit_wait(audit, &ticket, deadline_in_ms(WAIT_MS), &why), OUTCOME_AUDIT, why,
                   "the audit log cannot be written: audit-0000000001.jsonl: writing it: "
                   "Input/output error");
    audit_close(audit);
    folder_remove(&folder);
}

static void a_segment_that_fails_at_once_is_named(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, SMALL);
    char text[SMALL + 1];
    atomic_store(&fail_next, ENOSPC);
    must_append(audit, long_text(text));
    until_detail(audit, "audit-0000000002.jsonl: No space left on device");
    atomic_store(&fail_next, 0);
    until(audit, true);
    audit_close(audit);
    struct found found = check_log(&folder);
    assert_int_equal(found.segments, 2);
    assert_int_equal(count_of(&found, "\"fault\":\"audit-0000000002.jsonl: writing it: No space "
                                      "left on device\""),
                     1);
    forget(&found);
    folder_remove(&folder);
}

/* It has one end, whichever of its reasons came first. */
static void a_full_segment_at_the_stop_is_ended_once(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, SMALL);
    struct audit_ticket ticket;
    struct reason why = {0};
    struct deadline end = deadline_in_ms(WAIT_MS);
    char text[SMALL + 1];
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_text(&members, "text", long_text(text));
    atomic_store(&slow_sync_ms, 300);
    assert_done(audit_append(audit, "test", &members, &ticket, &why), why);
    while (!atomic_load(&syncs)) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
    }
    audit_close(audit); /* while it is made full */
    struct found found = check_log(&folder);
    assert_int_equal(count_of(&found, "\"kind\":\"end\""), 1);
    assert_int_equal(count_of(&found, "\"cause\":\"stop\""), 1);
    forget(&found);
    folder_remove(&folder);
}

static void a_log_that_cannot_begin_is_as_after_a_fault(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct reason why = {0};
    struct audit_ticket ticket;
    assert_int_equal(rmdir(folder.path), 0);
    struct audit *audit = open_log(&folder, BIG);
    assert_refused(append(audit, "lost", &ticket, &why), OUTCOME_AUDIT, why,
                   "No such file or directory");
    assert_int_equal(mkdir(folder.path, 0700), 0);
    until(audit, true);
    must_append(audit, "first");
    audit_close(audit);
    struct found found = check_log(&folder);
    assert_int_equal(count_of(&found, "\"cause\":\"begin\""), 1);
    assert_int_equal(count_of(&found, "\"text\":\"first\""), 1);
    forget(&found);
    folder_remove(&folder);
}

static void a_second_writer_is_refused(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct reason why = {0};
    struct audit_ticket ticket;
    struct audit *first = open_log(&folder, BIG);
    struct audit *second = open_log(&folder, BIG);
    assert_refused(append(second, "lost", &ticket, &why), OUTCOME_AUDIT, why,
                   "another process writes the log in ");
    must_append(first, "kept");
    audit_close(first);
    until(second, true);
    must_append(second, "kept");
    audit_close(second);
    struct found found = check_log(&folder);
    assert_int_equal(count_of(&found, "\"text\":\"kept\""), 2);
    forget(&found);
    folder_remove(&folder);
}

/* They are in memory when the service ends, and there is no room for an end behind them. */
static void what_was_taken_is_written_at_the_stop(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    struct audit_ticket ticket;
    struct reason why = {0};
    size_t taken = 0;
    char text[SMALL + 1];
    struct deadline end = deadline_in_ms(WAIT_MS);
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_text(&members, "text", long_text(text));
    atomic_store(&slow_sync_ms, 300);
    atomic_store(&sync_hangs, true);
    assert_done(audit_append(audit, "test", &members, &ticket, &why), why);
    while (!atomic_load(&syncs)) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
    }
    for (; status_of(audit).unrecorded == 0; taken++) {
        audit_note(audit, "note", &members);
    }
    buffer_reset(&members);
    while (status_of(audit).unrecorded < 20) { /* up to the last byte, nearly */
        audit_note(audit, "note", &members);
        taken++;
    }
    taken -= status_of(audit).unrecorded;
    atomic_store(&sync_hangs, false);
    audit_close(audit); /* while the disk is slow */
    struct found found = check_log(&folder);
    assert_int_equal(count_of(&found, "\"kind\":\"note\""), taken);
    assert_int_equal(count_of(&found, "\"cause\":\"stop\""), 1);
    forget(&found);
    folder_remove(&folder);
}

/* A disk that does not answer takes no more than fits into memory. */
static void what_has_no_room_is_refused(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    struct audit_ticket ticket;
    struct reason why = {0};
    char text[SMALL + 1];
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    BUFFER_CLEANUP struct buffer short_one = BUFFER_INIT(10);
    record_put_text(&members, "text", long_text(text));
    record_put_text(&short_one, "text", text);
    assert_refused(audit_append(audit, "test", &short_one, &ticket, &why), OUTCOME_AUDIT, why,
                   "the record does not fit");
    atomic_store(&sync_hangs, true);
    enum outcome outcome = OUTCOME_OK;
    size_t taken = 0;
    for (; outcome == OUTCOME_OK && taken < 10000; taken++) {
        outcome = audit_append(audit, "test", &members, &ticket, &why);
    }
    assert_refused(outcome, OUTCOME_AUDIT, why,
                   "the audit log takes no more before its disk answers");
    atomic_store(&sync_hangs, false);
    assert_int_equal(ticket.epoch, 0);
    audit_close(audit);
    struct found found = check_log(&folder);
    assert_int_equal(count_of(&found, "\"text\":\"xxx"), taken - 1);
    forget(&found);
    folder_remove(&folder);
}

/* What stands where the log's own files must be. */
static void a_place_that_is_taken_is_said(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct reason why = {0};
    struct audit_ticket ticket;
    char lock[128];
    char next[128];
    char checkpoint[128];
    folder_path(&folder, ".lock", lock);
    folder_path(&folder, "audit-0000000002.jsonl", next);
    folder_path(&folder, "checkpoint", checkpoint);
    assert_int_equal(symlink("/dev/null", lock), 0);
    struct audit *audit = open_log(&folder, BIG);
    assert_refused(append(audit, "lost", &ticket, &why), OUTCOME_AUDIT, why,
                   "the audit log cannot be written: .lock: Too many levels of symbolic links");
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(file_replace(checkpoint, span_of_text("x"), 0600), 0);
    until_detail(
        audit, "the file checkpoint is none: its first line is not \"qseal audit checkpoint v1\"; "
               "nothing was changed. See qsealctl audit verify, keep the folder's files in "
               "another place, and a new chain begins");
    assert_int_equal(unlink(checkpoint), 0);
    until(audit, true);
    assert_int_equal(mkdir(next, 0700), 0);
    atomic_store(&fail_fdatasync, EIO);
    assert_refused(append(audit, "lost", &ticket, &why), OUTCOME_AUDIT, why,
                   "audit-0000000001.jsonl: writing it: Input/output error");
    until_detail(audit, "audit-0000000002.jsonl: Is a directory");
    atomic_store(&fail_fdatasync, 0);
    assert_int_equal(rmdir(next), 0);
    until(audit, true);
    must_append(audit, "after");
    audit_close(audit);
    folder_remove(&folder);
}

/* A full segment: its end is on the disk, and the fault comes behind that. */
static void a_segment_that_cannot_be_changed_is_a_fault(void **state)
{
    (void)state;
    static const struct {
        atomic_int *fault;
        const char *said;
    } rows[] = {
        {&fail_open, "\"fault\":\"audit-0000000001.jsonl: beginning the next one: No space left on "
                     "device\""},
        {&fail_ftruncate,
         "\"fault\":\"audit-0000000001.jsonl: closing it: No space left on device\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folder folder = folder_make();
        struct audit *audit = open_log(&folder, SMALL);
        char text[SMALL + 1];
        atomic_store(rows[i].fault, ENOSPC);
        must_append(audit, long_text(text));
        struct deadline end = deadline_in_ms(WAIT_MS);
        while (status_of(audit).faults == 0) {
            assert_false(deadline_passed(end));
            (void)poll(NULL, 0, 1);
        }
        atomic_store(rows[i].fault, 0);
        until(audit, true);
        audit_close(audit);
        struct found found = check_log(&folder);
        assert_int_equal(found.segments, 2);
        assert_int_equal(count_of(&found, "\"cause\":\"size\""), 1);
        assert_int_equal(count_of(&found, rows[i].said), 1);
        assert_int_equal(count_of(&found, "\"text\":\"xxx"), 1);
        forget(&found);
        folder_remove(&folder);
    }
}

/* Somebody makes room, and takes the file that is being written. */
static void a_segment_that_was_removed_is_a_fault(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    struct audit_ticket ticket;
    struct reason why = {0};
    char path[128];
    must_append(audit, "kept");
    folder_path(&folder, "audit-0000000001.jsonl", path);
    assert_int_equal(truncate(path, 10), 0);
    assert_int_equal(unlink(path), 0);
    assert_refused(append(audit, "lost", &ticket, &why), OUTCOME_AUDIT, why,
                   "the audit log cannot be written: audit-0000000001.jsonl: writing it: No such "
                   "file or directory");
    until(audit, true);
    must_append(audit, "after");
    audit_close(audit);
    folder_remove(&folder);
}

static void who_cannot_wait_any_more_is_told(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    struct reason why = {0};
    struct audit_ticket ticket;
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_text(&members, "text", "slow");
    atomic_store(&slow_sync_ms, 300);
    assert_done(audit_append(audit, "test", &members, &ticket, &why), why);
    assert_refused(audit_wait(audit, &ticket, deadline_in_ms(1), &why), OUTCOME_DEADLINE, why,
                   "the audit record was not on the disk before the deadline");
    assert_done(audit_wait(audit, &ticket, deadline_in_ms(WAIT_MS), &why), why);
    audit_close(audit);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_fault_ends_the_segment_and_the_log_goes_on, set_up),
        cmocka_unit_test_setup(it_waits_until_a_segment_can_be_begun, set_up),
        cmocka_unit_test_setup(a_lost_record_is_told_of_later_too, set_up),
        cmocka_unit_test_setup(a_segment_that_fails_at_once_is_named, set_up),
        cmocka_unit_test_setup(a_full_segment_at_the_stop_is_ended_once, set_up),
        cmocka_unit_test_setup(a_log_that_cannot_begin_is_as_after_a_fault, set_up),
        cmocka_unit_test_setup(a_second_writer_is_refused, set_up),
        cmocka_unit_test_setup(what_was_taken_is_written_at_the_stop, set_up),
        cmocka_unit_test_setup(what_has_no_room_is_refused, set_up),
        cmocka_unit_test_setup(a_place_that_is_taken_is_said, set_up),
        cmocka_unit_test_setup(a_segment_that_cannot_be_changed_is_a_fault, set_up),
        cmocka_unit_test_setup(a_segment_that_was_removed_is_a_fault, set_up),
        cmocka_unit_test_setup(who_cannot_wait_any_more_is_told, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
