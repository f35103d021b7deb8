/* SPDX-License-Identifier: Apache-2.0
 * What a verification finds, and how it names it. */
#include "audit/verify.h"

#include "audit/audit.h"
#include "audit/record.h"
#include "base/log.h"
#include "base/pem.h"
#include "made_log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>

/* Where line `number` of a text begins. */
static size_t line_at(const struct buffer *text, size_t number)
{
    size_t at = 0;
    while (--number > 0) {
        at += span_find(span_part(buffer_span(text), at, text->len), '\n') + 1;
    }
    return at;
}

/* Takes bytes out, or puts a text in. */
static void exchange(struct buffer *text, size_t at, size_t out, const char *in)
{
    struct buffer made = BUFFER_INIT(text->max);
    buffer_put_span(&made, span_part(buffer_span(text), 0, at));
    buffer_put_text(&made, in);
    buffer_put_span(&made, span_part(buffer_span(text), at + out, text->len));
    assert_true(buffer_ok(&made));
    buffer_fini(text);
    *text = made;
}

static void replace(struct buffer *text, size_t line, const char *old, const char *new)
{
    size_t at = line_at(text, line);
    const char *found = strstr(buffer_text(text) + at, old);
    assert_non_null(found);
    exchange(text, (size_t)(found - buffer_text(text)), strlen(old), new);
}

static void a_good_log_is_good(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    struct audit_report report;
    if (audit_log_verify(&log, &folder, &report) != AUDIT_GOOD) {
        fail_msg("%s:%llu: %s", report.problem.file, (unsigned long long)report.problem.line,
                 report.problem.what);
    }
    assert_string_equal(report.chain, LOG_CHAIN);
    assert_int_equal(report.segments, 3);
    assert_int_equal(report.records, 22);
    assert_int_equal(report.first_seq, 1);
    assert_int_equal(report.last_seq, 22);
    assert_int_equal(report.first_time_us, 1795288066123456 + 1001);
    assert_int_equal(report.last_time_us, 1795288066123456 + INT64_C(22) * 1001);
    assert_int_equal(report.kinds[AUDIT_KIND_SIGN], 6);
    assert_int_equal(report.kinds[AUDIT_KIND_DONE], 6);
    assert_int_equal(report.kinds[AUDIT_KIND_REFUSED], 2);
    assert_int_equal(report.kinds[AUDIT_KIND_SEGMENT], 3);
    assert_int_equal(report.checkpoints_good, 3);
    assert_int_equal(report.sealed_seq, 21);
    assert_int_equal(report.not_sealed, 1);
    assert_int_equal(report.signs_open, 0);
    assert_int_equal(report.unacknowledged, 0);
    folder_remove(&folder);
    audit_log_free(&log);
}

static void without_a_key_it_is_only_chained(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    struct audit_report report;
    const struct audit_verify_options options = {.folder = folder.path};
    assert_int_equal(audit_verify(&options, &report), AUDIT_CHAINED);
    assert_int_equal(report.sealed_seq, 0);
    assert_int_equal(report.not_sealed, 22);
    assert_int_equal(report.checkpoints_good, 0);
    assert_int_equal(report.checkpoints_unknown, 3);
    folder_remove(&folder);
    audit_log_free(&log);
}

static void a_key_that_was_not_given_is_named(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct audit_log other = audit_log_make();
    struct folder folder = audit_log_write(&log);
    struct audit_report report;
    assert_int_equal(audit_log_verify(&other, &folder, &report), AUDIT_BAD);
    audit_check_problem(&report, "audit-0000000001.jsonl", 7, 7, public_key_thumbprint(log.key));
    audit_check_problem(&report, "audit-0000000001.jsonl", 7, 7, "was not given");
    assert_int_equal(report.checkpoints_unknown, 3);
    assert_int_equal(report.records, 22);
    folder_remove(&folder);
    audit_log_free(&other);
    audit_log_free(&log);
}

