/* SPDX-License-Identifier: Apache-2.0
 * A detached JWS over the exact octets: every algorithm, and each refusal by its rule. */
#include "verify_support.h"

static const char body[] = "{\"amount\": 4.00 }\n";

/* A signer and what a bank's JWS looks like. */
struct signer {
    EVP_PKEY *pkey;
    enum alg alg;
    json_t *jwks;
};

static struct signer signer_of(enum key_type type, enum alg alg, const char *more)
{
    struct signer signer = {.pkey = make_pkey(type), .alg = alg};
    signer.jwks = json_pack("{s:[o]}", "keys", jwk_of(signer.pkey, more));
    return signer;
}

static void signer_fini(struct signer *signer)
{
    EVP_PKEY_free(signer->pkey);
    json_clear_ref(&signer->jwks);
}

/* header..signature, over the payload as the flag says. */
static void put_detached(const struct signer *signer, const char *header, struct span payload,
                         bool raw, struct buffer *out)
{
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(VERIFY_TEXT_MAX);
    uint8_t signature[SIGNATURE_MAX];
    base64url_encode(out, span_of_text(header));
    buffer_put_span(&input, buffer_span(out));
    buffer_put_text(&input, ".");
    if (raw) {
        buffer_put_span(&input, payload);
    } else {
        base64url_encode(&input, payload);
    }
    size_t len = sign_with(signer->pkey, signer->alg, -1, buffer_span(&input), signature);
    buffer_put_text(out, "..");
    base64url_encode(out, span_of(signature, len));
}

static struct verdict ask(const struct verification *profile, const char *text)
{
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(VERIFY_TEXT_MAX);
    struct reason why = {.detail = ""};
    const char *rule = NULL;
    const struct verify_request request = {
        .profile = profile, .body = span_of_text(text), .content_type = "application/json"};
    enum outcome outcome = verify_detached_jws(&request, &json, &rule, &why);
    return verdict_of(outcome, rule, &why, &json);
}

static struct verdict ask_with(const struct verification *profile, const char *jws,
                               struct span payload, const json_t *jwks)
{
    BUFFER_CLEANUP struct buffer encoded = BUFFER_INIT(VERIFY_TEXT_MAX);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(VERIFY_TEXT_MAX);
    base64url_encode(&encoded, payload);
    JSON_CLEANUP json_t *request = json_pack("{s:s, s:s}", "jws", jws, "payload",
                                             encoded.len == 0 ? "" : buffer_text(&encoded));
    if (jwks != NULL) {
        (void)json_object_set(request, "jwks", (json_t *)jwks);
    }
    json_put(&text, request);
    return ask(profile, buffer_text(&text));
}

/* A JWS of this header over `body`, in the given manner, asked of a profile without pinned keys. */
static struct verdict try_header(const struct jws_rules *rules, const char *header, bool raw)
{
    struct signer signer = signer_of(KEY_P256, ALG_ES256, "\"kid\":\"a\"");
    BUFFER_CLEANUP struct buffer jws = BUFFER_INIT(10000);
    struct verification profile = {.rules = *rules};
    put_detached(&signer, header, span_of_text(body), raw, &jws);
    struct verdict verdict = ask_with(&profile, buffer_text(&jws), span_of_text(body), signer.jwks);
    signer_fini(&signer);
    return verdict;
}

static const struct {
    enum key_type type;
    enum alg alg;
} fitting[] = {
    {KEY_RSA_2048, ALG_RS256},  {KEY_RSA_2048, ALG_RS384}, {KEY_RSA_2048, ALG_RS512},
    {KEY_RSA_2048, ALG_PS256},  {KEY_RSA_2048, ALG_PS384}, {KEY_RSA_2048, ALG_PS512},
    {KEY_P256, ALG_ES256},      {KEY_P384, ALG_ES384},     {KEY_P521, ALG_ES512},
    {KEY_ED25519, ALG_ED25519},
};

