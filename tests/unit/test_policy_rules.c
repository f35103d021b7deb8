/* SPDX-License-Identifier: Apache-2.0
 * What callers may send, and what they are told when they send something else. */
#include "policy_support.h"

#define CHALLENGE "\"code_challenge\":\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\""
#define FAPI(more) "{" CHALLENGE "," more "}"

static void test_what_the_service_sets_is_refused_even_when_right(void **state)
{
    static const struct {
        const char *body;
        const char *claim;
    } rows[] = {
        {FAPI("\"iss\":\"tpp-client-1\""), "/iss"},
        {FAPI("\"aud\":\"https://as.bank.example\""), "/aud"},
        {FAPI("\"sub\":\"tpp-client-1\""), "/sub"},
        {FAPI("\"iat\":1700000000"), "/iat"},
        {FAPI("\"nbf\":1699999990"), "/nbf"},
        {FAPI("\"exp\":1700000290"), "/exp"},
        {FAPI("\"jti\":\"x\""), "/jti"},
        {FAPI("\"alg\":\"PS256\""), "/alg"},
        {FAPI("\"kid\":\"test-kid\""), "/kid"},
        {FAPI("\"typ\":\"JWT\""), "/typ"},
        {FAPI("\"crit\":[]"), "/crit"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_refused(find_profile(*state, "fapi2-jar"), rows[i].body, OUTCOME_RULE, rows[i].claim,
                       "is set by the service, never by the caller");
    }
}

static void test_constants_may_be_sent_when_equal(void **state)
{
    const struct profile *profile = find_profile(*state, "fapi2-jar");
    struct built built = build(profile, FAPI("\"response_type\":\"code\","
                                             "\"client_id\":\"tpp-client-1\","
                                             "\"code_challenge_method\":\"S256\""));
    assert_int_equal(built.outcome, OUTCOME_OK);
    built_fini(&built);
    assert_refused(profile, FAPI("\"response_type\":\"token\""), OUTCOME_RULE, "/response_type",
                   "must equal the profile's own value");
    assert_refused(profile, FAPI("\"client_id\":\"other\""), OUTCOME_RULE, "/client_id",
                   "must equal the profile's own value");
    assert_refused(profile, FAPI("\"code_challenge_method\":\"plain\""), OUTCOME_RULE,
                   "/code_challenge_method", "must equal the profile's own value");
    assert_refused(profile, FAPI("\"client_id\":1"), OUTCOME_RULE, "/client_id",
                   "must equal the profile's own value");
}

static void test_unknown_and_forbidden_claims(void **state)
{
    const struct profile *profile = find_profile(*state, "fapi2-jar");
    assert_refused(profile, FAPI("\"colour\":\"red\""), OUTCOME_RULE, "/colour", "no such claim");
    assert_refused(profile, FAPI("\"a/b\":1"), OUTCOME_RULE, "/a~1b", "no such claim");
    assert_refused(profile, FAPI("\"request_uri\":\"urn:x\""), OUTCOME_RULE, "/request_uri",
                   "no such claim");
    assert_refused(profile, FAPI("\"Scope\":\"openid\""), OUTCOME_RULE, "/Scope", "no such claim");
    assert_refused(find_profile(*state, "op-exemption"), "{\"redirect_uri\":\"https://a\"}",
                   OUTCOME_RULE, "/redirect_uri", "forbids this claim");
    assert_refused(find_profile(*state, "dpop"), "{\"ath\":\"x\"}", OUTCOME_RULE, "/ath",
                   "made by the service from other members");
    assert_refused(find_profile(*state, "paynet-assertion"), "{\"scope\":\"openid\"}", OUTCOME_RULE,
                   "/scope", "no such claim");
    assert_refused(find_profile(*state, "paynet-assertion"), "{\"aud\":\"https://evil.example\"}",
                   OUTCOME_RULE, "/aud", "is set by the service");
}

static void test_required_claims(void **state)
{
    assert_refused(find_profile(*state, "fapi2-jar"), "{}", OUTCOME_RULE, "/code_challenge",
                   "is required");
    assert_refused(find_profile(*state, "dpop"), "{\"htm\":\"GET\"}", OUTCOME_RULE, "/htu",
                   "is required");
    assert_refused(find_profile(*state, "br-body"), "{\"data\":{}}", OUTCOME_RULE, "/aud",
                   "is required");
    assert_refused(find_profile(*state, "op-jar-cof"),
                   "{\"response_type\":\"code\",\"redirect_uri\":\"https://tpp.example/callback\","
                   "\"state\":\"s\",\"nonce\":\"n\",\"max_age\":1}",
                   OUTCOME_RULE, "/claims", "is required (or \"authorizationId\" instead)");
}

static void test_choices(void **state)
{
    const struct profile *profile = find_profile(*state, "br-body");
    assert_refused(profile, "{\"aud\":\"https://evil.example\",\"data\":{}}", OUTCOME_RULE, "/aud",
                   "is not one of the values");
    assert_refused(profile,
                   "{\"aud\":[\"https://api.bank.example/open-banking/payments/v4/consents\"],"
                   "\"data\":{}}",
                   OUTCOME_RULE, "/aud", "must be a string");
    struct built built =
        build(profile, "{\"aud\":\"https://api.bank.example/open-banking/payments/v4/consents\","
                       "\"data\":{}}");
    assert_int_equal(built.outcome, OUTCOME_OK);
    built_fini(&built);
    assert_refused(find_profile(*state, "fapi2-jar"),
                   FAPI("\"redirect_uri\":\"https://tpp.example/callback/\""), OUTCOME_RULE,
                   "/redirect_uri", "is not one of the values");
}

static void test_values_are_checked(void **state)
{
    const struct profile *profile = find_profile(*state, "fapi2-jar");
    assert_refused(profile, FAPI("\"state\":\"a b\""), OUTCOME_RULE, "/state",
                   "does not match the pattern");
    assert_refused(profile, FAPI("\"max_age\":1.0"), OUTCOME_RULE, "/max_age",
                   "must be an integer");
    assert_refused(profile, FAPI("\"max_age\":86401"), OUTCOME_RULE, "/max_age", "is above 86400");
    assert_refused(profile,
                   FAPI("\"nonce\":\"0123456789012345678901234567890123456789"
                        "0123456789012345678901234\""),
                   OUTCOME_RULE, "/nonce", "is longer than 64 characters");
    assert_refused(profile, "{\"code_challenge\":\"short\"}", OUTCOME_RULE, "/code_challenge",
                   "is shorter than 43");
    assert_refused(profile, FAPI("\"authorization_details\":{}"), OUTCOME_RULE,
                   "/authorization_details", "must be an array");
    assert_refused(profile, FAPI("\"claims\":{\"a\":[0.12345678901234567]}"), OUTCOME_RULE,
                   "/claims/a/0", "more digits than can be repeated");
}

static void test_a_jar_never_asks_for_the_exemption(void **state)
{
    const struct profile *profile = find_profile(*state, "fapi2-jar");
    assert_refused(profile, FAPI("\"acr_values\":\"x urn:openbanking:psd2:ca\""), OUTCOME_RULE,
                   "/acr_values", "only a grant assertion may ask for");
    assert_refused(profile,
                   FAPI("\"claims\":{\"id_token\":{\"acr\":{\"values\":["
                        "\"urn:openbanking:psd2:ca\"]}}}"),
                   OUTCOME_RULE, "/claims/id_token/acr/values/0",
                   "only a grant assertion may ask for");
    struct built built = build(profile, FAPI("\"acr_values\":\"urn:openbanking:psd2:sca\""));
    assert_int_equal(built.outcome, OUTCOME_OK);
    built_fini(&built);
}

static void test_shorthand_or_claims(void **state)
{
    const struct profile *profile = find_profile(*state, "op-jar-cof");
#define OP(more)                                                                                   \
    "{\"response_type\":\"code\",\"redirect_uri\":\"https://tpp.example/callback\","               \
    "\"state\":\"s\",\"nonce\":\"n\",\"max_age\":1," more "}"
    assert_refused(profile, OP("\"claims\":{},\"authorizationId\":\"a\""), OUTCOME_RULE,
                   "/authorizationId", "send one of them, not both");
    assert_refused(profile, OP("\"authorizationId\":1"), OUTCOME_RULE, "/authorizationId",
                   "must be a string");
    assert_refused(profile, OP("\"authorizationId\":\"a\\\"b\""), OUTCOME_RULE, "/authorizationId",
                   "does not match the pattern");
    assert_refused(profile, OP("\"authorizationId\":\"\""), OUTCOME_RULE, "/authorizationId",
                   "does not match the pattern");
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
        cmocka_unit_test(test_what_the_service_sets_is_refused_even_when_right),
        cmocka_unit_test(test_constants_may_be_sent_when_equal),
        cmocka_unit_test(test_unknown_and_forbidden_claims),
        cmocka_unit_test(test_required_claims),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_values_are_checked),
        cmocka_unit_test(test_a_jar_never_asks_for_the_exemption),
        cmocka_unit_test(test_shorthand_or_claims),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