static void a_log_without_a_checkpoint_is_not_sealed(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    struct audit_report report;
    audit_log_segment(&log, "begin");
    audit_log_signature(&log);
    struct folder folder = audit_log_write(&log);
    const struct audit_verify_options options = {
        .folder = folder.path, .keys = &log.key, .n_keys = 1, .is_partial = true};
    assert_int_equal(audit_verify(&options, &report), AUDIT_GOOD); /* a part may have none */
    assert_int_equal(report.sealed_seq, 0);
    assert_int_equal(report.not_sealed, 3);
    folder_remove(&folder);
    audit_log_expect_bad(&log, 0, 0, 0, "no checkpoint covers a record of this log");
}

/* --- records --- */

static void a_changed_record_is_named(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    replace(&log.segments[1], 3, "\"us\":1234", "\"us\":1235");
    audit_log_expect_bad(&log, 2, 3, 11, "was changed after record 12 was written");
}

static void a_changed_prev_is_named(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    size_t at = line_at(&log.segments[0], 4) + strlen("{\"seq\":4,\"prev\":\"");
    log.segments[0].data[at] = log.segments[0].data[at] == 'x' ? 'y' : 'x';
    audit_log_expect_bad(&log, 1, 4, 4, "does not fit record 3");
}

static void the_last_record_of_a_segment_is_held_by_the_next(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    replace(&log.segments[0], 8, "\"cause\":\"size\"", "\"cause\":\"sise\"");
    audit_log_expect_bad(&log, 1, 8, 8, "was changed after record 9 was written");
}

static void a_removed_record_is_missing(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    size_t at = line_at(&log.segments[0], 4);
    exchange(&log.segments[0], at, line_at(&log.segments[0], 6) - at, "");
    audit_log_expect_bad(&log, 1, 4, 4, "records 4 to 5 are missing");
}

static void a_record_that_is_there_twice_is_named(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    BUFFER_CLEANUP struct buffer copy = BUFFER_INIT(4000);
    size_t at = line_at(&log.segments[0], 4);
    size_t next = line_at(&log.segments[0], 5);
    buffer_put_span(&copy, span_part(buffer_span(&log.segments[0]), at, next - at));
    exchange(&log.segments[0], next, 0, buffer_text(&copy));
    audit_log_expect_bad(&log, 1, 5, 5, "has seq 4 and must have 5: a record is there twice");
}

static void what_is_no_record_is_named(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    exchange(&log.segments[1], line_at(&log.segments[1], 2), 1, "");
    audit_log_expect_bad(&log, 2, 2, 10, "is not a record: no seq");
}

static void the_last_record_must_be_json(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    audit_log_put(&log, "refused", ",\"uid\":1001,\"outcome\":\"a\",\"outcome\":\"b\"");
    audit_log_expect_bad(&log, 3, 7, 23, "is not a record: ");
}

static void a_record_behind_the_end_is_named(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_end(&log);
    audit_log_signature(&log);
    audit_log_expect_bad(&log, 1, 3, 3, "stands behind the record of the kind end");
}

static void a_completion_of_nothing_is_named(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    uint64_t of = audit_log_sign(&log);
    audit_log_done(&log, of);
    audit_log_done(&log, of);
    audit_log_expect_bad(
        &log, 1, 4, 4,
        "is the done of record 2, which is no sign, admin or keyring that waits for one");
    log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_put(&log, "done", ",\"of\":1");
    audit_log_expect_bad(&log, 1, 2, 2, "is of the kind done and has no \"of\" and \"outcome\"");
    log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_put(&log, "sign", ",\"token\":\"hsm-a\"");
    audit_log_expect_bad(&log, 1, 2, 2, "is of the kind sign and has no \"token\" and \"kid\"");
}

static void what_is_in_flight_is_counted(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    struct audit_report report;
    audit_log_segment(&log, "begin");
    (void)audit_log_sign(&log);
    uint64_t command = audit_log_put(&log, "admin", ",\"uid\":0,\"verb\":\"reload\"");
    (void)audit_log_put(&log, "admin", ",\"uid\":0,\"verb\":\"status\"");
    (void)audit_log_sign(&log);
    audit_log_done(&log, command);
    audit_log_done(&log, audit_log_put(&log, "keyring", ",\"generation\":2,\"steps\":[]"));
    audit_log_put(&log, "later-version", ",\"x\":{\"y\":[1,2]}");
    audit_log_checkpoint(&log);
    struct folder folder = audit_log_write(&log);
    assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_GOOD);
    assert_int_equal(report.signs_open, 2);
    assert_int_equal(report.kinds[AUDIT_KIND_OTHER], 1);
    folder_remove(&folder);
    audit_log_free(&log);
}

