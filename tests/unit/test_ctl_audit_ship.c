/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit show --position: each record goes out, whatever happened since it went on last. */
#include "audit_command.h"

#include <sys/wait.h>

struct scene {
    struct audit_log log;
    struct folder folder;
    struct folder own; /* of the shipper */
    char position[128];
    char *words[1];
    struct command_line line;
};

/* 1 to 8, 9 to 16, 17 to 22. */
static void begin(struct scene *scene)
{
    scene->log = audit_log_small();
    scene->folder = audit_log_write(&scene->log);
    scene->own = folder_make();
    folder_path(&scene->own, "position", scene->position);
    scene->words[0] = scene->folder.path;
    scene->line = (struct command_line){
        .words = scene->words, .n_words = 1, .json = true, .audit = {.position = scene->position}};
}

static void end(struct scene *scene)
{
    folder_remove(&scene->own);
    folder_remove(&scene->folder);
    audit_log_free(&scene->log);
}

/* Records from `first` to `last`, one after the other; none when `first` is 0. */
static void check_records(struct span out, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq != 0 && seq <= last; seq++) {
        struct audit_line read;
        size_t len = span_find(out, '\n') + 1;
        assert_true(len <= out.len);
        assert_null(audit_line_read(span_part(out, 0, len), &read));
        assert_int_equal(read.seq, seq);
        out = span_part(out, len, out.len);
    }
    assert_int_equal(out.len, 0);
}

static void expect_shipped(struct scene *scene, uint64_t first, uint64_t last, const char *err)
{
    struct said said = said_by(run_audit_show, &scene->line);
    check_records(buffer_span(&said.out), first, last);
    if (err[0] == '\0') {
        assert_string_equal(ERR(&said), "");
    }
    assert_said(said, EXIT_DONE, "", err);
}

static void ship_all(struct scene *scene)
{
    expect_shipped(scene, 1, scene->log.seq, "");
}

static struct buffer position_of(const struct scene *scene)
{
    struct buffer text = BUFFER_INIT(1000);
    assert_int_equal(file_read(scene->position, &text), 0);
    return text;
}

static void set_position(const struct scene *scene, const char *text)
{
    assert_int_equal(file_replace(scene->position, span_of_text(text), 0600), 0);
}

static void rewrite(struct scene *scene, uint64_t segment)
{
    audit_log_write_segment(&scene->log, &scene->folder, segment);
}

static void it_goes_on_where_it_was(void **state)
{
    (void)state;
    struct scene scene;
    char want[200];
    begin(&scene);
    ship_all(&scene);
    (void)snprintf(want, sizeof want, "record 22 in segment 3, hash %s, chain " LOG_CHAIN "\n",
                   scene.log.prev);
    BUFFER_CLEANUP struct buffer text = position_of(&scene);
    assert_string_equal(buffer_text(&text), want);
    expect_shipped(&scene, 0, 0, "");
    audit_log_signature(&scene.log);
    rewrite(&scene, 3);
    expect_shipped(&scene, 23, 24, "");
    audit_log_end(&scene.log);
    audit_log_segment(&scene.log, "size");
    rewrite(&scene, 3);
    rewrite(&scene, 4);
    expect_shipped(&scene, 25, 26, "");
    set_position(&scene, want); /* it was killed before it could write it */
    expect_shipped(&scene, 23, 26, "");
    end(&scene);
}

static void it_begins_behind_a_record(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    scene.line.audit.after = "12";
    expect_shipped(&scene, 13, 22, "");
    expect_shipped(&scene, 0, 0, "");
    end(&scene);
}

/* --- what a power cut takes --- */

/* The log goes on behind this many records of a segment. Returns how many bytes they have. */
static size_t go_back(struct audit_log *log, size_t segment, uint64_t seq, int records)
{
    struct span left = buffer_span(&log->segments[segment]);
    size_t holds = 0;
    for (int i = 0; i < records; i++) {
        size_t len = span_find(span_part(left, holds, left.len), '\n') + 1;
        assert_true(sha256_text(span_part(left, holds, len), log->prev));
        holds += len;
    }
    log->seq = seq;
    return holds;
}

