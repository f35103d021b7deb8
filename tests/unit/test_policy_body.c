/* SPDX-License-Identifier: Apache-2.0
 * Detached payloads: signed as sent, and never readable as a JWT (finding F1). */
#include "policy_support.h"

#define PAYMENT                                                                                    \
    "{\"payee\":{\"iban\":\"FI4950009420028730\", \"name\":\"Test_Person\"}, "                     \
    "\"payer\":{\"iban\":\"FI4950009420028730\"}, \"message\":\"test_payment\", "                  \
    "\"amountEUR\":\"4.00\"}"

static void test_signed_byte_for_byte(void **state)
{
    assert_payload(find_profile(*state, "op-detached"), PAYMENT, PAYMENT);
    assert_payload(find_profile(*state, "op-detached"), PAYMENT "\n", PAYMENT "\n");
    assert_payload(find_profile(*state, "uk-313"), PAYMENT "\r\n", PAYMENT "\r\n");
}

static void test_bodies_start_with_a_brace(void **state)
{
    assert_refused(find_profile(*state, "uk-313"), " {}", OUTCOME_RULE, "", "starts with \"{\"");
    assert_refused(find_profile(*state, "uk-314"), "\n{}", OUTCOME_RULE, "", "starts with \"{\"");
    assert_refused(find_profile(*state, "rebit"), "\n{}", OUTCOME_RULE, "", "starts with \"{\"");
}

/* The member's name is compared after JSON decoding: \\u0069ss is iss. */
static void test_members_that_make_a_jwt(void **state)
{
    static const char *const members[] = {"iss",           "sub",
                                          "aud",           "exp",
                                          "nbf",           "jti",
                                          "client_id",     "response_type",
                                          "request",       "iat",
                                          "scope",         "redirect_uri",
                                          "redirect_uris", "software_statement",
                                          "events",        "nonce"};
    static const char *const profiles[] = {"op-detached", "uk-314", "uk-313", "rebit"};
    for (size_t p = 0; p < COUNT_OF(profiles); p++) {
        for (size_t i = 0; i < COUNT_OF(members); i++) {
            char body[256];
            char claim[64];
            (void)snprintf(claim, sizeof claim, "/%s", members[i]);
            (void)snprintf(body, sizeof body, "{\"amountEUR\":1,\"payee\":2,\"%s\":3}", members[i]);
            assert_refused(find_profile(*state, profiles[p]), body, OUTCOME_RULE, claim,
                           "could be taken for a JWT");
            (void)snprintf(body, sizeof body, "{\"amountEUR\":1,\"payee\":2,\"\\u%04x%s\":3}",
                           (unsigned int)members[i][0], members[i] + 1);
            assert_refused(find_profile(*state, profiles[p]), body, OUTCOME_RULE, claim,
                           "could be taken for a JWT");
        }
    }
}

static void test_deeper_members_are_free(void **state)
{
    const char *body = "{\"Data\":{\"iss\":1,\"scope\":\"x\",\"exp\":2}}";
    assert_payload(find_profile(*state, "uk-314"), body, body);
}

static void test_required_members(void **state)
{
    const struct profile *profile = find_profile(*state, "op-detached");
    assert_refused(profile, "{\"payee\":{}}", OUTCOME_RULE, "/amountEUR", "is required");
    assert_refused(profile, "{\"amountEUR\":\"1\"}", OUTCOME_RULE, "/payee", "is required");
}

static void test_one_strict_object(void **state)
{
    static const char *const bodies[] = {"",
                                         "x",
                                         "[]",
                                         "\"a\"",
                                         "{\"a\":1,\"a\":2}",
                                         "{}{}",
                                         "{\"a\":\"\\u0000\"}",
                                         "{\"a\":\"\\ud800\"}",
                                         "\xef\xbb\xbf{}",
                                         "{\"a\":\"\xff\"}",
                                         "eyJhIjoxfQ"};
    static const char *const profiles[] = {"op-detached", "uk-313"};
    for (size_t p = 0; p < COUNT_OF(profiles); p++) {
        for (size_t i = 0; i < COUNT_OF(bodies); i++) {
            assert_refused(find_profile(*state, profiles[p]), bodies[i], OUTCOME_MALFORMED, "", "");
        }
    }
}

/* Finding F6 through F1: the exemption's acr, in a body that is put back as a request object. */
static void test_the_exemption_acr_is_refused(void **state)
{
    static const char *const profiles[] = {"op-detached", "uk-314", "uk-313", "rebit"};
    for (size_t p = 0; p < COUNT_OF(profiles); p++) {
        const struct profile *profile = find_profile(*state, profiles[p]);
        assert_refused(profile,
                       "{\"amountEUR\":1,\"payee\":2,\"claims\":{\"id_token\":{\"acr\":"
                       "{\"values\":[\"urn:openbanking:psd2:\\u0063a\"]}}}}",
                       OUTCOME_RULE, "/claims/id_token/acr/values/0", "only a grant assertion");
        assert_refused(profile,
                       "{\"amountEUR\":1,\"payee\":2,\"acr_values\":\"x urn:openbanking:psd2:ca\"}",
                       OUTCOME_RULE, "/acr_values", "only a grant assertion");
    }
}

static void test_sixteen_thousand_values_and_no_more(void **state)
{
    const size_t limit = 1024 * 1024;
    char *body = malloc(limit + 1);
    assert_non_null(body);
    char *end = stpcpy(body, "{\"amountEUR\":1,\"payee\":2,\"a\":[{}");
    while (end < body + limit - 5) {
        end = stpcpy(end, ",{}");
    }
    (void)stpcpy(end, "]}");
    assert_refused(find_profile(*state, "op-detached"), body, OUTCOME_TOO_LARGE, "",
                   "more than 16384 values");
    assert_refused(find_profile(*state, "uk-313"), body, OUTCOME_TOO_LARGE, "",
                   "more than 16384 values");
    free(body);
}

static void test_any_content_type(void **state)
{
    struct built built =
        build_with(find_profile(*state, "uk-314"), "{}", "application/octet-stream");
    assert_int_equal(built.outcome, OUTCOME_OK);
    built_fini(&built);
}

static void test_a_megabyte_and_no_more(void **state)
{
    const size_t limit = 1024 * 1024;
    char *body = malloc(limit + 2);
    assert_non_null(body);
    memset(body, ' ', limit + 1);
    body[0] = '{';
    body[limit - 1] = '}';
    body[limit] = '\0';
    struct built built = build(find_profile(*state, "uk-313"), body);
    assert_int_equal(built.outcome, OUTCOME_OK);
    built_fini(&built);
    built = build(find_profile(*state, "uk-314"), body);
    assert_int_equal(built.outcome, OUTCOME_OK);
    built_fini(&built);
    body[limit] = ' ';
    body[limit + 1] = '\0';
    assert_refused(find_profile(*state, "uk-313"), body, OUTCOME_TOO_LARGE, "", "1048576 bytes");
    free(body);
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
        cmocka_unit_test(test_signed_byte_for_byte),
        cmocka_unit_test(test_bodies_start_with_a_brace),
        cmocka_unit_test(test_members_that_make_a_jwt),
        cmocka_unit_test(test_deeper_members_are_free),
        cmocka_unit_test(test_required_members),
        cmocka_unit_test(test_one_strict_object),
        cmocka_unit_test(test_the_exemption_acr_is_refused),
        cmocka_unit_test(test_sixteen_thousand_values_and_no_more),
        cmocka_unit_test(test_any_content_type),
        cmocka_unit_test(test_a_megabyte_and_no_more),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