/* --- segments --- */

static void a_missing_segment_is_named(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    struct audit_report report;
    char path[128];
    folder_path(&folder, "audit-0000000002.jsonl", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_BAD);
    audit_check_problem(
        &report, "", 0, 0,
        "audit-0000000002.jsonl is missing; the next one there is audit-0000000003.jsonl");
    folder_remove(&folder);
    audit_log_free(&log);
}

static void a_log_that_begins_later_is_a_part(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    struct audit_report report;
    char path[128];
    folder_path(&folder, "audit-0000000001.jsonl", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_BAD);
    audit_check_problem(
        &report, "audit-0000000002.jsonl", 0, 0,
        "the log begins at record 9, and no record of the kind retention says that the 8 records "
        "before it were removed; to verify a part of a log say --partial");
    const struct audit_verify_options options = {
        .folder = folder.path, .keys = &log.key, .n_keys = 1, .is_partial = true};
    assert_int_equal(audit_verify(&options, &report), AUDIT_GOOD);
    assert_int_equal(report.first_seq, 9);
    assert_int_equal(report.records, 14);
    assert_int_equal(report.sealed_seq, 21);
    folder_remove(&folder);
    audit_log_free(&log);
}

static void other_names_are_refused(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    struct audit_report report;
    char path[128];
    folder_path(&folder, "audit-4.jsonl", path);
    assert_int_equal(file_replace(path, span_of_text(""), 0600), 0);
    assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_BAD);
    audit_check_problem(&report, "", 0, 0, "audit-4.jsonl is not the name of a segment");
    folder_remove(&folder);
    audit_log_free(&log);
}

static void the_first_record_must_fit_its_file(void **state)
{
    (void)state;
    static const struct {
        const char *old;
        const char *new;
        const char *what;
    } rows[] = {
        {"\"segment\":2", "\"segment\":3", "does not bear the number of its file, 2"},
        {"\"version\":1", "\"version\":2", "has not the \"version\" 1"},
        {"469f", "469g", "has no \"chain\", a UUID"},
        {"469f", "469e", "is of the chain 0f8fad5b-d9cb-469e-a165-70867728950e, and the log is of"},
        {"\"size\"", "\"sise\"", "has no \"cause\" of begin, size, age, start and fault"},
        {"\"size\"", "\"begin\"", "has the \"cause\" begin and is not the first of a log"},
        {"\"previous_bytes\"", "\"previous_byte\"", "has no number \"previous_bytes\""},
        {"\"kind\":\"segment\"", "\"kind\":\"segmenu\"", "must be of the kind segment"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct audit_log log = audit_log_small();
        replace(&log.segments[1], 1, rows[i].old, rows[i].new);
        audit_log_expect_bad(&log, 2, 1, 9, rows[i].what);
    }
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "start");
    audit_log_expect_bad(&log, 1, 1, 1, "is the first of a log, whose \"cause\" is begin");
    log = audit_log_make();
    log.seq = 4;
    audit_log_segment(&log, "begin");
    audit_log_expect_bad(&log, 1, 1, 1, "has seq 5; the first record of a log has 1");
    log = audit_log_make();
    log.prev[0] = 'B';
    audit_log_segment(&log, "begin");
    audit_log_expect_bad(&log, 1, 1, 1,
                         "has a \"prev\"; the first record of a log has 43 times A there");
    log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_put(&log, "segment", ",\"segment\":1");
    audit_log_expect_bad(&log, 1, 2, 2, "is of the kind segment and not the first of its file");
}