static void every_algorithm_over_both_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(fitting); i++) {
        bool raw = i % 2 == 1;
        enum alg alg = fitting[i / 2].alg;
        struct signer signer = signer_of(fitting[i / 2].type, alg, "\"kid\":\"a\"");
        struct verification profile = {.rules = {.algs = 1U << alg, .require_kid = true}};
        BUFFER_CLEANUP struct buffer jws = BUFFER_INIT(10000);
        char header[200];
        (void)snprintf(header, sizeof header, "{\"kid\":\"a\",\"alg\":\"%s\"%s}", alg_name(alg),
                       raw ? ",\"b64\":false,\"crit\":[\"b64\"]" : "");
        put_detached(&signer, header, span_of_text(body), raw, &jws);
        struct verdict verdict =
            ask_with(&profile, buffer_text(&jws), span_of_text(body), signer.jwks);
        assert_done(verdict.outcome, verdict.why);
        assert_string_equal(json_string_value(json_object_get(verdict.answer, "alg")),
                            alg_name(alg));
        assert_string_equal(json_string_value(json_object_get(verdict.answer, "kid")), "a");
        assert_true(json_is_object(json_object_get(verdict.answer, "claims")));
        verdict_fini(&verdict);
        /* one blank less is another message */
        assert_broken(ask_with(&profile, buffer_text(&jws), span_of_text("{\"amount\": 4.00}\n"),
                               signer.jwks),
                      "signature", "does not verify");
        profile.rules.algs = ALL_ALGS & ~(1U << alg);
        assert_broken(ask_with(&profile, buffer_text(&jws), span_of_text(body), signer.jwks), "alg",
                      "not one of the algorithms");
        signer_fini(&signer);
    }
}

static void octets_that_are_no_json_have_no_claims(void **state)
{
    (void)state;
    static const char *const payloads[] = {"", "[1]", "plain", "{\"a\":1,\"a\":2}", "\xff\xfe"};
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        struct signer signer = signer_of(KEY_P256, ALG_ES256, "\"kid\":\"a\"");
        struct verification profile = {.rules = {.algs = ALL_ALGS}};
        BUFFER_CLEANUP struct buffer jws = BUFFER_INIT(10000);
        put_detached(&signer, "{\"alg\":\"ES256\"}", span_of_text(payloads[i]), false, &jws);
        struct verdict verdict =
            ask_with(&profile, buffer_text(&jws), span_of_text(payloads[i]), signer.jwks);
        assert_done(verdict.outcome, verdict.why);
        assert_null(json_object_get(verdict.answer, "claims"));
        assert_null(json_object_get(verdict.answer, "kid"));
        verdict_fini(&verdict);
        signer_fini(&signer);
    }
}

static void the_header_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        const char *rule;
        const char *fragment;
    } rows[] = {
        {"{\"alg\":\"none\",\"kid\":\"a\"}", "alg", "not one of"},
        {"{\"alg\":\"HS256\",\"kid\":\"a\"}", "alg", "not one of"},
        {"{\"kid\":\"a\"}", "alg", "must have \"alg\""},
        {"{\"alg\":\"ES256\"}", "key", "must have \"kid\""},
        {"{\"alg\":\"ES256\",\"kid\":\"b\"}", "key", "no key of the set"},
        {"{\"alg\":\"ES256\",\"kid\":1}", "key", "must be a string"},
        {"{\"alg\":\"ES384\",\"kid\":\"a\"}", "key", "p-256 does not make ES384"},
        {"{\"alg\":\"PS256\",\"kid\":\"a\"}", "key", "p-256 does not make PS256"},
        {"{\"alg\":\"Ed25519\",\"kid\":\"a\"}", "key", "p-256 does not make Ed25519"},
        {"{\"alg\":\"ES256\",\"kid\":\"a\",\"x\":1,\"crit\":[\"x\"]}", "crit", "not understood"},
        {"{\"alg\":\"ES256\",\"kid\":\"a\",\"crit\":[]}", "crit", "not empty"},
        {"{\"alg\":\"ES256\",\"kid\":\"a\",\"b64\":true}", "crit", "not in \"crit\""},
        {"{\"alg\":\"ES256\",\"kid\":\"a\",\"b64\":1}", "malformed", "true or false"},
        {"{\"alg\":\"ES256\",\"alg\":\"ES256\",\"kid\":\"a\"}", "malformed", "the header"},
        {"[]", "malformed", "the header"},
    };
    const struct jws_rules rules = {.algs = ALL_ALGS, .require_kid = true};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_broken(try_header(&rules, rows[i].header, false), rows[i].rule, rows[i].fragment);
    }
}

/* jwk, jku, x5u and x5c of a header lead nowhere. */
static void keys_in_the_header_are_not_trusted(void **state)
{
    (void)state;
    struct signer bank = signer_of(KEY_P256, ALG_ES256, "\"kid\":\"a\"");
    struct signer thief = signer_of(KEY_P256, ALG_ES256, "\"kid\":\"a\"");
    struct verification profile = {.rules = {.algs = ALL_ALGS}};
    JSON_CLEANUP json_t *header =
        json_pack("{s:s, s:s, s:O, s:s, s:s, s:[s]}", "alg", "ES256", "kid", "a", "jwk",
                  json_array_get(json_object_get(thief.jwks, "keys"), 0), "jku",
                  "https://thief.example", "x5u", "https://thief.example", "x5c", "AAAA");
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(10000);
    BUFFER_CLEANUP struct buffer jws = BUFFER_INIT(10000);
    json_put(&text, header);
    put_detached(&thief, buffer_text(&text), span_of_text(body), false, &jws);
    assert_broken(ask_with(&profile, buffer_text(&jws), span_of_text(body), bank.jwks), "signature",
                  "does not verify");
    signer_fini(&bank);
    signer_fini(&thief);
}

