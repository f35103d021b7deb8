/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "check.h"

#include <string.h>

static void what_is_put_is_read(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(1000);
    buffer_put_u8(&out, 0xA5);
    buffer_put_u16(&out, 0xBEEF);
    buffer_put_u32(&out, 0xDEADBEEF);
    buffer_put_u64(&out, 0x0123456789ABCDEFULL);
    buffer_put_bytes(&out, span_of("a\0b", 3));
    buffer_put_bytes(&out, span_of_text("role"));
    buffer_put_bytes(&out, span_of(NULL, 0));
    assert_true(buffer_ok(&out));
    assert_memory_equal(out.data, "\xA5\xBE\xEF\xDE\xAD\xBE\xEF\x01", 8);

    struct reader in = reader_of(buffer_span(&out));
    char text[5];
    assert_int_equal(reader_u8(&in), 0xA5);
    assert_int_equal(reader_u16(&in), 0xBEEF);
    assert_int_equal(reader_u32(&in), 0xDEADBEEF);
    assert_true(reader_u64(&in) == 0x0123456789ABCDEFULL);
    assert_true(span_equal(reader_bytes(&in, 3), span_of("a\0b", 3)));
    assert_false(reader_done(&in));
    reader_text(&in, text, sizeof text);
    assert_string_equal(text, "role");
    assert_int_equal(reader_bytes(&in, 0).len, 0);
    assert_true(reader_done(&in));
}

static void text_and_format_append(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(1000);
    assert_string_equal(buffer_text(&out), "");
    buffer_put_text(&out, "a");
    buffer_put_span(&out, span_of_text("b"));
    buffer_put_format(&out, "%d-%s", 7, "c");
    buffer_put(&out, NULL, 0);
    assert_string_equal(buffer_text(&out), "ab7-c");
    assert_int_equal(out.len, 5);
    buffer_cut(&out, 9);
    assert_int_equal(out.len, 5);
    buffer_cut(&out, 2);
    assert_string_equal(buffer_text(&out), "ab");
}

static void the_maximum_holds_and_the_failure_stays(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(4);
    buffer_put_text(&out, "1234");
    assert_true(buffer_ok(&out));
    assert_string_equal(buffer_text(&out), "1234");
    buffer_put_u8(&out, '5');
    assert_false(buffer_ok(&out));
    assert_int_equal(out.len, 4);
    assert_string_equal(buffer_text(&out), "");
    buffer_cut(&out, 0);
    buffer_put_text(&out, "x"); /* would fit, but the failure stays */
    assert_int_equal(out.len, 0);
    assert_null(buffer_extend(&out, 1));
    buffer_reset(&out);
    buffer_put_format(&out, "%s", "abcd");
    assert_string_equal(buffer_text(&out), "abcd");
    buffer_put_format(&out, "%s", "e");
    assert_false(buffer_ok(&out));
}

static void every_growth_keeps_the_content(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(10000);
    for (size_t i = 0; i < 10000; i++) {
        buffer_put_u8(&out, (uint8_t)(i * 7));
    }
    assert_true(buffer_ok(&out));
    for (size_t i = 0; i < 10000; i++) {
        assert_int_equal(out.data[i], (uint8_t)(i * 7));
    }
    buffer_put_u8(&out, 0);
    assert_false(buffer_ok(&out));
}

static void fini_leaves_it_usable(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT(10);
    buffer_fini(&out);
    buffer_put_text(&out, "1234");
    buffer_fini(&out);
    assert_null(out.data);
    assert_int_equal(out.len, 0);
    buffer_put_text(&out, "0123456789");
    assert_true(buffer_ok(&out));
    buffer_fini(&out);
    buffer_fini(&out);
    assert_int_equal(out.max, 10);
}

static void a_take_past_the_end_fails_for_good(void **state)
{
    (void)state;
    struct reader in = reader_of(span_of("\x01\x02\x03", 3));
    assert_int_equal(reader_u32(&in), 0);
    assert_true(in.failed);
    assert_int_equal(reader_u8(&in), 0); /* there, but the failure stays */
    assert_false(reader_done(&in));
    struct reader nothing = reader_of(span_of(NULL, 0));
    assert_true(reader_done(&nothing));
    assert_int_equal(reader_u64(&nothing), 0);
    assert_false(reader_done(&nothing));
}

static void a_length_over_the_maximum_or_the_rest_fails(void **state)
{
    (void)state;
    struct reader in = reader_of(span_of("\0\0\0\x03"
                                         "abc",
                                         7));
    assert_int_equal(reader_bytes(&in, 2).len, 0);
    assert_true(in.failed);
    in = reader_of(span_of("\0\0\0\x04"
                           "abc",
                           7));
    assert_null(reader_bytes(&in, 100).data);
    assert_true(in.failed);
    in = reader_of(span_of("\xff\xff\xff\xff"
                           "abc",
                           7));
    assert_null(reader_bytes(&in, SIZE_MAX).data);
    assert_true(in.failed);
}

static void text_with_nul_or_too_long_is_refused(void **state)
{
    (void)state;
    char text[4] = "???";
    struct reader in = reader_of(span_of("\0\0\0\x03"
                                         "a\0b",
                                         7));
    reader_text(&in, text, sizeof text);
    assert_true(in.failed);
    assert_string_equal(text, "");
    in = reader_of(span_of("\0\0\0\x04"
                           "abcd",
                           8));
    reader_text(&in, text, sizeof text);
    assert_true(in.failed);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_read),
        cmocka_unit_test(text_and_format_append),
        cmocka_unit_test(the_maximum_holds_and_the_failure_stays),
        cmocka_unit_test(every_growth_keeps_the_content),
        cmocka_unit_test(fini_leaves_it_usable),
        cmocka_unit_test(a_take_past_the_end_fails_for_good),
        cmocka_unit_test(a_length_over_the_maximum_or_the_rest_fails),
        cmocka_unit_test(text_with_nul_or_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
