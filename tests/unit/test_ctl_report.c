/* SPDX-License-Identifier: Apache-2.0
 * qsealctl report puts the register's pages together, against a qseald played by the test. */
#include "ctl_scene.h"
#include "jose/json.h"

enum { TEXT_MAX = 64 * 1024, PAGES = 3 };

struct scene {
    struct folder folder;
    char socket[128];
    char printed[128];
    struct serve *serve;
    int asked;   /* pages so far */
    int changes; /* how many of these answers come from a keyring of their own */
};

/* Page N has the key "KN". */
static bool give_page(struct serve_call *call)
{
    struct scene *scene = call->room;
    struct reason none = {0};
    JSON_CLEANUP json_t *arguments = NULL;
    assert_int_equal(
        json_parse_object(reader_bytes(call->request, CUSTODY_ARGUMENTS_MAX), &arguments, &none),
        OUTCOME_OK);
    const char *from = json_string_value(json_object_get(arguments, "from"));
    int page = from == NULL ? 0 : from[0] - '0';
    int generation = scene->asked < scene->changes ? scene->asked : scene->changes;
    char text[200];
    char next[16];
    (void)snprintf(next, sizeof next, "\"%d\"", page + 1);
    (void)snprintf(text, sizeof text,
                   "{\"schema\":\"qseal-register/1\",\"generation\":1,\"keyring_generation\":%d,"
                   "\"devices\":[],\"keys\":[{\"kid\":\"K%d\"}],\"next\":%s}",
                   generation, page, page + 1 < PAGES ? next : "null");
    scene->asked++;
    frame_put_outcome(call->answer, OUTCOME_OK, &none);
    buffer_put_bytes(call->answer, span_of_text(text));
    return true;
}

static const struct serve_row rows[] = {{CUSTODY_REPORT, give_page}};

static int setup(void **state)
{
    static struct scene scene;
    scene = (struct scene){.folder = folder_make()};
    folder_path(&scene.folder, "admin.sock", scene.socket);
    folder_path(&scene.folder, "printed", scene.printed);
    scene.serve = ctl_door(scene.socket, rows, COUNT_OF(rows), &scene);
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    serve_stop(scene->serve);
    folder_remove(&scene->folder);
    return 0;
}

static enum exit_code run(struct scene *scene, struct command_line line, int fd, struct buffer *out)
{
    line.socket = scene->socket;
    return ctl_captured(run_report, &line, fd, scene->printed, out);
}

static void expect_all_keys(struct scene *scene)
{
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(TEXT_MAX);
    JSON_CLEANUP json_t *report = NULL;
    assert_int_equal(run(scene, (struct command_line){.json = true}, STDOUT_FILENO, &text),
                     EXIT_DONE);
    assert_done(json_parse_object(buffer_span(&text), &report, &why), why);
    const json_t *keys = json_object_get(report, "keys");
    assert_int_equal(json_array_size(keys), PAGES);
    for (size_t i = 0; i < PAGES; i++) {
        char kid[] = "K0";
        kid[1] = (char)(kid[1] + (char)i);
        assert_string_equal(command_text(json_array_get(keys, i), "kid"), kid);
    }
    assert_null(json_object_get(report, "next"));
}

static void pages_are_put_together(void **state)
{
    expect_all_keys(*state);
}

static void pages_of_two_keyrings_are_not_mixed(void **state)
{
    struct scene *scene = *state;
    scene->changes = 4;
    expect_all_keys(scene);
    assert_true(scene->asked > PAGES + 1);
}

static void there_is_an_end_to_it(void **state)
{
    struct scene *scene = *state;
    BUFFER_CLEANUP struct buffer said = BUFFER_INIT(TEXT_MAX);
    scene->changes = 1000;
    assert_int_equal(run(scene, (struct command_line){.json = true}, STDERR_FILENO, &said),
                     EXIT_UNAVAILABLE);
    assert_string_equal(buffer_text(&said), "qsealctl: unavailable: keys or configuration change "
                                            "all the time: try again later\n");
}

static void people_get_a_summary_or_a_page(void **state)
{
    struct scene *scene = *state;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(TEXT_MAX);
    assert_int_equal(run(scene, (struct command_line){0}, STDOUT_FILENO, &text), EXIT_DONE);
    assert_non_null(strstr(buffer_text(&text), "register of 3 keys in 0 devices"));
    buffer_reset(&text);
    assert_int_equal(run(scene, (struct command_line){.html = true}, STDOUT_FILENO, &text),
                     EXIT_DONE);
    assert_int_equal(strncmp(buffer_text(&text), "<!DOCTYPE html>", 15), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_are_put_together, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_of_two_keyrings_are_not_mixed, setup, teardown),
        cmocka_unit_test_setup_teardown(there_is_an_end_to_it, setup, teardown),
        cmocka_unit_test_setup_teardown(people_get_a_summary_or_a_page, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
