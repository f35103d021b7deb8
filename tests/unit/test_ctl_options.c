/* SPDX-License-Identifier: Apache-2.0
 * Words and options, in any order. */
#include "ctl/options.h"

#include "check.h"
#include "jose/json.h"

#include <stdlib.h>

enum { ARGUMENTS_MAX = 24 };

/* The arguments up to NULL, behind the program's name. */
static enum options_outcome read_line(const char *const arguments[], char *argv[ARGUMENTS_MAX],
                                      struct command_line *line)
{
    int argc = 1;
    argv[0] = (char *)"qsealctl";
    for (; arguments[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)arguments[argc - 1];
    }
    return options_read(argc, argv, line);
}

static void options_stand_anywhere(void **state)
{
    (void)state;
    static const char *const arguments[] = {
        "--json", "key",     "--token", "hsm-b",        "show", "seal",          "--reason",
        "-x",     "--where", "here",    "--publish-at", "+1h",  "--activate-at", "+2h",
        "--days", "9",       NULL};
    char *argv[ARGUMENTS_MAX];
    struct command_line line;
    assert_int_equal(read_line(arguments, argv, &line), OPTIONS_COMMAND);
    assert_true(line.json);
    assert_string_equal(line.token, "hsm-b");
    assert_string_equal(line.reason, "-x");
    assert_string_equal(line.where, "here");
    assert_string_equal(line.publish_at, "+1h");
    assert_string_equal(line.activate_at, "+2h");
    assert_string_equal(line.days, "9");
    assert_int_equal(line.n_words, 3);
    assert_string_equal(line.words[0], "key");
    assert_string_equal(line.words[2], "seal");
}

static void all_is_no_thumbprint(void **state)
{
    (void)state;
    static const char *const arguments[] = {"audit", "key", "--all", NULL};
    char *argv[ARGUMENTS_MAX];
    struct command_line line;
    assert_int_equal(read_line(arguments, argv, &line), OPTIONS_COMMAND);
    assert_true(line.all);
    assert_int_equal(line.n_words, 2);
    assert_int_equal(read_line((const char *const[]){"audit", "key", NULL}, argv, &line),
                     OPTIONS_COMMAND);
    assert_false(line.all);
}

static void a_thumbprint_is_a_word_whatever_it_begins_with(void **state)
{
    (void)state;
    static const char *const thumbprints[] = {"-kFy4Hh2f0aQv3q8Yt1Zl5nE7bT9cW6xRj_s0uMdPoI",
                                              "--Fy4Hh2f0aQv3q8Yt1Zl5nE7bT9cW6xRj_s0uMdPoI",
                                              "-help567", "-kFy4Hh2f0"};
    for (size_t i = 0; i < COUNT_OF(thumbprints); i++) {
        const char *const arguments[] = {
            "key", "destroy", thumbprints[i], "--reason", thumbprints[i], "--json", NULL};
        char *argv[ARGUMENTS_MAX];
        struct command_line line;
        assert_int_equal(read_line(arguments, argv, &line), OPTIONS_COMMAND);
        assert_int_equal(line.n_words, 3);
        assert_string_equal(line.words[2], thumbprints[i]);
        assert_string_equal(line.reason, thumbprints[i]);
        assert_true(line.json);
    }
}

static void metrics_are_wished_for(void **state)
{
    (void)state;
    static const char *const with[] = {"status", "--prometheus", NULL};
    static const char *const without[] = {"status", NULL};
    char *argv[ARGUMENTS_MAX];
    struct command_line line;
    assert_int_equal(read_line(with, argv, &line), OPTIONS_COMMAND);
    assert_true(line.prometheus);
    assert_int_equal(line.n_words, 1);
    assert_int_equal(read_line(without, argv, &line), OPTIONS_COMMAND);
    assert_false(line.prometheus);
}

static void wishes_about_the_audit_log_are_taken(void **state)
{
    (void)state;
    static const char *const texts[] = {"audit", "show",      "--since",   "-12h",  "--until",
                                        "t",     "--caller",  "c",         "--kid", "-kFy4Hh2f",
                                        "--to",  "d",         "--request", "r",     "--kind",
                                        "k",     "--outcome", "o",         NULL};
    static const char *const rest[] = {
        "audit",        "verify",    "--key",      "a", "--after",   "7",
        "--checkpoint", "f",         "--key",      "b", "--partial", "--progress",
        "--follow",     "--journal", "--position", "p", NULL};
    char *argv[ARGUMENTS_MAX];
    struct command_line line;
    assert_int_equal(read_line(texts, argv, &line), OPTIONS_COMMAND);
    assert_string_equal(line.audit.since, "-12h");
    assert_string_equal(line.audit.until, "t");
    assert_string_equal(line.audit.caller, "c");
    assert_string_equal(line.audit.kid, "-kFy4Hh2f");
    assert_string_equal(line.audit.to, "d");
    assert_string_equal(line.audit.request, "r");
    assert_string_equal(line.audit.kind, "k");
    assert_string_equal(line.audit.outcome, "o");
    assert_false(line.audit.partial || line.audit.progress || line.audit.follow ||
                 line.audit.journal);
    assert_int_equal(line.n_words, 2);
    assert_int_equal(read_line(rest, argv, &line), OPTIONS_COMMAND);
    assert_int_equal(line.audit.n_keys, 2);
    assert_string_equal(line.audit.keys[0], "a");
    assert_string_equal(line.audit.keys[1], "b");
    assert_string_equal(line.audit.after, "7");
    assert_string_equal(line.audit.checkpoint, "f");
    assert_string_equal(line.audit.position, "p");
    assert_true(line.audit.partial && line.audit.progress && line.audit.follow &&
                line.audit.journal);
}