static void the_profile_says_how_b64_and_crit_are(void **state)
{
    (void)state;
    static const char plain[] = "{\"alg\":\"ES256\",\"kid\":\"a\"}";
    static const char encoded[] =
        "{\"alg\":\"ES256\",\"kid\":\"a\",\"b64\":true,\"crit\":[\"b64\"]}";
    static const char raw[] = "{\"alg\":\"ES256\",\"kid\":\"a\",\"b64\":false,\"crit\":[\"b64\"]}";
    static const char bare[] = "{\"alg\":\"ES256\",\"kid\":\"a\",\"b64\":false}";
    static const struct {
        struct jws_rules rules;
        const char *header;
        bool is_raw;
        const char *fragment; /* NULL: good */
    } rows[] = {
        {{.b64 = JWS_B64_TRUE}, plain, false, NULL},
        {{.b64 = JWS_B64_TRUE}, encoded, false, NULL},
        {{.b64 = JWS_B64_TRUE}, raw, true, "may not be false"},
        {{.b64 = JWS_B64_FALSE}, plain, false, "must be false"},
        {{.b64 = JWS_B64_FALSE}, encoded, false, "must be false"},
        {{.b64 = JWS_B64_FALSE}, raw, true, NULL},
        {{.b64 = JWS_B64_FALSE}, bare, true, "not in \"crit\""},
        {{.b64 = JWS_B64_FALSE, .b64_without_crit = true}, bare, true, NULL},
        {{.b64 = JWS_B64_FALSE, .b64_without_crit = true}, raw, true, NULL},
        {{.b64 = JWS_B64_ANY}, raw, true, NULL},
        {{.b64 = JWS_B64_ANY}, plain, false, NULL},
        {{.b64 = JWS_B64_TRUE, .require_crit = true}, plain, false, "must stand in it"},
        {{.b64 = JWS_B64_TRUE, .require_crit = true}, encoded, false, NULL},
        {{.b64 = JWS_B64_FALSE, .require_crit = true}, raw, true, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct jws_rules rules = rows[i].rules;
        rules.algs = ALL_ALGS;
        struct verdict verdict = try_header(&rules, rows[i].header, rows[i].is_raw);
        if (rows[i].fragment == NULL) {
            assert_done(verdict.outcome, verdict.why);
            verdict_fini(&verdict);
        } else {
            assert_broken(verdict, "crit", rows[i].fragment);
        }
    }
}

/* A caller's set is not looked at where the profile has its own; and the keys made beforehand are
 * those of the set. */
static void a_pinned_set_is_not_replaced(void **state)
{
    (void)state;
    struct signer bank = signer_of(KEY_P256, ALG_ES256, "\"kid\":\"a\"");
    struct signer thief = signer_of(KEY_P256, ALG_ES256, "\"kid\":\"a\"");
    struct public_key *made[] = {public_key_of(bank.pkey)};
    struct verification profile = {.jwks = bank.jwks,
                                   .rules = {.algs = ALL_ALGS, .jwks = bank.jwks, .made = made}};
    BUFFER_CLEANUP struct buffer good = BUFFER_INIT(10000);
    BUFFER_CLEANUP struct buffer bad = BUFFER_INIT(10000);
    put_detached(&bank, "{\"alg\":\"ES256\",\"kid\":\"a\"}", span_of_text(body), false, &good);
    put_detached(&thief, "{\"alg\":\"ES256\",\"kid\":\"a\"}", span_of_text(body), false, &bad);
    for (int pinned = 0; pinned < 2; pinned++) {
        profile.rules.made = pinned == 0 ? NULL : made;
        struct verdict verdict =
            ask_with(&profile, buffer_text(&good), span_of_text(body), thief.jwks);
        assert_done(verdict.outcome, verdict.why);
        verdict_fini(&verdict);
        assert_broken(ask_with(&profile, buffer_text(&bad), span_of_text(body), thief.jwks),
                      "signature", "does not verify");
    }
    public_key_free(made[0]);
    signer_fini(&bank);
    signer_fini(&thief);
}

/* The body of the request: no rule of a JWS is named then. */
static void the_request_is_refused_with_its_member(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *claim;
        const char *fragment;
    } rows[] = {
        {"{}", "/jws", "missing"},
        {"{\"jws\":\"a..b\"}", "/payload", "missing"},
        {"{\"jws\":1,\"payload\":\"\",\"jwks\":{}}", "/jws", "must be a string"},
        {"{\"jws\":\"a..b\",\"payload\":\"a=\",\"jwks\":{}}", "/payload", "without padding"},
        {"{\"jws\":\"a..b\",\"payload\":\"\"}", "/jwks", "no keys are pinned"},
        {"{\"jws\":\"a..b\",\"payload\":\"\",\"jwks\":[]}", "/jwks", "must be an object"},
        {"{\"jws\":\"a..b\",\"payload\":\"\",\"alg\":\"none\"}", "/alg", "no such member"},
    };
    struct verification profile = {.rules = {.algs = ALL_ALGS}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct verdict verdict = ask(&profile, rows[i].text);
        assert_refused(verdict.outcome, OUTCOME_RULE, verdict.why, rows[i].fragment);
        assert_string_equal(verdict.why.claim, rows[i].claim);
        assert_string_equal(verdict.rule, "");
    }
    struct verdict verdict = ask(&profile, "[]");
    assert_refused(verdict.outcome, OUTCOME_MALFORMED, verdict.why, "object");
    struct reason why;
    const char *rule = NULL;
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(100);
    const struct verify_request typed = {
        .profile = &profile, .body = span_of_text("{}"), .content_type = "application/jose"};
    assert_refused(verify_detached_jws(&typed, &json, &rule, &why), OUTCOME_MEDIA_TYPE, why,
                   "application/json");
}