static void what_was_never_acknowledged_is_followed_by_its_segment(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    ship_all(&scene);
    size_t holds = go_back(&scene.log, 2, 19, 3); /* of 17 to 22 */
    audit_log_segment_of(&scene.log, LOG_CHAIN, "fault", holds);
    audit_log_signature(&scene.log);
    rewrite(&scene, 4);
    expect_shipped(&scene, 17, 22,
                   "record 22 is not in the log as it was shipped: segment 3 is shipped anew");
    expect_shipped(&scene, 0, 0, "");
    end(&scene);
}

/* Another segment of the same number, with other records of the same numbers. */
static void a_segment_that_is_made_anew_is_shipped_anew(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    ship_all(&scene);
    (void)go_back(&scene.log, 1, 16, 8);
    scene.log.n_segments = 2;
    buffer_reset(&scene.log.segments[2]);
    audit_log_segment(&scene.log, "start");
    for (int i = 0; i < 3; i++) {
        audit_log_signature(&scene.log);
    }
    rewrite(&scene, 3);
    expect_shipped(&scene, 17, 23,
                   "record 22 is not in the log as it was shipped: segment 3 is shipped anew");
    end(&scene);
}

static void a_log_that_ends_earlier_is_waited_for(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    ship_all(&scene);
    BUFFER_CLEANUP struct buffer before = position_of(&scene);
    scene.log.segments[2].len -= 10;
    rewrite(&scene, 3);
    assert_said(said_by(run_audit_show, &scene.line), EXIT_UNAVAILABLE, "",
                "record 22 was shipped, and segment 3 ends before it: qseald has not begun another "
                "one since");
    char path[128];
    folder_path(&scene.folder, "audit-0000000003.jsonl", path);
    assert_int_equal(unlink(path), 0);
    assert_said(said_by(run_audit_show, &scene.line), EXIT_UNAVAILABLE, "",
                "record 22 was shipped out of segment 3, and the log ends with segment 2");
    BUFFER_CLEANUP struct buffer after = position_of(&scene);
    assert_string_equal(buffer_text(&after), buffer_text(&before));
    end(&scene);
}

/* --- what others did --- */

static void remove_segment(const struct scene *scene, const char *name)
{
    char path[128];
    folder_path(&scene->folder, name, path);
    assert_int_equal(unlink(path), 0);
}

static void what_was_removed_before_it_was_shipped_is_said(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    audit_log_end(&scene.log);
    audit_log_segment(&scene.log, "size");
    rewrite(&scene, 4);
    remove_segment(&scene, "audit-0000000002.jsonl");
    remove_segment(&scene, "audit-0000000003.jsonl");
    assert_said(said_by(run_audit_show, &scene.line), EXIT_NOT_VERIFIED, "\"seq\":8,",
                "audit-0000000002.jsonl is missing; the next one there is audit-0000000004.jsonl");
    remove_segment(&scene, "audit-0000000001.jsonl");
    BUFFER_CLEANUP struct buffer before = position_of(&scene);
    assert_said(said_by(run_audit_show, &scene.line), EXIT_NOT_VERIFIED, "",
                "records 9 to 23 are not in the log any more, and were not shipped");
    BUFFER_CLEANUP struct buffer after = position_of(&scene);
    assert_string_equal(buffer_text(&after), buffer_text(&before));
    rewrite(&scene, 3);
    rewrite(&scene, 2);
    expect_shipped(&scene, 9, 24, ""); /* nothing is missing of what it has not shipped */
    end(&scene);
}

static void another_log_is_not_shipped(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    ship_all(&scene);
    set_position(&scene,
                 "record 5 in segment 1, hash AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA, chain "
                 "1f8fad5b-d9cb-469f-a165-70867728950e\n");
    assert_said(said_by(run_audit_show, &scene.line), EXIT_NOT_VERIFIED, "",
                "is of chain 1f8fad5b-d9cb-469f-a165-70867728950e, and this log of chain " LOG_CHAIN
                ": each log has a file of its own");
    end(&scene);
}

