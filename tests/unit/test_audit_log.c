/* SPDX-License-Identifier: Apache-2.0
 * The log as it is written: its chain over records, segments, starts and faults. The checker here
 * is the test's own: it shares nothing with the log but the form of a line. */
#include "audit_log_support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/types.h>

/* --- faults --- */

static atomic_int fail_pwrite; /* errno, 0: none */
static atomic_int fail_fdatasync;
static atomic_int fail_open; /* of new files */
static atomic_int fail_ftruncate;
static atomic_int fail_next; /* writes, from the next new file on */
static atomic_bool short_writes;
static atomic_int slow_sync_ms;
static atomic_bool syncs; /* slowly, now */

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __real_openat(int folder, const char *name, int flags, ...);
int __wrap_openat(int folder, const char *name, int flags, mode_t mode);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    int error = atomic_load(&fail_pwrite);
    if (error != 0) {
        (void)__real_pwrite(fd, data, len / 2, at);
        errno = error;
        return -1;
    }
    return __real_pwrite(fd, data, atomic_load(&short_writes) && len > 7 ? 7 : len, at);
}

int __wrap_fdatasync(int fd)
{
    int error = atomic_load(&fail_fdatasync);
    if (error != 0) {
        errno = error;
        return -1;
    }
    int ms = atomic_load(&slow_sync_ms);
    atomic_store(&syncs, ms > 0);
    (void)poll(NULL, 0, ms); /* the disk is slow */
    return __real_fdatasync(fd);
}

int __wrap_openat(int folder, const char *name, int flags, mode_t mode)
{
    int error = atomic_load(&fail_open);
    if ((flags & O_CREAT) != 0 && error != 0) {
        errno = error;
        return -1;
    }
    error = atomic_load(&fail_next);
    if ((flags & O_CREAT) != 0 && error != 0) {
        atomic_store(&fail_pwrite, error);
    }
    return __real_openat(folder, name, flags, mode);
}

int __wrap_ftruncate(int fd, off_t len)
{
    int error = atomic_load(&fail_ftruncate);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return __real_ftruncate(fd, len);
}

static int set_up(void **state)
{
    (void)state;
    atomic_store(&fail_pwrite, 0);
    atomic_store(&fail_fdatasync, 0);
    atomic_store(&fail_open, 0);
    atomic_store(&fail_next, 0);
    atomic_store(&fail_ftruncate, 0);
    atomic_store(&short_writes, false);
    atomic_store(&slow_sync_ms, 0);
    atomic_store(&syncs, false);
    return 0;
}

/* --- what is in it --- */

struct found {
    uint64_t segments;
    uint64_t seq;
    char head[AUDIT_HASH_SIZE];
    struct buffer text; /* of all records, one after the other */
};

/* Where the next segment says that this one holds, its length if there is none. */
static size_t holds_of(const struct folder *folder, uint64_t number, const struct buffer *own)
{
    BUFFER_CLEANUP struct buffer next = BUFFER_INIT(LOG_MAX);
    struct audit_line line;
    uint64_t bytes;
    read_segment(folder, number + 1, &next);
    struct span text = buffer_span(&next);
    if (text.len == 0) {
        return own->len;
    }
    assert_null(audit_line_read(span_part(text, 0, span_find(text, '\n') + 1), &line));
    assert_true(audit_line_number(&line, "previous_bytes", &bytes));
    return (size_t)bytes;
}

static void check_segment(struct span text, struct found *found)
{
    bool first = true;
    while (text.len > 0 && text.data[0] != '\0') {
        struct span own = span_part(text, 0, span_find(text, '\n') + 1);
        struct audit_line line;
        const char *fault = audit_line_read(own, &line);
        if (fault != NULL) {
            print_error("after %llu: %s: %.*s\n", (unsigned long long)found->seq, fault,
                        (int)own.len, (const char *)own.data);
        }
        assert_null(fault);
        assert_int_equal(line.seq, found->seq + 1);
        assert_true(span_is_text(line.prev, found->seq == 0 ? audit_no_hash : found->head));
        assert_int_equal(span_is_text(line.kind, "segment"), first);
        assert_true(sha256_text(own, found->head));
        found->seq = line.seq;
        buffer_put_span(&found->text, own);
        text = span_part(text, own.len, text.len);
        first = false;
    }
    for (size_t i = 0; i < text.len; i++) {
        assert_int_equal(text.data[i], 0);
    }
}

