/* SPDX-License-Identifier: Apache-2.0
 * Our verifier against vectors others made (tests/vectors): those printed in RFCs, the RFC 7520
 * cookbook and all 401 cases of Wycheproof's JSON Web Signature file.
 *
 * Of Wycheproof's 46 valid cases, 32 are accepted. 10 are HMACs, which do not exist here: 8 are
 * refused as "alg", and 2 (372 and 373, "valid" with a '?' inside the base64url) already as
 * "malformed". 4 have a JWK whose own "alg" contradicts the header (PS256 beside PS384, and
 * "ES521", which is no algorithm): RFC 7517 §4.4 and our rule list refuse them as "key"; with that
 * member taken out of the JWK they are accepted. All 355 invalid cases are refused. */
#include "jose/jws.h"
#include "jose_support.h"

static const uint32_t all_algs = (1U << ALG_COUNT) - 1;

static json_t *vector(const char *name)
{
    char path[1000];
    (void)snprintf(path, sizeof path, QSEAL_SOURCE_DIR "/tests/vectors/%s", name);
    json_t *root = vector_load(path);
    if (root == NULL) {
        fail_msg("%s is not there", name);
    }
    return root;
}

/* Takes the JWK over. */
static enum outcome verify_with(json_t *jwk, const char *token, struct span detached,
                                struct reason *why)
{
    json_t *jwks JSON_CLEANUP = json_pack("{s:[o]}", "keys", jwk);
    struct jws_rules rules = {.jwks = jwks, .algs = all_algs};
    json_t *header JSON_CLEANUP = NULL;
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(100000);
    *why = (struct reason){0};
    return jws_verify(span_of_text(token), detached, &rules, &header, &payload, why);
}

static bool starts_with(const struct reason *why, const char *rule)
{
    return strncmp(why->detail, rule, strlen(rule)) == 0;
}

static void expect_rfc(const char *name, const char *payload_start)
{
    json_t *root JSON_CLEANUP = vector(name);
    json_t *jwks JSON_CLEANUP = json_pack("{s:[O]}", "keys", json_object_get(root, "jwk"));
    enum alg alg;
    assert_true(alg_from_name(span_of_text(json_string_value(json_object_get(root, "alg"))), &alg));
    struct jws_rules rules = {.jwks = jwks, .algs = 1U << alg};
    json_t *header JSON_CLEANUP = NULL;
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(10000);
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer token = BUFFER_INIT(10000);
    buffer_put_text(&token, json_string_value(json_object_get(root, "jws")));
    assert_done(jws_verify(buffer_span(&token), span_of(NULL, 0), &rules, &header, &payload, &why),
                why);
    assert_memory_equal(payload.data, payload_start, strlen(payload_start));

    /* its twin with one character of the payload changed */
    size_t at = span_find(buffer_span(&token), '.') + 3;
    token.data[at] = token.data[at] == 'A' ? 'B' : 'A';
    assert_refused(verify_with(json_incref(json_object_get(root, "jwk")), buffer_text(&token),
                               span_of(NULL, 0), &why),
                   OUTCOME_RULE, why, "signature: ");
}

static void vectors_of_the_rfcs(void **state)
{
    (void)state;
    expect_rfc("rfc7515_a2.json", "{\"iss\":\"joe\",\r\n");
    expect_rfc("rfc7515_a3.json", "{\"iss\":\"joe\",\r\n");
    expect_rfc("rfc7515_a4.json", "Payload");
    expect_rfc("rfc8037_a.json", "Example of Ed25519 signing");
}

/* RFC 7520; the keys are printed with their private half. */
static json_t *public_half(const json_t *key)
{
    static const char *const private[] = {"d", "p", "q", "dp", "dq", "qi"};
    json_t *jwk = json_copy((json_t *)key);
    for (size_t i = 0; i < COUNT_OF(private); i++) {
        (void)json_object_del(jwk, private[i]);
    }
    return jwk;
}

static void expect_cookbook(const char *name, bool is_mac)
{
    json_t *root JSON_CLEANUP = vector(name);
    const json_t *key = json_at_pointer(root, "/input/key");
    const char *compact = json_string_value(json_at_pointer(root, "/output/compact"));
    struct span payload = span_of_text(json_string_value(json_at_pointer(root, "/input/payload")));
    struct span detached = strstr(compact, "..") == NULL ? span_of(NULL, 0) : payload;
    struct reason why;
    enum outcome outcome = verify_with(public_half(key), compact, detached, &why);
    if (is_mac) {
        assert_refused(outcome, OUTCOME_RULE, why, "alg: ");
        return;
    }
    assert_done(outcome, why);
    if (json_object_get(key, "p") != NULL || json_object_get(key, "d") != NULL) {
        assert_refused(verify_with(json_copy((json_t *)key), compact, detached, &why), OUTCOME_RULE,
                       why, "key: the JWK has the private member");
    }
}

