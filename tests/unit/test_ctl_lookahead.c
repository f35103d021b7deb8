/* SPDX-License-Identifier: Apache-2.0
 * qsealctl rotation lookahead, against a qseald played by the test. */
#include "ctl/timeline.h"
#include "ctl_scene.h"
#include "jose/json.h"

/* timeline_changes() is wrapped (see ctl.cmake). */
static bool is_short_of_memory;

struct timeline_change *__wrap_timeline_changes(const struct timeline *timeline, size_t *n);
struct timeline_change *__real_timeline_changes(const struct timeline *timeline, size_t *n);

struct timeline_change *__wrap_timeline_changes(const struct timeline *timeline, size_t *n)
{
    *n = 0;
    return is_short_of_memory ? NULL : __real_timeline_changes(timeline, n);
}

static const struct serve_row rows[] = {{CUSTODY_ROTATION_LOOKAHEAD, ctl_scene_answer}};

static int setup(void **state)
{
    static struct ctl_scene scene;
    ctl_scene_open(&scene, rows, COUNT_OF(rows));
    assert_int_equal(file_read(QSEAL_TIMELINES "/one.json", &scene.answer), 0);
    assert_int_equal(setenv("COLUMNS", "100", 1), 0);
    assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    ctl_scene_close(*state);
    return 0;
}

static enum exit_code hear(struct ctl_scene *scene, struct command_line line, int stream,
                           struct buffer *out)
{
    line.socket = scene->socket;
    return ctl_captured(run_rotation_lookahead, &line, stream, scene->printed, out);
}

static enum exit_code run(struct ctl_scene *scene, struct command_line line, struct buffer *out)
{
    return hear(scene, line, STDOUT_FILENO, out);
}

static void expect_file(struct ctl_scene *scene, struct command_line line, const char *name)
{
    BUFFER_CLEANUP struct buffer got = BUFFER_INIT(CTL_TEXT_MAX);
    BUFFER_CLEANUP struct buffer want = BUFFER_INIT(CTL_TEXT_MAX);
    char path[400];
    (void)snprintf(path, sizeof path, QSEAL_TIMELINES "/%s", name);
    assert_int_equal(file_read(path, &want), 0);
    assert_int_equal(run(scene, line, &got), EXIT_DONE);
    assert_string_equal(buffer_text(&got), buffer_text(&want));
}

/* A file is no terminal: there are no colours in it, and it is as wide as $COLUMNS says. */
static void the_timeline_is_drawn(void **state)
{
    struct ctl_scene *scene = *state;
    char *words[] = {"seal"};
    expect_file(scene, (struct command_line){.words = words, .n_words = 1, .days = "90"},
                "one.text.100.txt");
    assert_string_equal(buffer_text(&scene->arguments), "{\"role\":\"seal\",\"days\":\"90\"}");
    assert_int_equal(setenv("COLUMNS", "20", 1), 0);
    expect_file(scene, (struct command_line){.ascii = true}, "one.ascii.20.txt");
    assert_string_equal(buffer_text(&scene->arguments), "{}");
    assert_int_equal(setenv("LC_ALL", "C", 1), 0);
    expect_file(scene, (struct command_line){0}, "one.ascii.20.txt");
    assert_int_equal(setenv("COLUMNS", "no number", 1), 0);
    assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
    expect_file(scene, (struct command_line){0}, "one.text.100.txt");
}

static void pictures_and_data_are_printed_alone(void **state)
{
    struct ctl_scene *scene = *state;
    BUFFER_CLEANUP struct buffer picture = BUFFER_INIT(CTL_TEXT_MAX);
    BUFFER_CLEANUP struct buffer data = BUFFER_INIT(CTL_TEXT_MAX);
    assert_int_equal(run(scene, (struct command_line){.svg = true}, &picture), EXIT_DONE);
    assert_int_equal(strncmp(buffer_text(&picture), "<?xml ", 6), 0);
    assert_non_null(strstr(buffer_text(&picture), "</svg>\n"));
    assert_int_equal(run(scene, (struct command_line){.json = true}, &data), EXIT_DONE);
    struct reason why = {0};
    JSON_CLEANUP json_t *got = NULL;
    JSON_CLEANUP json_t *want = NULL;
    assert_done(json_parse_object(buffer_span(&data), &got, &why), why);
    assert_done(json_parse_object(buffer_span(&scene->answer), &want, &why), why);
    assert_true(json_equal(got, want));
}

/* Nothing is printed, and on standard error stands why. */
static void expect_fault(struct ctl_scene *scene, struct command_line line, const char *fragment)
{
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(CTL_TEXT_MAX);
    BUFFER_CLEANUP struct buffer said = BUFFER_INIT(CTL_TEXT_MAX);
    assert_int_equal(run(scene, line, &out), EXIT_UNAVAILABLE);
    assert_string_equal(buffer_text(&out), "");
    assert_int_equal(hear(scene, line, STDERR_FILENO, &said), EXIT_UNAVAILABLE);
    assert_non_null(strstr(buffer_text(&said), fragment));
}

static void an_answer_of_another_form_is_a_fault(void **state)
{
    struct ctl_scene *scene = *state;
    buffer_reset(&scene->answer);
    buffer_put_text(&scene->answer, "{\"keys\":[]}");
    expect_fault(scene, (struct command_line){0},
                 "qsealctl: internal: qseald answered in an unknown form\n");
}

/* Nothing is drawn then, or it would say that no change is known ahead. */
static void short_memory_is_no_empty_future(void **state)
{
    is_short_of_memory = true;
    for (int svg = 0; svg < 2; svg++) {
        expect_fault(*state, (struct command_line){.svg = svg == 1},
                     "qsealctl: internal: out of memory\n");
    }
    is_short_of_memory = false;
}

static void nobody_there_is_said(void **state)
{
    struct ctl_scene *scene = *state;
    serve_stop(scene->serve);
    scene->serve = NULL;
    expect_fault(scene, (struct command_line){0}, "qsealctl: unavailable: qseald is not there: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_timeline_is_drawn, setup, teardown),
        cmocka_unit_test_setup_teardown(pictures_and_data_are_printed_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_of_another_form_is_a_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(short_memory_is_no_empty_future, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_there_is_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
