/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jws.h"
#include "jose_support.h"

static const uint32_t all_algs = (1U << ALG_COUNT) - 1;

struct signer {
    EVP_PKEY *pkey;
    json_t *jwks;
};

static int make_signer(void **state)
{
    static struct signer signer;
    signer.pkey = make_pkey(KEY_P256);
    struct public_key *key = public_key_of(signer.pkey);
    json_t *jwk = json_of(public_key_jwk(key));
    (void)json_object_set_new(jwk, "kid", json_string("k"));
    signer.jwks = json_pack("{s:[o]}", "keys", jwk);
    public_key_free(key);
    *state = &signer;
    return 0;
}

static int free_signer(void **state)
{
    struct signer *signer = *state;
    EVP_PKEY_free(signer->pkey);
    json_decref(signer->jwks);
    return 0;
}

static enum outcome verify(const struct signer *signer, struct span token, struct span detached,
                           struct buffer *payload, struct reason *why)
{
    struct jws_rules rules = {.jwks = signer->jwks, .algs = all_algs, .require_kid = true};
    json_t *header = NULL;
    *why = (struct reason){0};
    enum outcome outcome = jws_verify(token, detached, &rules, &header, payload, why);
    assert_int_equal(header != NULL, outcome == OUTCOME_OK);
    json_decref(header);
    return outcome;
}

static void expect_refused(const struct signer *signer, struct span token, struct span detached,
                           const char *fragment)
{
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(10000);
    struct reason why;
    assert_refused(verify(signer, token, detached, &payload, &why), OUTCOME_RULE, why, fragment);
    assert_int_equal(payload.len, 0);
}

static const struct span attached = {NULL, 0};

static void a_compact_token_gives_header_and_payload(void **state)
{
    struct signer *signer = *state;
    BUFFER_CLEANUP struct buffer token = BUFFER_INIT(1000);
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(1000);
    struct reason why;
    make_jws(signer->pkey, ALG_ES256, "{\"alg\":\"ES256\",\"kid\":\"k\"}",
             span_of_text("any bytes"), &token);
    assert_done(verify(signer, buffer_span(&token), attached, &payload, &why), why);
    assert_string_equal(buffer_text(&payload), "any bytes");
    struct jws_rules rules = {.jwks = signer->jwks, .algs = 1U << ALG_ES256};
    json_t *header JSON_CLEANUP = NULL;
    buffer_reset(&payload);
    assert_done(jws_verify(buffer_span(&token), attached, &rules, &header, &payload, &why), why);
    assert_string_equal(json_string_value(json_object_get(header, "kid")), "k");
}

static void make_detached(const struct signer *signer, const char *header, const char *payload,
                          bool raw, struct buffer *out)
{
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(1000);
    uint8_t sig[SIGNATURE_MAX];
    base64url_encode(&input, span_of_text(header));
    buffer_put_span(out, buffer_span(&input));
    buffer_put_text(&input, ".");
    if (raw) {
        buffer_put_text(&input, payload);
    } else {
        base64url_encode(&input, span_of_text(payload));
    }
    size_t len = sign_with(signer->pkey, ALG_ES256, -1, buffer_span(&input), sig);
    buffer_put_text(out, "..");
    base64url_encode(out, span_of(sig, len));
}

static void detached_payloads_are_verified_byte_for_byte(void **state)
{
    struct signer *signer = *state;
    static const char *const headers[] = {
        "{\"alg\":\"ES256\",\"kid\":\"k\"}",
        "{\"alg\":\"ES256\",\"kid\":\"k\",\"b64\":true,\"crit\":[\"b64\"]}",
        "{\"alg\":\"ES256\",\"kid\":\"k\",\"b64\":false,\"crit\":[\"b64\"]}"};
    static const char body[] = "{ \"a\": 1. }\n";
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        BUFFER_CLEANUP struct buffer token = BUFFER_INIT(1000);
        BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(1000);
        struct reason why;
        make_detached(signer, headers[i], body, i == 2, &token);
        assert_done(verify(signer, buffer_span(&token), span_of_text(body), &payload, &why), why);
        assert_string_equal(buffer_text(&payload), body);
        expect_refused(signer, buffer_span(&token), span_of_text("{ \"a\": 1. }"), "signature: ");
        expect_refused(signer, buffer_span(&token), span_of_text("\xef\xbb\xbf{ \"a\": 1. }\n"),
                       "signature: ");
        expect_refused(signer, buffer_span(&token), attached, "signature: "); /* empty payload */
    }
}

