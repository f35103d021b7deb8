/* SPDX-License-Identifier: Apache-2.0
 * A template file read: what its schema refuses, and what it says afterwards. */
#include "policy_support.h"

#include "policy/template.h"

static struct test_files files;

static enum outcome load(const char *path, const char *name, struct reason *why)
{
    TEMPLATE_CLEANUP struct template *template = NULL;
    return template_load(path, name, NULL, &template, why);
}

static const struct change changes[] = {
    {"fapi2-jar", "template: fapi2-jar", "template: other", "named as its file is"},
    {"fapi2-jar", "operation: jar", "operation: csr", "one of these is wanted"},
    {"fapi2-jar", "payload: claims", "payloads: claims", "unknown key"},
    {"fapi2-jar", "purpose: seal\n", "", "purpose"},
    {"fapi2-jar", "{name: state, rule: caller,", "{name: state, rule: caller, colour: red,",
     "unknown key"},
    {"fapi2-jar", "{name: state, rule: caller,", "{name: state, rule: anything,",
     "one of these is wanted"},
    {"fapi2-jar", "{name: state, rule: caller, type: string",
     "{name: state, rule: caller, type: text", "one of these is wanted"},
    {"fapi2-jar", "exp_after_s: 290", "exp_after_s: soon", "whole number"},
    {"fapi2-jar", "exp_after_s: 290", "exp_after_s: -1", "whole number"},
    {"fapi2-jar", "algorithms: [PS256, ES256, Ed25519]", "algorithms: []", "algorithms"},
    {"fapi2-jar", NULL, "template: fapi2-jar\n", "template"},
    {"fapi2-jar", NULL, "---\ntemplate: x\n", ""},
};

static void test_every_change(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        wrong += template_fits(files.templates, &changes[i], load) ? 0 : 1;
    }
    assert_int_equal(wrong, 0);
}

static void test_what_a_template_says(void **state)
{
    (void)state;
    TEMPLATE_CLEANUP struct template *template = NULL;
    struct reason why;
    assert_int_equal(
        template_load(SHIPPED_TEMPLATES "/fapi2-jar.yaml", "fapi2-jar", NULL, &template, &why),
        OUTCOME_OK);
    assert_string_equal(template->name, "fapi2-jar");
    assert_int_equal(template->operation, OPERATION_JAR);
    assert_true(template_allows(template, "PS256"));
    assert_false(template_allows(template, "RS256"));
    assert_int_equal(template_binding(template, "redirect_uris")->type, BINDING_LIST);
    assert_null(template_binding(template, "nothing"));
    assert_int_equal(template_claim(template, "exp")->generated, GENERATED_EXP);
    assert_null(template_claim(template, "sub"));
    assert_int_equal(template_header(template, "typ")->source, HEADER_CONST);
    assert_null(template_header(template, "jku"));
    assert_false(is_required(template_claim(template, "state")->required));
    assert_true(is_required(template_claim(template, "code_challenge")->required));
}

static void test_a_file_that_is_not_there(void **state)
{
    (void)state;
    struct template *template = NULL;
    struct reason why;
    assert_int_equal(template_load("/nowhere/x.yaml", "x", NULL, &template, &why), OUTCOME_RULE);
    assert_non_null(strstr(why.detail, "/nowhere/x.yaml"));
    assert_null(template);
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
        cmocka_unit_test(test_every_change),
        cmocka_unit_test(test_what_a_template_says),
        cmocka_unit_test(test_a_file_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
