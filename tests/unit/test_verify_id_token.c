/* SPDX-License-Identifier: Apache-2.0
 * ID tokens: one that is good, and what each rule refuses, by its name; among them the tokens that
 * the OpenID Foundation's conformance suite sends to clients. */
#include "verify_support.h"

#define NOW 1700000000

static const char *const op_acr[] = {"urn:openbanking:psd2:sca"};
static const char *const op_intent[] = {"sub", "authorizationId"};
static const char *const partner[] = {"partner"};
static const uint32_t one_hour = 3600;

/* A profile as strict as a bank's front channel may want it. */
static struct verification profile_of(json_t *jwks)
{
    return (struct verification){
        .kind = VERIFICATION_ID_TOKEN,
        .rules = {.algs = ALL_ALGS, .require_kid = true, .b64 = JWS_B64_TRUE, .jwks = jwks},
        .jwks = jwks,
        .id_token = {.issuer = "https://as.example",
                     .client_id = "tpp",
                     .leeway_s = 60,
                     .max_iat_age_s = 600,
                     .nonce = NEED_REQUIRED,
                     .auth_time = NEED_REQUIRED,
                     .response_iss = NEED_WHEN_SENT,
                     .hashes = {NEED_IF_PRESENT, NEED_IF_PRESENT, NEED_IF_PRESENT,
                                NEED_IF_PRESENT}},
    };
}

struct stand {
    EVP_PKEY *pkey;
    json_t *jwks;
};

static int setup(void **state)
{
    static struct stand stand;
    stand.pkey = make_pkey(KEY_P256);
    stand.jwks = json_pack("{s:[o]}", "keys", jwk_of(stand.pkey, "\"kid\":\"a\""));
    *state = &stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;
    EVP_PKEY_free(stand->pkey);
    json_clear_ref(&stand->jwks);
    return 0;
}

static struct verdict ask(const struct verification *profile, json_t *input)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(VERIFY_TEXT_MAX);
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(VERIFY_TEXT_MAX);
    struct reason why = {.detail = ""};
    const char *rule = NULL;
    json_put(&text, input);
    const struct verify_request request = {
        .profile = profile, .body = buffer_span(&text), .content_type = "", .now = NOW};
    enum outcome outcome = verify_id_token(&request, &json, &rule, &why);
    return verdict_of(outcome, rule, &why, &json);
}

/* The object with the members of a patch laid over it; null takes one out. */
static void lay_over(json_t *object, const char *patch)
{
    JSON_CLEANUP json_t *more = json_of(patch);
    const char *name;
    json_t *value;
    json_object_foreach (more, name, value) {
        if (json_is_null(value)) {
            (void)json_object_del(object, name);
        } else {
            (void)json_object_set(object, name, value);
        }
    }
}

/* A token of good claims, changed so, and a request of this input besides. */
static struct verdict try_with(const struct stand *stand, const struct verification *profile,
                               const char *header, const char *claims_patch, const char *input)
{
    JSON_CLEANUP json_t *claims = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:s}", "iss", "https://as.example", "sub", "user-1", "aud",
        "tpp", "iat", (json_int_t)NOW, "exp", (json_int_t)NOW + 300, "nonce", "n-0S6_WzA2Mj");
    JSON_CLEANUP json_t *request = json_of(input);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(VERIFY_TEXT_MAX);
    BUFFER_CLEANUP struct buffer token = BUFFER_INIT(VERIFY_TEXT_MAX);
    lay_over(claims, claims_patch);
    json_put(&text, claims);
    make_jws(stand->pkey, ALG_ES256, header, buffer_span(&text), &token);
    (void)json_object_set_new(request, "id_token", json_string(buffer_text(&token)));
    return ask(profile, request);
}

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"a\",\"typ\":\"JWT\"}"
#define NONCE "\"nonce\":\"n-0S6_WzA2Mj\""

struct row {
    const char *claims;   /* laid over the good ones */
    const char *input;    /* beside the token */
    const char *rule;     /* NULL: good */
    const char *fragment; /* of the reason */
};