/* The two forms of payload are not each other's: F9 of the domain. */
static void b64_cannot_be_left_out_or_added(void **state)
{
    struct signer *signer = *state;
    BUFFER_CLEANUP struct buffer token = BUFFER_INIT(1000);
    make_detached(signer, "{\"alg\":\"ES256\",\"kid\":\"k\",\"b64\":false}", "{}", true, &token);
    expect_refused(signer, buffer_span(&token), span_of_text("{}"),
                   "crit: \"b64\" is in the header and not in \"crit\"");
    buffer_reset(&token);
    make_detached(signer, "{\"alg\":\"ES256\",\"kid\":\"k\",\"b64\":0,\"crit\":[\"b64\"]}", "{}",
                  true, &token);
    expect_refused(signer, buffer_span(&token), span_of_text("{}"),
                   "malformed: \"b64\" must be true or false");
    buffer_reset(&token);
    make_detached(signer, "{\"alg\":\"ES256\",\"kid\":\"k\"}", "{}", true, &token);
    expect_refused(signer, buffer_span(&token), span_of_text("{}"), "signature: ");
}

static void a_raw_payload_may_stand_in_the_token(void **state)
{
    struct signer *signer = *state;
    BUFFER_CLEANUP struct buffer token = BUFFER_INIT(1000);
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(1000);
    uint8_t sig[SIGNATURE_MAX];
    struct reason why;
    base64url_encode(
        &token, span_of_text("{\"alg\":\"ES256\",\"kid\":\"k\",\"b64\":false,\"crit\":[\"b64\"]}"));
    buffer_put_text(&token, ".raw!payload");
    size_t len = sign_with(signer->pkey, ALG_ES256, -1, buffer_span(&token), sig);
    buffer_put_text(&token, ".");
    base64url_encode(&token, span_of(sig, len));
    assert_done(verify(signer, buffer_span(&token), attached, &payload, &why), why);
    assert_string_equal(buffer_text(&payload), "raw!payload");
}

static void the_form_is_three_strict_parts(void **state)
{
    struct signer *signer = *state;
    BUFFER_CLEANUP struct buffer token = BUFFER_INIT(1000);
    BUFFER_CLEANUP struct buffer bad = BUFFER_INIT(1000);
    make_jws(signer->pkey, ALG_ES256, "{\"alg\":\"ES256\",\"kid\":\"k\"}", span_of_text("{}"),
             &token);
    struct span whole = buffer_span(&token);
    static const char form[] = "malformed: not three parts";
    expect_refused(signer, attached, attached, form);
    expect_refused(signer, span_of_text("a"), attached, form);
    expect_refused(signer, span_of_text("a.b"), attached, form);
    expect_refused(signer, span_of_text("a.b.c.d"), attached, form);
    expect_refused(signer, span_of_text("{\"payload\":\"\",\"signatures\":[]}"), attached, form);
    expect_refused(signer, span_of_text(".."), attached, "malformed: the header: ");
    expect_refused(signer, whole, span_of_text("{}"), "malformed: a detached JWS has nothing");

    static const char *const tails[] = {"=", "==", "\n", " ", "A", "+"};
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        buffer_reset(&bad);
        buffer_put_span(&bad, whole);
        buffer_put_text(&bad, tails[i]);
        expect_refused(signer, buffer_span(&bad), attached,
                       strcmp(tails[i], "A") == 0 ? "signature: does not verify"
                                                  : "malformed: the signature is not base64url");
    }
    expect_refused(signer, span_part(whole, 1, whole.len), attached, "malformed: the header");
}

