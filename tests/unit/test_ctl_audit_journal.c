/* SPDX-License-Identifier: Apache-2.0
 * Records as entries of the journal, field by field, as journald would get them. */
#include "audit_command.h"
#include "ctl/audit_journal.h"

#include <errno.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

/* What the double of journald has got: a line for each field, and an empty one behind each entry.
 */
static struct {
    struct buffer got;
    size_t entries;
    size_t takes; /* so many entries; then it fails */
    int fails_with;
    bool is_gone;
} journal = {.got = {.max = 1000 * 1000}};

int __wrap_sd_journal_sendv(const struct iovec *iov, int n);
int __wrap_sd_journal_sendv(const struct iovec *iov, int n)
{
    if (journal.entries >= journal.takes) {
        return journal.fails_with;
    }
    journal.entries++;
    for (int i = 0; i < n; i++) {
        buffer_put(&journal.got, iov[i].iov_base, iov[i].iov_len);
        buffer_put_text(&journal.got, "\n");
    }
    buffer_put_text(&journal.got, "\n");
    return 0;
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
    if (strcmp(path, "/run/systemd/journal/socket") != 0) {
        return __real_access(path, mode);
    }
    errno = ENOENT;
    return journal.is_gone ? -1 : 0;
}

struct scene {
    struct audit_log log;
    struct folder folder;
    char *words[1];
    struct command_line line;
};

static void begin(struct scene *scene)
{
    buffer_reset(&journal.got);
    journal.entries = 0;
    journal.takes = SIZE_MAX;
    journal.is_gone = false;
    scene->log = audit_log_make();
    audit_log_segment(&scene->log, "begin");
    audit_log_signature(&scene->log);
}

static struct said shipped_by(struct scene *scene)
{
    scene->folder = audit_log_write(&scene->log);
    scene->words[0] = scene->folder.path;
    scene->line =
        (struct command_line){.words = scene->words, .n_words = 1, .audit = {.journal = true}};
    return said_by(run_audit_show, &scene->line);
}

static void end(struct scene *scene)
{
    folder_remove(&scene->folder);
    audit_log_free(&scene->log);
    buffer_fini(&journal.got);
}

/* The record's line in the log, with the field's name in front. */
static void put_record(const struct audit_log *log, uint64_t seq, struct buffer *out)
{
    struct span left = buffer_span(&log->segments[0]);
    for (; seq > 1; seq--) {
        left = span_part(left, span_find(left, '\n') + 1, left.len);
    }
    buffer_put_text(out, "QSEAL_AUDIT_RECORD=");
    buffer_put_span(out, span_part(left, 0, span_find(left, '\n') + 1));
}

static void a_record_has_its_fields(void **state)
{
    (void)state;
    struct scene scene;
    BUFFER_CLEANUP struct buffer want = BUFFER_INIT(20000);
    begin(&scene);
    struct said said = shipped_by(&scene);
    buffer_put_text(
        &want, "MESSAGE=2026-11-21T19:07:46.124457Z 1 segment segment 1 of the chain " LOG_CHAIN
               ", cause begin\n"
               "SYSLOG_IDENTIFIER=qseal-audit\nPRIORITY=6\nQSEAL_AUDIT_CHAIN=" LOG_CHAIN "\n"
               "QSEAL_AUDIT_SEQ=1\nQSEAL_AUDIT_TIME=2026-11-21T19:07:46.124457Z\n"
               "QSEAL_AUDIT_KIND=segment\n");
    put_record(&scene.log, 1, &want);
    buffer_put_text(
        &want,
        "\nMESSAGE=2026-11-21T19:07:46.125458Z 2 sign payments: jar, profile op, role seal, PS256 "
        "in hsm-a, key " LOG_KID ", jti 1, request 959b27f5-ab70-4161-9305-9a08da696c50\n"
        "SYSLOG_IDENTIFIER=qseal-audit\nPRIORITY=6\nQSEAL_AUDIT_CHAIN=" LOG_CHAIN "\n"
        "QSEAL_AUDIT_SEQ=2\nQSEAL_AUDIT_TIME=2026-11-21T19:07:46.125458Z\nQSEAL_AUDIT_KIND=sign\n"
        "QSEAL_AUDIT_UID=1000\nQSEAL_AUDIT_CALLER=payments\nQSEAL_AUDIT_OPERATION=jar\n"
        "QSEAL_AUDIT_PROFILE=op\nQSEAL_AUDIT_ROLE=seal\nQSEAL_AUDIT_KID=" LOG_KID "\n"
        "QSEAL_AUDIT_TOKEN=hsm-a\nQSEAL_AUDIT_REQUEST=959b27f5-ab70-4161-9305-9a08da696c50\n");
    put_record(&scene.log, 2, &want);
    buffer_put_text(&want,
                    "\nMESSAGE=2026-11-21T19:07:46.126459Z 3 done record 2: released, after 1234 "
                    "us\n"
                    "SYSLOG_IDENTIFIER=qseal-audit\nPRIORITY=6\nQSEAL_AUDIT_CHAIN=" LOG_CHAIN "\n"
                    "QSEAL_AUDIT_SEQ=3\nQSEAL_AUDIT_TIME=2026-11-21T19:07:46.126459Z\n"
                    "QSEAL_AUDIT_KIND=done\nQSEAL_AUDIT_OF=2\nQSEAL_AUDIT_OUTCOME=released\n");
    put_record(&scene.log, 3, &want);
    buffer_put_text(&want, "\n");
    assert_string_equal(buffer_text(&journal.got), buffer_text(&want));
    assert_said(said, EXIT_DONE, "", "");
    end(&scene);
}

