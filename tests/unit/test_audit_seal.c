/* SPDX-License-Identifier: Apache-2.0
 * When a checkpoint is due, to the record; and what the status says of checkpoints. */
#include "audit_log_support.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int disk_fault;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (atomic_load(&disk_fault) != 0) {
        errno = atomic_load(&disk_fault);
        return -1;
    }
    return __real_pwrite(fd, data, len, at);
}

static const struct audit_rhythm never = {.records = 1000000, .seconds = 86400};

static bool is_due(struct audit *audit, const struct audit_rhythm *rhythm, uint64_t *seq)
{
    struct audit_head head = {.seq = 0};
    bool due = audit_checkpoint_due(audit, rhythm, 0, &head);
    *seq = head.seq;
    return due;
}

/* What making one adds beside its own record. */
static void add_making(struct audit *audit)
{
    must_append(audit, "sign");
    must_append(audit, "done");
}

static void it_is_due_at_that_record_and_none_before(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    const struct audit_rhythm rhythm = {.records = 10, .seconds = 86400};
    uint64_t seq;
    for (uint64_t i = 2; i < 10 + AUDIT_CHECKPOINT_RECORDS; i++) { /* the segment's is the first */
        must_append(audit, "x");
        assert_false(is_due(audit, &rhythm, &seq));
    }
    must_append(audit, "x");
    assert_true(is_due(audit, &rhythm, &seq));
    assert_int_equal(seq, 10 + AUDIT_CHECKPOINT_RECORDS);
    audit_close(audit);
    folder_remove(&folder);
}

static void the_head_is_the_hash_of_that_line(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    struct audit_head head;
    struct audit_line line;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(LOG_MAX);
    must_append(audit, "x");
    audit_ask_checkpoint(audit);
    assert_true(audit_checkpoint_due(audit, &never, 0, &head));
    assert_string_equal(head.chain, status_of(audit).chain);
    must_append(audit, "after");
    read_segment(&folder, 1, &text);
    struct span rest = buffer_span(&text);
    while (head.seq-- > 0) {
        rest = span_part(rest, span_find(rest, '\n') + 1, rest.len);
    }
    assert_null(audit_line_read(span_part(rest, 0, span_find(rest, '\n') + 1), &line));
    assert_true(span_is_text(line.prev, head.hash));
    audit_close(audit);
    folder_remove(&folder);
}

/* What making one adds is no reason for the next one. */
static void a_log_at_rest_makes_no_checkpoints(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    const struct audit_rhythm at_once = {.records = 1000000, .seconds = 0};
    uint64_t seq;
    assert_true(audit_has_news(audit)); /* a segment has begun */
    assert_true(is_due(audit, &at_once, &seq));
    assert_int_equal(must_seal(audit), 1);
    assert_false(audit_has_news(audit));
    add_making(audit);
    assert_false(audit_has_news(audit));
    assert_false(is_due(audit, &at_once, &seq));
    must_append(audit, "somebody else's");
    assert_true(audit_has_news(audit));
    assert_true(is_due(audit, &at_once, &seq));
    audit_close(audit);
    folder_remove(&folder);
}

/* One that is asked for is made, whether or not there is anything to be sealed. */
static void asking_is_once(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    uint64_t seq;
    (void)must_seal(audit);
    assert_false(is_due(audit, &never, &seq));
    audit_ask_checkpoint(audit);
    audit_ask_checkpoint(audit);
    assert_true(is_due(audit, &never, &seq));
    assert_true(is_due(audit, &never, &seq)); /* until it is made */
    (void)must_seal(audit);
    assert_false(is_due(audit, &never, &seq));
    audit_close(audit);
    folder_remove(&folder);
}

static void *ask_for_one(void *audit)
{
    audit_ask_checkpoint(audit);
    return NULL;
}

static void who_waits_is_woken_by_who_asks(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    struct audit_head head;
    pthread_t thread;
    struct deadline end = deadline_in_ms(WAIT_MS);
    assert_int_equal(pthread_create(&thread, NULL, ask_for_one, audit), 0);
    assert_true(audit_checkpoint_due(audit, &never, 10 * WAIT_MS, &head));
    assert_false(deadline_passed(end));
    assert_int_equal(pthread_join(thread, NULL), 0);
    audit_close(audit);
    folder_remove(&folder);
}

static void nothing_is_due_while_the_log_has_failed(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    struct reason why = {0};
    struct audit_ticket ticket;
    uint64_t seq;
    BUFFER_CLEANUP struct buffer none = BUFFER_INIT(16);
    const struct audit_head head = {.seq = 1};
    atomic_store(&disk_fault, EIO);
    assert_refused(append(audit, "lost", &ticket, &why), OUTCOME_AUDIT, why,
                   "audit-0000000001.jsonl: writing it: Input/output error");
    until_detail(audit, "audit-0000000002.jsonl: Input/output error");
    audit_ask_checkpoint(audit);
    assert_false(is_due(audit, &never, &seq));
    assert_false(audit_has_news(audit));
    assert_refused(audit_append_checkpoint(audit, &head, &none, deadline_in_ms(WAIT_MS), &why),
                   OUTCOME_AUDIT, why,
                   "the audit log cannot be written: audit-0000000002.jsonl: Input/output error");
    assert_int_equal(status_of(audit).covered, 0);
    atomic_store(&disk_fault, 0);
    until(audit, true);
    assert_true(is_due(audit, &never, &seq)); /* it is still asked for */
    audit_close(audit);
    folder_remove(&folder);
}

static void the_status_tells_of_the_last_one(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = open_log(&folder, BIG);
    assert_int_equal(status_of(audit).covered, 0);
    assert_int_equal(status_of(audit).checkpoint_at, 0);
    audit_note_checkpoint(audit, "the token is away");
    assert_string_equal(status_of(audit).checkpoint_detail, "the token is away");
    uint64_t covered = must_seal(audit);
    audit_note_checkpoint(audit, "");
    assert_int_equal(status_of(audit).covered, covered);
    assert_true(status_of(audit).checkpoint_at > 0);
    assert_string_equal(status_of(audit).checkpoint_detail, "");
    audit_close(audit);
    folder_remove(&folder);
}

static void without_a_log_nobody_is_asked(void **state)
{
    (void)state;
    audit_ask_checkpoint(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_due_at_that_record_and_none_before),
        cmocka_unit_test(the_head_is_the_hash_of_that_line),
        cmocka_unit_test(a_log_at_rest_makes_no_checkpoints),
        cmocka_unit_test(asking_is_once),
        cmocka_unit_test(who_waits_is_woken_by_who_asks),
        cmocka_unit_test(nothing_is_due_while_the_log_has_failed),
        cmocka_unit_test(the_status_tells_of_the_last_one),
        cmocka_unit_test(without_a_log_nobody_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
