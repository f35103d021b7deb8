/* SPDX-License-Identifier: Apache-2.0
 * What GET /v1/profiles says of a profile's input. */
#include "policy_support.h"

static json_t *schema_of(void **state, const char *name)
{
    json_t *root = json_loads(profile_input_schema(find_profile(*state, name)), 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "$schema")),
                        "https://json-schema.org/draft/2020-12/schema");
    return root;
}

static void check(json_t *root, const char *pointer, const char *json)
{
    char *text = json_dumps(json_at_pointer(root, pointer), JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(text == NULL ? "(nothing)" : text, json);
    free(text);
}

static void test_jar(void **state)
{
    JSON_CLEANUP json_t *root = schema_of(state, "fapi2-jar");
    check(root, "/additionalProperties", "false");
    check(root, "/required", "[\"code_challenge\"]");
    check(root, "/properties/max_age", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":86400}");
    check(root, "/properties/state",
          "{\"type\":\"string\",\"maxLength\":256,\"pattern\":\"^([A-Za-z0-9_-]+)$\"}");
    check(root, "/properties/response_type", "{\"const\":\"code\"}");
    check(root, "/properties/redirect_uri/enum", "[\"https://tpp.example/callback\"]");
    check(root, "/properties/authorization_details", "{\"type\":\"array\"}");
    check(root, "/properties/iss", "(nothing)");
    check(root, "/properties/exp", "(nothing)");
}

static void test_both_forms_of_op(void **state)
{
    JSON_CLEANUP json_t *root = schema_of(state, "op-jar-cof");
    check(root, "/oneOf", "[{\"required\":[\"claims\"]},{\"required\":[\"authorizationId\"]}]");
    check(root, "/properties/authorizationId/maxLength", "64");
    check(root, "/properties/claims/properties/id_token/properties/acr/properties/values",
          "{\"const\":[\"urn:openbanking:psd2:sca\"]}");
    check(root, "/properties/claims/properties/id_token/properties/acr/required",
          "[\"essential\",\"values\"]");
    check(root, "/properties/claims/required", "[\"userinfo\",\"id_token\"]");
    check(root, "/properties/claims/additionalProperties", "false");
    check(root, "/required",
          "[\"response_type\",\"redirect_uri\",\"state\",\"nonce\",\"max_age\"]");
}

static void test_nothing_to_supply(void **state)
{
    JSON_CLEANUP json_t *root = schema_of(state, "fapi2-assertion");
    check(root, "/properties", "{}");
    check(root, "/additionalProperties", "false");
}

static void test_derived_and_arrays(void **state)
{
    JSON_CLEANUP json_t *dpop = schema_of(state, "dpop");
    check(dpop, "/required", "[\"htm\",\"htu\"]");
    check(dpop, "/properties/access_token/maxLength", "8192");
    check(dpop, "/properties/ath", "(nothing)");
    JSON_CLEANUP json_t *registration = schema_of(state, "op-registration");
    check(registration, "/properties/redirect_uris/type", "\"array\"");
    check(registration, "/properties/redirect_uris/items/enum/1",
          "\"https://tpp.example/callback\"");
    check(registration, "/properties/jwks", "(nothing)");
}

static void test_detached(void **state)
{
    JSON_CLEANUP json_t *root = schema_of(state, "op-detached");
    check(root, "/required", "[\"amountEUR\",\"payee\"]");
    check(root, "/properties/iss", "false");
    check(root, "/properties/scope", "false");
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
        cmocka_unit_test(test_jar),
        cmocka_unit_test(test_both_forms_of_op),
        cmocka_unit_test(test_nothing_to_supply),
        cmocka_unit_test(test_derived_and_arrays),
        cmocka_unit_test(test_detached),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
