/* SPDX-License-Identifier: Apache-2.0
 * Exit codes: one for every outcome, as qsealctl(1) lists them. */
#include "ctl/command.h"

#include "base/file.h"
#include "check.h"
#include "folder.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_exit_code),
        cmocka_unit_test(a_missing_member_is_no_text),
        cmocka_unit_test(a_text_is_made_fit_for_json),
        cmocka_unit_test(what_is_no_utf8_is_not_asked),
        cmocka_unit_test(nobody_at_the_door_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
