/* SPDX-License-Identifier: Apache-2.0
 * Profiles: one artefact of each that is shipped, from the body to the signing input. */
#include "policy_support.h"

#define OP_SHORT                                                                                   \
    "{\"response_type\":\"code id_token\","                                                        \
    "\"redirect_uri\":\"https://localhost:8181/oauth/access_token\","                              \
    "\"state\":\"bb16b497-097f-4528-9380-4305eb760232\","                                          \
    "\"nonce\":\"76fb7d3a-3a14-4bf7-96fd-e770c3c1e33e\",\"max_age\":86400,"                        \
    "\"authorizationId\":\"976da7b0-1db2-410d-a5c9-e3a37bc4d7a1\"}"

static void test_op_jar_is_the_bank_s_own_sample(void **state)
{
    const struct profile *profile = find_profile(*state, "op-jar-cof");
    struct built built = build(profile, OP_SHORT);
    assert_int_equal(built.outcome, OUTCOME_OK);
    assert_string_equal(buffer_text(&built.header),
                        "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"test-kid\"}");
    assert_string_equal(
        buffer_text(&built.payload),
        "{\"aud\":\"https://mtls.apis.op.fi\",\"iss\":\"cu096Eiii4i2c5CeThpf\","
        "\"response_type\":\"code id_token\",\"client_id\":\"cu096Eiii4i2c5CeThpf\","
        "\"redirect_uri\":\"https://localhost:8181/oauth/access_token\","
        "\"scope\":\"openid fundsconfirmations\","
        "\"state\":\"bb16b497-097f-4528-9380-4305eb760232\","
        "\"nonce\":\"76fb7d3a-3a14-4bf7-96fd-e770c3c1e33e\",\"max_age\":86400,"
        "\"exp\":1700000900,\"iat\":1700000000,\"claims\":{\"userinfo\":{\"authorizationId\":"
        "{\"value\":\"976da7b0-1db2-410d-a5c9-e3a37bc4d7a1\",\"essential\":true}},"
        "\"id_token\":{\"authorizationId\":{\"value\":\"976da7b0-1db2-410d-a5c9-e3a37bc4d7a1\","
        "\"essential\":true},\"acr\":{\"essential\":true,"
        "\"values\":[\"urn:openbanking:psd2:sca\"]}}}}");
    assert_string_equal(buffer_text(&built.artefact.parameters),
                        "{\"response_type\":\"code id_token\","
                        "\"client_id\":\"cu096Eiii4i2c5CeThpf\","
                        "\"scope\":\"openid fundsconfirmations\"}");
    assert_int_equal(built.artefact.iat, NOW);
    assert_int_equal(built.artefact.exp, NOW + 900);
    assert_string_equal(built.artefact.jti, "");
    built_fini(&built);
}

static void test_what_a_profile_says(void **state)
{
    const struct profile *profile = find_profile(*state, "op-jar-pis");
    assert_string_equal(profile_name(profile), "op-jar-pis");
    assert_string_equal(profile_template(profile), "op-jar");
    assert_int_equal(profile_operation(profile), OPERATION_JAR);
    assert_string_equal(profile_role(profile), "seal-ec");
    assert_int_equal(profile_alg(profile), ALG_ES256);
    assert_null(profile_kid(profile));
    assert_int_equal(profile_longest_lifetime_s(profile), 900);
    assert_int_equal(profile_longest_lifetime_s(find_profile(*state, "op-detached")), 0);
    assert_int_equal(profile_longest_lifetime_s(find_profile(*state, "dpop")), 0);
}

/* One body that works for each, and the shape guard's word for what comes out (in build()). */
static void test_every_shipped_profile_makes_its_artefact(void **state)
{
    static const struct {
        const char *name;
        const char *body;
    } rows[] = {
        {"op-jar-cof", OP_SHORT},
        {"op-jar-pis", OP_SHORT},
        {"op-exemption",
         "{\"state\":\"1\",\"nonce\":\"2\",\"max_age\":3,\"authorizationId\":\"4\"}"},
        {"op-detached", "{\"payee\":{},\"amountEUR\":\"1.00\"}"},
        {"op-registration", "{\"redirect_uris\":[\"https://tpp.example/callback\"]}"},
        {"paynet-jar",
         "{\"scope\":\"openid accounts\",\"state\":\"s\",\"nonce\":\"n\",\"max_age\":3600,"
         "\"code_challenge\":\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\","
         "\"authorization_details\":[{\"type\":"
         "\"urn:openfinance-ml:account-access-consent:v1.2\",\"consent\":{}}]}"},
        {"paynet-assertion", ""},
        {"fapi2-jar", "{\"code_challenge\":\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\"}"},
        {"fapi2-assertion", "{}"},
        {"uk-314", "{\"Data\":{}}"},
        {"uk-313", "{\"Data\":{}}"},
        {"br-body",
         "{\"aud\":\"https://api.bank.example/open-banking/payments/v4/consents\",\"data\":{}}"},
        {"ksa-body", "{\"message\":{}}"},
        {"rebit", "{\"ver\":\"1.0\"}"},
        {"dpop", "{\"htm\":\"GET\",\"htu\":\"https://a.example/\"}"},
    };
    assert_int_equal(COUNT_OF(rows), profiles_count(*state));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct built built = build(find_profile(*state, rows[i].name), rows[i].body);
        if (built.outcome != OUTCOME_OK) {
            fail_msg("%s: %s %s", rows[i].name, built.why.claim, built.why.detail);
        }
        built_fini(&built);
    }
}

