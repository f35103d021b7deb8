/* SPDX-License-Identifier: Apache-2.0
 * What a seal key signs, and everything else that someone might want signed with it. */
#include "model/shape.h"

#include "base/base64url.h"
#include "base/clock.h"

#include "check.h"

#include <jansson.h>
#include <stdlib.h>

enum { INPUT_MAX = 2 * 1024 * 1024 };

static struct buffer signing_input(struct span header, struct span payload, bool encode)
{
    struct buffer input = BUFFER_INIT(INPUT_MAX);
    base64url_encode(&input, header);
    buffer_put_u8(&input, '.');
    if (encode) {
        base64url_encode(&input, payload);
    } else {
        buffer_put_span(&input, payload);
    }
    assert_true(buffer_ok(&input));
    return input;
}

static const struct row {
    enum alg alg;
    const char *header;
    const char *payload;
    bool raw;           /* the payload stands there as it is */
    const char *reason; /* NULL: signed */
} rows[] = {
    /* as our own doors make them */
    {ALG_PS256, "{\"alg\":\"PS256\",\"kid\":\"k\",\"typ\":\"oauth-authz-req+jwt\"}",
     "{\"iss\":\"c\"}", false, NULL},
    {ALG_ES256, "{\"typ\":\"JWT\",\"alg\":\"ES256\"}", "{}", false, NULL},
    {ALG_RS256, "{\"alg\":\"RS256\"}", "{ }\r\n\t ", false, NULL},
    {ALG_RS384, "{\"alg\":\"RS384\"}", "{}", false, NULL},
    {ALG_RS512, "{\"alg\":\"RS512\"}", "{}", false, NULL},
    {ALG_PS384, "{\"alg\":\"PS384\"}", "{}", false, NULL},
    {ALG_PS512, "{\"alg\":\"PS512\"}", "{}", false, NULL},
    {ALG_ES384, "{\"alg\":\"ES384\"}", "{}", false, NULL},
    {ALG_ES512, "{\"alg\":\"ES512\"}", "{}", false, NULL},
    {ALG_ED25519, "{\"alg\":\"Ed25519\"}", "{}", false, NULL},
    {ALG_ED25519, "{\"alg\":\"EdDSA\"}", "{}", false, NULL},
    {ALG_PS256,
     "{\"alg\":\"PS256\",\"kid\":\"90\",\"http://openbanking.org.uk/iat\":1501497671,"
     "\"http://openbanking.org.uk/iss\":\"C=UK, O=x\",\"http://openbanking.org.uk/tan\":\"a\","
     "\"crit\":[\"http://openbanking.org.uk/iat\",\"http://openbanking.org.uk/iss\","
     "\"http://openbanking.org.uk/tan\"]}",
     "{\"Data\":{}}", false, NULL},
    {ALG_RS256, "{\"alg\":\"RS256\",\"b64\":false,\"crit\":[\"b64\"]}",
     "{\"Data\":\"\xC3\xA4.=+\"} \n", true, NULL},
    {ALG_RS256, "{\"alg\":\"RS256\",\"b64\":true,\"crit\":[\"b64\"]}", "{\"a\":1}", false, NULL},
    {ALG_ES256,
     "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
     "\"x\":\"a\",\"y\":\"b\"}}",
     "{\"htm\":\"POST\"}", false, NULL},
    {ALG_PS256, "{\"alg\":\"PS256\",\"x5c\":[\"MIIB+/==\"],\"x\":[[[[[[[]]]]]]]}", "{}", false,
     NULL},
    /* the header */
    {ALG_PS256, "{\"alg\":\"RS256\"}", "{}", false, "header: alg is not PS256"},
    {ALG_RS256, "{\"alg\":\"PS256\"}", "{}", false, "header: alg is not RS256"},
    {ALG_PS256, "{\"alg\":\"ps256\"}", "{}", false, "header: alg is not PS256"},
    {ALG_PS256, "{\"alg\":\"PS256 \"}", "{}", false, "header: alg is not PS256"},
    {ALG_PS256, "{\"alg\":\"\\u0050S256\"}", "{}", false, "header: alg is not PS256"},
    {ALG_PS256, "{\"alg\":\"none\"}", "{}", false, "header: alg is not PS256"},
    {ALG_PS256, "{\"alg\":\"\"}", "{}", false, "header: alg is not PS256"},
    {ALG_PS256, "{\"alg\":\"EdDSA\"}", "{}", false, "header: alg is not PS256"},
    {ALG_PS256, "{\"alg\":\"HS256\"}", "{}", false, "header: alg is not PS256"},
    {ALG_ED25519, "{\"alg\":\"Ed448\"}", "{}", false, "header: alg is not Ed25519"},
    {ALG_PS256, "{\"kid\":\"PS256\"}", "{}", false, "header: no alg"},
    {ALG_PS256, "{}", "{}", false, "header: no alg"},
    {ALG_PS256, "{\"x\":{\"alg\":\"PS256\"}}", "{}", false, "header: no alg"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"alg\":\"PS256\"}", "{}", false,
     "header: a member is there twice"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"alg\":\"none\"}", "{}", false,
     "header: a member is there twice"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"\\u0061lg\":\"none\"}", "{}", false,
     "header: a member's name with a backslash"},
    {ALG_PS256, "[\"alg\",\"PS256\"]", "{}", false, "header: not an object"},
    {ALG_PS256, "\"PS256\"", "{}", false, "header: not an object"},
    {ALG_PS256, "", "{}", false, "header: not an object"},
    {ALG_PS256, "{\"alg\":\"PS256\"}{}", "{}", false, "header: something behind the object"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"x\":\"\xC3\"}", "{}", false, "header: not UTF-8"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"x\":\"\\u0000\"}", "{}", false, "header: a NUL"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"x\":[[[[[[[[]]]]]]]]}", "{}", false,
     "header: nested too deeply"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"crit\":[]}", "{}", false,
     "header: crit is not a list of names"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"b64\":\"false\"}", "{}", true,
     "header: b64 is neither true nor false"},
    /* the payload, encoded */
    {ALG_PS256, "{\"alg\":\"PS256\"}", "", false, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "{", false, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "}", false, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "[{}]", false, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "\"{}\"", false, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "17", false, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "   ", false, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", " {}", false, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "{}x", false, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "{}", true,
     "payload: raw, and the header has no \"b64\":false"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"b64\":true}", "{}", true,
     "payload: raw, and the header has no \"b64\":false"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "e30.", true, "payload: a second dot"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "e30.e30", true, "payload: a second dot"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "e30=", true, "payload: base64url has no padding"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "e30+", true, "payload: not base64url"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "e30/", true, "payload: not base64url"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "e30\n", true, "payload: not base64url"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", " e30", true, "payload: not base64url"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "e31", true,
     "payload: not base64url: bits behind the last byte"},
    {ALG_PS256, "{\"alg\":\"PS256\"}", "e307e", true,
     "payload: not base64url: one character too many"},
    /* the payload, raw */
    {ALG_PS256, "{\"alg\":\"PS256\",\"b64\":false}", "", true, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"b64\":false}", "{}", false, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"b64\":false}", "[]", true, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"b64\":false}", " {}", true, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"b64\":false}", "{} .", true, "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"b64\":false}", "(request-target): get /\ndate: x", true,
     "payload: not a JSON object"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"b64\":false}", "{\"\xC0\x80\"}", true, "payload: not UTF-8"},
    {ALG_PS256, "{\"alg\":\"PS256\",\"b64\":false}", "{\"\xED\xA0\x80\"}", true,
     "payload: not UTF-8"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        BUFFER_CLEANUP struct buffer input =
            signing_input(span_of_text(row->header), span_of_text(row->payload), !row->raw);
        struct reason why = {0};
        enum outcome outcome = shape_check(PURPOSE_SEAL, row->alg, buffer_span(&input), &why);
        assert_string_equal(why.detail, row->reason != NULL ? row->reason : "");
        assert_string_equal(why.claim, "");
        assert_int_equal(outcome, row->reason != NULL ? OUTCOME_SHAPE : OUTCOME_OK);
    }
}

