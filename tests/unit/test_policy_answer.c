/* SPDX-License-Identifier: Apache-2.0
 * The text of a 200 answer. */
#include "policy_support.h"

#define SIGNATURE "\x00\x01\xff"

static char *answer(const struct profile *profile, const char *body)
{
    struct built built = build(profile, body);
    if (built.outcome != OUTCOME_OK) {
        fail_msg("%s %s", built.why.claim, built.why.detail);
    }
    struct buffer json = BUFFER_INIT(1 << 22);
    profile_answer(profile, &test_key, &built.artefact, span_of(SIGNATURE, 3), "the-id", &json);
    char *text = strdup(buffer_text(&json));
    buffer_fini(&json);
    built_fini(&built);
    return text;
}

static json_t *parsed(const struct profile *profile, const char *body)
{
    char *text = answer(profile, body);
    json_t *root = NULL;
    struct reason why;
    if (json_parse_object(span_of_text(text), &root, &why) != OUTCOME_OK) {
        fail_msg("%s: %s", why.detail, text);
    }
    free(text);
    return root;
}

static const char *string_at(json_t *root, const char *pointer)
{
    const char *text = json_string_value(json_at_pointer(root, pointer));
    if (text == NULL) {
        fail_msg("no %s", pointer);
    }
    return text;
}

static size_t dots(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '.' ? 1 : 0;
    }
    return count;
}

static void test_jar(void **state)
{
    JSON_CLEANUP json_t *root =
        parsed(find_profile(*state, "fapi2-jar"),
               "{\"code_challenge\":\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\"}");
    const char *request = string_at(root, "/request");
    assert_int_equal(dots(request), 2);
    assert_string_equal(strrchr(request, '.'), ".AAH_");
    assert_string_equal(string_at(root, "/parameters/request"), request);
    assert_string_equal(string_at(root, "/parameters/client_id"), "tpp-client-1");
    assert_int_equal(json_object_size(json_object_get(root, "parameters")), 2);
    assert_string_equal(string_at(root, "/kid"), "test-kid");
    assert_string_equal(string_at(root, "/alg"), "PS256");
    assert_string_equal(string_at(root, "/request_id"), "the-id");
    assert_true(uuid_is_valid(span_of_text(string_at(root, "/jti"))));
    assert_int_equal(json_integer_value(json_object_get(root, "iat")), NOW);
    assert_int_equal(json_integer_value(json_object_get(root, "exp")), NOW + 290);
    assert_int_equal(json_object_size(root), 8);
}

static void test_op_jar_has_no_jti(void **state)
{
    JSON_CLEANUP json_t *root =
        parsed(find_profile(*state, "op-jar-pis"),
               "{\"response_type\":\"code\",\"redirect_uri\":\"https://tpp.example/callback\","
               "\"state\":\"s\",\"nonce\":\"n\",\"max_age\":1,\"authorizationId\":\"x\"}");
    assert_null(json_object_get(root, "jti"));
    assert_string_equal(string_at(root, "/parameters/response_type"), "code");
    assert_string_equal(string_at(root, "/parameters/client_id"), "cu096Eiii4i2c5CeThpf");
    assert_string_equal(string_at(root, "/parameters/scope"), "openid payments");
    assert_int_equal(json_object_size(json_object_get(root, "parameters")), 4);
}

static void test_client_assertion(void **state)
{
    static const char type[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    JSON_CLEANUP json_t *root = parsed(find_profile(*state, "paynet-assertion"), "");
    const char *assertion = string_at(root, "/client_assertion");
    assert_string_equal(string_at(root, "/client_assertion_type"), type);
    assert_string_equal(string_at(root, "/client_id"), "4e0f2f56-3b0c-4c8e-9c39-0c6e4f9a7d11");
    assert_string_equal(string_at(root, "/parameters/client_assertion"), assertion);
    assert_string_equal(string_at(root, "/parameters/client_assertion_type"), type);
    assert_string_equal(string_at(root, "/parameters/client_id"),
                        "4e0f2f56-3b0c-4c8e-9c39-0c6e4f9a7d11");
    assert_int_equal(json_integer_value(json_object_get(root, "exp")), NOW + 60);
    assert_string_equal(string_at(root, "/request_id"), "the-id");
}

static void test_grant_assertion(void **state)
{
    JSON_CLEANUP json_t *root = parsed(find_profile(*state, "op-exemption"),
                                       "{\"state\":\"1\",\"nonce\":\"2\",\"max_age\":3,"
                                       "\"authorizationId\":\"4\"}");
    static const char type[] = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    assert_string_equal(string_at(root, "/grant_type"), type);
    assert_string_equal(string_at(root, "/parameters/assertion"), string_at(root, "/assertion"));
    assert_string_equal(string_at(root, "/parameters/grant_type"), type);
    assert_string_equal(string_at(root, "/parameters/response_type"), "token");
    assert_string_equal(string_at(root, "/parameters/scope"), "payments");
}

static void test_jwt_bodies(void **state)
{
    JSON_CLEANUP json_t *root = parsed(find_profile(*state, "ksa-body"), "{\"message\":{}}");
    assert_int_equal(dots(string_at(root, "/jwt")), 2);
    assert_string_equal(string_at(root, "/content_type"), "application/jwt");
    assert_null(json_object_get(root, "parameters"));
    JSON_CLEANUP json_t *registration =
        parsed(find_profile(*state, "op-registration"),
               "{\"redirect_uris\":[\"https://tpp.example/callback\"]}");
    assert_int_equal(dots(string_at(registration, "/jwt")), 2);
    assert_string_equal(string_at(registration, "/content_type"), "application/jwt");
}

static void test_dpop(void **state)
{
    JSON_CLEANUP json_t *root =
        parsed(find_profile(*state, "dpop"), "{\"htm\":\"GET\",\"htu\":\"https://a.example/\"}");
    assert_int_equal(dots(string_at(root, "/dpop")), 2);
    assert_string_equal(string_at(root, "/header"), "DPoP");
    assert_null(json_object_get(root, "exp"));
}

static void test_detached(void **state)
{
    char *text = answer(find_profile(*state, "rebit"), "{\"a\":1}");
    assert_string_equal(text,
                        "{\"jws\":\"eyJiNjQiOmZhbHNlLCJraWQiOiJ0ZXN0LWtpZCIsImFsZyI6IlJTMjU2In0.."
                        "AAH_\",\"header\":\"x-jws-signature\",\"kid\":\"test-kid\","
                        "\"alg\":\"RS256\",\"request_id\":\"the-id\"}");
    free(text);
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
        cmocka_unit_test(test_op_jar_has_no_jti),
        cmocka_unit_test(test_client_assertion),
        cmocka_unit_test(test_grant_assertion),
        cmocka_unit_test(test_jwt_bodies),
        cmocka_unit_test(test_dpop),
        cmocka_unit_test(test_detached),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
