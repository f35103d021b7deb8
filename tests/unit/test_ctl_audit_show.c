/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit show: which records are shown, how, and that it waits for more. */
#include "audit_command.h"
#include "base/clock.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { WAIT_MS = 20000 };

struct scene {
    struct audit_log log;
    struct folder folder;
    char *words[1];
    struct command_line line;
};

/* 1 segment, 2 sign and 3 done, 4 sign of another, 5 refused, 6 admin, 7 done of 4, 8 done of 6. */
static void begin(struct scene *scene)
{
    struct audit_log *log = &scene->log;
    *log = audit_log_make();
    audit_log_segment(log, "begin");
    audit_log_signature(log);
    uint64_t other = audit_log_put(
        log, "sign",
        ",\"request\":\"r-4\",\"uid\":1001,\"gid\":1001,\"pid\":5,\"operation\":\"trial\","
        "\"role\":\"seal\",\"kid\":\"other\",\"alg\":\"ES256\",\"token\":\"hsm-b\"");
    audit_log_put(log, "refused",
                  ",\"request\":\"r-5\",\"uid\":1002,\"operation\":\"jar\",\"profile\":\"op\","
                  "\"outcome\":\"rule-refused\",\"claim\":\"/aud\",\"detail\":\"a \\\"b\\\"\","
                  "\"count\":7");
    uint64_t command = audit_log_put(
        log, "admin",
        ",\"uid\":0,\"verb\":\"key publish\",\"arguments\":{\"key\":\"K\"},\"approver\":5");
    audit_log_put(log, "done", ",\"of\":%llu,\"outcome\":\"token-unavailable\",\"us\":9",
                  (unsigned long long)other);
    audit_log_put(log, "done", ",\"of\":%llu,\"outcome\":\"done\",\"us\":8",
                  (unsigned long long)command);
    scene->folder = audit_log_write(log);
    scene->words[0] = scene->folder.path;
    scene->line = (struct command_line){.words = scene->words, .n_words = 1, .json = true};
}

static void end(struct scene *scene)
{
    folder_remove(&scene->folder);
    audit_log_free(&scene->log);
}

/* The seqs of the lines that are shown, like "2,3,". */
static void expect_shown(const struct command_line *line, const char *want)
{
    char shown[200] = "";
    struct said said = said_by(run_audit_show, line);
    struct span left = buffer_span(&said.out);
    assert_int_equal(said.code, EXIT_DONE);
    while (left.len > 0) {
        struct audit_line read;
        size_t len = span_find(left, '\n') + 1;
        assert_null(audit_line_read(span_part(left, 0, len), &read));
        size_t at = strlen(shown);
        (void)snprintf(shown + at, sizeof shown - at, "%llu,", (unsigned long long)read.seq);
        left = span_part(left, len, left.len);
    }
    assert_string_equal(shown, want);
    said_free(&said);
}

static void records_are_chosen(void **state)
{
    (void)state;
    static const struct {
        struct audit_wishes wish;
        const char *shown;
    } rows[] = {
        {{.kind = NULL}, "1,2,3,4,5,6,7,8,"},
        {{.caller = "payments"}, "2,3,"},
        {{.caller = "1000"}, "2,3,"},
        {{.caller = "1001"}, "4,7,"},
        {{.caller = "0"}, "6,8,"},
        {{.caller = "nobody"}, ""},
        {{.kid = "other"}, "4,7,"},
        {{.request = "r-5"}, "5,"},
        {{.kind = "sign"}, "2,4,"},
        {{.kind = "done"}, "3,7,8,"},
        {{.kind = "done", .caller = "1001"}, "7,"},
        {{.outcome = "released"}, "2,3,"},
        {{.outcome = "token-unavailable"}, "4,7,"},
        {{.outcome = "rule-refused"}, "5,"},
        {{.outcome = "done"}, "6,8,"},
        {{.outcome = "released", .caller = "1001"}, ""},
        {{.outcome = "released", .kind = "sign"}, "2,3,"},
        {{.after = "6"}, "7,8,"},
        {{.after = "0"}, "1,2,3,4,5,6,7,8,"},
        {{.since = "2026-11-21T19:07:47Z"}, ""},
        {{.until = "2026-11-21T19:07:46Z"}, ""},
        {{.since = "2026-11-21T19:07:46Z", .until = "2026-11-21T19:07:47Z", .kind = "admin"}, "6,"},
    };
    struct scene scene;
    begin(&scene);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        scene.line.audit = rows[i].wish;
        expect_shown(&scene.line, rows[i].shown);
    }
    end(&scene);
}

