/* SPDX-License-Identifier: Apache-2.0
 * Retention: what is removed, what stays, and that each removal is on record before it. */
#include "audit_log_support.h"

#include <stdatomic.h>
#include <sys/stat.h>

static atomic_int disk_fault;
static atomic_int unlink_fault;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (atomic_load(&disk_fault) != 0) {
        errno = atomic_load(&disk_fault);
        return -1;
    }
    return __real_pwrite(fd, data, len, at);
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
    if (atomic_load(&unlink_fault) != 0) {
        errno = atomic_load(&unlink_fault);
        return -1;
    }
    return __real_unlinkat(folder, name, flags);
}

enum { SEGMENTS = 4 }; /* the last one is being written */

/* Segments of three records each: segment, x, end. */
static struct audit *make(const struct folder *folder)
{
    for (int i = 1; i < SEGMENTS; i++) {
        struct audit *audit = open_log(folder, BIG);
        must_append(audit, "x");
        audit_close(audit);
    }
    return open_log(folder, BIG);
}

static bool is_there(const struct folder *folder, uint64_t number, const char *ending)
{
    char name[32];
    char path[128];
    (void)snprintf(name, sizeof name, "audit-%010llu%s", (unsigned long long)number, ending);
    folder_path(folder, name, path);
    return access(path, F_OK) == 0;
}

static size_t count_records(const struct folder *folder, const char *text)
{
    size_t n = 0;
    BUFFER_CLEANUP struct buffer segment = BUFFER_INIT(LOG_MAX);
    read_segment(folder, SEGMENTS, &segment);
    for (const char *at = buffer_text(&segment); (at = strstr(at, text)) != NULL; at++) {
        n++;
    }
    return n;
}

static void expect_first(const struct folder *folder, uint64_t first)
{
    for (uint64_t number = 1; number <= SEGMENTS; number++) {
        assert_int_equal(is_there(folder, number, ".jsonl"), number >= first);
    }
}

static void what_is_sealed_and_old_goes_with_a_record(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = make(&folder);
    (void)must_seal(audit);
    audit_expire(audit, INT64_MAX);
    expect_first(&folder, SEGMENTS); /* never the one that is written */
    assert_int_equal(count_records(&folder, "\"kind\":\"retention\""), 3);
    assert_int_equal(count_records(&folder, "\"segment\":1,\"first\":1,\"last\":3}"), 1);
    assert_int_equal(count_records(&folder, "\"segment\":2,\"first\":4,\"last\":6}"), 1);
    assert_int_equal(count_records(&folder, "\"segment\":3,\"first\":7,\"last\":9}"), 1);
    audit_expire(audit, INT64_MAX);
    assert_int_equal(count_records(&folder, "\"kind\":\"retention\""), 3);
    audit_close(audit);
    folder_remove(&folder);
}

static void what_is_not_sealed_stays(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = make(&folder);
    audit_expire(audit, INT64_MAX);
    expect_first(&folder, 1);
    audit_close(audit);
    folder_remove(&folder);
}

/* Sealed to the middle of segment 2: its last record is not covered. */
static void a_segment_is_sealed_with_its_last_record(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer none = BUFFER_INIT(16);
    struct audit *audit = make(&folder);
    struct audit_head head = {.seq = 6}; /* the first of segment 3 is 7 */
    assert_done(audit_append_checkpoint(audit, &head, &none, deadline_in_ms(WAIT_MS), &why), why);
    audit_expire(audit, INT64_MAX);
    expect_first(&folder, 2);
    head.seq = 7;
    assert_done(audit_append_checkpoint(audit, &head, &none, deadline_in_ms(WAIT_MS), &why), why);
    audit_expire(audit, INT64_MAX);
    expect_first(&folder, 3);
    audit_close(audit);
    folder_remove(&folder);
}

static void what_is_young_stays(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = make(&folder);
    (void)must_seal(audit);
    audit_expire(audit, clock_wall_s() - 3600);
    expect_first(&folder, 1);
    assert_int_equal(count_records(&folder, "\"kind\":\"retention\""), 0);
    audit_close(audit);
    folder_remove(&folder);
}

/* What was cut from it goes with it. */
static void its_torn_end_goes_too(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    struct audit *audit = make(&folder);
    folder_path(&folder, "audit-0000000002.torn", path);
    assert_int_equal(file_replace(path, span_of_text("torn"), 0600), 0);
    (void)must_seal(audit);
    audit_expire(audit, INT64_MAX);
    assert_false(is_there(&folder, 2, ".torn"));
    audit_close(audit);
    folder_remove(&folder);
}

/* Whoever took one away has made a gap: what is before it is nobody's to remove. */
static void before_a_gap_nothing_is_touched(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    struct audit *audit = make(&folder);
    folder_path(&folder, "audit-0000000002.jsonl", path);
    assert_int_equal(unlink(path), 0);
    (void)must_seal(audit);
    audit_expire(audit, INT64_MAX);
    assert_true(is_there(&folder, 1, ".jsonl"));
    assert_false(is_there(&folder, 3, ".jsonl"));
    audit_close(audit);
    folder_remove(&folder);
}

