/* SPDX-License-Identifier: Apache-2.0
 * Header members in the template's order; what depends on key and time comes per request. */
#include "policy_support.h"

static void check_header(void **state, const char *name, const char *body, const char *wanted)
{
    struct built built = build(find_profile(*state, name), body);
    if (built.outcome != OUTCOME_OK) {
        fail_msg("%s %s", built.why.claim, built.why.detail);
    }
    assert_string_equal(buffer_text(&built.header), wanted);
    built_fini(&built);
}

static void test_headers(void **state)
{
    check_header(state, "fapi2-assertion", "",
                 "{\"alg\":\"PS256\",\"kid\":\"test-kid\",\"typ\":\"client-authentication+jwt\"}");
    check_header(state, "op-detached", "{\"payee\":{},\"amountEUR\":\"1\"}",
                 "{\"kid\":\"test-kid\",\"alg\":\"ES256\"}");
    check_header(state, "rebit", "{}", "{\"b64\":false,\"kid\":\"test-kid\",\"alg\":\"RS256\"}");
    check_header(state, "uk-314", "{}",
                 "{\"typ\":\"JOSE\",\"cty\":\"application/json\",\"alg\":\"PS256\","
                 "\"kid\":\"test-kid\",\"http://openbanking.org.uk/iat\":1700000000,"
                 "\"http://openbanking.org.uk/iss\":"
                 "\"0015800001041RHAAY/4fDA9Yp3c0nOjXqe1Ww3Sk\","
                 "\"http://openbanking.org.uk/tan\":\"openbanking.org.uk\","
                 "\"crit\":[\"http://openbanking.org.uk/iat\",\"http://openbanking.org.uk/iss\","
                 "\"http://openbanking.org.uk/tan\"]}");
    check_header(state, "dpop", "{\"htm\":\"GET\",\"htu\":\"https://a.example/\"}",
                 "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":"
                 "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AA\"}}");
}

/* paynet-assertion's typ is an optional binding that the example does not give. */
static void test_an_unbound_member_is_left_out(void **state)
{
    check_header(state, "paynet-assertion", "", "{\"alg\":\"PS256\",\"kid\":\"test-kid\"}");
}

static void test_a_header_too_long_is_no_artefact(void **state)
{
    char kid[9000];
    memset(kid, 'k', sizeof kid - 1);
    kid[sizeof kid - 1] = '\0';
    struct signing_key key = {.kid = kid, .jwk = "{}"};
    struct artefact artefact;
    artefact_init(&artefact);
    struct reason why;
    assert_int_equal(profile_build(find_profile(*state, "fapi2-assertion"), &key, span_of_text(""),
                                   "", NOW, &artefact, &why),
                     OUTCOME_INTERNAL);
    assert_string_equal(why.detail, "the header would be over 8192 bytes");
    assert_int_equal(artefact.signing_input.len, 0);
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
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_an_unbound_member_is_left_out),
        cmocka_unit_test(test_a_header_too_long_is_no_artefact),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