static void the_length_of_a_segment_is_held_by_the_next(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    size_t len = log.segments[0].len;
    buffer_put(&log.segments[0], "", 1);
    char what[100];
    (void)snprintf(what, sizeof what, "has \"previous_bytes\" %zu, and the segment before has %zu",
                   len, len + 1);
    audit_log_expect_bad(&log, 2, 1, 9, what);
    log = audit_log_small();
    buffer_cut(&log.segments[0], len - 1);
    audit_log_expect_bad(&log, 2, 1, 8, "has seq 9 and must have 8");
    log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_segment_of(&log, LOG_CHAIN, "size", audit_log_last(&log)->len - 1);
    audit_log_expect_bad(&log, 2, 1, 2, "and the records of the segment before end at 0");
}

static void after_a_fault_there_may_be_more_and_it_is_counted(void **state)
{
    (void)state;
    struct audit_report report;
    for (int is_fault = 0; is_fault < 2; is_fault++) {
        struct audit_log log = audit_log_make();
        audit_log_segment(&log, "begin");
        audit_log_signature(&log);
        size_t holds = log.segments[0].len;
        struct audit_log kept = log;
        (void)audit_log_sign(&log); /* never acknowledged */
        buffer_put(&log.segments[0], "{\"se\0\0\0", 7);
        size_t behind = log.segments[0].len - holds;
        log.seq = kept.seq;
        memcpy(log.prev, kept.prev, sizeof log.prev);
        audit_log_segment_of(&log, LOG_CHAIN, is_fault ? "fault" : "start", holds);
        audit_log_checkpoint(&log);
        if (!is_fault) {
            audit_log_expect_bad(&log, 2, 1, 4, "that is only so where the cause is fault");
            continue;
        }
        struct folder folder = audit_log_write(&log);
        assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_GOOD);
        assert_int_equal(report.unacknowledged, behind);
        assert_int_equal(report.records, 5);
        folder_remove(&folder);
        audit_log_free(&log);
    }
}

static void the_last_segment_ends_with_nul_bytes_alone(void **state)
{
    (void)state;
    static const uint8_t zero[300000];
    struct audit_report report;
    struct audit_log log = audit_log_small();
    buffer_put(&log.segments[2], zero, sizeof zero);
    struct folder folder = audit_log_write(&log);
    assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_GOOD);
    assert_int_equal(report.records, 22);
    folder_remove(&folder);
    buffer_put_text(&log.segments[2], "x");
    audit_log_expect_bad(&log, 3, 7, 23, "is not whole: behind the last line end are 300001 bytes");
    log = audit_log_small();
    buffer_put(&log.segments[2], "half\0a record", 13);
    audit_log_expect_bad(&log, 3, 7, 23, "is not whole: behind the last line end are 13 bytes");
    log = audit_log_small();
    while (log.segments[2].len < 600000) {
        buffer_put_text(&log.segments[2], "no line end");
    }
    audit_log_expect_bad(&log, 3, 7, 23, "is not whole");
}

/* As it is copied while the service writes it, or while the log is failed: a verdict of its own,
 * unless something else is wrong. */
static void half_a_record_at_the_end_is_told_as_such(void **state)
{
    (void)state;
    static const uint8_t zero[300000];
    for (int n_nul = 0; n_nul < 2; n_nul++) {
        struct audit_log log = audit_log_small();
        buffer_put_text(&log.segments[2], "{\"seq\":23,\"prev\":");
        buffer_put(&log.segments[2], zero, n_nul == 0 ? 0 : sizeof zero);
        audit_log_expect_bad(&log, 3, 0, 0,
                             "ends in 17 bytes that never were a whole record (written when the "
                             "log failed, or being written while the copy was made); nothing else "
                             "is wrong");
    }
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_signature(&log);
    buffer_put_text(&log.segments[0], "{\"seq\":4");
    audit_log_expect_bad(&log, 0, 0, 0, "no checkpoint covers a record of this log");
    log = audit_log_small();
    buffer_put_text(&log.segments[2], "{\"seq\":23");
    replace(&log.segments[1], 3, "\"us\":1234", "\"us\":1235");
    audit_log_expect_bad(&log, 2, 3, 11, "was changed after record 12 was written");
    log = audit_log_small(); /* cut in a record: its line end is lost */
    buffer_cut(&log.segments[2], log.segments[2].len - 1);
    audit_log_expect_bad(&log, 3, 0, 0, "bytes that never were a whole record");
}

