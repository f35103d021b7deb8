/* SPDX-License-Identifier: Apache-2.0
 * The guard's own base64url and UTF-8, the former compared with the builders' one. */
#include "model/shape_text.h"

#include "base/base64url.h"

#include "check.h"

static void test_base64url(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *fault; /* NULL: good */
    } rows[] = {
        {"", NULL},
        {"AA", NULL},
        {"AAA", NULL},
        {"-_-_", NULL},
        {"Zm9v", NULL},
        {"A", "not base64url: one character too many"},
        {"AAAAA", "not base64url: one character too many"},
        {"AB", "not base64url: bits behind the last byte"},
        {"AAB", "not base64url: bits behind the last byte"},
        {"AA==", "base64url has no padding"},
        {"AA+A", "not base64url"},
        {"AA/A", "not base64url"},
        {"AA A", "not base64url"},
        {"AAA\n", "not base64url"},
        {"AA\xC3\xA4", "not base64url"},
        {"AA.A", "a second dot"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *fault = shape_base64url_fault(span_of_text(rows[i].text));
        assert_int_equal(fault == NULL, rows[i].fault == NULL);
        if (fault != NULL) {
            assert_string_equal(fault, rows[i].fault);
        }
    }
}

/* Every two characters, alone and behind four others, by both decoders. */
static void test_like_the_other(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer bytes = BUFFER_INIT(64);
    for (unsigned int pair = 0; pair < 0x10000; pair++) {
        const uint8_t text[6] = {'e', 'y', 'J', 'h', (uint8_t)(pair >> 8), (uint8_t)pair};
        for (size_t skip = 0; skip <= 4; skip += 4) {
            struct span part = span_of(text + skip, sizeof text - skip);
            buffer_reset(&bytes);
            bool good = base64url_decode(&bytes, part);
            assert_int_equal(shape_base64url_fault(part) == NULL, good);
            for (size_t i = 0; i < bytes.len; i++) {
                assert_int_equal(shape_decoded_at(part, i), bytes.data[i]);
            }
            assert_true(!good || shape_decoded_len(part) == bytes.len);
        }
    }
}

/* Each byte at each place of a text that is longer than a block. */
static void test_every_place(void **state)
{
    (void)state;
    for (size_t at = 0; at < 140; at++) {
        for (unsigned int byte = 0; byte < 256; byte++) {
            uint8_t text[140];
            memset(text, 'A', sizeof text);
            text[at] = (uint8_t)byte;
            const uint8_t four[4] = {'A', (uint8_t)byte, 'A', 'A'};
            bool good = shape_base64url_fault(span_of(four, sizeof four)) == NULL;
            assert_int_equal(shape_base64url_fault(span_of(text, sizeof text)) == NULL, good);
        }
    }
}

static void test_decoded(void **state)
{
    (void)state;
    for (size_t len = 0; len < 20; len++) {
        uint8_t plain[20] = {0};
        for (size_t i = 0; i < len; i++) {
            plain[i] = (uint8_t)(i * 37 + 129);
        }
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(64);
        base64url_encode(&text, span_of(plain, len));
        struct span encoded = buffer_span(&text);
        assert_null(shape_base64url_fault(encoded));
        assert_int_equal(shape_decoded_len(encoded), len);
        for (size_t i = 0; i < len; i++) {
            assert_int_equal(shape_decoded_at(encoded, i), plain[i]);
        }
        uint8_t decoded[20 + 1] = {0};
        decoded[len] = 0xEE;
        shape_decode(encoded, decoded);
        assert_memory_equal(decoded, plain, len);
        assert_int_equal(decoded[len], 0xEE);
    }
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *fault;
    } rows[] = {
        {"plain", NULL},
        {"seventeen letters", NULL},
        {"\xC2\x80\xDF\xBF", NULL},
        {"12345678\xC3\xA4"
         "12345678",
         NULL},
        {"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80", NULL},
        {"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", NULL},
        {"\x80", "not UTF-8"},
        {"\xC0\x80", "not UTF-8"},
        {"\xC1\xBF", "not UTF-8"},
        {"\xC3", "not UTF-8"},
        {"\xC3(", "not UTF-8"},
        {"\xE0\x9F\xBF", "not UTF-8"},
        {"\xED\xA0\x80", "not UTF-8"},
        {"\xE2\x82", "not UTF-8"},
        {"\xE2\x82(", "not UTF-8"},
        {"\xF0\x8F\xBF\xBF", "not UTF-8"},
        {"\xF4\x90\x80\x80", "not UTF-8"},
        {"\xF5\x80\x80\x80", "not UTF-8"},
        {"12345678\xFF"
         "1234567",
         "not UTF-8"},
        {"1234567\xFF"
         "12345678",
         "not UTF-8"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *fault = shape_text_fault(span_of_text(rows[i].text));
        assert_int_equal(fault == NULL, rows[i].fault == NULL);
        assert_true(fault == NULL || strcmp(fault, rows[i].fault) == 0);
    }
    assert_null(shape_text_fault(span_of("", 0)));
}

/* At every place of a text longer than the eight bytes looked at together. */
static void test_nul(void **state)
{
    (void)state;
    for (size_t at = 0; at < 19; at++) {
        char text[19];
        memset(text, 'x', sizeof text);
        text[at] = '\0';
        const char *fault = shape_text_fault(span_of(text, sizeof text));
        assert_non_null(fault);
        assert_string_equal(fault, "a NUL");
        text[at] = '\x01';
        assert_null(shape_text_fault(span_of(text, sizeof text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64url), cmocka_unit_test(test_like_the_other),
        cmocka_unit_test(test_decoded),   cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_nul),       cmocka_unit_test(test_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
