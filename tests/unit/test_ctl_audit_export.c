/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit export: a part of a log that can be verified by itself. */
#include "audit_command.h"

#include <sys/stat.h>

#define DAY_US (INT64_C(86400) * 1000000)

struct scene {
    struct audit_log log;
    struct folder folder;
    struct folder parent;
    char to[128];
    char *words[1];
    struct command_line line;
};

/* Five segments, each of a day of its own: 2026-11-21 to 2026-11-25. */
static void begin(struct scene *scene)
{
    static const uint8_t zero[1000];
    struct audit_log *log = &scene->log;
    char path[128];
    *log = audit_log_make();
    for (int day = 0; day < 5; day++) {
        audit_log_segment(log, day == 0 ? "begin" : "age");
        audit_log_signature(log);
        audit_log_checkpoint(log);
        log->time_us += DAY_US;
    }
    buffer_put(&log->segments[4], zero, sizeof zero);
    scene->folder = audit_log_write(log);
    folder_path(&scene->folder, "checkpoint", path);
    assert_int_equal(file_replace(path, buffer_span(&log->checkpoint), 0600), 0);
    scene->parent = folder_make();
    folder_path(&scene->parent, "part", scene->to);
    scene->words[0] = scene->folder.path;
    scene->line =
        (struct command_line){.words = scene->words, .n_words = 1, .audit = {.to = scene->to}};
}

static struct folder part_of(const struct scene *scene)
{
    struct folder part;
    assert_true(strlen(scene->to) < sizeof part.path);
    memcpy(part.path, scene->to, strlen(scene->to) + 1);
    return part;
}

static void end(struct scene *scene)
{
    folder_remove(&scene->parent);
    folder_remove(&scene->folder);
    audit_log_free(&scene->log);
}

static void check_part(struct scene *scene, uint64_t first, uint64_t last)
{
    struct folder part = part_of(scene);
    struct audit_report report;
    const struct audit_verify_options options = {
        .folder = part.path, .keys = &scene->log.key, .n_keys = 1, .is_partial = true};
    if (audit_verify(&options, &report) != AUDIT_GOOD) {
        fail_msg("%s: %s", report.problem.file, report.problem.what);
    }
    assert_int_equal(report.segments, last - first + 1);
    assert_int_equal(report.first_seq, (first - 1) * 4 + 1);
    assert_int_equal(report.last_seq, last * 4);
    assert_int_equal(report.checkpoint_elsewhere, last < 5);
    assert_int_equal(folder_count(&part), last - first + 3);
    folder_remove(&part);
}

static void the_segments_of_a_period_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *since;
        const char *until;
        uint64_t first, last;
    } rows[] = {
        {NULL, NULL, 1, 5},
        {"2026-11-22T00:00:00Z", "2026-11-24T00:00:00Z", 2, 3},
        {"2026-11-23T19:00:00Z", "2026-11-23T20:00:00Z", 3, 3},
        {"2026-11-25T00:00:00Z", NULL, 5, 5},
        {NULL, "2026-11-22T00:00:00Z", 1, 1},
    };
    struct scene scene;
    begin(&scene);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        scene.line.audit.since = rows[i].since;
        scene.line.audit.until = rows[i].until;
        char want[100];
        (void)snprintf(want, sizeof want, "segments %llu to %llu of ",
                       (unsigned long long)rows[i].first, (unsigned long long)rows[i].last);
        assert_said(said_by(run_audit_export, &scene.line), EXIT_DONE, want, "");
        check_part(&scene, rows[i].first, rows[i].last);
    }
    end(&scene);
}