static void a_time_counts_back_from_now(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    audit_log_free(&scene.log);
    folder_remove(&scene.folder);
    scene.log = audit_log_make();
    scene.log.time_us = (clock_wall_s() - 7200) * 1000000;
    audit_log_segment(&scene.log, "begin");
    scene.log.time_us = (clock_wall_s() - 60) * 1000000;
    audit_log_signature(&scene.log);
    scene.folder = audit_log_write(&scene.log);
    scene.line.audit = (struct audit_wishes){.since = "-1h"};
    expect_shown(&scene.line, "2,3,");
    scene.line.audit = (struct audit_wishes){.until = "-1h"};
    expect_shown(&scene.line, "1,");
    end(&scene);
}

/* What completes nothing, since it does not say what, is of nobody. */
static void a_completion_without_its_record_is_not_chosen(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    audit_log_put(&scene.log, "done", ",\"outcome\":\"released\"");
    audit_log_put(&scene.log, "done", ",\"of\":0,\"outcome\":\"released\"");
    audit_log_write_segment(&scene.log, &scene.folder, 1);
    scene.line.audit.outcome = "released";
    expect_shown(&scene.line, "2,3,");
    end(&scene);
}

static void a_keyring_is_shown_with_what_became_of_it(void **state)
{
    (void)state;
    struct scene scene = {.log = audit_log_make()};
    audit_log_segment(&scene.log, "begin");
    uint64_t keyring = audit_log_put(&scene.log, "keyring", ",\"generation\":2,\"steps\":[]");
    audit_log_signature(&scene.log);
    audit_log_put(&scene.log, "done", ",\"of\":%llu,\"outcome\":\"internal\",\"us\":7",
                  (unsigned long long)keyring);
    scene.folder = audit_log_write(&scene.log);
    scene.words[0] = scene.folder.path;
    scene.line = (struct command_line){.words = scene.words, .n_words = 1, .json = true};
    scene.line.audit.outcome = "internal";
    expect_shown(&scene.line, "2,5,");
    end(&scene);
}

static void records_are_told_in_words(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    audit_log_put(&scene.log, "later", ",\"a\":{\"b\":[1]}");
    audit_log_put(&scene.log, "refused",
                  ",\"operation\":\"jar\",\"outcome\":\"unavailable\",\"detail\":\"gone\"");
    audit_log_put(&scene.log, "end", ",\"cause\":\"stop\"");
    audit_log_write_segment(&scene.log, &scene.folder, 1);
    scene.line.json = false;
    struct said said = said_by(run_audit_show, &scene.line);
    char want[4000];
    (void)snprintf(
        want, sizeof want,
        "2026-11-21T19:07:46.124457Z 1 segment segment 1 of the chain " LOG_CHAIN ", cause begin\n"
        "2026-11-21T19:07:46.125458Z 2 sign payments: jar, profile op, role seal, PS256 in hsm-a, "
        "key " LOG_KID ", jti 1, request 959b27f5-ab70-4161-9305-9a08da696c50\n"
        "2026-11-21T19:07:46.126459Z 3 done record 2: released, after 1234 us\n"
        "2026-11-21T19:07:46.127460Z 4 sign uid 1001: trial, role seal, ES256 in hsm-b, key other, "
        "request r-4\n"
        "2026-11-21T19:07:46.128461Z 5 refused uid 1002: jar, profile op: rule-refused at /aud: "
        "a \\\"b\\\", 7 times, request r-5\n"
        "2026-11-21T19:07:46.129462Z 6 admin uid 0: key publish {\"key\":\"K\"}, approved by uid "
        "5\n"
        "2026-11-21T19:07:46.130463Z 7 done record 4: token-unavailable, after 9 us\n"
        "2026-11-21T19:07:46.131464Z 8 done record 6: done, after 8 us\n"
        "2026-11-21T19:07:46.132465Z 9 later \"a\":{\"b\":[1]}\n"
        "2026-11-21T19:07:46.133466Z 10 refused uid ?: jar: unavailable: gone\n"
        "2026-11-21T19:07:46.134467Z 11 end the segment ends: stop\n");
    assert_string_equal(OUT(&said), want);
    assert_string_equal(ERR(&said), "");
    said_free(&said);
    end(&scene);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    static const char *const times[] = {"yesterday",        "",          "-", "-1y",
                                        "-99999999999999s", "2026-11-21"};
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        scene.line.audit = (struct audit_wishes){.since = times[i]};
        assert_said(said_by(run_audit_show, &scene.line), EXIT_USAGE, "",
                    "--since: not a time like 2026-11-21T09:30:00Z, or back from now like -12h");
    }
    scene.line.audit = (struct audit_wishes){.until = "x"};
    assert_said(said_by(run_audit_show, &scene.line), EXIT_USAGE, "", "--until: not a time");
    scene.line.audit = (struct audit_wishes){.after = "1x"};
    assert_said(said_by(run_audit_show, &scene.line), EXIT_USAGE, "",
                "--after: not the number of a record");
    scene.line.audit = (struct audit_wishes){.kind = NULL};
    buffer_put_text(&scene.log.segments[0], "strange\n");
    audit_log_write_segment(&scene.log, &scene.folder, 1);
    assert_said(said_by(run_audit_show, &scene.line), EXIT_NOT_VERIFIED, "\"seq\":8",
                "audit-0000000001.jsonl:9: is not a record: no seq; qsealctl audit verify says "
                "more");
    char path[128];
    folder_path(&scene.folder, "audit-0000000003.jsonl", path);
    assert_int_equal(file_replace(path, span_of_text(""), 0600), 0);
    assert_said(said_by(run_audit_show, &scene.line), EXIT_NOT_VERIFIED, "\"seq\":8",
                "audit-0000000002.jsonl is missing");
    end(&scene);
    assert_said(said_by(run_audit_show, &scene.line), EXIT_UNAVAILABLE, "",
                "No such file or directory");
}

