/* SPDX-License-Identifier: Apache-2.0
 * Values that tell one artefact from another. */
#include "policy_support.h"

#include "policy/kinds.h"

static void test_the_exemption_acr_is_found_anywhere_in_a_jar(void **state)
{
    (void)state;
    char pointer[REASON_CLAIM_SIZE];
    JSON_CLEANUP json_t *value =
        json_loads("{\"a\":{\"b/c\":[1,\"urn:x urn:openbanking:psd2:ca\"]}}", 0, NULL);
    assert_true(kinds_value_is_refused(OPERATION_JAR, value, "/claims", pointer));
    assert_string_equal(pointer, "/claims/a/b~1c/1");
    assert_true(kinds_value_is_refused(OPERATION_DETACHED_JWS, value, "", pointer));
    assert_string_equal(pointer, "/a/b~1c/1");
    assert_false(kinds_value_is_refused(OPERATION_GRANT_ASSERTION, value, "", pointer));
    JSON_CLEANUP json_t *other = json_loads("[\"urn:openbanking:psd2:sca\"]", 0, NULL);
    assert_false(kinds_value_is_refused(OPERATION_JAR, other, "", pointer));
}

static void test_body_members(void **state)
{
    (void)state;
    size_t count = 0;
    const char *const *members = kinds_body_members(&count);
    assert_int_equal(count, 16);
    for (size_t i = 0; i < count; i++) {
        assert_true(kinds_body_member_is_refused(members[i]));
    }
    assert_false(kinds_body_member_is_refused("amountEUR"));
    assert_true(kinds_body_member_may_be_permitted("scope"));
    assert_true(kinds_body_member_may_be_permitted("client_id"));
    assert_true(kinds_body_member_may_be_permitted("nonce"));
    assert_true(kinds_body_member_may_be_permitted("events"));
    assert_true(kinds_body_member_may_be_permitted("request"));
    assert_false(kinds_body_member_may_be_permitted("redirect_uri"));
    assert_false(kinds_body_member_may_be_permitted("redirect_uris"));
    assert_false(kinds_body_member_may_be_permitted("iss"));
    assert_false(kinds_body_member_may_be_permitted("amountEUR"));
}

static void test_words(void **state)
{
    (void)state;
    assert_true(kinds_has_word("code token", "token"));
    assert_true(kinds_has_word("token", "token"));
    assert_true(kinds_has_word(" \ttoken\n", "token"));
    assert_false(kinds_has_word("code id_token", "token"));
    assert_false(kinds_has_word("tokens", "token"));
    assert_false(kinds_has_word("", "token"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_exemption_acr_is_found_anywhere_in_a_jar),
        cmocka_unit_test(test_body_members),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