static void the_priority_follows_the_outcome(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        const char *members;
        const char *priority;
    } rows[] = {
        {"done", ",\"of\":2,\"outcome\":\"done\",\"us\":1", "6"},
        {"done", ",\"of\":2,\"outcome\":\"token-unavailable\",\"us\":1", "3"},
        {"done", ",\"of\":2,\"outcome\":\"signature-not-verified\",\"us\":1", "3"},
        {"refused", ",\"uid\":1,\"outcome\":\"rule-refused\"", "4"},
        {"refused", ",\"uid\":1,\"outcome\":\"limit-exceeded\"", "4"},
        {"refused", ",\"uid\":1,\"outcome\":\"of-a-later-version\"", "4"},
        {"admin", ",\"uid\":0,\"verb\":\"key publish\",\"arguments\":{}", "5"},
        {"keyring", ",\"generation\":2", "5"},
        {"repair", ",\"segment\":1,\"kept_bytes\":1,\"cut_bytes\":1", "4"},
        {"checkpoint", ",\"covers\":2", "6"},
        {"later", "", "6"},
        {"segment", ",\"segment\":2,\"cause\":\"fault\",\"fault\":\"x\"", "3"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct scene scene;
        char want[120];
        begin(&scene);
        uint64_t seq = audit_log_put(&scene.log, rows[i].kind, "%s", rows[i].members);
        (void)snprintf(want, sizeof want, "PRIORITY=%s\nQSEAL_AUDIT_CHAIN=" LOG_CHAIN "\n",
                       rows[i].priority);
        assert_said(shipped_by(&scene), EXIT_DONE, "", "");
        assert_int_equal(journal.entries, seq);
        const char *last = strstr(buffer_text(&journal.got), " 4 ");
        assert_non_null(last);
        assert_non_null(strstr(last, want));
        end(&scene);
    }
}

/* libsystemd itself would call it done. */
static void no_journald_is_a_failure(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    journal.is_gone = true;
    assert_said(shipped_by(&scene), EXIT_UNAVAILABLE, "",
                "qsealctl: record 1: journald: /run/systemd/journal/socket: No such file or "
                "directory\n");
    end(&scene);
}

/* And it goes on with the record that was not taken. */
static void what_journald_does_not_take_is_shipped_later(void **state)
{
    (void)state;
    struct scene scene;
    char path[128];
    begin(&scene);
    journal.takes = 1;
    journal.fails_with = -ECONNREFUSED;
    scene.folder = audit_log_write(&scene.log);
    scene.words[0] = scene.folder.path;
    folder_path(&scene.folder, "position", path);
    scene.line = (struct command_line){
        .words = scene.words, .n_words = 1, .audit = {.journal = true, .position = path}};
    assert_said(said_by(run_audit_show, &scene.line), EXIT_UNAVAILABLE, "",
                "qsealctl: record 2: journald: Connection refused\n");
    assert_int_equal(journal.entries, 1);
    journal.takes = SIZE_MAX;
    assert_said(said_by(run_audit_show, &scene.line), EXIT_DONE, "", "");
    assert_int_equal(journal.entries, 3);
    end(&scene);
}

static void json_is_another_way(void **state)
{
    (void)state;
    const struct command_line line = {.json = true, .audit = {.journal = true}};
    assert_said(said_by(run_audit_show, &line), EXIT_USAGE, "", "--journal and --json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_has_its_fields),
        cmocka_unit_test(the_priority_follows_the_outcome),
        cmocka_unit_test(no_journald_is_a_failure),
        cmocka_unit_test(what_journald_does_not_take_is_shipped_later),
        cmocka_unit_test(json_is_another_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