static void check_type(const struct profile *profile, const char *type, enum outcome wanted)
{
    struct built built = build_with(profile, "{}", type);
    if (built.outcome != wanted) {
        fail_msg("\"%s\" gives %d", type, (int)built.outcome);
    }
    if (wanted == OUTCOME_MEDIA_TYPE) {
        assert_string_equal(built.why.detail,
                            "this door takes application/json, or no Content-Type");
    }
    built_fini(&built);
}

static void test_content_types(void **state)
{
    const struct profile *profile = find_profile(*state, "fapi2-assertion");
    check_type(profile, "", OUTCOME_OK);
    check_type(profile, "application/json", OUTCOME_OK);
    check_type(profile, "Application/JSON", OUTCOME_OK);
    check_type(profile, "application/json; charset=utf-8", OUTCOME_OK);
    check_type(profile, "application/json ;charset=utf-8", OUTCOME_OK);
    check_type(profile, "application/jsonx", OUTCOME_MEDIA_TYPE);
    check_type(profile, "application/json x", OUTCOME_MEDIA_TYPE);
    check_type(profile, "application/jwt", OUTCOME_MEDIA_TYPE);
    check_type(profile, "application/x-www-form-urlencoded", OUTCOME_MEDIA_TYPE);
    check_type(profile, ";charset=utf-8", OUTCOME_MEDIA_TYPE);
}

static void test_bodies_that_are_no_object(void **state)
{
    static const char *const bodies[] = {"",     " ", "[]",  "1",
                                         "null", "{", "{}x", "{\"a\":1,\"a\":1}"};
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        assert_refused(find_profile(*state, "fapi2-jar"), bodies[i], OUTCOME_MALFORMED, "", "");
    }
    assert_refused(find_profile(*state, "fapi2-assertion"), " ", OUTCOME_MALFORMED, "", "");
    assert_refused(find_profile(*state, "fapi2-assertion"), "[]", OUTCOME_MALFORMED, "", "");
}

static void test_a_json_door_takes_64_kib(void **state)
{
    size_t len = 64 * 1024;
    char *body = malloc(len + 2);
    assert_non_null(body);
    memset(body, ' ', len + 1);
    body[0] = '{';
    body[len - 1] = '}';
    body[len] = '\0';
    struct built built = build(find_profile(*state, "fapi2-assertion"), body);
    assert_int_equal(built.outcome, OUTCOME_OK);
    built_fini(&built);
    body[len] = ' ';
    body[len + 1] = '\0';
    assert_refused(find_profile(*state, "fapi2-assertion"), body, OUTCOME_TOO_LARGE, "",
                   "up to 65536 bytes");
    free(body);
}

static void test_an_artefact_is_used_again(void **state)
{
    struct artefact artefact;
    artefact_init(&artefact);
    struct reason why;
    const struct profile *assertion = find_profile(*state, "fapi2-assertion");
    const struct profile *detached = find_profile(*state, "op-detached");
    assert_int_equal(
        profile_build(assertion, &test_key, span_of_text(""), "", NOW, &artefact, &why),
        OUTCOME_OK);
    assert_int_equal(artefact.exp, NOW + 60);
    assert_int_equal(profile_build(detached, &test_key,
                                   span_of_text("{\"payee\":1,\"amountEUR\":2}"), "", NOW,
                                   &artefact, &why),
                     OUTCOME_OK);
    assert_int_equal(artefact.exp, -1);
    assert_int_equal(artefact.iat, -1);
    assert_string_equal(artefact.jti, "");
    artefact_fini(&artefact);
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
        cmocka_unit_test(test_op_jar_is_the_bank_s_own_sample),
        cmocka_unit_test(test_what_a_profile_says),
        cmocka_unit_test(test_every_shipped_profile_makes_its_artefact),
        cmocka_unit_test(test_content_types),
        cmocka_unit_test(test_bodies_that_are_no_object),
        cmocka_unit_test(test_a_json_door_takes_64_kib),
        cmocka_unit_test(test_an_artefact_is_used_again),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
