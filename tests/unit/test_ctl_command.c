/* SPDX-License-Identifier: Apache-2.0
 * Exit codes: one for every outcome, as qsealctl(1) lists them; and nothing that strangers wrote
 * steers the terminal. */
#include "ctl/command.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "check.h"
#include "folder.h"
#include "wire/frame.h"
#include "wire/serve.h"

#include <fcntl.h>

static void every_outcome_has_its_exit_code(void **state)
{
    (void)state;
    static const enum exit_code codes[] = {
        [OUTCOME_OK] = EXIT_DONE,
        [OUTCOME_MALFORMED] = EXIT_REFUSED,
        [OUTCOME_NOT_GRANTED] = EXIT_NOT_PERMITTED,
        [OUTCOME_NOT_FOUND] = EXIT_REFUSED,
        [OUTCOME_METHOD] = EXIT_REFUSED,
        [OUTCOME_TOO_LARGE] = EXIT_REFUSED,
        [OUTCOME_MEDIA_TYPE] = EXIT_REFUSED,
        [OUTCOME_RULE] = EXIT_REFUSED,
        [OUTCOME_LIMIT] = EXIT_REFUSED,
        [OUTCOME_TOKEN_UNAVAILABLE] = EXIT_UNAVAILABLE,
        [OUTCOME_NO_KEY] = EXIT_REFUSED,
        [OUTCOME_CLOCK] = EXIT_UNAVAILABLE,
        [OUTCOME_AUDIT] = EXIT_UNAVAILABLE,
        [OUTCOME_UNAVAILABLE] = EXIT_UNAVAILABLE,
        [OUTCOME_DEADLINE] = EXIT_UNAVAILABLE,
        [OUTCOME_VERIFY] = EXIT_NOT_VERIFIED,
        [OUTCOME_SHAPE] = EXIT_REFUSED,
        [OUTCOME_KEY_MISMATCH] = EXIT_REFUSED,
        [OUTCOME_PIN] = EXIT_UNAVAILABLE,
        [OUTCOME_INTERNAL] = EXIT_UNAVAILABLE,
    };
    assert_int_equal(COUNT_OF(codes), OUTCOME_COUNT);
    for (unsigned int i = 0; i < OUTCOME_COUNT; i++) {
        assert_int_equal(command_exit_code((enum outcome)i), codes[i]);
    }
}

static void a_missing_member_is_no_text(void **state)
{
    (void)state;
    json_t *object = json_pack("{s:s, s:i}", "a", "x", "b", 1);
    assert_string_equal(command_text(object, "a"), "x");
    assert_string_equal(command_text(object, "b"), "");
    assert_string_equal(command_text(object, "c"), "");
    json_decref(object);
}

static void no_answer(const json_t *result)
{
    (void)result;
    fail_msg("there is no answer to print");
}

static void what_is_no_utf8_is_not_asked(void **state)
{
    (void)state;
    struct command_line line = {.socket = "/tmp/qseal-no-such-socket"};
    assert_int_equal(
        command_do(&line, CUSTODY_KEY_SHOW, json_pack("{s:s}", "key", "\xff"), no_answer),
        EXIT_USAGE);
}

static void nobody_at_the_door_is_unavailable(void **state)
{
    (void)state;
    struct command_line line = {.socket = "/tmp/qseal-no-such-socket"};
    assert_int_equal(command_do(&line, CUSTODY_STATUS, json_object(), no_answer), EXIT_UNAVAILABLE);
}

static void a_text_is_made_fit_for_json(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    folder_path(&folder, "chain.pem", path);
    static const char text[] = "M\xc3\xbcller \xff\r\n\tA\0B~\x7f";
    assert_int_equal(file_replace(path, span_of(text, sizeof text - 1), 0600), 0);
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(100);
    struct reason why = {0};
    assert_done(command_read_text(path, &out, &why), why);
    assert_string_equal(buffer_text(&out), "M??ller ?\r\n\tA?B~?");
    BUFFER_CLEANUP struct buffer small = BUFFER_INIT(3);
    assert_refused(command_read_text(path, &small, &why), OUTCOME_RULE, why,
                   "chain.pem: File too large");
    folder_remove(&folder);
    assert_refused(command_read_text(path, &out, &why), OUTCOME_RULE, why,
                   "chain.pem: No such file or directory");
}

