/* SPDX-License-Identifier: Apache-2.0
 * All profiles of a configuration. */
#include "policy_support.h"

static struct test_files files;

static void test_the_shipped_ones(void **state)
{
    (void)state;
    static const char *const names[] = {
        "br-body",          "dpop",         "fapi2-assertion", "fapi2-jar",  "ksa-body",
        "op-detached",      "op-exemption", "op-jar-cof",      "op-jar-pis", "op-registration",
        "paynet-assertion", "paynet-jar",   "rebit",           "uk-313",     "uk-314"};
    struct profiles *profiles = load_shipped();
    assert_int_equal(profiles_count(profiles), COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct profile *profile = profiles_at(profiles, i);
        assert_string_equal(profile_name(profile), names[i]);
        assert_ptr_equal(profiles_find(profiles, profile_operation(profile), names[i]), profile);
    }
    profiles_free(profiles);
}

static void test_a_profile_of_another_operation_is_none(void **state)
{
    (void)state;
    struct profiles *profiles = load_shipped();
    assert_non_null(profiles_find(profiles, OPERATION_JAR, "fapi2-jar"));
    assert_null(profiles_find(profiles, OPERATION_CLIENT_ASSERTION, "fapi2-jar"));
    assert_null(profiles_find(profiles, OPERATION_JAR, "fapi2-assertion"));
    assert_null(profiles_find(profiles, OPERATION_JAR, ""));
    assert_null(profiles_find(profiles, OPERATION_JAR, "zzz"));
    profiles_free(profiles);
}

/* Each caller's grants are looked up: "nowhere" is line 4 of the file. */
static void test_a_grant_of_no_profile_is_refused(void **state)
{
    (void)state;
    struct test_config test;
    struct profiles *profiles = NULL;
    struct reason why;
    char path[PATH_MAX];
    char *names[] = {(char *)"op-detached", (char *)"nowhere"};
    struct config_caller caller = {.name = (char *)"flow", .profiles = names, .n_profiles = 2};
    test_config_init(&test, SHIPPED_TEMPLATES, SHIPPED_BINDINGS);
    write_file(files.bindings, "grants.yaml",
               "callers:\n  - profiles:\n      - op-detached\n      - nowhere\n");
    (void)snprintf(path, sizeof path, "%s/grants.yaml", files.bindings);
    test.config.path = path;
    test.config.callers = &caller;
    test.config.n_callers = 1;
    assert_int_equal(profiles_load(&test.config, &profiles, &why), OUTCOME_RULE);
    assert_non_null(strstr(why.detail, "grants.yaml:4: there is no profile nowhere"));
    names[1] = (char *)"*";
    assert_int_equal(profiles_load(&test.config, &profiles, &why), OUTCOME_OK);
    profiles_free(profiles);
    assert_int_equal(unlink(path), 0);
}

static enum outcome load(struct profiles **profiles, struct reason *why)
{
    struct test_config test;
    test_config_init(&test, files.templates, files.bindings);
    return profiles_load(&test.config, profiles, why);
}

/* A JWS is not what a transport key signs, nor an audit key. */
static void test_a_role_of_another_purpose_is_refused(void **state)
{
    (void)state;
    static const enum purpose others[] = {PURPOSE_TRANSPORT, PURPOSE_AUDIT};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct test_config test;
        struct profiles *profiles = NULL;
        struct reason why;
        test_config_init(&test, SHIPPED_TEMPLATES, SHIPPED_BINDINGS);
        test.roles[0].purpose = others[i];
        assert_int_equal(profiles_load(&test.config, &profiles, &why), OUTCOME_RULE);
        assert_non_null(strstr(why.detail, ": role seal has another purpose than seal"));
        assert_null(profiles);
    }
}

static void test_none_at_all(void **state)
{
    (void)state;
    struct profiles *profiles = NULL;
    struct reason why;
    assert_int_equal(load(&profiles, &why), OUTCOME_OK);
    assert_int_equal(profiles_count(profiles), 0);
    assert_null(profiles_find(profiles, OPERATION_JAR, "x"));
    profiles_free(profiles);
    profiles_free(NULL);
}