static void run_rows(const struct stand *stand, const struct verification *profile,
                     const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct verdict verdict = try_with(stand, profile, HEADER, rows[i].claims, rows[i].input);
        if (rows[i].rule == NULL) {
            if (verdict.outcome != OUTCOME_OK) {
                print_error("%s %s\n", rows[i].claims, rows[i].input);
            }
            assert_done(verdict.outcome, verdict.why);
            verdict_fini(&verdict);
        } else {
            assert_broken(verdict, rows[i].rule, rows[i].fragment);
        }
    }
}

static void a_good_one_has_its_claims_in_the_answer(void **state)
{
    const struct stand *stand = *state;
    const struct verification profile = profile_of(stand->jwks);
    struct verdict verdict = try_with(stand, &profile, HEADER, "{\"x\":[1]}", "{" NONCE "}");
    assert_done(verdict.outcome, verdict.why);
    const json_t *claims = json_object_get(verdict.answer, "claims");
    assert_string_equal(json_string_value(json_object_get(claims, "sub")), "user-1");
    assert_string_equal(json_string_value(json_object_get(verdict.answer, "kid")), "a");
    verdict_fini(&verdict);
}

/* FAPI1AdvancedFinalClientTest… and FAPI2SPFinalClientTest…: Iss, MissingIss, Aud, MissingAud,
 * SecondaryAud, ExpiredExp, MissingExp, IatIsWeekInPast, Nonce, MissingNonce; ValidAudAsArray. */
static void what_the_conformance_suite_sends(void **state)
{
    const struct stand *stand = *state;
    const struct verification profile = profile_of(stand->jwks);
    static const struct row rows[] = {
        {"{}", "{" NONCE "}", NULL, NULL},
        {"{\"aud\":[\"tpp\"]}", "{" NONCE "}", NULL, NULL},
        {"{\"iss\":\"https://as.example/\"}", "{" NONCE "}", "iss", "to the octet"},
        {"{\"iss\":null}", "{" NONCE "}", "iss", "must be there"},
        {"{\"iss\":1}", "{" NONCE "}", "iss", "must be there"},
        {"{\"aud\":\"other\"}", "{" NONCE "}", "aud", "hold the profile's client_id"},
        {"{\"aud\":null}", "{" NONCE "}", "aud", "must be there"},
        {"{\"aud\":[]}", "{" NONCE "}", "aud", "hold the profile's client_id"},
        {"{\"aud\":[\"tpp\",\"other\"],\"azp\":\"tpp\"}", "{" NONCE "}", "aud", "does not trust"},
        {"{\"aud\":[\"tpp\",1]}", "{" NONCE "}", "aud", "does not trust"},
        {"{\"exp\":1699999000}", "{" NONCE "}", "time", "has expired"},
        {"{\"exp\":null}", "{" NONCE "}", "time", "exp must be there"},
        {"{\"exp\":\"1700000300\"}", "{" NONCE "}", "time", "exp must be there"},
        {"{\"iat\":1699395200}", "{" NONCE "}", "time", "longer ago"},
        {"{\"iat\":null}", "{" NONCE "}", "time", "iat must be there"},
        {"{\"nonce\":\"other\"}", "{" NONCE "}", "nonce", "not the one"},
        {"{\"nonce\":null}", "{" NONCE "}", "nonce", "is not there"},
        {"{\"sub\":null}", "{" NONCE "}", "sub", "must be there"},
    };
    run_rows(stand, &profile, rows, COUNT_OF(rows));
}