static void the_set_must_be_sound(void **state)
{
    (void)state;
    struct signer signer = signer_of(KEY_P256, ALG_ES256, "\"kid\":\"a\"");
    struct verification profile = {.rules = {.algs = ALL_ALGS}};
    BUFFER_CLEANUP struct buffer jws = BUFFER_INIT(10000);
    put_detached(&signer, "{\"alg\":\"ES256\",\"kid\":\"a\"}", span_of_text(body), false, &jws);
    const json_t *jwk = json_array_get(json_object_get(signer.jwks, "keys"), 0);
    JSON_CLEANUP json_t *twins = json_pack("{s:[O,O]}", "keys", jwk, jwk);
    JSON_CLEANUP json_t *none = json_object();
    JSON_CLEANUP json_t *enc =
        json_pack("{s:[o]}", "keys", jwk_of(signer.pkey, "\"kid\":\"a\",\"use\":\"enc\""));
    JSON_CLEANUP json_t *other =
        json_pack("{s:[o]}", "keys", jwk_of(signer.pkey, "\"kid\":\"a\",\"alg\":\"ES384\""));
    JSON_CLEANUP json_t *mixed = json_deep_copy(signer.jwks);
    (void)json_object_set_new(json_array_get(json_object_get(mixed, "keys"), 0), "crv",
                              json_string("P-384"));
    const struct {
        const json_t *jwks;
        const char *fragment;
    } rows[] = {
        {twins, "two keys of the set"},
        {none, "no array \"keys\""},
        {enc, "\"use\" is not \"sig\""},
        {other, "\"alg\" is not the header's"},
        {mixed, "key: "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_broken(ask_with(&profile, buffer_text(&jws), span_of_text(body), rows[i].jwks),
                      "key", rows[i].fragment);
    }
    signer_fini(&signer);
}

static void what_is_no_detached_jws(void **state)
{
    (void)state;
    static const char *const texts[] = {"",      "a",       "a.b", "a..b.c",
                                        "a..b=", "a.e30.b", "..",  "a..b "};
    struct verification profile = {.rules = {.algs = ALL_ALGS}};
    JSON_CLEANUP json_t *jwks = json_pack("{s:[]}", "keys");
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_broken(ask_with(&profile, texts[i], span_of_text(body), jwks), "malformed",
                      "malformed: ");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_over_both_forms),
        cmocka_unit_test(octets_that_are_no_json_have_no_claims),
        cmocka_unit_test(the_header_is_refused_by_name),
        cmocka_unit_test(keys_in_the_header_are_not_trusted),
        cmocka_unit_test(the_profile_says_how_b64_and_crit_are),
        cmocka_unit_test(a_pinned_set_is_not_replaced),
        cmocka_unit_test(the_request_is_refused_with_its_member),
        cmocka_unit_test(the_set_must_be_sound),
        cmocka_unit_test(what_is_no_detached_jws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