static void refused(const void *data, size_t len, const char *reason)
{
    struct reason why = {0};
    for (unsigned int alg = 0; alg < ALG_COUNT; alg++) {
        assert_int_equal(shape_check(PURPOSE_SEAL, (enum alg)alg, span_of(data, len), &why),
                         OUTCOME_SHAPE);
        assert_string_equal(why.detail, reason);
    }
}

/* What other protocols have signed by a key: none of it is a JWS signing input. */
static void test_other_protocols(void **state)
{
    (void)state;
    static const char no_dot[] = "no dot: not a JWS signing input";
    refused("", 0, no_dot);
    refused(NULL, 0, no_dot);
    refused("eyJhbGciOiJQUzI1NiJ9", 20, no_dot);

    uint8_t digest[64];
    for (size_t i = 0; i < sizeof digest; i++) {
        digest[i] = (uint8_t)(i * 7 + 131);
    }
    refused(digest, 32, no_dot);
    refused(digest, 48, no_dot);
    digest[9] = '.';
    refused(digest, 64, "header: not base64url");

    /* RFC 8017 §9.2: DigestInfo of SHA-256. */
    uint8_t info[19 + 32] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                             0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    refused(info, sizeof info, no_dot);

    /* RFC 8446 §4.4.3: 64 spaces, the context, a zero, the transcript hash. */
    static const char *const contexts[] = {"TLS 1.3, client CertificateVerify",
                                           "TLS 1.3, server CertificateVerify"};
    for (size_t i = 0; i < COUNT_OF(contexts); i++) {
        uint8_t content[64 + 34 + 32] = {0};
        memset(content, ' ', 64);
        memcpy(content + 64, contexts[i], 33);
        memset(content + 98, 0xA5, 32);
        refused(content, sizeof content, "header: not base64url"); /* the dot is that of "1.3" */
    }

    /* RFC 5246 §7.4.8: the handshake so far, from the ClientHello on. */
    uint8_t hello[200] = {0x01, 0x00, 0x00, 0xC4, 0x03, 0x03};
    refused(hello, sizeof hello, no_dot);
    hello[150] = '.'; /* of a server name */
    refused(hello, sizeof hello, "header: not base64url");

    /* RFC 2986 §4.1: CertificationRequestInfo is a SEQUENCE. */
    uint8_t request[64] = {0x30, 0x3E, 0x02, 0x01, 0x00, 0x30, 0x10};
    refused(request, sizeof request, no_dot);
    memcpy(request + 30, "www.example.fi", 14);
    refused(request, sizeof request, "header: not base64url");

    /* Written signing strings: cavage, XML. */
    refused("(request-target): get /a.b", 26, "header: not base64url");
    refused("<SignedInfo>a.b</SignedInfo>", 28, "header: not base64url");
}