static void times_have_a_leeway_and_may_have_fractions(void **state)
{
    const struct stand *stand = *state;
    const struct verification profile = profile_of(stand->jwks);
    static const struct row rows[] = {
        {"{\"exp\":1699999941}", "{" NONCE "}", NULL, NULL},
        {"{\"exp\":1699999940}", "{" NONCE "}", "time", "has expired"},
        {"{\"exp\":1699999940.5}", "{" NONCE "}", NULL, NULL},
        {"{\"iat\":1700000060}", "{" NONCE "}", NULL, NULL},
        {"{\"iat\":1700000061}", "{" NONCE "}", "time", "in the future"},
        {"{\"iat\":1699999340}", "{" NONCE "}", NULL, NULL},
        {"{\"iat\":1699999339}", "{" NONCE "}", "time", "longer ago"},
        {"{\"nbf\":1700000060}", "{" NONCE "}", NULL, NULL},
        {"{\"nbf\":1700000061}", "{" NONCE "}", "time", "nbf must be"},
        {"{\"nbf\":\"now\"}", "{" NONCE "}", "time", "nbf must be"},
    };
    run_rows(stand, &profile, rows, COUNT_OF(rows));
}

static void audiences_may_be_trusted(void **state)
{
    const struct stand *stand = *state;
    struct verification profile = profile_of(stand->jwks);
    profile.id_token.trusted_audiences = (struct text_list){(char *const *)partner, 1};
    static const struct row rows[] = {
        {"{\"aud\":[\"tpp\",\"partner\"],\"azp\":\"tpp\"}", "{" NONCE "}", NULL, NULL},
        {"{\"aud\":[\"partner\",\"tpp\"]}", "{" NONCE "}", "aud", "azp is not there"},
        {"{\"aud\":[\"tpp\",\"partner\"],\"azp\":\"partner\"}", "{" NONCE "}", "aud", "azp is not"},
        {"{\"azp\":\"other\"}", "{" NONCE "}", "aud", "azp is not the profile's"},
        {"{\"azp\":[\"tpp\"]}", "{" NONCE "}", "aud", "azp is not the profile's"},
        {"{\"aud\":\"partner\"}", "{" NONCE "}", "aud", "hold the profile's client_id"},
    };
    run_rows(stand, &profile, rows, COUNT_OF(rows));
}

static void nonces(void **state)
{
    const struct stand *stand = *state;
    struct verification profile = profile_of(stand->jwks);
    static const struct row required[] = {{"{}", "{}", "nonce", "which this profile wants"}};
    static const struct row when_sent[] = {
        {"{}", "{}", "nonce", "is there, and the request"},
        {"{\"nonce\":null}", "{}", NULL, NULL},
        {"{\"nonce\":null}", "{" NONCE "}", "nonce", "is not there"},
        {"{\"nonce\":[\"n-0S6_WzA2Mj\"]}", "{" NONCE "}", "nonce", "not the one"},
    };
    static const struct row if_present[] = {
        {"{\"nonce\":null}", "{" NONCE "}", NULL, NULL},
        {"{\"nonce\":\"x\"}", "{" NONCE "}", "nonce", "not the one"},
    };
    run_rows(stand, &profile, required, COUNT_OF(required));
    profile.id_token.nonce = NEED_WHEN_SENT;
    run_rows(stand, &profile, when_sent, COUNT_OF(when_sent));
    profile.id_token.nonce = NEED_IF_PRESENT;
    run_rows(stand, &profile, if_present, COUNT_OF(if_present));
}

