/* SPDX-License-Identifier: Apache-2.0
 * DER elements: shortest lengths, nothing past the end. */
#include "base/der.h"

#include "check.h"

#include <stdlib.h>

static const struct row {
    const char *bytes;
    size_t len;
    bool good;
    size_t content; /* its length */
} rows[] = {
    {"\x30\x00", 2, true, 0},
    {"\x30\x01x", 3, true, 1},
    {"", 0, false, 0},
    {"\x30", 1, false, 0},
    {"\x30\x81", 2, false, 0},
    {"\x30\x82\x01", 3, false, 0},
    {"\x30\x01", 2, false, 0},
    {"\x31\x00", 2, false, 0},
    {"\x30\x80\x00\x00", 4, false, 0},      /* indefinite */
    {"\x30\x81\x01x", 4, false, 0},         /* not the shortest */
    {"\x30\x82\x00\x01x", 5, false, 0},     /* not the shortest */
    {"\x30\x83\x00\x00\x01x", 6, false, 0}, /* not the shortest */
    {"\x30\x84\x00\x00\x00\x01x", 7, false, 0} /* longer than anything here */,
    {"\x30\xFFx", 3, false, 0},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t *exact = malloc(rows[i].len + 1);
        assert_non_null(exact);
        memcpy(exact, rows[i].bytes, rows[i].len);
        struct reader reader = reader_of(span_of(exact, rows[i].len));
        struct span content = der_take(&reader, DER_SEQUENCE);
        assert_int_equal(reader_done(&reader), rows[i].good);
        assert_int_equal(content.len, rows[i].content);
        free(exact);
    }
}

/* Each length comes back as it was put, and its element is taken whole. */
static void test_lengths(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 127, 128, 255, 256, 65535};
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        BUFFER_CLEANUP struct buffer out = BUFFER_INIT(70000);
        der_put_head(&out, DER_BIT_STRING, lens[i]);
        memset(buffer_extend(&out, lens[i] + 1), 'x', lens[i] + 1);
        struct reader reader = reader_of(buffer_span(&out));
        assert_true(der_is_next(&reader, DER_BIT_STRING));
        assert_false(der_is_next(&reader, DER_SEQUENCE));
        struct reader again = reader;
        assert_int_equal(der_take(&reader, DER_BIT_STRING).len, lens[i]);
        assert_int_equal(der_take_whole(&again, DER_BIT_STRING).len, out.len - 1);
        assert_false(reader_done(&reader));
    }
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(8);
    der_put_head(&out, DER_SEQUENCE, 65536);
    assert_false(buffer_ok(&out));
}

static void test_positive(void **state)
{
    (void)state;
    static const struct {
        const char *der;
        size_t len;
        size_t magnitude; /* its length, 0: refused */
    } numbers[] = {{"\x02\x01\x01", 3, 1},     {"\x02\x02\x00\x80", 4, 1},
                   {"\x02\x01\x7f", 3, 1},     {"\x02\x00", 2, 0},
                   {"\x02\x01\x00", 3, 0},     {"\x02\x01\x80", 3, 0},
                   {"\x02\x02\x00\x01", 4, 0}, {"\x02\x02\x00\x00", 4, 0},
                   {"\x02\x02\x01\x00", 4, 2}, {"\x04\x01\x01", 3, 0}};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct reader reader = reader_of(span_of(numbers[i].der, numbers[i].len));
        struct span number = der_take_positive(&reader);
        assert_int_equal(reader_done(&reader), numbers[i].magnitude > 0);
        if (numbers[i].magnitude > 0) {
            assert_int_equal(number.len, numbers[i].magnitude);
        }
    }
}

static void test_rest(void **state)
{
    (void)state;
    struct reader good = reader_of(span_of("\x02\x01x\xA3\x00", 5));
    der_skip_all(&good);
    assert_true(reader_done(&good));
    struct reader bad = reader_of(span_of("\x02\x01x\xA3\x01", 5));
    der_skip_all(&bad);
    assert_false(reader_done(&bad));
    assert_false(der_is_next(&bad, 0xA3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_positive),
        cmocka_unit_test(test_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