/* A qseald whose certificates and reasons come from strangers. */
static bool show(struct serve_call *call)
{
    struct reason none = {0};
    frame_put_outcome(call->answer, OUTCOME_OK, &none);
    buffer_put_bytes(call->answer, span_of_text("{\"subject\":\"CN=\\u001b[2Jx\\n\\u202ey\"}"));
    return true;
}

static bool refuse_to_show(struct serve_call *call)
{
    struct reason why = {.detail = "label \033[2J\nx"};
    frame_put_outcome(call->answer, OUTCOME_RULE, &why);
    return true;
}

static const struct serve_row rows[] = {{CUSTODY_KEY_SHOW, show},
                                        {CUSTODY_KEY_DESTROY, refuse_to_show}};

static void print_subject(const json_t *result)
{
    (void)printf("subject %s\n", command_text(result, "subject"));
}

/* What the command writes to that descriptor, into `out`. */
static enum exit_code hear(const struct command_line *line, enum custody_verb verb, int fd,
                           const char *path, struct buffer *out)
{
    (void)fflush(stdout);
    int kept = dup(fd);
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(kept >= 0 && file >= 0 && dup2(file, fd) >= 0);
    enum exit_code code = command_do(line, verb, json_object(), print_subject);
    (void)fflush(stdout);
    assert_true(dup2(kept, fd) >= 0);
    fd_close(&kept);
    fd_close(&file);
    assert_int_equal(file_read(path, out), 0);
    return code;
}

static void what_strangers_wrote_does_not_steer(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    char file[128];
    struct reason why = {0};
    folder_path(&folder, "admin.sock", path);
    folder_path(&folder, "said", file);
    log_set_level(LOG_LEVEL_ERROR);
    struct serve_options options = {
        .name = "admin door",
        .listener = fd_listen_unix(path, 0600, 4),
        .workers = 1,
        .max_connections = 4,
        .max_payload = CUSTODY_ARGUMENTS_MAX + 4,
        .rows = rows,
        .n_rows = COUNT_OF(rows),
    };
    struct serve *serve = serve_start(&options, &why);
    assert_non_null(serve);
    struct command_line line = {.socket = path};
    BUFFER_CLEANUP struct buffer said = BUFFER_INIT(1000);
    assert_int_equal(hear(&line, CUSTODY_KEY_SHOW, STDOUT_FILENO, file, &said), EXIT_DONE);
    assert_string_equal(buffer_text(&said), "subject CN=<U+001B>[2Jx<U+000A><U+202E>y\n");
    buffer_reset(&said);
    assert_int_equal(hear(&line, CUSTODY_KEY_DESTROY, STDERR_FILENO, file, &said), EXIT_REFUSED);
    assert_string_equal(buffer_text(&said), "qsealctl: rule-refused: label <U+001B>[2J<U+000A>x\n");
    buffer_reset(&said);
    line.json = true; /* JSON has its own escapes, and nothing is lost */
    assert_int_equal(hear(&line, CUSTODY_KEY_SHOW, STDOUT_FILENO, file, &said), EXIT_DONE);
    assert_non_null(strstr(buffer_text(&said), "CN=\\u001B[2Jx\\n"));
    assert_null(strchr(buffer_text(&said), 033));
    serve_stop(serve);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_exit_code),
        cmocka_unit_test(a_missing_member_is_no_text),
        cmocka_unit_test(a_text_is_made_fit_for_json),
        cmocka_unit_test(what_is_no_utf8_is_not_asked),
        cmocka_unit_test(what_strangers_wrote_does_not_steer),
        cmocka_unit_test(nobody_at_the_door_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
