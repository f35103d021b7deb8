/* SPDX-License-Identifier: Apache-2.0
 * Files of profiles that verify: each mistake is refused with its line. */
#include "policy/verification_file.h"

#include "policy_support.h"

static struct test_files files;

static enum outcome load_template(const char *path, const char *name, struct reason *why)
{
    struct verify_template *template = NULL;
    enum outcome outcome = verify_template_load(path, name, &template, why);
    verify_template_free_ref(&template);
    return outcome;
}

static void templates_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"op-response-jws", NULL, "\n", NULL},
        {"op-response-jws", NULL, "kid_required: false\n", NULL},
        {"op-response-jws", "template: op-response-jws", "template: other", "named as its file is"},
        {"op-response-jws", "[ES256, RS256]", "[ES256, HS256]", "each is one of RS256"},
        {"op-response-jws", "[ES256, RS256]", "[ES256, ES256]", "stands here once"},
        {"op-response-jws", "[ES256, RS256]", "[none]", "each is one of RS256"},
        {"op-response-jws", "body-b64", "claims", "payload"},
        {"op-response-jws", "detached: {payload: body-b64}", "", "wants `detached`"},
        {"op-response-jws", "body-b64}", "body-raw, crit_required: true}", NULL},
        {"op-response-jws", "body-b64}",
         "body-raw, crit_required: true, allow_b64_without_crit: true}",
         "crit cannot be required and left out"},
        {"op-response-jws", NULL, "purpose: seal\n", "unknown key \"purpose\""},
        {"op-response-jws", "verify-detached-jws", "verify-everything", "operation"},
        {"op-response-jws", "verify-detached-jws", "verify-id-token", "and no `detached`"},
        {"op-response-jws", NULL, "id_token: {nonce: required}\n", "and no `id_token`"},
        {"op-id-token", NULL, "  leeway_s: 300\n  max_iat_age_s: 86400\n", NULL},
        {"op-id-token", NULL, "  leeway_s: 301\n", "at most 300 seconds"},
        {"op-id-token", NULL, "  max_iat_age_s: 86401\n", "at most 86400 seconds"},
        {"op-id-token", NULL, "  nonce: sometimes\n", "nonce"},
        {"op-id-token", "auth_time: if-present", "auth_time: when-sent", "required or if-present"},
        {"op-id-token", NULL, "  response_iss: if-present\n", "required or when-sent"},
        {"op-id-token", NULL, "  x_hash: required\n", "unknown key \"x_hash\""},
    };
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        assert_true(template_fits(files.templates, &changes[i], load_template));
    }
}

static void bindings_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"op-response-jws", NULL, "\n", NULL},
        {"op-response-jws", "profile: op-response-jws", "profile: x", "named as its file is"},
        {"op-response-jws", "jwks_from_caller: true", "", "exactly one of jwks"},
        {"op-response-jws", "jwks_from_caller: true", "jwks_from_caller: false",
         "exactly one of jwks"},
        {"op-response-jws", NULL, "jwks: '{}'\n", "exactly one of jwks"},
        {"op-response-jws", "jwks_from_caller: true", "jwks_file: bank.json", "an absolute path"},
        {"op-response-jws", NULL, "algorithms: [HS256]\n", "each is one of RS256"},
        {"op-response-jws", NULL, "role: seal\n", "unknown key \"role\""},
    };
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        const struct change *change = &changes[i];
        char path[PATH_MAX];
        char *text = changed(shipped_binding(change->name), change);
        struct verify_binding *binding = NULL;
        struct reason why = {.detail = ""};
        write_named(files.bindings, change->name, text);
        free(text);
        (void)snprintf(path, sizeof path, "%s/%s.yaml", files.bindings, change->name);
        enum outcome outcome = verify_binding_load(path, change->name, &binding, &why);
        assert_true(reason_fits(change, outcome, &why));
        verify_binding_free_ref(&binding);
    }
}

static void files_are_told_apart(void **state)
{
    (void)state;
    char name[NAME_LEN_MAX + 1];
    assert_true(verify_template_is(SHIPPED_TEMPLATES "/op-response-jws.yaml"));
    assert_false(verify_template_is(SHIPPED_TEMPLATES "/op-detached.yaml"));
    assert_false(verify_template_is("/nowhere.yaml"));
    assert_true(verify_binding_template(SHIPPED_BINDINGS "/op-response-jws.yaml", name));
    assert_string_equal(name, "op-response-jws");
    write_file(files.bindings, "odd.yaml", "template: '../x'\n");
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/odd.yaml", files.bindings);
    assert_false(verify_binding_template(path, name));
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
        cmocka_unit_test(templates_are_refused_with_their_line),
        cmocka_unit_test(bindings_are_refused_with_their_line),
        cmocka_unit_test(files_are_told_apart),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