static void keys_are_not_without_end(void **state)
{
    (void)state;
    char *argv[2 * AUDIT_KEYS_MAX + 4];
    struct command_line line;
    for (int more = 0; more < 2; more++) {
        int argc = 0;
        argv[argc++] = (char *)"qsealctl";
        for (int i = 0; i < AUDIT_KEYS_MAX + more; i++) {
            argv[argc++] = (char *)"--key";
            argv[argc++] = (char *)"f";
        }
        argv[argc] = NULL;
        assert_int_equal(options_read(argc, argv, &line),
                         more == 0 ? OPTIONS_COMMAND : OPTIONS_MISTAKE);
    }
}

static void behind_two_dashes_all_are_words(void **state)
{
    (void)state;
    static const char *const arguments[] = {"key", "--", "show", "--json", "-h", NULL};
    char *argv[ARGUMENTS_MAX];
    struct command_line line;
    assert_int_equal(read_line(arguments, argv, &line), OPTIONS_COMMAND);
    assert_int_equal(line.n_words, 4);
    assert_string_equal(line.words[2], "--json");
    assert_false(line.json);
}

static void unknown_options_are_a_mistake(void **state)
{
    (void)state;
    static const char *const wrong[] = {"--colour", "-k", "--kFy4Hh2f0", "--json=yes", "--token"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *const arguments[] = {"status", wrong[i], NULL};
        char *argv[ARGUMENTS_MAX];
        struct command_line line;
        assert_int_equal(read_line(arguments, argv, &line), OPTIONS_MISTAKE);
    }
}

static void help_and_version_are_told(void **state)
{
    (void)state;
    static const char *const help[] = {"key", "-h", NULL};
    static const char *const version[] = {"--version", NULL};
    char *argv[ARGUMENTS_MAX];
    struct command_line line;
    assert_int_equal(read_line(help, argv, &line), OPTIONS_HELP);
    assert_int_equal(read_line(version, argv, &line), OPTIONS_VERSION);
}

static void values_of_a_request_are_gathered(void **state)
{
    (void)state;
    static const char *const arguments[] = {"key",        "csr",      "seal",      "--profile",
                                            "psd2-qseal", "--nca-id", "FI-FINFSA", NULL};
    char *argv[ARGUMENTS_MAX];
    struct command_line line;
    assert_int_equal(read_line(arguments, argv, &line), OPTIONS_COMMAND);
    assert_string_equal(command_text(line.request, "profile"), "psd2-qseal");
    assert_string_equal(command_text(line.request, "nca_id"), "FI-FINFSA");
    json_clear_ref(&line.request);
}

static void the_door_comes_from_the_environment_unless_it_is_named(void **state)
{
    (void)state;
    static const char *const none[] = {"status", NULL};
    static const char *const named[] = {"status", "--socket", "/run/b.sock", NULL};
    char *argv[ARGUMENTS_MAX];
    struct command_line line;
    assert_int_equal(unsetenv("QSEAL_ADMIN_SOCKET"), 0);
    assert_int_equal(read_line(none, argv, &line), OPTIONS_COMMAND);
    assert_string_equal(line.socket, "/run/qseal-admin/admin.sock");
    assert_int_equal(setenv("QSEAL_ADMIN_SOCKET", "/run/a.sock", 1), 0);
    assert_int_equal(read_line(none, argv, &line), OPTIONS_COMMAND);
    assert_string_equal(line.socket, "/run/a.sock");
    assert_int_equal(read_line(named, argv, &line), OPTIONS_COMMAND);
    assert_string_equal(line.socket, "/run/b.sock");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(all_is_no_thumbprint),
        cmocka_unit_test(a_thumbprint_is_a_word_whatever_it_begins_with),
        cmocka_unit_test(metrics_are_wished_for),
        cmocka_unit_test(wishes_about_the_audit_log_are_taken),
        cmocka_unit_test(keys_are_not_without_end),
        cmocka_unit_test(behind_two_dashes_all_are_words),
        cmocka_unit_test(unknown_options_are_a_mistake),
        cmocka_unit_test(help_and_version_are_told),
        cmocka_unit_test(values_of_a_request_are_gathered),
        cmocka_unit_test(the_door_comes_from_the_environment_unless_it_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
