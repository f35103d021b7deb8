/* SPDX-License-Identifier: Apache-2.0
 * DER in its one form, and BER in its many. */
#include "provider/der.h"

#include "check.h"

#include <stdlib.h>

static bool take(const char *bytes, size_t len, enum der_tag tag, size_t *content_len)
{
    uint8_t *copy = malloc(len + 1);
    memcpy(copy, bytes, len);
    struct span in = span_of(copy, len);
    struct span out = {NULL, 0};
    bool taken = der_take(&in, tag, &out);
    *content_len = out.len;
    free(copy);
    return taken;
}

static void elements_are_taken_one_by_one(void **state)
{
    (void)state;
    struct span in = span_of("\x0c\x02hi\x05\x00\x02\x01\x07", 9);
    struct span out;
    assert_true(der_take(&in, DER_UTF8_STRING, &out));
    assert_true(span_is_text(out, "hi"));
    assert_false(der_take(&in, DER_INTEGER, &out));
    assert_true(der_take(&in, DER_NULL, &out));
    assert_int_equal(out.len, 0);
    assert_true(der_take_positive(&in, &out));
    assert_int_equal(out.data[0], 7);
    assert_int_equal(in.len, 0);
    assert_false(der_take(&in, DER_INTEGER, &out));
}

static void lengths_are_minimal(void **state)
{
    (void)state;
    char long_one[600] = "\x04";
    size_t len;
    assert_false(take("\x30\x80\x00\x00", 4, DER_SEQUENCE, &len));
    assert_false(take("\x30\x81\x01x", 4, DER_SEQUENCE, &len));
    assert_false(take("\x30\x82\x00\x01x", 5, DER_SEQUENCE, &len));
    assert_false(take("\x30\x83\x00\x00\x01x", 6, DER_SEQUENCE, &len));
    assert_false(take("\x30\x81", 2, DER_SEQUENCE, &len));
    assert_false(take("\x30\x82\x01", 3, DER_SEQUENCE, &len));
    assert_false(take("\x30", 1, DER_SEQUENCE, &len));
    assert_false(take("\x30\x02x", 3, DER_SEQUENCE, &len));
    memcpy(long_one, "\x30\x81\x80", 3);
    assert_true(take(long_one, 131, DER_SEQUENCE, &len));
    assert_int_equal(len, 128);
    assert_false(take(long_one, 130, DER_SEQUENCE, &len));
    memcpy(long_one, "\x30\x82\x01\x00", 4);
    assert_true(take(long_one, 260, DER_SEQUENCE, &len));
    assert_int_equal(len, 256);
}

static void integers_are_positive_and_minimal(void **state)
{
    (void)state;
    static const struct {
        const char *der;
        size_t len;
        size_t magnitude; /* its length, 0: refused */
    } rows[] = {{"\x02\x01\x01", 3, 1},     {"\x02\x02\x00\x80", 4, 1}, {"\x02\x01\x7f", 3, 1},
                {"\x02\x00", 2, 0},         {"\x02\x01\x00", 3, 0},     {"\x02\x01\x80", 3, 0},
                {"\x02\x02\x00\x01", 4, 0}, {"\x02\x02\x00\x00", 4, 0}, {"\x02\x02\x01\x00", 4, 2}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct span in = span_of(rows[i].der, rows[i].len);
        struct span out = {NULL, 0};
        assert_int_equal(der_take_positive(&in, &out), rows[i].magnitude > 0);
        if (rows[i].magnitude > 0) {
            assert_int_equal(out.len, rows[i].magnitude);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_taken_one_by_one),
        cmocka_unit_test(lengths_are_minimal),
        cmocka_unit_test(integers_are_positive_and_minimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
