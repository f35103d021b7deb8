/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jws_header.h"
#include "jose_support.h"

static const uint32_t all_algs = (1U << ALG_COUNT) - 1;

#define EC_KEY                                                                                     \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","      \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

static enum outcome try_alg(const char *header, uint32_t algs, enum alg *alg, struct reason *why)
{
    json_t *value JSON_CLEANUP = json_of(header);
    struct jws_rules rules = {.algs = algs};
    *why = (struct reason){0};
    return jws_header_alg(value, &rules, alg, why);
}

static void only_listed_algorithms_pass(void **state)
{
    (void)state;
    struct reason why;
    enum alg alg;
    assert_done(try_alg("{\"alg\":\"PS256\"}", 1U << ALG_PS256, &alg, &why), why);
    assert_int_equal(alg, ALG_PS256);
    assert_done(try_alg("{\"alg\":\"EdDSA\"}", 1U << ALG_ED25519, &alg, &why), why);
    assert_int_equal(alg, ALG_ED25519);
    assert_done(try_alg("{\"alg\":\"Ed25519\"}", 1U << ALG_ED25519, &alg, &why), why);
    static const char *const refused[] = {"{\"alg\":\"RS256\"}", "{\"alg\":\"none\"}",
                                          "{\"alg\":\"HS256\"}", "{\"alg\":\"\"}",
                                          "{\"alg\":\"ps256\"}", "{\"alg\":\"EdDSA\"}"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_refused(try_alg(refused[i], 1U << ALG_PS256, &alg, &why), OUTCOME_RULE, why,
                       "alg: not one of");
    }
    assert_refused(try_alg("{\"alg\":\"none\"}", all_algs, &alg, &why), OUTCOME_RULE, why,
                   "alg: not one of");
    assert_refused(try_alg("{}", all_algs, &alg, &why), OUTCOME_RULE, why, "alg: the header must");
    assert_refused(try_alg("{\"alg\":[\"PS256\"]}", all_algs, &alg, &why), OUTCOME_RULE, why,
                   "alg: the header must");
}

static enum outcome try_key(const char *header, const char *jwks, bool require_kid,
                            struct reason *why)
{
    json_t *value JSON_CLEANUP = json_of(header);
    json_t *set JSON_CLEANUP = json_of(jwks);
    struct jws_rules rules = {.jwks = set, .algs = all_algs, .require_kid = require_kid};
    struct public_key *key = NULL;
    enum outcome outcome = jws_header_key(value, &rules, ALG_ES256, &key, why);
    assert_int_equal(key != NULL, outcome == OUTCOME_OK);
    public_key_free(key);
    return outcome;
}

static void kid_leads_to_one_key(void **state)
{
    (void)state;
    static const char one[] = "{\"keys\":[{" EC_KEY ",\"kid\":\"a\"}]}";
    static const char nameless[] = "{\"keys\":[{" EC_KEY "}]}";
    static const char two[] = "{\"keys\":[{" EC_KEY ",\"kid\":\"a\"},{" EC_KEY ",\"kid\":\"b\"}]}";
    static const char twins[] =
        "{\"keys\":[{" EC_KEY ",\"kid\":\"a\"},{" EC_KEY ",\"kid\":\"a\"}]}";
    struct reason why = {0};
    assert_done(try_key("{\"kid\":\"a\"}", one, true, &why), why);
    assert_done(try_key("{\"kid\":\"b\"}", two, true, &why), why);
    assert_done(try_key("{}", one, false, &why), why);
    assert_done(try_key("{}", nameless, false, &why), why);
    assert_refused(try_key("{}", one, true, &why), OUTCOME_RULE, why, "key: the header must have");
    assert_refused(try_key("{}", two, false, &why), OUTCOME_RULE, why, "key: the header must have");
    assert_refused(try_key("{}", "{\"keys\":[]}", false, &why), OUTCOME_RULE, why,
                   "key: the header must have");
    assert_refused(try_key("{\"kid\":\"A\"}", two, true, &why), OUTCOME_RULE, why,
                   "key: no key of the set");
    assert_refused(try_key("{\"kid\":\"a\"}", nameless, false, &why), OUTCOME_RULE, why,
                   "key: no key of the set");
    assert_refused(try_key("{\"kid\":\"a\"}", twins, true, &why), OUTCOME_RULE, why,
                   "key: two keys");
    assert_refused(try_key("{\"kid\":1}", one, false, &why), OUTCOME_RULE, why,
                   "key: \"kid\" must be a string");
    assert_refused(try_key("{\"kid\":\"a\"}", "{\"keys\":{}}", false, &why), OUTCOME_RULE, why,
                   "key: the key set has no array");
    assert_refused(try_key("{}", "{\"keys\":[1]}", false, &why), OUTCOME_RULE, why,
                   "key: the JWK has no member \"kty\"");
}

/* The header's own key material is never looked at. */
static void keys_in_the_header_are_ignored(void **state)
{
    (void)state;
    struct reason why = {0};
    assert_refused(try_key("{\"kid\":\"a\",\"jwk\":{" EC_KEY "},\"jku\":\"https://x\",\"x5c\":[]}",
                           "{\"keys\":[]}", false, &why),
                   OUTCOME_RULE, why, "key: no key of the set");
}