static void what_cannot_be_read_stays_with_all_behind_it(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "nonsense\n", "{\"seq\":4", "\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct folder folder = folder_make();
        char path[128];
        struct audit *audit = make(&folder);
        folder_path(&folder, "audit-0000000002.jsonl", path);
        assert_int_equal(file_replace(path, span_of_text(texts[i]), 0600), 0);
        (void)must_seal(audit);
        audit_expire(audit, INT64_MAX);
        expect_first(&folder, 1);
        audit_close(audit);
        folder_remove(&folder);
    }
}

/* Nor is a pipe waited for, that nobody writes. */
static void what_is_no_file_is_not_read(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    struct audit *audit = make(&folder);
    folder_path(&folder, "audit-0000000002.jsonl", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    (void)must_seal(audit);
    audit_expire(audit, INT64_MAX);
    expect_first(&folder, 1);
    audit_close(audit);
    folder_remove(&folder);
}

/* A link is not followed: it may lead out of the folder. */
static void a_link_is_not_followed(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    char elsewhere[128];
    struct audit *audit = make(&folder);
    folder_path(&folder, "audit-0000000001.jsonl", path);
    folder_path(&folder, "elsewhere", elsewhere);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    (void)must_seal(audit);
    audit_expire(audit, INT64_MAX);
    assert_int_equal(access(elsewhere, F_OK), 0);
    expect_first(&folder, 1);
    audit_close(audit);
    folder_remove(&folder);
}

static void without_a_record_nothing_is_removed(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = make(&folder);
    (void)must_seal(audit);
    atomic_store(&disk_fault, ENOSPC);
    audit_expire(audit, INT64_MAX); /* its record is the first that fails */
    expect_first(&folder, 1);
    until(audit, false);
    audit_expire(audit, INT64_MAX);
    expect_first(&folder, 1);
    atomic_store(&disk_fault, 0);
    until(audit, true);
    audit_close(audit);
    folder_remove(&folder);
}

static void one_that_cannot_be_removed_stops_it(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = make(&folder);
    (void)must_seal(audit);
    atomic_store(&unlink_fault, EPERM);
    audit_expire(audit, INT64_MAX);
    atomic_store(&unlink_fault, 0);
    expect_first(&folder, 1);
    assert_int_equal(count_records(&folder, "\"kind\":\"retention\""), 1);
    audit_expire(audit, INT64_MAX);
    expect_first(&folder, SEGMENTS);
    audit_close(audit);
    folder_remove(&folder);
}

/* --- the time that is known --- */

static void put_first(const struct folder *folder, uint64_t number, const char *time,
                      const char *cause)
{
    char name[32];
    char path[128];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1024);
    (void)snprintf(name, sizeof name, "audit-%010llu.jsonl", (unsigned long long)number);
    folder_path(folder, name, path);
    buffer_put_format(&text,
                      "{\"seq\":%llu,\"prev\":\"%s\",\"time\":\"%s.000000Z\",\"kind\":\"segment\","
                      "\"cause\":\"%s\"}\n",
                      (unsigned long long)number, audit_no_hash, time, cause);
    assert_int_equal(file_replace(path, buffer_span(&text), 0600), 0);
}

/* Segments 3 and 4 are of this run. */
static void what_the_run_before_has_seen_is_known(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct audit *audit = make(&folder);
    put_first(&folder, 1, "2026-01-01T00:00:01", "begin");
    put_first(&folder, 2, "2026-01-01T00:00:02", "age");
    put_first(&folder, 3, "2026-01-01T00:00:03", "start");
    put_first(&folder, 4, "2026-01-01T00:00:04", "fault");
    assert_int_equal(audit_time_before(audit), 1767225602);
    put_first(&folder, 3, "2026-01-01T00:00:03", "size");
    put_first(&folder, 2, "2026-01-01T00:00:02", "start");
    assert_int_equal(audit_time_before(audit), 1767225601);
    put_first(&folder, 2, "2026-01-01T00:00:02", "size");
    assert_int_equal(audit_time_before(audit), 1767225601); /* there was none before */
    audit_close(audit);
    folder_remove(&folder);
}

static void what_cannot_be_read_leaves_the_time_unknown(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    struct audit *audit = make(&folder);
    folder_path(&folder, "audit-0000000003.jsonl", path);
    assert_int_equal(file_replace(path, span_of_text("nonsense\n"), 0600), 0);
    assert_int_equal(audit_time_before(audit), 0);
    put_first(&folder, 4, "2026-01-01T00:00:04", "age");
    assert_int_equal(audit_time_before(audit), 0);
    audit_close(audit);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_and_old_goes_with_a_record),
        cmocka_unit_test(what_is_not_sealed_stays),
        cmocka_unit_test(a_segment_is_sealed_with_its_last_record),
        cmocka_unit_test(what_is_young_stays),
        cmocka_unit_test(its_torn_end_goes_too),
        cmocka_unit_test(before_a_gap_nothing_is_touched),
        cmocka_unit_test(what_cannot_be_read_stays_with_all_behind_it),
        cmocka_unit_test(what_is_no_file_is_not_read),
        cmocka_unit_test(a_link_is_not_followed),
        cmocka_unit_test(without_a_record_nothing_is_removed),
        cmocka_unit_test(one_that_cannot_be_removed_stops_it),
        cmocka_unit_test(what_the_run_before_has_seen_is_known),
        cmocka_unit_test(what_cannot_be_read_leaves_the_time_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