static void a_record_that_does_not_follow_is_not_shipped(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    struct buffer *segment = &scene.log.segments[1];
    char *changed = strstr(buffer_text(segment), "not-granted");
    assert_non_null(changed);
    changed[0] = 'N';
    rewrite(&scene, 2);
    struct said said = said_by(run_audit_show, &scene.line);
    check_records(buffer_span(&said.out), 1,
                  12); /* the changed one is shipped: its own JSON is good */
    assert_said(said, EXIT_UNAVAILABLE, "",
                "record 13 does not follow record 12, which was shipped: start again");
    buffer_put_text(&scene.log.segments[2], "strange\n");
    changed[0] = 'n';
    rewrite(&scene, 2);
    rewrite(&scene, 3);
    assert_said(said_by(run_audit_show, &scene.line), EXIT_NOT_VERIFIED, "\"seq\":22,",
                "audit-0000000003.jsonl:7: is not a record");
    end(&scene);
}

/* --- mistakes --- */

static void mistakes_are_told(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "1",
        "record 5\n",
        "record 0 in segment 1, hash AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA, chain \n",
        "record 5 in segment 1, hash AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA, chain \n",
        "record 5 in segment 1, hash AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA, chain \n\n"};
    struct scene scene;
    begin(&scene);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        set_position(&scene, texts[i]);
        assert_said(said_by(run_audit_show, &scene.line), EXIT_USAGE, "",
                    "it was not written by qsealctl: the line \"record SEQ in segment N, hash HASH,"
                    " chain CHAIN\" is wanted, or no file");
        BUFFER_CLEANUP struct buffer kept = position_of(&scene);
        assert_string_equal(buffer_text(&kept), texts[i]);
    }
    static const struct audit_wishes wishes[] = {{.caller = "a"}, {.kid = "a"},   {.request = "a"},
                                                 {.kind = "a"},   {.since = "a"}, {.until = "a"},
                                                 {.outcome = "a"}};
    for (size_t i = 0; i < COUNT_OF(wishes); i++) {
        struct command_line line = scene.line;
        line.audit = wishes[i];
        line.audit.position = scene.position;
        assert_said(said_by(run_audit_show, &line), EXIT_USAGE, "",
                    "--position: it ships all records");
    }
    scene.line.audit.position = "/nowhere/position";
    assert_said(said_by(run_audit_show, &scene.line), EXIT_UNAVAILABLE, "\"seq\":22,",
                "--position /nowhere/position: No such file or directory");
    end(&scene);
}

/* What a full disk has torn at the end of the file that stdout is. */
static void a_torn_line_is_ended(void **state)
{
    (void)state;
    struct scene scene;
    char path[128];
    int status = 0;
    begin(&scene);
    folder_path(&scene.own, "records", path);
    assert_int_equal(file_replace(path, span_of_text("{\"seq\":1,\"pr"), 0600), 0);
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int out = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        _exit(dup2(out, STDOUT_FILENO) < 0 ? 99 : (int)run_audit_show(&scene.line));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1000 * 1000);
    assert_int_equal(file_read(path, &text), 0);
    size_t torn = span_find(buffer_span(&text), '\n') + 1;
    assert_int_equal(torn, strlen("{\"seq\":1,\"pr\n"));
    check_records(span_part(buffer_span(&text), torn, text.len), 1, 22);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_where_it_was),
        cmocka_unit_test(it_begins_behind_a_record),
        cmocka_unit_test(what_was_never_acknowledged_is_followed_by_its_segment),
        cmocka_unit_test(a_segment_that_is_made_anew_is_shipped_anew),
        cmocka_unit_test(a_log_that_ends_earlier_is_waited_for),
        cmocka_unit_test(what_was_removed_before_it_was_shipped_is_said),
        cmocka_unit_test(another_log_is_not_shipped),
        cmocka_unit_test(a_record_that_does_not_follow_is_not_shipped),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(a_torn_line_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