static void test_dots(void **state)
{
    (void)state;
    refused(".", 1, "header: not an object");
    refused("..", 2, "header: not an object");
    refused(".e30", 4, "header: not an object");
    refused("e30.e30", 7, "header: no alg");
    refused("e30=.e30", 8, "header: base64url has no padding");
    refused("e31.e30", 7, "header: not base64url: bits behind the last byte");
    refused("e.e30", 5, "header: not base64url: one character too many");
}

static void test_nul_in_raw(void **state)
{
    (void)state;
    static const char header[] = "{\"alg\":\"PS256\",\"b64\":false}";
    static const char payload[] = "{\"a\":\"\0\"}";
    BUFFER_CLEANUP struct buffer input =
        signing_input(span_of_text(header), span_of(payload, sizeof payload - 1), false);
    struct reason why = {0};
    assert_refused(shape_check(PURPOSE_SEAL, ALG_PS256, buffer_span(&input), &why), OUTCOME_SHAPE,
                   why, "payload: a NUL");
}

static void test_numbers_from_a_frame(void **state)
{
    (void)state;
    struct reason why = {0};
    struct span input = span_of_text("e30.e30");
    assert_refused(shape_check(PURPOSE_SEAL, (enum alg)ALG_COUNT, input, &why), OUTCOME_SHAPE, why,
                   "no such algorithm");
    assert_refused(shape_check((enum purpose)PURPOSE_COUNT, ALG_PS256, input, &why), OUTCOME_SHAPE,
                   why, "no such purpose");
}