static void expect_header_refused(struct signer *signer, const char *header, const char *fragment)
{
    BUFFER_CLEANUP struct buffer token = BUFFER_INIT(10000);
    make_jws(signer->pkey, ALG_ES256, header, span_of_text("{}"), &token);
    expect_refused(signer, buffer_span(&token), attached, fragment);
}

static void each_rule_is_named(void **state)
{
    struct signer *signer = *state;
    expect_header_refused(signer, "[]", "malformed: the header: line 1, column 1: ");
    expect_header_refused(signer, "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"kid\":\"k\"}",
                          "malformed: the header: line 1, column 20: a member of this name");
    expect_header_refused(signer, "{\"alg\":\"none\",\"kid\":\"k\"}", "alg: ");
    expect_header_refused(signer, "{\"alg\":\"HS256\",\"kid\":\"k\"}", "alg: ");
    expect_header_refused(signer, "{\"alg\":\"ES256\"}", "key: the header must have");
    expect_header_refused(signer, "{\"alg\":\"ES384\",\"kid\":\"k\"}", "key: a key of type p-256");
    expect_header_refused(signer, "{\"alg\":\"ES256\",\"kid\":\"k\",\"x\":1,\"crit\":[\"x\"]}",
                          "crit: a name in it is not understood");
    /* the first rule that is broken is the one that is named */
    expect_header_refused(signer, "{\"alg\":\"none\",\"kid\":\"z\",\"crit\":[]}", "alg: ");
    expect_header_refused(signer, "{\"alg\":\"ES256\",\"kid\":\"z\",\"crit\":[]}", "key: ");
}

static void a_payload_with_spare_bits_is_refused(void **state)
{
    struct signer *signer = *state;
    BUFFER_CLEANUP struct buffer token = BUFFER_INIT(1000);
    uint8_t sig[SIGNATURE_MAX];
    base64url_encode(&token, span_of_text("{\"alg\":\"ES256\",\"kid\":\"k\"}"));
    buffer_put_text(&token, ".AB");
    size_t len = sign_with(signer->pkey, ALG_ES256, -1, buffer_span(&token), sig);
    buffer_put_text(&token, ".");
    base64url_encode(&token, span_of(sig, len));
    expect_refused(signer, buffer_span(&token), attached,
                   "malformed: the payload is not base64url");
}

static void sizes_are_limited(void **state)
{
    struct signer *signer = *state;
    char *large = test_malloc(JWS_MAX + 1);
    memset(large, 'A', JWS_MAX + 1);
    expect_refused(signer, span_of(large, JWS_MAX + 1), attached, "malformed: over ");
    memcpy(large + 100000, "..", 2);
    expect_refused(signer, span_of(large, 100002), attached,
                   "malformed: the header is not base64url of at most 65536 bytes");
    test_free(large);
    BUFFER_CLEANUP struct buffer token = BUFFER_INIT(1000);
    BUFFER_CLEANUP struct buffer small = BUFFER_INIT(1);
    struct reason why;
    make_jws(signer->pkey, ALG_ES256, "{\"alg\":\"ES256\",\"kid\":\"k\"}", span_of_text("{}"),
             &token);
    assert_refused(verify(signer, buffer_span(&token), attached, &small, &why), OUTCOME_RULE, why,
                   "malformed: the payload is larger");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compact_token_gives_header_and_payload),
        cmocka_unit_test(detached_payloads_are_verified_byte_for_byte),
        cmocka_unit_test(b64_cannot_be_left_out_or_added),
        cmocka_unit_test(a_raw_payload_may_stand_in_the_token),
        cmocka_unit_test(the_form_is_three_strict_parts),
        cmocka_unit_test(each_rule_is_named),
        cmocka_unit_test(a_payload_with_spare_bits_is_refused),
        cmocka_unit_test(sizes_are_limited),
    };
    return cmocka_run_group_tests(tests, make_signer, free_signer);
}
