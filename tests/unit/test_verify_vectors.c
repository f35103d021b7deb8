/* SPDX-License-Identifier: Apache-2.0
 * Wycheproof's JWS cases at the door: each compact token is taken apart into a detached one and its
 * payload, and must end as the token itself does. */
#include "verify_support.h"

#include "jose/jws.h"

/* The rule that jws_verify() names for the token itself; "" when it is good. */
static void judge_compact(const char *token, const json_t *jwks, char rule[16])
{
    const struct jws_rules rules = {.jwks = jwks, .algs = ALL_ALGS};
    JSON_CLEANUP json_t *header = NULL;
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(VERIFY_TEXT_MAX);
    struct reason why = {.detail = ""};
    rule[0] = '\0';
    if (jws_verify(span_of_text(token), span_of(NULL, 0), &rules, &header, &payload, &why) !=
        OUTCOME_OK) {
        (void)snprintf(rule, 16, "%.*s", (int)strcspn(why.detail, ":"), why.detail);
    }
}

/* False when the token has not three parts, which leaves nothing to take apart. */
static bool put_request(const char *token, const json_t *jwks, struct buffer *out)
{
    const char *first = strchr(token, '.');
    const char *second = first == NULL ? NULL : strchr(first + 1, '.');
    if (second == NULL) {
        return false;
    }
    JSON_CLEANUP json_t *request = json_pack(
        "{s:o, s:o, s:O}", "jws", json_sprintf("%.*s..%s", (int)(first - token), token, second + 1),
        "payload", json_sprintf("%.*s", (int)(second - first - 1), first + 1), "jwks", jwks);
    json_put(out, request);
    return json_object_get(request, "jws") != NULL && json_object_get(request, "payload") != NULL;
}

struct tally {
    int good;
    int refused;
    int payload_refused; /* it is no base64url: the request's member, not the JWS, is refused */
};

static void judge(const json_t *key, const char *token, struct tally *tally)
{
    JSON_CLEANUP json_t *jwks = json_pack("{s:[O]}", "keys", key);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(VERIFY_TEXT_MAX);
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(VERIFY_TEXT_MAX);
    struct verification profile = {.rules = {.algs = ALL_ALGS}};
    struct reason why = {.detail = ""};
    const char *rule = NULL;
    char wanted[16];
    if (!put_request(token, jwks, &text)) {
        return;
    }
    judge_compact(token, jwks, wanted);
    const struct verify_request request = {
        .profile = &profile, .body = buffer_span(&text), .content_type = ""};
    enum outcome outcome = verify_detached_jws(&request, &json, &rule, &why);
    if (outcome == OUTCOME_OK) {
        assert_string_equal(wanted, "");
        tally->good++;
    } else if (rule == NULL) {
        assert_string_equal(why.claim, "/payload");
        assert_string_equal(wanted, "malformed");
        tally->payload_refused++;
    } else {
        assert_string_equal(rule, wanted);
        tally->refused++;
    }
}

static void wycheproof(void **state)
{
    (void)state;
    JSON_CLEANUP json_t *root =
        vector_load(QSEAL_SOURCE_DIR "/tests/vectors/wycheproof/json_web_signature_test.json");
    assert_non_null(root);
    struct tally tally = {0};
    size_t i;
    json_t *group;
    json_array_foreach (json_object_get(root, "testGroups"), i, group) {
        const json_t *key = json_object_get(group, "public");
        key = key == NULL ? json_object_get(group, "private") : key;
        size_t k;
        json_t *test;
        json_array_foreach (json_object_get(group, "tests"), k, test) {
            judge(key, json_string_value(json_object_get(test, "jws")), &tally);
        }
    }
    print_message("%d good, %d refused, %d with a payload that is refused\n", tally.good,
                  tally.refused, tally.payload_refused);
    assert_int_equal(tally.good, 32);
    assert_true(tally.good + tally.refused + tally.payload_refused > 380);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wycheproof)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