/* A header of 8192 bytes passes, one more does not. */
static void test_header_size(void **state)
{
    (void)state;
    for (size_t len = 8192; len <= 8193; len++) {
        BUFFER_CLEANUP struct buffer header = BUFFER_INIT(8193);
        buffer_put_text(&header, "{\"alg\":\"PS256\",\"x\":\"");
        size_t filling = len - header.len - 2;
        memset(buffer_extend(&header, filling), 'x', filling);
        buffer_put_text(&header, "\"}");
        assert_true(buffer_ok(&header));
        assert_int_equal(header.len, len);
        BUFFER_CLEANUP struct buffer input =
            signing_input(buffer_span(&header), span_of_text("{}"), true);
        struct reason why = {0};
        enum outcome outcome = shape_check(PURPOSE_SEAL, ALG_PS256, buffer_span(&input), &why);
        assert_string_equal(why.detail, len == 8192 ? "" : "header: longer than 8192 bytes");
        assert_int_equal(outcome, len == 8192 ? OUTCOME_OK : OUTCOME_SHAPE);
    }
}

/* ---- mutations, with jansson as the second opinion ---- */

static uint32_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 32);
}

static void mutate(struct buffer *bytes, uint64_t *seed)
{
    static const char likely[] = "{}[]\",:\\.=+/-_ \n0u{a";
    for (uint32_t n = next_random(seed) % 3; n > 0 && bytes->len > 1; n--) {
        size_t at = next_random(seed) % bytes->len;
        uint32_t choice = next_random(seed) % 5;
        if (choice == 0) {
            bytes->data[at] ^= (uint8_t)(1U << next_random(seed) % 8);
        } else if (choice == 1) {
            bytes->data[at] = (uint8_t)likely[next_random(seed) % (sizeof likely - 1)];
        } else if (choice == 2) {
            buffer_cut(bytes, at);
        } else if (choice == 3) {
            memmove(bytes->data + at, bytes->data + at + 1, bytes->len - at - 1);
            buffer_cut(bytes, bytes->len - 1);
        } else {
            size_t from = next_random(seed) % bytes->len;
            bytes->data[at] = bytes->data[from];
        }
    }
}

static bool object_like(struct span bytes)
{
    size_t len = bytes.len;
    while (len > 0 && strchr(" \t\r\n", bytes.data[len - 1]) != NULL && bytes.data[len - 1] != 0) {
        len--;
    }
    return len >= 2 && bytes.data[0] == '{' && bytes.data[len - 1] == '}';
}

static bool is_text_without_nul(struct span bytes)
{
    json_t *text = json_stringn((const char *)bytes.data, bytes.len);
    json_decref(text);
    return text != NULL && span_find(bytes, 0) == bytes.len;
}

static bool crit_is_good(const json_t *crit)
{
    bool good = crit == NULL || json_array_size(crit) > 0;
    for (size_t i = 0; i < json_array_size(crit); i++) {
        good = good && json_is_string(json_array_get(crit, i));
    }
    return good;
}

