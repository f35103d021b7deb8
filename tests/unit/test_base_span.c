/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"
#include "check.h"

static void texts_become_spans(void **state)
{
    (void)state;
    assert_int_equal(span_of_text("abc").len, 3);
    assert_int_equal(span_of_text("").len, 0);
    assert_int_equal(span_of_text(NULL).len, 0);
    assert_null(span_of_text(NULL).data);
    assert_int_equal(span_of("a\0b", 3).len, 3);
}

static void equality_compares_every_byte(void **state)
{
    (void)state;
    assert_true(span_equal(span_of("a\0b", 3), span_of("a\0b", 3)));
    assert_false(span_equal(span_of("a\0b", 3), span_of("a\0c", 3)));
    assert_false(span_equal(span_of_text("ab"), span_of_text("abc")));
    assert_true(span_equal(span_of(NULL, 0), span_of_text("")));
    assert_true(span_is_text(span_of_text("none"), "none"));
    assert_false(span_is_text(span_of_text("non"), "none"));
    assert_false(span_is_text(span_of("a\0", 2), "a"));
}

static void find_gives_the_first_or_the_length(void **state)
{
    (void)state;
    assert_int_equal(span_find(span_of_text("a.b."), '.'), 1);
    assert_int_equal(span_find(span_of_text("ab"), '.'), 2);
    assert_int_equal(span_find(span_of(NULL, 0), '.'), 0);
}

static void parts_are_clipped(void **state)
{
    (void)state;
    struct span text = span_of_text("abcdef");
    assert_true(span_is_text(span_part(text, 2, 2), "cd"));
    assert_true(span_is_text(span_part(text, 4, 100), "ef"));
    assert_true(span_is_text(span_part(text, 4, SIZE_MAX), "ef"));
    assert_int_equal(span_part(text, 6, 1).len, 0);
    assert_int_equal(span_part(text, SIZE_MAX, SIZE_MAX).len, 0);
    assert_int_equal(span_part(text, 0, 0).len, 0);
}

static void printable_is_ascii_and_visible_has_no_blank(void **state)
{
    (void)state;
    assert_true(span_is_printable(span_of_text("a ~!")));
    assert_true(span_is_visible(span_of_text("a~!")));
    assert_false(span_is_visible(span_of_text("a ~!")));
    assert_true(span_is_printable(span_of(NULL, 0)) && span_is_visible(span_of(NULL, 0)));
    static const uint8_t others[] = {0, '\t', '\n', '\r', 0x1F, 0x7F, 0x80, 0xFF};
    for (size_t i = 0; i < sizeof others; i++) {
        uint8_t text[] = {'a', others[i]};
        assert_false(span_is_printable(span_of(text, 2)));
        assert_false(span_is_visible(span_of(text, 2)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_spans),
        cmocka_unit_test(equality_compares_every_byte),
        cmocka_unit_test(find_gives_the_first_or_the_length),
        cmocka_unit_test(parts_are_clipped),
        cmocka_unit_test(printable_is_ascii_and_visible_has_no_blank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