static void acr_and_auth_time(void **state)
{
    const struct stand *stand = *state;
    struct verification profile = profile_of(stand->jwks);
    profile.id_token.acr = (struct text_list){(char *const *)op_acr, 1};
    profile.id_token.max_age_s = &one_hour;
#define ACR "\"acr\":\"urn:openbanking:psd2:sca\""
    static const struct row rows[] = {
        {"{" ACR ",\"auth_time\":1699999000}", "{" NONCE "}", NULL, NULL},
        {"{\"auth_time\":1699999000}", "{" NONCE "}", "acr", "one of the profile's"},
        {"{\"acr\":\"urn:openbanking:psd2:ca\"}", "{" NONCE "}", "acr", "one of the profile's"},
        {"{\"acr\":[\"urn:openbanking:psd2:sca\"]}", "{" NONCE "}", "acr", "one of the profile's"},
        {"{" ACR "}", "{" NONCE "}", "auth_time", "is not there"},
        {"{" ACR ",\"auth_time\":\"x\"}", "{" NONCE "}", "auth_time", "must be a number"},
        {"{" ACR ",\"auth_time\":1699996339}", "{" NONCE "}", "auth_time", "longer ago"},
        {"{" ACR ",\"auth_time\":1699996340}", "{" NONCE "}", NULL, NULL},
        {"{" ACR ",\"auth_time\":1700000061}", "{" NONCE "}", "auth_time", "in the future"},
        {"{" ACR ",\"auth_time\":1699999000}", "{" NONCE ",\"max_age\":60}", "auth_time",
         "longer ago"},
        {"{" ACR ",\"auth_time\":1699990000}", "{" NONCE ",\"max_age\":86400}", "auth_time",
         "longer ago"},
    };
    run_rows(stand, &profile, rows, COUNT_OF(rows));
    profile.id_token.auth_time = NEED_IF_PRESENT;
    static const struct row relaxed[] = {
        {"{" ACR "}", "{" NONCE "}", NULL, NULL},
        {"{" ACR ",\"auth_time\":1699996339}", "{" NONCE "}", "auth_time", "longer ago"},
    };
    run_rows(stand, &profile, relaxed, COUNT_OF(relaxed));
}

/* The vectors of OpenID Connect Core Appendix A, of Ping, and of OP's state; the left half only. */
static void hashes_are_the_left_half(void **state)
{
    const struct stand *stand = *state;
    struct verification profile = profile_of(stand->jwks);
#define CODE "\"code\":\"Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk\""
#define AT "\"access_token\":\"jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y\""
#define STATE "\"state\":\"bb16b497-097f-4528-9380-4305eb760232\""
    static const struct row rows[] = {
        {"{\"c_hash\":\"LDktKdoQak3Pk0cnXxCltA\"}", "{" NONCE "," CODE "}", NULL, NULL},
        {"{\"at_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\"}", "{" NONCE "," AT "}", NULL, NULL},
        {"{\"at_hash\":\"wfgvmE9VxjAudsl9lc6TqA\"}",
         "{" NONCE ",\"access_token\":\"dNZX1hEZ9wBCzNL40Upu646bdzQA\"}", NULL, NULL},
        {"{\"s_hash\":\"mHx3-CzvXrrDYpBNouXYdQ\"}", "{" NONCE "," STATE "}", NULL, NULL},
        {"{\"rt_hash\":\"mHx3-CzvXrrDYpBNouXYdQ\"}",
         "{" NONCE ",\"refresh_token\":\"bb16b497-097f-4528-9380-4305eb760232\"}", NULL, NULL},
        {"{}", "{" NONCE "," CODE "," AT "," STATE "}", NULL, NULL},
        /* the whole hash, as OP's text has it */
        {"{\"s_hash\":\"mHx3-CzvXrrDYpBNouXYdRGqSAu0Q-lUjyd3wsIqWHQ\"}", "{" NONCE "," STATE "}",
         "hash", "s_hash is not the left half"},
        {"{\"s_hash\":\"mHx3-CzvXrrDYpBNouXYdQ==\"}", "{" NONCE "," STATE "}", "hash", "s_hash is"},
        {"{\"c_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\"}", "{" NONCE "," CODE "}", "hash", "c_hash is"},
        {"{\"at_hash\":\"LDktKdoQak3Pk0cnXxCltA\"}", "{" NONCE "," AT "}", "hash", "at_hash is"},
        {"{\"at_hash\":1}", "{" NONCE "," AT "}", "hash", "at_hash is"},
        {"{\"at_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\"}", "{" NONCE "}", "hash", "has no access_token"},
        {"{\"rt_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\"}", "{" NONCE "," AT "}", "hash",
         "has no refresh_token"},
    };
    run_rows(stand, &profile, rows, COUNT_OF(rows));
    for (size_t i = 0; i < TOKEN_HASH_COUNT; i++) {
        profile.id_token.hashes[i] = NEED_WHEN_SENT;
    }
    static const struct row when_sent[] = {
        {"{}", "{" NONCE "}", NULL, NULL},
        {"{}", "{" NONCE "," CODE "}", "hash", "c_hash is not there"},
        {"{}", "{" NONCE "," STATE "}", "hash", "s_hash is not there"},
        {"{}", "{" NONCE "," AT "}", "hash", "at_hash is not there"},
    };
    run_rows(stand, &profile, when_sent, COUNT_OF(when_sent));
    profile.id_token.hashes[TOKEN_S_HASH] = NEED_REQUIRED;
    static const struct row required[] = {
        {"{}", "{" NONCE "}", "hash", "s_hash is not there"},
        {"{\"s_hash\":\"mHx3-CzvXrrDYpBNouXYdQ\"}", "{" NONCE "}", "hash", "has no state"},
    };
    run_rows(stand, &profile, required, COUNT_OF(required));
}