/* sha256sum(1) is another's program: it says whether the sums are right. */
static void the_sums_are_right(void **state)
{
    (void)state;
    struct scene scene;
    char command[300];
    begin(&scene);
    assert_said(said_by(run_audit_export, &scene.line), EXIT_DONE, "segments 1 to 5", "");
    (void)snprintf(command, sizeof command,
                   "cd %s && sha256sum --quiet --strict -c SHA256SUMS && test $(wc -l <SHA256SUMS) "
                   "= 6",
                   scene.to);
    assert_int_equal(system(command), 0);
    struct folder part = part_of(&scene);
    folder_remove(&part);
    end(&scene);
}

/* What a fault has left behind a segment goes with it, but not at the end of the part. */
static void a_part_may_end_where_a_fault_was(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    audit_log_free(&scene.log);
    folder_remove(&scene.folder);
    scene.log = audit_log_make();
    struct audit_log *log = &scene.log;
    audit_log_segment(log, "begin");
    audit_log_signature(log);
    audit_log_checkpoint(log);
    size_t holds = log->segments[0].len;
    buffer_put_text(&log->segments[0], "torn");
    log->time_us += DAY_US;
    audit_log_segment_of(log, LOG_CHAIN, "fault", holds);
    scene.folder = audit_log_write(log);
    for (int i = 0; i < 2; i++) {
        struct audit_report report;
        scene.line.audit.until = i == 0 ? "2026-11-22T00:00:00Z" : NULL;
        assert_said(said_by(run_audit_export, &scene.line), EXIT_DONE, "segments 1 to ", "");
        struct folder part = part_of(&scene);
        const struct audit_verify_options options = {
            .folder = part.path, .keys = &log->key, .n_keys = 1, .is_partial = true};
        assert_int_equal(audit_verify(&options, &report), AUDIT_GOOD);
        assert_int_equal(report.unacknowledged, i == 0 ? 0 : 4);
        folder_remove(&part);
    }
    end(&scene);
}

static void nothing_is_written_over(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    assert_int_equal(mkdir(scene.to, 0700), 0);
    assert_said(said_by(run_audit_export, &scene.line), EXIT_REFUSED, "",
                "is there already; a new folder is made, nothing is written over");
    assert_int_equal(rmdir(scene.to), 0);
    end(&scene);
}

static void what_cannot_be_exported_is_told(void **state)
{
    (void)state;
    struct scene scene;
    struct stat status;
    begin(&scene);
    scene.line.audit.since = "2027-01-01T00:00:00Z";
    assert_said(said_by(run_audit_export, &scene.line), EXIT_REFUSED, "",
                "no record of the log is in that time");
    scene.line.audit.since = "x";
    assert_said(said_by(run_audit_export, &scene.line), EXIT_USAGE, "", "--since: not a time");
    scene.line.audit.since = NULL;
    scene.line.audit.to = NULL;
    assert_said(said_by(run_audit_export, &scene.line), EXIT_USAGE, "",
                "--to is missing: the folder that is made");
    scene.line.audit.to = "/nonexistent/part";
    assert_said(said_by(run_audit_export, &scene.line), EXIT_UNAVAILABLE, "",
                "/nonexistent/part: No such file or directory");
    scene.line.audit.to = scene.to;
    scene.log.segments[2].data[0] = 'x';
    audit_log_write_segment(&scene.log, &scene.folder, 3);
    assert_said(said_by(run_audit_export, &scene.line), EXIT_NOT_VERIFIED, "",
                "audit-0000000003.jsonl:1: is not a record: no seq");
    assert_int_equal(stat(scene.to, &status), -1);
    char path[128];
    folder_path(&scene.folder, "audit-0000000002.jsonl", path);
    assert_int_equal(unlink(path), 0);
    assert_said(said_by(run_audit_export, &scene.line), EXIT_NOT_VERIFIED, "",
                "audit-0000000002.jsonl is missing");
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_segments_of_a_period_are_taken),
        cmocka_unit_test(the_sums_are_right),
        cmocka_unit_test(a_part_may_end_where_a_fault_was),
        cmocka_unit_test(nothing_is_written_over),
        cmocka_unit_test(what_cannot_be_exported_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