/* As a service leaves it that ends before it has written the first record of the next. */
static void a_segment_may_have_no_record_yet(void **state)
{
    (void)state;
    struct audit_report report;
    struct audit_log log = audit_log_small();
    log.n_segments = 4;
    struct folder folder = audit_log_write(&log);
    assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_GOOD);
    folder_remove(&folder);
    buffer_put_text(&log.segments[2], "{\"seq\"");
    audit_log_expect_bad(&log, 3, 0, 0, "ends in 6 bytes that never were a whole record");
    log = audit_log_small();
    log.n_segments = 4;
    buffer_put_text(&log.segments[3], "{\"seq\"");
    audit_log_expect_bad(&log, 4, 0, 0, "ends in 6 bytes that never were a whole record");
    log = audit_log_small();
    log.n_segments = 4;
    buffer_put(&log.segments[3], "\0x", 2);
    audit_log_expect_bad(&log, 4, 1, 23, "is not whole");
}

static void an_empty_log_is_none(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_expect_bad(&log, 0, 0, 0, "there is no segment of a log");
    log = audit_log_make();
    log.n_segments = 1;
    audit_log_expect_bad(&log, 0, 0, 0, "there is no record in the log");
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    struct audit_report report;
    const struct audit_verify_options nowhere = {.folder = "/nonexistent"};
    assert_int_equal(audit_verify(&nowhere, &report), AUDIT_UNREADABLE);
    assert_non_null(strstr(report.problem.what, "/nonexistent: No such file or directory"));
    struct folder folder = folder_make();
    char path[128];
    folder_path(&folder, "audit-0000000001.jsonl", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    const struct audit_verify_options pipe = {.folder = folder.path};
    assert_int_equal(audit_verify(&pipe, &report), AUDIT_UNREADABLE);
    assert_non_null(strstr(report.problem.what, "audit-0000000001.jsonl: Invalid argument"));
    const struct audit_verify_options lost = {.folder = folder.path, .checkpoint = "/nonexistent"};
    assert_int_equal(audit_verify(&lost, &report), AUDIT_UNREADABLE);
    assert_string_equal(report.problem.file, "/nonexistent");
    folder_remove(&folder);
}

/* --- beside others --- */

struct writing {
    const struct audit_log *log;
    const struct folder *folder;
    size_t at; /* what is there already */
    atomic_bool is_read;
};

/* Writes the rest of a record when somebody has read its beginning. */
static void *write_rest(void *context)
{
    struct writing *writing = context;
    char path[128];
    folder_path(writing->folder, "audit-0000000003.jsonl", path);
    FD_CLEANUP int fd = open(path, O_WRONLY | O_CLOEXEC);
    struct span all = buffer_span(&writing->log->segments[2]);
    struct span rest = span_part(all, writing->at, all.len);
    struct deadline deadline = deadline_in_ms(20000);
    while (!atomic_load(&writing->is_read) && !deadline_passed(deadline)) {
        (void)sched_yield();
    }
    bool is_good = fd >= 0 && pwrite(fd, rest.data, rest.len, (off_t)writing->at) > 0;
    return is_good ? writing : NULL;
}

static void note_read(void *context, const struct audit_progress *progress)
{
    struct writing *writing = context;
    (void)progress;
    atomic_store(&writing->is_read, true);
}

/* Half a record is one that is written this moment, or one that a crash has torn. */
static void half_a_record_is_waited_for(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    while (log.seq < 5000) { /* so that progress is told */
        audit_log_put(&log, "policy", ",\"x\":1");
    }
    struct audit_log cut = log;
    struct folder folder = folder_make();
    audit_log_write_segment(&log, &folder, 1);
    audit_log_write_segment(&log, &folder, 2);
    cut.segments[2].len -= 30;
    audit_log_write_segment(&cut, &folder, 3);
    struct writing writing = {.log = &log, .folder = &folder, .at = cut.segments[2].len};
    struct audit_report report;
    struct audit_verify_options options = {.folder = folder.path,
                                           .keys = (struct public_key *const *)&log.key,
                                           .n_keys = 1,
                                           .patience_ms = 50};
    assert_int_equal(audit_verify(&options, &report), AUDIT_BAD);
    audit_check_problem(&report, "audit-0000000003.jsonl", 0, 0, "never were a whole record");
    pthread_t thread;
    void *done = NULL;
    options.patience_ms = 20000;
    options.progress = note_read;
    options.context = &writing;
    assert_int_equal(pthread_create(&thread, NULL, write_rest, &writing), 0);
    assert_int_equal(audit_verify(&options, &report), AUDIT_GOOD);
    assert_int_equal(report.last_seq, 5000);
    assert_int_equal(pthread_join(thread, &done), 0);
    assert_non_null(done);
    folder_remove(&folder);
    audit_log_free(&log);
}

/* What the service's own writer makes: closed in order, begun again, torn by a crash, repaired. */
static void what_the_service_writes_is_good(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    const struct audit_options options = {
        .folder = folder.path, .segment_bytes = 3000, .segment_age_s = 3600};
    const struct audit_verify_options verify = {.folder = folder.path};
    struct audit_report report;
    log_set_level(LOG_LEVEL_ERROR);
    for (int run = 0; run < 3; run++) {
        struct audit *audit = NULL;
        struct reason why = {0};
        assert_done(audit_open(&options, &audit, &why), why);
        for (int i = 0; i < 20; i++) {
            struct audit_ticket ticket;
            BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
            record_put_text(&members, "token", "hsm-a");
            record_put_text(&members, "kid", LOG_KID);
            assert_done(
                audit_append_durable(audit, "sign", &members, deadline_in_ms(20000), &ticket, &why),
                why);
            audit_done(audit, &ticket, "released", span_of_text("s"));
        }
        assert_int_equal(audit_verify(&verify, &report), AUDIT_CHAINED); /* it runs */
        audit_close(audit);
        if (audit_verify(&verify, &report) != AUDIT_CHAINED) {
            fail_msg("%s:%llu: %s", report.problem.file, (unsigned long long)report.problem.line,
                     report.problem.what);
        }
        assert_int_equal(report.kinds[AUDIT_KIND_SIGN], 20 * (run + 1));
        assert_int_equal(report.kinds[AUDIT_KIND_DONE], 20 * (run + 1));
        assert_int_equal(report.signs_open, 0);
        assert_true(report.segments > (uint64_t)run);
        if (run == 1) { /* as a crash leaves it: the next run cuts it */
            char name[SEGMENT_NAME_SIZE];
            char path[128];
            struct stat status;
            uint64_t last = report.segments;
            folder_path(&folder, audit_segment_name(last, name), path);
            assert_true(stat(path, &status) == 0 && truncate(path, status.st_size - 10) == 0);
            assert_int_equal(audit_verify(&verify, &report), AUDIT_BAD);
        }
    }
    assert_int_equal(report.kinds[AUDIT_KIND_REPAIR], 1);
    folder_remove(&folder);
}

/* --- without qsealctl --- */

/* The commands of docs/audit.md, between the fences behind this heading. */
static void read_commands(struct buffer *out)
{
    BUFFER_CLEANUP struct buffer docs = BUFFER_INIT(1024 * 1024);
    assert_int_equal(file_read(QSEAL_AUDIT_DOCS, &docs), 0);
    const char *at = strstr(buffer_text(&docs), "\n### Without qsealctl\n");
    assert_non_null(at);
    for (at = strstr(at, "\n```sh\n"); at != NULL; at = strstr(at, "\n```sh\n")) {
        at += strlen("\n```sh\n");
        const char *fence = strstr(at, "\n```\n");
        assert_non_null(fence);
        buffer_put(out, at, (size_t)(fence + 1 - at));
    }
}

/* What they say of a log: the last line of it. */
static int run_commands(const struct audit_log *log, const struct folder *folder)
{
    BUFFER_CLEANUP struct buffer commands = BUFFER_INIT(64 * 1024);
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(2000);
    char path[128];
    char line[300];
    read_commands(&commands);
    folder_path(folder, "commands", path);
    assert_int_equal(file_replace(path, buffer_span(&commands), 0600), 0);
    pem_put(&pem, "PUBLIC KEY", public_key_spki(log->key));
    folder_path(folder, "audit-key.pem", path);
    assert_int_equal(file_replace(path, buffer_span(&pem), 0600), 0);
    folder_path(folder, "checkpoint", path);
    assert_int_equal(file_replace(path, buffer_span(&log->checkpoint), 0600), 0);
    (void)snprintf(line, sizeof line, "cd %s && sh ./commands >said 2>&1", folder->path);
    return system(line);
}

static void a_shell_says_the_same(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    static const uint8_t zero[1000];
    char path[128];
    buffer_put(&log.segments[2], zero, sizeof zero);
    for (int change = 0; change < 3; change++) {
        struct folder folder = audit_log_write(&log);
        BUFFER_CLEANUP struct buffer said = BUFFER_INIT(100000);
        int status = run_commands(&log, &folder);
        folder_path(&folder, "said", path);
        assert_int_equal(file_read(path, &said), 0);
        static const char *const want[] = {"Verified OK", "does not fit", "is another record"};
        if ((status == 0) != (change == 0) || strstr(buffer_text(&said), want[change]) == NULL) {
            print_error("%d: %s\n", change, buffer_text(&said));
        }
        assert_int_equal(status == 0, change == 0);
        assert_non_null(strstr(buffer_text(&said), want[change]));
        folder_remove(&folder);
        if (change == 0) {
            replace(&log.segments[1], 3, "\"us\":1234", "\"us\":1235");
        } else if (change == 1) { /* another log, whole in itself */
            struct public_key *key = public_key_ref(log.key);
            BUFFER_CLEANUP struct buffer kept = BUFFER_INIT(20000);
            buffer_put_span(&kept, buffer_span(&log.checkpoint));
            audit_log_free(&log);
            log = audit_log_small();
            log.checkpoint.len = 0;
            buffer_put_span(&log.checkpoint, buffer_span(&kept));
            public_key_free(log.key);
            log.key = key;
        }
    }
    audit_log_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_log_is_good),
        cmocka_unit_test(without_a_key_it_is_only_chained),
        cmocka_unit_test(a_key_that_was_not_given_is_named),
        cmocka_unit_test(a_log_without_a_checkpoint_is_not_sealed),
        cmocka_unit_test(a_changed_record_is_named),
        cmocka_unit_test(a_changed_prev_is_named),
        cmocka_unit_test(the_last_record_of_a_segment_is_held_by_the_next),
        cmocka_unit_test(a_removed_record_is_missing),
        cmocka_unit_test(a_record_that_is_there_twice_is_named),
        cmocka_unit_test(what_is_no_record_is_named),
        cmocka_unit_test(the_last_record_must_be_json),
        cmocka_unit_test(a_record_behind_the_end_is_named),
        cmocka_unit_test(a_completion_of_nothing_is_named),
        cmocka_unit_test(what_is_in_flight_is_counted),
        cmocka_unit_test(a_missing_segment_is_named),
        cmocka_unit_test(a_log_that_begins_later_is_a_part),
        cmocka_unit_test(other_names_are_refused),
        cmocka_unit_test(the_first_record_must_fit_its_file),
        cmocka_unit_test(the_length_of_a_segment_is_held_by_the_next),
        cmocka_unit_test(after_a_fault_there_may_be_more_and_it_is_counted),
        cmocka_unit_test(the_last_segment_ends_with_nul_bytes_alone),
        cmocka_unit_test(half_a_record_at_the_end_is_told_as_such),
        cmocka_unit_test(a_segment_may_have_no_record_yet),
        cmocka_unit_test(an_empty_log_is_none),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(half_a_record_is_waited_for),
        cmocka_unit_test(what_the_service_writes_is_good),
        cmocka_unit_test(a_shell_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