static void test_a_wrong_template_stops_the_start_though_nobody_binds_it(void **state)
{
    (void)state;
    struct profiles *profiles = NULL;
    struct reason why;
    write_file(files.templates, "unbound.yaml", "template: unbound\n");
    assert_int_equal(load(&profiles, &why), OUTCOME_RULE);
    assert_non_null(strstr(why.detail, "/unbound.yaml:1: "));
    assert_null(profiles);
    write_file(files.templates, "unbound.yaml", "");
    assert_int_equal(load(&profiles, &why), OUTCOME_RULE);
    assert_non_null(strstr(why.detail, "/unbound.yaml:"));
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/unbound.yaml", files.templates);
    assert_int_equal(unlink(path), 0);
}

static void test_file_names(void **state)
{
    (void)state;
    struct profiles *profiles = NULL;
    struct reason why;
    write_file(files.bindings, "README", "not a profile");
    write_file(files.bindings, ".hidden.yaml", "not a profile");
    assert_int_equal(load(&profiles, &why), OUTCOME_OK);
    profiles_free(profiles);
    profiles = NULL;
    write_file(files.bindings, "Not A Name.yaml", "profile: x\n");
    assert_int_equal(load(&profiles, &why), OUTCOME_RULE);
    assert_non_null(strstr(why.detail, "NAME.yaml"));
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/Not A Name.yaml", files.bindings);
    assert_int_equal(unlink(path), 0);
}

static void test_folders_that_are_not_there(void **state)
{
    (void)state;
    struct test_config test;
    struct profiles *profiles = NULL;
    struct reason why;
    test_config_init(&test, "/nowhere", files.bindings);
    assert_int_equal(profiles_load(&test.config, &profiles, &why), OUTCOME_OK);
    profiles_free(profiles);
    profiles = NULL;
    test_config_init(&test, files.templates, "/nowhere");
    assert_int_equal(profiles_load(&test.config, &profiles, &why), OUTCOME_RULE);
    assert_non_null(strstr(why.detail, "/nowhere"));
    assert_null(profiles);
}

static void test_an_administrator_s_template_comes_first(void **state)
{
    (void)state;
    struct change change = {"rebit", "description: India", "description: Ours", NULL};
    char *text = changed(shipped_template("rebit"), &change);
    char *shorter = replaced(text, "  - {name: kid, source: kid}\n  - {name: alg, source: alg}\n",
                             "  - {name: alg, source: alg}\n  - {name: kid, source: kid}\n");
    write_named(files.templates, "rebit", shorter);
    char *binding = shipped_binding("rebit");
    write_named(files.bindings, "rebit", binding);
    struct test_config test;
    test_config_init(&test, files.templates, files.bindings);
    char *folders[] = {files.templates, (char *)SHIPPED_TEMPLATES};
    test.config.template_dirs = folders;
    test.config.n_template_dirs = 2;
    struct profiles *profiles = NULL;
    struct reason why;
    assert_int_equal(profiles_load(&test.config, &profiles, &why), OUTCOME_OK);
    struct built built = build(find_profile(profiles, "rebit"), "{}");
    assert_string_equal(buffer_text(&built.header),
                        "{\"b64\":false,\"alg\":\"RS256\",\"kid\":\"test-kid\"}");
    built_fini(&built);
    profiles_free(profiles);
    free(text);
    free(shorter);
    free(binding);
}

static int setup(void **state)
{
    (void)state;
    test_files_init(&files);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_files_fini(&files);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_shipped_ones),
        cmocka_unit_test(test_a_grant_of_no_profile_is_refused),
        cmocka_unit_test(test_a_profile_of_another_operation_is_none),
        cmocka_unit_test(test_a_role_of_another_purpose_is_refused),
        cmocka_unit_test(test_none_at_all),
        cmocka_unit_test(test_a_wrong_template_stops_the_start_though_nobody_binds_it),
        cmocka_unit_test(test_file_names),
        cmocka_unit_test(test_folders_that_are_not_there),
        cmocka_unit_test(test_an_administrator_s_template_comes_first),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