static void intents_subjects_and_issuers(void **state)
{
    const struct stand *stand = *state;
    struct verification profile = profile_of(stand->jwks);
    static const struct row plain[] = {
        {"{}", "{" NONCE ",\"sub\":\"user-1\",\"iss\":\"https://as.example\"}", NULL, NULL},
        {"{}", "{" NONCE ",\"sub\":\"user-2\"}", "sub", "seen before"},
        {"{}", "{" NONCE ",\"iss\":\"https://evil.example\"}", "mixup", "not the profile's issuer"},
        {"{\"sub\":\"\"}", "{" NONCE "}", "sub", "must be there"},
    };
    run_rows(stand, &profile, plain, COUNT_OF(plain));
    profile.id_token.response_iss = NEED_REQUIRED;
    static const struct row named[] = {{"{}", "{" NONCE "}", "mixup", "has no iss"}};
    run_rows(stand, &profile, named, COUNT_OF(named));
    profile.id_token.response_iss = NEED_WHEN_SENT;
    struct verdict verdict =
        try_with(stand, &profile, HEADER, "{}", "{" NONCE ",\"intent_id\":\"user-1\"}");
    assert_refused(verdict.outcome, OUTCOME_RULE, verdict.why, "has no intent_claims");
    assert_string_equal(verdict.why.claim, "/intent_id");
    profile.id_token.intent = (struct text_list){(char *const *)op_intent, 2};
    static const struct row intents[] = {
        {"{\"sub\":\"i-1\",\"authorizationId\":\"i-1\"}", "{" NONCE ",\"intent_id\":\"i-1\"}", NULL,
         NULL},
        {"{\"sub\":\"i-1\"}", "{" NONCE ",\"intent_id\":\"i-1\"}", "intent",
         "authorizationId must"},
        {"{\"sub\":\"i-1\",\"authorizationId\":\"i-2\"}", "{" NONCE ",\"intent_id\":\"i-1\"}",
         "intent", "authorizationId must"},
        {"{\"sub\":\"i-2\",\"authorizationId\":\"i-1\"}", "{" NONCE ",\"intent_id\":\"i-1\"}",
         "intent", "sub must"},
    };
    run_rows(stand, &profile, intents, COUNT_OF(intents));
    verdict = try_with(stand, &profile, HEADER, "{}", "{" NONCE "}");
    assert_refused(verdict.outcome, OUTCOME_RULE, verdict.why, "missing");
    assert_string_equal(verdict.why.claim, "/intent_id");
    assert_string_equal(verdict.rule, "");
}

