/* SPDX-License-Identifier: Apache-2.0
 * The record of PIN attempts. */
#include "check.h"

#include "base/file.h"
#include "folder.h"
#include "pkcs11/attempt.h"

#include <sys/stat.h>

static void test_round_trip(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct attempt attempt;
    struct reason why = {0};
    assert_done(attempt_read(folder.path, &attempt, &why), why);
    assert_int_equal(attempt.state, ATTEMPT_NONE);
    const enum attempt_state states[] = {ATTEMPT_IN_FLIGHT, ATTEMPT_GOOD, ATTEMPT_FAILED,
                                         ATTEMPT_FAULT};
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        const struct attempt written = {.state = states[i], .unanswered = (unsigned int)i};
        assert_done(attempt_write(folder.path, &written, &why), why);
        assert_done(attempt_read(folder.path, &attempt, &why), why);
        assert_int_equal(attempt.state, states[i]);
        assert_int_equal(attempt.unanswered, i);
        assert_int_equal(strlen(attempt.since), strlen("2026-01-31T12:00:00Z"));
    }
    char path[128];
    folder_path(&folder, "pin-attempt", path);
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    assert_int_equal(folder_count(&folder), 1);
    folder_remove(&folder);
}

/* Nobody but us writes this file: what is not ours must not open the way to another attempt. */
static void test_anything_else_is_failed(void **state)
{
    static const char *const texts[] = {
        "",
        "good",
        "good \n",
        "GOOD 2026-01-31T12:00:00Z\n",
        "x 2026-01-31T12:00:00Z\n",
        "good 0 \n",
        "good 2026-01-31T12:00:00Z\n",
        "in-flight 2026-01-31T12:00:00Z\n",
        "in-flight x 2026-01-31T12:00:00Z\n",
        "in-flight 10 2026-01-31T12:00:00Z\n",
        "in-flight  2026-01-31T12:00:00Z\n",
        "good 0 2026-01-31T12:00:00Z and more text than any time has\n"};
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    folder_path(&folder, "pin-attempt", path);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_int_equal(file_replace(path, span_of_text(texts[i]), 0600), 0);
        struct attempt attempt;
        struct reason why = {0};
        assert_done(attempt_read(folder.path, &attempt, &why), why);
        assert_int_equal(attempt.state, ATTEMPT_FAILED);
        assert_string_equal(attempt.since, "an unknown time");
    }
    char big[300];
    memset(big, 'g', sizeof big);
    assert_int_equal(file_replace(path, span_of(big, sizeof big), 0600), 0);
    struct attempt attempt;
    struct reason why = {0};
    assert_done(attempt_read(folder.path, &attempt, &why), why);
    assert_int_equal(attempt.state, ATTEMPT_FAILED);
    folder_remove(&folder);
}

/* A record that is put back keeps its time; a count never wraps into one that blocks nobody. */
static void test_put_back(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct reason why = {0};
    struct attempt attempt = {
        .state = ATTEMPT_FAILED, .unanswered = 123, .since = "2026-01-31T12:00:00Z"};
    assert_done(attempt_write(folder.path, &attempt, &why), why);
    assert_done(attempt_read(folder.path, &attempt, &why), why);
    assert_int_equal(attempt.state, ATTEMPT_FAILED);
    assert_int_equal(attempt.unanswered, 9);
    assert_string_equal(attempt.since, "2026-01-31T12:00:00Z");
    folder_remove(&folder);
}

static void test_what_blocks(void **state)
{
    (void)state;
    static const struct {
        struct attempt attempt;
        bool blocks;
    } cases[] = {
        {{.state = ATTEMPT_NONE}, false},
        {{.state = ATTEMPT_GOOD}, false},
        {{.state = ATTEMPT_FAILED}, true},
        {{.state = ATTEMPT_IN_FLIGHT, .unanswered = 1}, false},
        {{.state = ATTEMPT_IN_FLIGHT, .unanswered = 2}, true},
        {{.state = ATTEMPT_IN_FLIGHT, .unanswered = 9}, true},
        {{.state = ATTEMPT_FAULT}, false},
        {{.state = ATTEMPT_FAULT, .unanswered = 1}, false},
        {{.state = ATTEMPT_FAULT, .unanswered = 2}, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(attempt_blocks(&cases[i].attempt), cases[i].blocks);
    }
}

static void test_no_folder(void **state)
{
    (void)state;
    struct attempt attempt = {.state = ATTEMPT_IN_FLIGHT};
    struct reason why = {0};
    assert_refused(attempt_write("/nonexistent", &attempt, &why), OUTCOME_INTERNAL, why,
                   "/nonexistent/pin-attempt: No such file");
    assert_refused(attempt_read("/etc/passwd", &attempt, &why), OUTCOME_INTERNAL, why,
                   "Not a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_anything_else_is_failed),
        cmocka_unit_test(test_put_back),   cmocka_unit_test(test_what_blocks),
        cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
