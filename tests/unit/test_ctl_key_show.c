/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key show, line by line, and what people put on record of a key. */
#include "check.h"
#include "ctl/command.h"
#include "ctl_scene.h"

static const struct serve_row rows[] = {{CUSTODY_KEY_SHOW, ctl_scene_answer},
                                        {CUSTODY_KEY_BACKUP_RECORDED, ctl_scene_answer},
                                        {CUSTODY_KEY_SEEN, ctl_scene_answer}};

static int setup(void **state)
{
    static struct ctl_scene scene;
    ctl_scene_open(&scene, rows, COUNT_OF(rows));
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    ctl_scene_close(*state);
    return 0;
}

typedef enum exit_code (*run_command)(const struct command_line *line);

static char kid[] = "KID-ONE";
static char *words[] = {kid};

static void expect_printed(struct ctl_scene *scene, run_command run, struct command_line line,
                           const char *answer, const char *want)
{
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(CTL_TEXT_MAX);
    line.socket = scene->socket;
    line.words = words;
    line.n_words = 1;
    buffer_reset(&scene->answer);
    buffer_put_text(&scene->answer, answer);
    assert_int_equal(ctl_captured(run, &line, STDOUT_FILENO, scene->printed, &out), EXIT_DONE);
    assert_string_equal(buffer_text(&out), want);
}

static void expect_shown(struct ctl_scene *scene, const char *answer, const char *want)
{
    expect_printed(scene, run_key_show, (struct command_line){0}, answer, want);
    assert_string_equal(buffer_text(&scene->arguments), "{\"key\":\"KID-ONE\"}");
}

static void all_that_is_known_is_shown(void **state)
{
    expect_shown(
        *state,
        "{\"keys\":[{\"kid\":\"KID-ONE\",\"role\":\"seal\",\"token\":\"hsm-a\",\"purpose\":"
        "\"seal\",\"type\":\"p-256\",\"state\":\"active\",\"since\":\"2026-02-01T00:00:00Z\","
        "\"key_id\":\"0a0b\",\"spki_sha256\":\"0c0d\",\"subject\":\"CN=s\",\"issuer\":\"CN=i\","
        "\"serial\":\"01\",\"not_before\":\"2026-01-01T00:00:00Z\","
        "\"not_after\":\"2027-01-01T00:00:00Z\",\"algs\":[\"ES256\",\"PS256\"],"
        "\"ends\":{\"certificate\":\"2027-01-01T00:00:00Z\","
        "\"cryptoperiod\":\"2028-01-01T00:00:00Z\"},"
        "\"in_token\":{\"outcome\":\"ok\",\"is_pinned\":true,\"label\":\"qseal/seal\","
        "\"attributes\":{\"CKA_SENSITIVE\":true,\"CKA_EXTRACTABLE\":false,\"CKA_LOCAL\":null},"
        "\"allowed_mechanisms\":[\"CKM_ECDSA\",\"CKM_ECDSA_SHA256\"],\"signatures\":7,"
        "\"counted_since\":\"2026-02-02T00:00:00Z\"},"
        "\"backup\":{\"at\":\"2026-01-03T00:00:00Z\",\"by\":1003,\"reason\":\"card 3\"},"
        "\"seen\":{\"at\":\"2026-01-04T00:00:00Z\",\"by\":1004,\"where\":\"the bank's portal\"},"
        "\"history\":[{\"state\":\"generated\",\"at\":\"2026-01-01T00:00:00Z\",\"by\":1001,"
        "\"reason\":\"\"},{\"state\":\"active\",\"at\":\"2026-02-01T00:00:00Z\",\"by\":1001,"
        "\"approved_by\":1002,\"reason\":\"yearly\"}],"
        "\"schedule\":[{\"state\":\"retiring\",\"at\":\"2026-12-01T00:00:00Z\",\"by\":1001,"
        "\"reason\":\"of 2027\",\"made_at\":\"2026-11-01T00:00:00Z\"}]}]}",
        "kid          KID-ONE\n"
        "role         seal\n"
        "token        hsm-a\n"
        "purpose      seal\n"
        "type         p-256\n"
        "state        active\n"
        "since        2026-02-01T00:00:00Z\n"
        "key_id       0a0b\n"
        "spki_sha256  0c0d\n"
        "subject      CN=s\n"
        "issuer       CN=i\n"
        "serial       01\n"
        "not_before   2026-01-01T00:00:00Z\n"
        "not_after    2027-01-01T00:00:00Z\n"
        "cryptoperiod 2028-01-01T00:00:00Z\n"
        "algs         ES256 PS256\n"
        "in token     now\n"
        "  CKA_LABEL                qseal/seal\n"
        "  CKA_SENSITIVE            true\n"
        "  CKA_EXTRACTABLE          false\n"
        "  CKA_LOCAL                none\n"
        "  CKA_ALLOWED_MECHANISMS   CKM_ECDSA CKM_ECDSA_SHA256\n"
        "  7 signatures since 2026-02-02T00:00:00Z, the start of its room\n"
        "backup       2026-01-03T00:00:00Z by uid 1003: card 3\n"
        "seen         2026-01-04T00:00:00Z by uid 1004: the bank's portal\n"
        "history\n"
        "  2026-01-01T00:00:00Z  generated   by uid 1001\n"
        "  2026-02-01T00:00:00Z  active      by uid 1001, approved by uid 1002: yearly\n"
        "schedule\n"
        "  2026-12-01T00:00:00Z  retiring    by uid 1001: of 2027\n");
}

