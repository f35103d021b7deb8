/* SPDX-License-Identifier: Apache-2.0
 * OSSL_PARAM by layout, against libcrypto's own functions. */
#include "provider/param.h"

#include "check.h"

#include <openssl/bn.h>
#include <openssl/params.h>

static void numbers_are_set_in_both_widths(void **state)
{
    (void)state;
    int32_t narrow = -1;
    uint64_t wide = 9;
    int16_t odd = 0;
    OSSL_PARAM list[] = {OSSL_PARAM_int32("narrow", &narrow), OSSL_PARAM_uint64("wide", &wide),
                         OSSL_PARAM_DEFN("odd", OSSL_PARAM_INTEGER, &odd, sizeof(odd)),
                         OSSL_PARAM_utf8_string("text", NULL, 0), OSSL_PARAM_END};
    assert_true(param_set_int(list, "narrow", 7));
    assert_true(param_set_size(list, "wide", 8));
    assert_true(param_set_int(list, "absent", 7));
    assert_false(param_set_int(list, "odd", 7));
    assert_false(param_set_int(list, "text", 7));
    assert_false(param_set_int(list, "narrow", -7));
    assert_int_equal(narrow, 7);
    assert_int_equal(wide, 8);
    assert_int_equal(list[1].return_size, 8);
}

static void texts_and_bytes_need_room(void **state)
{
    (void)state;
    char text[4] = "xxx";
    uint8_t bytes[3];
    OSSL_PARAM list[] = {OSSL_PARAM_utf8_string("text", text, sizeof(text)),
                         OSSL_PARAM_octet_string("bytes", bytes, sizeof(bytes)),
                         OSSL_PARAM_octet_string("size", NULL, 0), OSSL_PARAM_END};
    assert_true(param_set_text(list, "text", "abc"));
    assert_string_equal(text, "abc");
    assert_true(param_set_text(list, "text", "abcd"));
    assert_false(param_set_text(list, "text", "abcde"));
    assert_int_equal(list[0].return_size, 5);
    assert_true(param_set_bytes(list, "bytes", span_of("abc", 3)));
    assert_false(param_set_bytes(list, "bytes", span_of("abcd", 4)));
    assert_true(param_set_bytes(list, "size", span_of("abcd", 4)));
    assert_int_equal(list[2].return_size, 4);
    assert_false(param_set_text(list, "bytes", "a"));
    assert_false(param_set_bytes(list, "text", span_of("a", 1)));
    assert_true(param_set_text(list, "absent", "a"));
}

static void magnitudes_are_native_numbers(void **state)
{
    (void)state;
    uint8_t room[12];
    BIGNUM *number = NULL;
    OSSL_PARAM list[] = {OSSL_PARAM_BN("n", room, sizeof(room)), OSSL_PARAM_END};
    assert_true(param_set_number(list, "n", span_of("\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9)));
    assert_int_equal(OSSL_PARAM_get_BN(&list[0], &number), 1);
    BIGNUM *want =
        BN_bin2bn((const unsigned char *)"\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9, NULL);
    assert_int_equal(BN_cmp(number, want), 0);
    list[0].data_size = 8;
    assert_false(param_set_number(list, "n", span_of("\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9)));
    list[0].data = NULL;
    assert_true(param_set_number(list, "n", span_of("\x01\x02\x03", 3)));
    assert_int_equal(list[0].return_size, 3);
    BN_free(number);
    BN_free(want);
}

static void what_was_given_is_read(void **state)
{
    (void)state;
    char text[8] = "abc\0de";
    const char *pointer = "ghi";
    int64_t wide = INT64_C(1) << 40;
    int32_t narrow = -5;
    struct span out;
    int value;
    OSSL_PARAM list[] = {OSSL_PARAM_utf8_string("text", text, sizeof(text)),
                         OSSL_PARAM_utf8_ptr("pointer", &pointer, 0),
                         OSSL_PARAM_int64("wide", &wide),
                         OSSL_PARAM_int32("narrow", &narrow),
                         OSSL_PARAM_octet_string("null", NULL, 0),
                         OSSL_PARAM_END};
    assert_true(param_get_text(param_find(list, "text"), &out));
    assert_true(span_is_text(out, "abc"));
    assert_true(param_get_text(param_find(list, "pointer"), &out));
    assert_true(span_is_text(out, "ghi"));
    assert_false(param_get_text(param_find(list, "wide"), &out));
    assert_false(param_get_int(param_find(list, "wide"), &value));
    wide = 6;
    assert_true(param_get_int(param_find(list, "wide"), &value));
    assert_int_equal(value, 6);
    assert_true(param_get_int(param_find_const(list, "narrow"), &value));
    assert_int_equal(value, -5);
    assert_false(param_get_int(param_find(list, "null"), &value));
    assert_null(param_find(list, "absent"));
    assert_null(param_find_const(NULL, "absent"));
}

static void lists_of_our_own_are_libcryptos(void **state)
{
    (void)state;
    int value = 5;
    int got = 0;
    const char *text = NULL;
    const OSSL_PARAM list[] = {param_of_int("i", &value), param_of_text("t", "x"),
                               param_of_bytes("b", "yz", 2), param_end()};
    assert_int_equal(OSSL_PARAM_get_int(OSSL_PARAM_locate_const(list, "i"), &got), 1);
    assert_int_equal(got, 5);
    assert_int_equal(OSSL_PARAM_get_utf8_string_ptr(OSSL_PARAM_locate_const(list, "t"), &text), 1);
    assert_string_equal(text, "x");
    assert_int_equal(OSSL_PARAM_locate_const(list, "b")->data_size, 2);
    assert_null(OSSL_PARAM_locate_const(list, "c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_set_in_both_widths),
        cmocka_unit_test(texts_and_bytes_need_room),
        cmocka_unit_test(magnitudes_are_native_numbers),
        cmocka_unit_test(what_was_given_is_read),
        cmocka_unit_test(lists_of_our_own_are_libcryptos),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