static struct found check_log(const struct folder *folder)
{
    struct found found = {.text = BUFFER_INIT(LOG_MAX)};
    for (;;) {
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(LOG_MAX);
        read_segment(folder, found.segments + 1, &text);
        if (text.len == 0) {
            return found;
        }
        found.segments++;
        size_t holds = holds_of(folder, found.segments, &text);
        assert_true(holds <= text.len);
        check_segment(span_part(buffer_span(&text), 0, holds), &found);
    }
}

static size_t count_of(struct found *found, const char *text)
{
    size_t n = 0;
    for (const char *at = buffer_text(&found->text); (at = strstr(at, text)) != NULL; at++) {
        n++;
    }
    return n;
}

/* Of all the numbers behind that text. */
static uint64_t sum_of(struct found *found, const char *text)
{
    uint64_t sum = 0;
    for (const char *at = buffer_text(&found->text); (at = strstr(at, text)) != NULL; at++) {
        sum += strtoull(at + strlen(text), NULL, 10);
    }
    return sum;
}

static void forget(struct found *found)
{
    buffer_fini(&found->text);
}

/* --- tests --- */

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

/* A segment that is full with one record of this text. */
enum { SMALL = 1000 };

static const char *long_text(char out[SMALL + 1])
{
    memset(out, 'x', SMALL);
    out[SMALL] = '\0';
    return out;
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
    atomic_store(&fail_pwrite, 0);
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
    audit_close(audit);
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
    atomic_store(&slow_sync_ms, 300);
    enum outcome outcome = OUTCOME_OK;
    size_t taken = 0;
    for (; outcome == OUTCOME_OK && taken < 10000; taken++) {
        outcome = audit_append(audit, "test", &members, &ticket, &why);
    }
    assert_refused(outcome, OUTCOME_AUDIT, why,
                   "the audit log takes no more before its disk answers");
    atomic_store(&slow_sync_ms, 0);
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
        cmocka_unit_test_setup(a_fault_ends_the_segment_and_the_log_goes_on, set_up),
        cmocka_unit_test_setup(it_waits_until_a_segment_can_be_begun, set_up),
        cmocka_unit_test_setup(a_lost_record_is_told_of_later_too, set_up),
        cmocka_unit_test_setup(a_segment_that_fails_at_once_is_named, set_up),
        cmocka_unit_test_setup(a_full_segment_at_the_stop_is_ended_once, set_up),
        cmocka_unit_test_setup(what_was_taken_is_written_at_the_stop, set_up),
        cmocka_unit_test_setup(what_has_no_room_is_refused, set_up),
        cmocka_unit_test_setup(a_place_that_is_taken_is_said, set_up),
        cmocka_unit_test_setup(a_segment_that_cannot_be_changed_is_a_fault, set_up),
        cmocka_unit_test_setup(a_log_that_cannot_begin_is_as_after_a_fault, set_up),
        cmocka_unit_test_setup(a_second_writer_is_refused, set_up),
        cmocka_unit_test_setup(a_segment_that_was_removed_is_a_fault, set_up),
        cmocka_unit_test_setup(who_cannot_wait_any_more_is_told, set_up),
        cmocka_unit_test_setup(a_flood_of_refusals_is_counted_exactly, set_up),
        cmocka_unit_test_setup(checkpoints_are_due_by_records_time_and_request, set_up),
        cmocka_unit_test_setup(a_full_segment_waits_for_its_checkpoint, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