/* NullAlg, AlternateAlg and what else a header can say. */
static void headers(void **state)
{
    const struct stand *stand = *state;
    const struct verification profile = profile_of(stand->jwks);
    static const struct {
        const char *header;
        const char *rule;
        const char *fragment;
    } rows[] = {
        {"{\"alg\":\"none\",\"kid\":\"a\"}", "alg", "not one of"},
        {"{\"alg\":\"HS256\",\"kid\":\"a\"}", "alg", "not one of"},
        {"{\"alg\":\"PS256\",\"kid\":\"a\"}", "key", "does not make PS256"},
        {"{\"alg\":\"ES256\"}", "key", "must have \"kid\""},
        {"{\"alg\":\"ES256\",\"kid\":\"a\",\"typ\":\"at+jwt\"}", "typ", "must be \"JWT\""},
        {"{\"alg\":\"ES256\",\"kid\":\"a\",\"typ\":\"logout+jwt\"}", "typ", "must be \"JWT\""},
        {"{\"alg\":\"ES256\",\"kid\":\"a\",\"typ\":1}", "typ", "must be \"JWT\""},
        {"{\"alg\":\"ES256\",\"kid\":\"a\",\"b64\":false,\"crit\":[\"b64\"]}", "crit",
         "may not be false"},
        {"{\"alg\":\"ES256\",\"kid\":\"a\",\"x\":1,\"crit\":[\"x\"]}", "crit", "not understood"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_broken(try_with(stand, &profile, rows[i].header, "{}", "{" NONCE "}"), rows[i].rule,
                      rows[i].fragment);
    }
    struct verdict verdict = try_with(
        stand, &profile, "{\"alg\":\"ES256\",\"kid\":\"a\",\"typ\":\"jwt\"}", "{}", "{" NONCE "}");
    assert_done(verdict.outcome, verdict.why);
    verdict_fini(&verdict);
}

/* InvalidSignature, and claims that are none: nothing is read of them before the signature. */
static void signatures_come_before_claims(void **state)
{
    const struct stand *stand = *state;
    const struct verification profile = profile_of(stand->jwks);
    EVP_PKEY *other = make_pkey(KEY_P256);
    static const char *const payloads[] = {"[]", "{\"iss\":1,\"iss\":1}", "text", ""};
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        for (int forged = 0; forged < 2; forged++) {
            BUFFER_CLEANUP struct buffer token = BUFFER_INIT(10000);
            make_jws(forged ? other : stand->pkey, ALG_ES256, HEADER, span_of_text(payloads[i]),
                     &token);
            JSON_CLEANUP json_t *input = json_pack("{s:s}", "id_token", buffer_text(&token));
            assert_broken(ask(&profile, input), forged ? "signature" : "malformed",
                          forged ? "does not verify" : "malformed: the claims");
        }
    }
    EVP_PKEY_free(other);
}

static void inputs_are_checked(void **state)
{
    const struct stand *stand = *state;
    const struct verification profile = profile_of(stand->jwks);
    static const struct {
        const char *input;
        const char *claim;
        const char *fragment;
    } rows[] = {
        {"{}", "/id_token", "missing"},
        {"{\"id_token\":1}", "/id_token", "must be a string"},
        {"{\"id_token\":\"a.b.c\",\"max_age\":-1}", "/max_age", "not negative"},
        {"{\"id_token\":\"a.b.c\",\"max_age\":1.5}", "/max_age", "must be an integer"},
        {"{\"id_token\":\"a.b.c\",\"issuer\":\"x\"}", "/issuer", "no such member"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        JSON_CLEANUP json_t *input = json_of(rows[i].input);
        struct verdict verdict = ask(&profile, input);
        assert_refused(verdict.outcome, OUTCOME_RULE, verdict.why, rows[i].fragment);
        assert_string_equal(verdict.why.claim, rows[i].claim);
        assert_string_equal(verdict.rule, "");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_one_has_its_claims_in_the_answer),
        TEST(what_the_conformance_suite_sends),
        TEST(times_have_a_leeway_and_may_have_fractions),
        TEST(audiences_may_be_trusted),
        TEST(nonces),
        TEST(acr_and_auth_time),
        TEST(hashes_are_the_left_half),
        TEST(intents_subjects_and_issuers),
        TEST(headers),
        TEST(signatures_come_before_claims),
        TEST(inputs_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