/* The contract of shape.h once more, with everybody else's tools. */
static bool second_opinion(enum alg alg, struct span input)
{
    size_t dot = span_find(input, '.');
    BUFFER_CLEANUP struct buffer header = BUFFER_INIT(8192);
    if (dot == input.len || !base64url_decode(&header, span_part(input, 0, dot))) {
        return false;
    }
    json_t *json = json_loadb(buffer_text(&header), header.len, JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(json, "alg"));
    const json_t *b64 = json_object_get(json, "b64");
    bool good = name != NULL && strcmp(name, alg_name(alg)) == 0 &&
                (b64 == NULL || json_is_boolean(b64)) &&
                crit_is_good(json_object_get(json, "crit"));
    bool raw = json_is_false(b64);
    json_decref(json);
    struct span payload = span_part(input, dot + 1, input.len);
    if (good && raw) {
        return object_like(payload) && is_text_without_nul(payload);
    }
    BUFFER_CLEANUP struct buffer decoded = BUFFER_INIT(INPUT_MAX);
    return good && base64url_decode(&decoded, payload) && object_like(buffer_span(&decoded));
}

/* In memory of exactly its size, so that a sanitizer sees a read past the end. */
static bool passes(enum alg alg, struct span input)
{
    uint8_t *exact = malloc(input.len > 0 ? input.len : 1);
    assert_non_null(exact);
    memcpy(exact, input.data, input.len);
    struct reason why = {0};
    enum outcome outcome = shape_check(PURPOSE_SEAL, alg, span_of(exact, input.len), &why);
    free(exact);
    assert_int_equal(outcome == OUTCOME_OK, why.detail[0] == '\0');
    return outcome == OUTCOME_OK;
}

static void test_mutations(void **state)
{
    (void)state;
    enum { ROUNDS = 100000, GOOD_ROWS = 16 };
    uint64_t seed = 0x9E3779B97F4A7C15U;
    unsigned int passed = 0;
    unsigned int doubted = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const struct row *row = &rows[next_random(&seed) % GOOD_ROWS];
        BUFFER_CLEANUP struct buffer header = BUFFER_INIT(8192);
        BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(8192);
        buffer_put_text(&header, row->header);
        buffer_put_text(&payload, row->payload);
        mutate(&header, &seed);
        mutate(&payload, &seed);
        BUFFER_CLEANUP struct buffer input =
            signing_input(buffer_span(&header), buffer_span(&payload), !row->raw);
        if (i % 2 == 0) {
            mutate(&input, &seed);
        }
        bool pass = passes(row->alg, buffer_span(&input));
        passed += pass;
        doubted +=
            pass && row->alg != ALG_ED25519 && !second_opinion(row->alg, buffer_span(&input));
    }
    assert_int_equal(doubted, 0);
    /* Neither all nor none: the mutations are worth their time. */
    assert_in_range(passed, ROUNDS / 20, ROUNDS - ROUNDS / 20);
}

/* One signature's worth: 500 bytes, and the largest there is. Printed, not judged: machines differ.
 */
static void test_speed(void **state)
{
    (void)state;
    static const size_t lens[] = {340, 1024 * 1024};
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(lens[i] + 2);
        buffer_put_u8(&payload, '{');
        memset(buffer_extend(&payload, lens[i]), 'x', lens[i]);
        buffer_put_u8(&payload, '}');
        BUFFER_CLEANUP struct buffer input =
            signing_input(span_of_text("{\"alg\":\"PS256\",\"kid\":\"0123456789\"}"),
                          buffer_span(&payload), true);
        struct reason why = {0};
        int rounds = i == 0 ? 100000 : 50;
        int64_t start = clock_monotonic_us();
        for (int n = 0; n < rounds; n++) {
            assert_int_equal(shape_check(PURPOSE_SEAL, ALG_PS256, buffer_span(&input), &why),
                             OUTCOME_OK);
        }
        print_message("%zu bytes: %.2f us\n", input.len,
                      (double)(clock_monotonic_us() - start) / rounds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_other_protocols),
        cmocka_unit_test(test_dots),        cmocka_unit_test(test_nul_in_raw),
        cmocka_unit_test(test_header_size), cmocka_unit_test(test_numbers_from_a_frame),
        cmocka_unit_test(test_mutations),   cmocka_unit_test(test_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