/* Two of one role, and one that is gone, of which no token says anything. */
static void what_tokens_cannot_say_is_said(void **state)
{
    expect_shown(
        *state,
        "{\"keys\":[{\"kid\":\"KID-ONE\",\"algs\":[],\"in_token\":{\"outcome\":\"ok\","
        "\"is_pinned\":false,\"label\":\"l\",\"attributes\":{},\"allowed_mechanisms\":null,"
        "\"signatures\":null,\"counted_since\":\"2026-02-02T00:00:00Z\"}},"
        "{\"kid\":\"KID-TWO\",\"algs\":[],\"in_token\":{\"outcome\":\"token-unavailable\","
        "\"detail\":\"token hsm-b is not there\"}},"
        "{\"kid\":\"KID-THREE\",\"algs\":[],\"in_token\":null}]}",
        "kid          KID-ONE\n"
        "algs        \n"
        "in token     now: NOT THE PINNED PUBLIC KEY\n"
        "  CKA_LABEL                l\n"
        "  CKA_ALLOWED_MECHANISMS   none\n"
        "  signatures not counted since 2026-02-02T00:00:00Z, the start of its room\n"
        "\n"
        "kid          KID-TWO\n"
        "algs        \n"
        "in token     unknown: token hsm-b is not there\n"
        "\n"
        "kid          KID-THREE\n"
        "algs        \n");
}

/* Of another version of the service, maybe: the public key counts as the pinned one only where that
 * is said.
 */
static void what_is_missing_proves_nothing(void **state)
{
    expect_shown(*state, "{\"keys\":[{\"kid\":\"KID-ONE\",\"in_token\":{\"outcome\":\"ok\"}}]}",
                 "kid          KID-ONE\n"
                 "algs        \n"
                 "in token     now: NOT THE PINNED PUBLIC KEY\n"
                 "  CKA_LABEL                \n"
                 "  CKA_ALLOWED_MECHANISMS   none\n"
                 "  signatures not counted since , the start of its room\n");
    expect_shown(*state, "{\"keys\":[{\"kid\":\"KID-ONE\",\"in_token\":{\"detail\":\"why\"}}]}",
                 "kid          KID-ONE\n"
                 "algs        \n"
                 "in token     unknown: why\n");
    expect_shown(*state, "{}", "");
}

