/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64url.h"
#include "base/random.h"
#include "check.h"

#include <string.h>

static void expect_text(void (*encode)(struct buffer *, struct span), const char *bytes,
                        const char *text)
{
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(100);
    encode(&out, span_of_text(bytes));
    assert_string_equal(buffer_text(&out), text);
}

/* RFC 4648 §10 */
static void encodes_the_rfc_vectors(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"", "", ""},
        {"f", "Zg", "Zg=="},
        {"fo", "Zm8", "Zm8="},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg", "Zm9vYg=="},
        {"fooba", "Zm9vYmE", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xff\xef\xbe", "_---", "/+++"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        expect_text(base64url_encode, rows[i][0], rows[i][1]);
        expect_text(base64_encode, rows[i][0], rows[i][2]);
    }
}

static void every_length_comes_back(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 100; len++) {
        uint8_t bytes[100];
        random_bytes(bytes, sizeof bytes);
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(200);
        BUFFER_CLEANUP struct buffer back = BUFFER_INIT(100);
        base64url_encode(&text, span_of(bytes, len));
        assert_int_equal(text.len, base64url_encoded_len(len));
        assert_true(base64url_decode(&back, buffer_span(&text)));
        assert_true(span_equal(buffer_span(&back), span_of(bytes, len)));
        buffer_reset(&text);
        buffer_reset(&back);
        base64_encode(&text, span_of(bytes, len));
        assert_true(base64_decode(&back, buffer_span(&text)));
        assert_true(span_equal(buffer_span(&back), span_of(bytes, len)));
    }
}

static void expect_no_text(struct span text)
{
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(100);
    buffer_put_text(&out, "kept");
    assert_false(base64url_decode(&out, text));
    assert_true(span_is_text(buffer_span(&out), "kept"));
    assert_true(buffer_ok(&out));
}

static void other_alphabets_padding_and_space_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"Zg==", "Zg=",  "Zm8=", "Zm9v\n", " Zm9v", "Zm 9v",
                                        "Zm9+", "Zm9/", "Zm9.", "Zm9v*",  "=",     "Zm9\xc3\xa9"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        expect_no_text(span_of_text(texts[i]));
    }
    expect_no_text(span_of("Zm\0v", 4));
}

static void plain_base64_is_as_strict(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Zg", "Zm8",      "Zm9-", "Zm9_",     "Zh==",   "Zm9=",  "Z===", "====",
        "=",  "Zm9v====", "Zg=a", "Zg==Zg==", "Zm9v\n", "Zm9v ", "Z\n=="};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        BUFFER_CLEANUP struct buffer out = BUFFER_INIT(100);
        buffer_put_text(&out, "kept");
        assert_false(base64_decode(&out, span_of_text(texts[i])));
        assert_true(span_is_text(buffer_span(&out), "kept"));
        assert_true(buffer_ok(&out));
    }
}

static void one_character_over_a_group_is_refused(void **state)
{
    (void)state;
    expect_no_text(span_of_text("Z"));
    expect_no_text(span_of_text("Zm9vZ"));
}

/* Each byte string has one spelling: of all last characters, only those with zero spare bits. */
static void spare_bits_must_be_zero(void **state)
{
    (void)state;
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int good_of_two = 0;
    int good_of_three = 0;
    for (size_t i = 0; i < 64; i++) {
        BUFFER_CLEANUP struct buffer out = BUFFER_INIT(10);
        char two[] = {'Z', alphabet[i], '\0'};
        char three[] = {'Z', 'm', alphabet[i], '\0'};
        good_of_two += base64url_decode(&out, span_of_text(two)) ? 1 : 0;
        good_of_three += base64url_decode(&out, span_of_text(three)) ? 1 : 0;
    }
    assert_int_equal(good_of_two, 4);
    assert_int_equal(good_of_three, 16);
    expect_no_text(span_of_text("Zh"));
    expect_no_text(span_of_text("Zm9vZh"));
}

static void a_full_buffer_is_a_failure(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(2);
    assert_false(base64url_decode(&out, span_of_text("Zm9v")));
    assert_false(buffer_ok(&out));
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(3);
    base64url_encode(&text, span_of_text("foo"));
    assert_false(buffer_ok(&text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_the_rfc_vectors),
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(other_alphabets_padding_and_space_are_refused),
        cmocka_unit_test(plain_base64_is_as_strict),
        cmocka_unit_test(one_character_over_a_group_is_refused),
        cmocka_unit_test(spare_bits_must_be_zero),
        cmocka_unit_test(a_full_buffer_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