static void cookbook(void **state)
{
    (void)state;
    expect_cookbook("cookbook/4_1.rsa_v15_signature.json", false);
    expect_cookbook("cookbook/4_2.rsa-pss_signature.json", false);
    expect_cookbook("cookbook/4_3.ecdsa_signature.json", false);
    expect_cookbook("cookbook/4_5.signature_with_detached_content.json", true);
    expect_cookbook("cookbook/jws.json", false);
}

static const char *const rule_names[] = {"malformed: ", "alg: ", "key: ", "crit: ", "signature: "};

struct tally {
    int accepted;
    int accepted_without_jwk_alg;
    int valid_macs_refused;
    int valid_macs_malformed;
    int invalid_refused[5]; /* by rule, in the order of rule_names */
    int wrong;
};

/* A valid case that is refused because its JWK names another algorithm than its header. */
static bool is_good_without_jwk_alg(const json_t *key, const char *token, const struct reason *why)
{
    if (!starts_with(why, "key: the key's \"alg\" is not the header's")) {
        return false;
    }
    json_t *jwk = json_copy((json_t *)key);
    (void)json_object_del(jwk, "alg");
    struct reason second;
    return verify_with(jwk, token, span_of(NULL, 0), &second) == OUTCOME_OK;
}

/* Which rule refused; -1 when none is named. */
static int rule_of(const struct reason *why)
{
    for (size_t i = 0; i < COUNT_OF(rule_names); i++) {
        if (starts_with(why, rule_names[i])) {
            return (int)i;
        }
    }
    return -1;
}

static void judge(const json_t *group, const json_t *test, struct tally *tally)
{
    const json_t *key = json_object_get(group, "public");
    bool is_mac = key == NULL; /* Wycheproof prints only symmetric keys as "private" alone */
    key = is_mac ? json_object_get(group, "private") : key;
    const char *token = json_string_value(json_object_get(test, "jws"));
    bool is_valid = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
    struct reason why;
    enum outcome outcome = verify_with(json_copy((json_t *)key), token, span_of(NULL, 0), &why);
    bool refused = outcome == OUTCOME_RULE && rule_of(&why) >= 0;
    if (is_valid && outcome == OUTCOME_OK) {
        tally->accepted++;
    } else if (is_valid && is_mac && refused && starts_with(&why, "alg: ")) {
        tally->valid_macs_refused++;
    } else if (is_valid && is_mac && refused && starts_with(&why, "malformed: ")) {
        tally->valid_macs_malformed++;
    } else if (is_valid && !is_mac && is_good_without_jwk_alg(key, token, &why)) {
        tally->accepted_without_jwk_alg++;
    } else if (!is_valid && refused) {
        tally->invalid_refused[rule_of(&why)]++;
    } else {
        print_error("case %lld: valid %d, got %s \"%s\"\n",
                    json_integer_value(json_object_get(test, "tcId")), is_valid,
                    outcome_name(outcome), why.detail);
        tally->wrong++;
    }
}

static void wycheproof(void **state)
{
    (void)state;
    json_t *root JSON_CLEANUP = vector("wycheproof/json_web_signature_test.json");
    struct tally tally = {0};
    size_t i;
    json_t *group;
    json_array_foreach (json_object_get(root, "testGroups"), i, group) {
        size_t j;
        json_t *test;
        json_array_foreach (json_object_get(group, "tests"), j, test) {
            judge(group, test, &tally);
        }
    }
    assert_int_equal(tally.wrong, 0);
    assert_int_equal(tally.accepted, 32);
    assert_int_equal(tally.accepted_without_jwk_alg, 4);
    assert_int_equal(tally.valid_macs_refused, 8);
    assert_int_equal(tally.valid_macs_malformed, 2);

    static const int invalid[] = {36, 13, 11, 0, 295}; /* 355 */
    for (size_t rule = 0; rule < COUNT_OF(rule_names); rule++) {
        assert_int_equal(tally.invalid_refused[rule], invalid[rule]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_the_rfcs),
        cmocka_unit_test(cookbook),
        cmocka_unit_test(wycheproof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
