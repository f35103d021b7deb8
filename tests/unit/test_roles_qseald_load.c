/* SPDX-License-Identifier: Apache-2.0
 * What qseald reads before it begins, and which fault it tells of. */
#include "roles/qseald/load.h"

#include "base/file.h"
#include "check.h"
#include "instance.h"
#include "signing/view.h"

#include <limits.h>
#include <stdio.h>

static int setup(void **state)
{
    static struct instance instance;
    instance_init(&instance, "[\"*\"]", "[operator, custodian]");
    *state = &instance;
    return 0;
}

static int teardown(void **state)
{
    instance_fini(*state);
    return 0;
}

static void what_is_read_belongs_together(void **state)
{
    struct instance *instance = *state;
    char path[PATH_MAX];
    struct view *view = NULL;
    struct reason why = {0};
    instance_make_keys(instance);
    assert_done(load_view(instance->config_path, path, sizeof path, &view, &why), why);
    assert_string_equal(path, instance->keyring_path);
    assert_int_equal(view->policy->generation, 1);
    assert_true(profiles_count(view->policy->profiles) > 0);
    assert_int_equal(view->keyring->n_keys, 3);
    assert_true(view->n_usable > 0);
    view_unref(view);
}

static void expect_refused(const struct instance *instance, size_t size, const char *fragment)
{
    char path[PATH_MAX];
    struct view *view = NULL;
    struct reason why = {0};
    assert_refused(load_view(instance->config_path, path, size, &view, &why), OUTCOME_RULE, why,
                   fragment);
    assert_null(view);
}

static void each_fault_is_told_the_first_of_them_alone(void **state)
{
    struct instance *instance = *state;
    expect_refused(instance, 5, "the state folder's path is too long");
    assert_int_equal(file_replace(instance->keyring_path, span_of_text("{"), 0600), 0);
    expect_refused(instance, PATH_MAX, "the text ends before the object does");
    instance_configure(instance, "[nowhere]", "[operator]");
    expect_refused(instance, PATH_MAX, "there is no profile nowhere");
    assert_int_equal(file_replace(instance->config_path, span_of_text("x: 1\n"), 0600), 0);
    expect_refused(instance, PATH_MAX, "qseal.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_read_belongs_together, setup, teardown),
        cmocka_unit_test_setup_teardown(each_fault_is_told_the_first_of_them_alone, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