/* --- following --- */

/* A child that follows, and the end of the pipe that it writes to. */
static pid_t follow(const struct scene *scene, int *out)
{
    int said[2];
    assert_int_equal(pipe(said), 0);
    (void)fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct command_line line = scene->line;
        line.audit.follow = true;
        line.audit.after = "7";
        (void)close(said[0]);
        (void)dup2(said[1], STDOUT_FILENO);
        (void)close(said[1]);
        enum exit_code code = run_audit_show(&line);
        (void)fflush(stdout);
        _exit((int)code);
    }
    (void)close(said[1]);
    *out = said[0];
    return child;
}

/* Waits for this text at the end of what was said. */
static void wait_for(int out, struct buffer *said, const char *text)
{
    struct deadline deadline = deadline_in_ms(WAIT_MS);
    struct pollfd ready = {.fd = out, .events = POLLIN};
    while (strstr(buffer_text(said), text) == NULL) {
        char chunk[1000];
        assert_int_equal(poll(&ready, 1, deadline_left_ms(deadline)), 1);
        ssize_t got = read(out, chunk, sizeof chunk);
        assert_true(got > 0);
        buffer_put(said, chunk, (size_t)got);
    }
}

static int end_of(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void what_comes_is_shown_until_a_signal(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        struct scene scene;
        BUFFER_CLEANUP struct buffer said = BUFFER_INIT(20000);
        int out;
        char path[128];
        begin(&scene);
        folder_path(&scene.folder, "audit-0000000001.jsonl", path);
        pid_t child = follow(&scene, &out);
        wait_for(out, &said, "{\"seq\":8,");
        FD_CLEANUP int fd = open(path, O_WRONLY | O_CLOEXEC);
        size_t at = scene.log.segments[0].len;
        audit_log_signature(&scene.log);
        struct span more = span_part(buffer_span(&scene.log.segments[0]), at, SIZE_MAX);
        size_t half = span_find(more, '\n') + 20; /* one record, and the begin of another */
        assert_int_equal(pwrite(fd, more.data, half, (off_t)at), half);
        wait_for(out, &said, "{\"seq\":9,");
        audit_log_segment(&scene.log, "size"); /* before the rest, and it is read all the same */
        assert_int_equal(pwrite(fd, more.data, more.len, (off_t)at), more.len);
        audit_log_write_segment(&scene.log, &scene.folder, 2);
        wait_for(out, &said, "{\"seq\":11,");
        assert_non_null(strstr(buffer_text(&said), "\n{\"seq\":10,"));
        assert_int_equal(kill(child, signals[i]), 0);
        int status = end_of(child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), EXIT_DONE);
        (void)close(out);
        end(&scene);
    }
}

static void it_ends_when_nobody_listens(void **state)
{
    (void)state;
    struct scene scene;
    BUFFER_CLEANUP struct buffer said = BUFFER_INIT(20000);
    int out;
    begin(&scene);
    pid_t child = follow(&scene, &out);
    wait_for(out, &said, "{\"seq\":8,");
    (void)close(out);
    int status = end_of(child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_DONE);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_chosen),
        cmocka_unit_test(a_completion_without_its_record_is_not_chosen),
        cmocka_unit_test(a_keyring_is_shown_with_what_became_of_it),
        cmocka_unit_test(a_time_counts_back_from_now),
        cmocka_unit_test(records_are_told_in_words),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(what_comes_is_shown_until_a_signal),
        cmocka_unit_test(it_ends_when_nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
