/* SPDX-License-Identifier: Apache-2.0
 * The payload as it is written: order, lifetimes, derived values, arrays of one, sizes. */
#include "policy_support.h"

static void test_times_and_jti(void **state)
{
    struct built built = build(
        find_profile(*state, "fapi2-jar"),
        "{\"code_challenge\":\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\",\"state\":\"s\"}");
    assert_int_equal(built.outcome, OUTCOME_OK);
    assert_true(uuid_is_valid(span_of_text(built.artefact.jti)));
    char wanted[1024];
    (void)snprintf(wanted, sizeof wanted,
                   "{\"iss\":\"tpp-client-1\",\"aud\":\"https://as.bank.example\","
                   "\"iat\":1700000000,\"nbf\":1699999990,\"exp\":1700000290,\"jti\":\"%s\","
                   "\"response_type\":\"code\",\"client_id\":\"tpp-client-1\","
                   "\"redirect_uri\":\"https://tpp.example/callback\",\"state\":\"s\","
                   "\"code_challenge\":\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\","
                   "\"code_challenge_method\":\"S256\"}",
                   built.artefact.jti);
    assert_string_equal(buffer_text(&built.payload), wanted);
    assert_int_equal(built.artefact.iat, NOW);
    assert_int_equal(built.artefact.exp, NOW + 290);
    built_fini(&built);
}

static void test_two_artefacts_have_two_jti(void **state)
{
    const struct profile *profile = find_profile(*state, "fapi2-assertion");
    struct built one = build(profile, "");
    struct built two = build(profile, "{}");
    assert_string_not_equal(one.artefact.jti, two.artefact.jti);
    built_fini(&one);
    built_fini(&two);
}

static void test_aud_as_array_of_one(void **state)
{
    assert_payload(find_profile(*state, "ksa-body"),
                   "{\"message\":{\"b\":[1,\"\u00e4\"],\"a\":null}}",
                   "{\"iss\":\"tpp-sa-1\",\"aud\":[\"https://auth.bank.example.sa\"],"
                   "\"iat\":1700000000,\"nbf\":1699999990,\"exp\":1700000290,"
                   "\"message\":{\"b\":[1,\"\xc3\xa4\"],\"a\":null}}");
}

/* RFC 9449 §4.2 shows this token and its hash in §7.1's example. */
static void test_ath(void **state)
{
    struct built built =
        build(find_profile(*state, "dpop"),
              "{\"htm\":\"GET\",\"htu\":\"https://resource.example.org/protectedresource\","
              "\"access_token\":\"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU\"}");
    assert_int_equal(built.outcome, OUTCOME_OK);
    assert_non_null(strstr(buffer_text(&built.payload),
                           "\"ath\":\"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo\""));
    assert_null(strstr(buffer_text(&built.payload), "Kz~8"));
    built_fini(&built);
}

static void test_left_out_claims_leave_no_trace(void **state)
{
    struct built built =
        build(find_profile(*state, "dpop"), "{\"htm\":\"GET\",\"htu\":\"https://a.example/\"}");
    assert_int_equal(built.outcome, OUTCOME_OK);
    char wanted[256];
    (void)snprintf(wanted, sizeof wanted,
                   "{\"jti\":\"%s\",\"htm\":\"GET\",\"htu\":\"https://a.example/\","
                   "\"iat\":1700000000}",
                   built.artefact.jti);
    assert_string_equal(buffer_text(&built.payload), wanted);
    built_fini(&built);
}

static char *message_of(size_t len)
{
    char *body = malloc(len + 32);
    assert_non_null(body);
    size_t at = (size_t)sprintf(body, "{\"message\":{\"a\":\"");
    memset(body + at, 'x', len - 8);
    (void)strcpy(body + at + len - 8, "\"}}");
    return body;
}

static void test_objects_have_a_size(void **state)
{
    const struct profile *profile = find_profile(*state, "ksa-body");
    char *fits = message_of(32768);
    struct built built = build(profile, fits);
    assert_int_equal(built.outcome, OUTCOME_OK);
    built_fini(&built);
    free(fits);
    char *over = message_of(32769);
    assert_refused(profile, over, OUTCOME_RULE, "/message", "is longer than 32768 bytes as JSON");
    free(over);
}

static void test_parameters(void **state)
{
    struct built built = build(find_profile(*state, "op-exemption"),
                               "{\"state\":\"1\",\"nonce\":\"2\",\"max_age\":3,"
                               "\"authorizationId\":\"4\"}");
    assert_string_equal(buffer_text(&built.artefact.parameters),
                        "{\"grant_type\":\"urn:ietf:params:oauth:grant-type:jwt-bearer\","
                        "\"response_type\":\"token\",\"client_id\":\"cu096Eiii4i2c5CeThpf\","
                        "\"scope\":\"payments\"}");
    built_fini(&built);
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
        cmocka_unit_test(test_times_and_jti),
        cmocka_unit_test(test_two_artefacts_have_two_jti),
        cmocka_unit_test(test_aud_as_array_of_one),
        cmocka_unit_test(test_ath),
        cmocka_unit_test(test_left_out_claims_leave_no_trace),
        cmocka_unit_test(test_objects_have_a_size),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
