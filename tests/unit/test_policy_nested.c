/* SPDX-License-Identifier: Apache-2.0
 * Rules inside a caller's object, and the shorthand that stands for one. */
#include "policy_support.h"

#define OP(claims)                                                                                 \
    "{\"response_type\":\"code\",\"redirect_uri\":\"https://tpp.example/callback\","               \
    "\"state\":\"s\",\"nonce\":\"n\",\"max_age\":1,\"claims\":" claims "}"
#define ID(value) "\"authorizationId\":{\"value\":\"" value "\",\"essential\":true}"
#define ACR "\"acr\":{\"essential\":true,\"values\":[\"urn:openbanking:psd2:sca\"]}"
#define CLAIMS(userinfo, id_token) "{\"userinfo\":{" userinfo "},\"id_token\":{" id_token "}}"

static void refused(void **state, const char *body, const char *claim, const char *detail)
{
    assert_refused(find_profile(*state, "op-jar-cof"), body, OUTCOME_RULE, claim, detail);
}

static void test_the_full_form_equals_the_shorthand(void **state)
{
    const struct profile *profile = find_profile(*state, "op-jar-cof");
    struct built full = build(profile, OP(CLAIMS(ID("a-1"), ACR "," ID("a-1"))));
    struct built brief = build(
        profile, "{\"response_type\":\"code\",\"redirect_uri\":\"https://tpp.example/callback\","
                 "\"state\":\"s\",\"nonce\":\"n\",\"max_age\":1,\"authorizationId\":\"a-1\"}");
    assert_int_equal(full.outcome, OUTCOME_OK);
    assert_int_equal(brief.outcome, OUTCOME_OK);
    assert_string_equal(buffer_text(&full.payload), buffer_text(&brief.payload));
    built_fini(&full);
    built_fini(&brief);
}

static void test_one_string_in_all_places(void **state)
{
    refused(state, OP(CLAIMS(ID("a"), ACR "," ID("b"))), "/claims/id_token/authorizationId/value",
            "must equal /claims/userinfo/authorizationId/value");
    refused(state, OP(CLAIMS("", ACR "," ID("b"))), "/claims/userinfo/authorizationId/value",
            "is required");
    refused(state, OP(CLAIMS(ID("a b"), ACR "," ID("a b"))),
            "/claims/userinfo/authorizationId/value", "does not match the pattern");
    refused(state,
            OP(CLAIMS("\"authorizationId\":{\"value\":1,\"essential\":true}",
                      ACR ",\"authorizationId\":{\"value\":1,\"essential\":true}")),
            "/claims/userinfo/authorizationId/value", "must be a string");
}

static void test_constants(void **state)
{
    refused(state,
            OP(CLAIMS(ID("a"), "\"acr\":{\"essential\":false,\"values\":["
                               "\"urn:openbanking:psd2:sca\"]}," ID("a"))),
            "/claims/id_token/acr/essential", "must be the profile's own value");
    refused(state,
            OP(CLAIMS(ID("a"), "\"acr\":{\"essential\":true,\"values\":["
                               "\"urn:openbanking:psd2:sca\",\"x\"]}," ID("a"))),
            "/claims/id_token/acr/values", "must be the profile's own value");
    refused(state, OP(CLAIMS(ID("a"), "\"acr\":{\"essential\":true}," ID("a"))),
            "/claims/id_token/acr/values", "is required");
    refused(state, OP("{}"), "/claims/userinfo/authorizationId/value", "is required");
    refused(state, OP("[]"), "/claims", "must be an object");
}

static void test_closed_means_nothing_else(void **state)
{
    refused(state, OP(CLAIMS(ID("a") ",\"email\":null", ACR "," ID("a"))), "/claims/userinfo/email",
            "no such member");
    refused(state, OP(CLAIMS(ID("a"), ACR "," ID("a") ",\"a/b\":1")), "/claims/id_token/a~1b",
            "no such member");
    refused(state,
            OP(CLAIMS("\"authorizationId\":{\"value\":\"a\",\"essential\":true,\"x\":1}",
                      ACR "," ID("a"))),
            "/claims/userinfo/authorizationId/x", "no such member");
    refused(state, OP("{\"userinfo\":{" ID("a") "},\"id_token\":{" ACR "," ID("a") "},\"x\":{}}"),
            "/claims/x", "no such member");
}

static void test_the_exemption_has_its_own_acr(void **state)
{
    const struct profile *profile = find_profile(*state, "op-exemption");
    struct built built = build(profile, "{\"state\":\"1234\",\"nonce\":\"ttpp1573632173204\","
                                        "\"max_age\":86400,\"authorizationId\":\"26c71e03\"}");
    assert_int_equal(built.outcome, OUTCOME_OK);
    assert_non_null(strstr(buffer_text(&built.payload), "[\"urn:openbanking:psd2:ca\"]"));
    built_fini(&built);
    assert_refused(profile,
                   "{\"state\":\"1\",\"nonce\":\"1\",\"max_age\":1,\"claims\":" CLAIMS(
                       ID("a"), ACR "," ID("a")) "}",
                   OUTCOME_RULE, "/claims/id_token/acr/values", "must be the profile's own value");
}

/* U+0001 marks the string's places inside the service: no constant may hold it. */
static void test_a_constant_that_looks_like_the_mark(void **state)
{
    (void)state;
    struct change change = {"op-jar", "'[\"urn:openbanking:psd2:sca\"]'", "'\"\\u0001\"'", NULL};
    char *template = changed(shipped_template("op-jar"), &change);
    char *binding = shipped_binding("op-jar-cof");
    struct test_files files;
    test_files_init(&files);
    write_named(files.templates, "op-jar", template);
    write_named(files.bindings, "op-jar-cof", binding);
    struct test_config test;
    test_config_init(&test, files.templates, files.bindings);
    struct profiles *profiles = NULL;
    struct reason why = {.detail = ""};
    assert_int_equal(profiles_load(&test.config, &profiles, &why), OUTCOME_RULE);
    assert_non_null(strstr(why.detail, "op-jar.yaml:"));
    assert_non_null(strstr(why.detail, "cannot be built from its rules"));
    test_files_fini(&files);
    free(template);
    free(binding);
}

static int setup(void **state)
{
    *state = load_shipped();
    return 0;
}

static int teardown(void **state)
{
    profiles_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_full_form_equals_the_shorthand),
        cmocka_unit_test(test_one_string_in_all_places),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_closed_means_nothing_else),
        cmocka_unit_test(test_the_exemption_has_its_own_acr),
        cmocka_unit_test(test_a_constant_that_looks_like_the_mark),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