static void nothing_of_a_token_steers_the_terminal(void **state)
{
    expect_shown(*state,
                 "{\"keys\":[{\"kid\":\"KID-ONE\",\"subject\":\"CN=\\u001b[2J\\nkid\",\"algs\":[],"
                 "\"in_token\":{\"outcome\":\"ok\",\"is_pinned\":true,\"label\":\"\\r\\u202e\","
                 "\"attributes\":{},\"allowed_mechanisms\":[],\"signatures\":0,"
                 "\"counted_since\":\"\"}}]}",
                 "kid          KID-ONE\n"
                 "subject      CN=<U+001B>[2J<U+000A>kid\n"
                 "algs        \n"
                 "in token     now\n"
                 "  CKA_LABEL                <U+000D><U+202E>\n"
                 "  CKA_ALLOWED_MECHANISMS  \n"
                 "  0 signatures since , the start of its room\n");
}

static void data_is_printed_as_it_came(void **state)
{
    struct ctl_scene *scene = *state;
    expect_printed(scene, run_key_show, (struct command_line){.json = true, .token = "hsm-b"},
                   "{\"keys\":[],\"more\":null}", "{\n  \"keys\": [],\n  \"more\": null\n}\n");
    assert_string_equal(buffer_text(&scene->arguments),
                        "{\"key\":\"KID-ONE\",\"token\":\"hsm-b\"}");
}

static void a_backup_and_a_sighting_go_on_record(void **state)
{
    struct ctl_scene *scene = *state;
    static const char keys[] =
        "{\"keys\":[{\"role\":\"seal\",\"kid\":\"KID-ONE\",\"token\":\"hsm-a\"},"
        "{\"role\":\"seal\",\"kid\":\"KID-ONE\",\"token\":\"hsm-b\"}]}";
    expect_printed(scene, run_key_backup_recorded,
                   (struct command_line){.reason = "card 3", .where = "not asked for"}, keys,
                   "seal: a backup of key KID-ONE in token hsm-a is on record\n"
                   "seal: a backup of key KID-ONE in token hsm-b is on record\n");
    assert_string_equal(buffer_text(&scene->arguments),
                        "{\"key\":\"KID-ONE\",\"reason\":\"card 3\"}");
    expect_printed(scene, run_key_seen,
                   (struct command_line){.token = "hsm-a", .where = "the bank's portal"}, keys,
                   "seal: key KID-ONE in token hsm-a was seen outside\n"
                   "seal: key KID-ONE in token hsm-b was seen outside\n");
    assert_string_equal(buffer_text(&scene->arguments),
                        "{\"key\":\"KID-ONE\",\"token\":\"hsm-a\",\"where\":\"the bank's "
                        "portal\"}");
}

static void a_refusal_is_said_and_nothing_is_shown(void **state)
{
    struct ctl_scene *scene = *state;
    static const run_command runs[] = {run_key_show, run_key_backup_recorded, run_key_seen};
    scene->refusal = refuse(&scene->why, OUTCOME_NOT_FOUND, "there is no such key");
    const struct command_line line = {.socket = scene->socket, .words = words, .n_words = 1};
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        BUFFER_CLEANUP struct buffer out = BUFFER_INIT(CTL_TEXT_MAX);
        BUFFER_CLEANUP struct buffer said = BUFFER_INIT(CTL_TEXT_MAX);
        assert_int_equal(ctl_captured(runs[i], &line, STDOUT_FILENO, scene->printed, &out),
                         EXIT_REFUSED);
        assert_string_equal(buffer_text(&out), "");
        assert_int_equal(ctl_captured(runs[i], &line, STDERR_FILENO, scene->printed, &said),
                         EXIT_REFUSED);
        assert_string_equal(buffer_text(&said), "qsealctl: not-found: there is no such key\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_that_is_known_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(what_tokens_cannot_say_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_missing_proves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_of_a_token_steers_the_terminal, setup, teardown),
        cmocka_unit_test_setup_teardown(data_is_printed_as_it_came, setup, teardown),
        cmocka_unit_test_setup_teardown(a_backup_and_a_sighting_go_on_record, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_is_said_and_nothing_is_shown, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