static void expect_usage(const char *members, const char *fragment)
{
    char jwks[600];
    struct reason why = {0};
    (void)snprintf(jwks, sizeof jwks, "{\"keys\":[{%s,%s}]}", EC_KEY, members);
    if (fragment == NULL) {
        assert_done(try_key("{}", jwks, false, &why), why);
    } else {
        assert_refused(try_key("{}", jwks, false, &why), OUTCOME_RULE, why, fragment);
    }
}

static void use_operations_and_alg_must_fit(void **state)
{
    (void)state;
    expect_usage("\"use\":\"sig\",\"alg\":\"ES256\",\"key_ops\":[\"sign\",\"verify\"]", NULL);
    expect_usage("\"use\":\"enc\"", "key: the key's \"use\"");
    expect_usage("\"use\":1", "key: the key's \"use\"");
    expect_usage("\"use\":\"SIG\"", "key: the key's \"use\"");
    expect_usage("\"key_ops\":[\"encrypt\"]", "key: the key's \"key_ops\"");
    expect_usage("\"key_ops\":[]", "key: the key's \"key_ops\"");
    expect_usage("\"key_ops\":\"verify\"", "key: the key's \"key_ops\"");
    expect_usage("\"alg\":\"ES384\"", "key: the key's \"alg\"");
    expect_usage("\"alg\":\"ES521\"", "key: the key's \"alg\"");
    expect_usage("\"alg\":null", "key: the key's \"alg\"");
    expect_usage("\"d\":\"AA\"", "key: the JWK has the private member");
}

static void the_key_s_type_must_fit_the_algorithm(void **state)
{
    (void)state;
    json_t *root JSON_CLEANUP = vector_load(QSEAL_SOURCE_DIR "/tests/vectors/rfc7515_a2.json");
    json_t *set JSON_CLEANUP = json_pack("{s:[O]}", "keys", json_object_get(root, "jwk"));
    json_t *header JSON_CLEANUP = json_object();
    struct jws_rules rules = {.jwks = set, .algs = all_algs};
    struct public_key *key = NULL;
    struct reason why = {0};
    assert_refused(jws_header_key(header, &rules, ALG_ES256, &key, &why), OUTCOME_RULE, why,
                   "key: a key of type rsa-2048 does not make ES256 signatures");
    assert_null(key);
    assert_done(jws_header_key(header, &rules, ALG_PS384, &key, &why), why);
    public_key_free(key);
}

static void expect_crit(const char *header, const char *const *understood, const char *fragment)
{
    json_t *value JSON_CLEANUP = json_of(header);
    struct jws_rules rules = {.crit = understood};
    struct reason why = {0};
    if (fragment == NULL) {
        assert_done(jws_header_crit(value, &rules, &why), why);
    } else {
        assert_refused(jws_header_crit(value, &rules, &why), OUTCOME_RULE, why, fragment);
    }
}

/* RFC 7515 §4.1.11, RFC 7797 §6 */
static void critical_members_are_understood_or_refused(void **state)
{
    (void)state;
    static const char *const obie[] = {"http://openbanking.org.uk/iat", NULL};
    expect_crit("{}", NULL, NULL);
    expect_crit("{\"b64\":false,\"crit\":[\"b64\"]}", NULL, NULL);
    expect_crit(
        "{\"http://openbanking.org.uk/iat\":1,\"crit\":[\"http://openbanking.org.uk/iat\"]}", obie,
        NULL);
    expect_crit(
        "{\"http://openbanking.org.uk/iat\":1,\"crit\":[\"http://openbanking.org.uk/iat\"]}", NULL,
        "crit: a name in it is not understood");
    expect_crit("{\"b64\":false,\"crit\":[\"b64\"]}", obie, "crit: a name in it is not understood");
    expect_crit("{\"b64\":false}", NULL, "crit: \"b64\" is in the header and not in \"crit\"");
    expect_crit("{\"b64\":true}", NULL, "crit: \"b64\" is in the header and not in \"crit\"");
    expect_crit("{\"crit\":[]}", NULL, "crit: must be an array that is not empty");
    expect_crit("{\"crit\":\"b64\"}", NULL, "crit: must be an array that is not empty");
    expect_crit("{\"crit\":null}", NULL, "crit: must be an array that is not empty");
    expect_crit("{\"crit\":[\"b64\"]}", NULL, "crit: a name in it is no member of the header");
    expect_crit("{\"b64\":false,\"crit\":[\"b64\",\"b64\"]}", NULL,
                "crit: a name stands in it twice");
    expect_crit("{\"alg\":\"x\",\"crit\":[\"alg\"]}", NULL, "crit: a registered header name");
    expect_crit("{\"crit\":[\"crit\"]}", NULL, "crit: a registered header name");
    expect_crit("{\"b64\":false,\"crit\":[\"b64\",1]}", NULL,
                "crit: every element must be a string");
    expect_crit("{\"exp\":1,\"crit\":[\"exp\"]}", NULL, "crit: a name in it is not understood");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_listed_algorithms_pass),
        cmocka_unit_test(kid_leads_to_one_key),
        cmocka_unit_test(keys_in_the_header_are_ignored),
        cmocka_unit_test(use_operations_and_alg_must_fit),
        cmocka_unit_test(the_key_s_type_must_fit_the_algorithm),
        cmocka_unit_test(critical_members_are_understood_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
