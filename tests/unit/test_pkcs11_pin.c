/* SPDX-License-Identifier: Apache-2.0
 * Where a PIN comes from, and that it goes away. */
#include "check.h"

#include "base/fd.h"
#include "base/file.h"
#include "folder.h"
#include "pkcs11/pin.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    struct folder folder;
    char path[128];
    char source[160];
};

static void place_make(struct place *place, const char *content, mode_t mode)
{
    place->folder = folder_make();
    folder_path(&place->folder, "pin", place->path);
    assert_int_equal(file_replace(place->path, span_of_text(content), 0600), 0);
    assert_int_equal(chmod(place->path, mode), 0);
    (void)snprintf(place->source, sizeof place->source, "file:%s", place->path);
}

static void assert_pin(const char *source, const char *expected)
{
    SECRET_CLEANUP struct secret pin = {0};
    struct reason why = {0};
    assert_done(pin_read(source, &pin, &why), why);
    assert_int_equal(pin.len, strlen(expected));
    assert_memory_equal(pin.page, expected, pin.len);
}

static void assert_no_pin(const char *source, const char *reason)
{
    struct secret pin = {0};
    struct reason why = {0};
    assert_refused(pin_read(source, &pin, &why), OUTCOME_RULE, why, reason);
    assert_null(pin.page);
    assert_null(strstr(why.detail, "4711"));
}

static void test_forms(void **state)
{
    (void)state;
    struct place place;
    place_make(&place, "4711\n", 0400);
    assert_pin(place.source, "4711");
    assert_pin(place.path, "4711");
    char authority[192];
    (void)snprintf(authority, sizeof authority, "file://%s", place.path);
    assert_pin(authority, "4711");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", place.folder.path, 1), 0);
    assert_pin("credential:pin", "4711");
    assert_no_pin("credential:../pin", "not the name of a credential");
    assert_no_pin("credential:", "not the name of a credential");
    assert_no_pin("credential:other", "No such file");
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_no_pin("credential:pin", "CREDENTIALS_DIRECTORY is not set");
    folder_remove(&place.folder);
}

static void test_only_one_newline_goes(void **state)
{
    (void)state;
    struct place place;
    place_make(&place, "47 11\n\n", 0600);
    assert_pin(place.source, "47 11\n");
    folder_remove(&place.folder);
}

static void test_refused_forms(void **state)
{
    (void)state;
    assert_no_pin("|echo 4711", "must be file:/absolute/path");
    assert_no_pin("pin", "must be file:/absolute/path");
    assert_no_pin("file:pin", "must be file:/absolute/path");
    assert_no_pin("file://host/pin", "must be file:/absolute/path");
    assert_no_pin("/nonexistent/pin", "No such file");
    assert_no_pin("/dev/null", "not a regular file");
}

static void test_refused_files(void **state)
{
    (void)state;
    struct place place;
    place_make(&place, "4711", 0644);
    assert_no_pin(place.source, "mode 0644 is too wide");
    folder_remove(&place.folder);
    place_make(&place, "\n", 0600);
    assert_no_pin(place.source, "empty");
    folder_remove(&place.folder);
    char big[5000];
    memset(big, '4', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    place_make(&place, big, 0600);
    assert_no_pin(place.source, "too long");
    folder_remove(&place.folder);
}

static int pipe_of(const char *content, size_t len, bool closed)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], content, len), len);
    if (closed) {
        assert_int_equal(close(ends[1]), 0);
    }
    return ends[0];
}

static void test_pipe(void **state)
{
    (void)state;
    struct reason why = {0};
    SECRET_CLEANUP struct secret pin = {0};
    FD_CLEANUP int good = pipe_of("4711", 4, true);
    assert_done(pin_read_pipe(good, &pin, &why), why);
    assert_int_equal(pin.len, 4);
    assert_memory_equal(pin.page, "4711", 4);
    /* It is read once. */
    struct secret none = {0};
    assert_refused(pin_read_pipe(good, &none, &why), OUTCOME_RULE, why, "the typed PIN: empty");
    char big[256];
    memset(big, '4', sizeof big);
    FD_CLEANUP int longest = pipe_of(big, sizeof big - 1, true);
    SECRET_CLEANUP struct secret long_pin = {0};
    assert_done(pin_read_pipe(longest, &long_pin, &why), why);
    assert_int_equal(long_pin.len, 255);
    FD_CLEANUP int too_long = pipe_of(big, sizeof big, true);
    assert_refused(pin_read_pipe(too_long, &none, &why), OUTCOME_RULE, why, "too long for a PIN");
    FD_CLEANUP int open_end = pipe_of("4711", 4, false); /* who types is not waited for */
    assert_refused(pin_read_pipe(open_end, &none, &why), OUTCOME_RULE, why,
                   "the typed PIN: Resource temporarily unavailable");
    FD_CLEANUP int no_pipe = open("/dev/zero", O_RDONLY);
    assert_refused(pin_read_pipe(no_pipe, &none, &why), OUTCOME_RULE, why,
                   "the PIN does not come in a pipe");
    assert_refused(pin_read_pipe(-1, &none, &why), OUTCOME_RULE, why,
                   "the PIN does not come in a pipe");
    assert_null(none.page);
}

static void test_wiped(void **state)
{
    (void)state;
    struct place place;
    place_make(&place, "4711", 0600);
    struct secret pin = {0};
    struct reason why = {0};
    assert_done(pin_read(place.source, &pin, &why), why);
    secret_wipe(&pin);
    assert_null(pin.page);
    assert_int_equal(pin.len, 0);
    secret_wipe(&pin);
    folder_remove(&place.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),         cmocka_unit_test(test_only_one_newline_goes),
        cmocka_unit_test(test_refused_forms), cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_wiped),         cmocka_unit_test(test_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
