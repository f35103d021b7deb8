/* SPDX-License-Identifier: Apache-2.0
 * Flat texts. That they are read as jansson reads them is what tests/fuzz/fuzz_json_flat.c holds
 * for any text. */
#include "base/buffer.h"
#include "check.h"
#include "jose/json.h"
#include "jose/json_flat.h"

#include <stdlib.h>

/* json_flat_free() it; the text outlives it. */
static struct json_flat_text *flat_of(const char *text)
{
    struct json_flat_text *flat = NULL;
    struct reason why = {0};
    assert_done(json_flat_parse(span_of_text(text), JSON_VALUES_MAX, NULL, &flat, &why), why);
    return flat;
}

static void expect_text(const struct json_flat *value, const char *wanted)
{
    assert_true(json_flat_is_string(value));
    assert_true(span_is_text(json_flat_string(value), wanted));
}

static void values_are_found_by_name_and_place(void **state)
{
    (void)state;
    struct json_flat_text *flat = flat_of(" {\"a\" : [ {\"x\":[1,2]}, \"two\", [] ,3] , "
                                          "\"b\":{\"a\":\"inner\"}, \"c\":{} , \"d\":\"last\"}\n");
    const struct json_flat *root = json_flat_root(flat);
    const struct json_flat *array = json_flat_member(root, "a");
    assert_true(json_flat_is_object(root) && json_flat_is_array(array));
    assert_int_equal(json_flat_size(root), 4);
    assert_int_equal(json_flat_size(array), 4);
    const struct json_flat *element = json_flat_first(array);
    assert_int_equal(json_flat_size(json_flat_member(element, "x")), 2);
    element = json_flat_next(element);
    expect_text(element, "two");
    element = json_flat_next(element);
    assert_true(json_flat_is_array(element));
    assert_null(json_flat_first(element));
    int64_t three = 0;
    assert_true(json_flat_integer(json_flat_next(element), &three));
    assert_int_equal(three, 3);
    expect_text(json_flat_member(json_flat_member(root, "b"), "a"), "inner");
    assert_int_equal(json_flat_size(json_flat_member(root, "c")), 0);
    expect_text(json_flat_member(root, "d"), "last");
    json_flat_free(flat);
}

static void what_is_not_there_is_nothing(void **state)
{
    (void)state;
    struct json_flat_text *flat = flat_of("{\"aa\":\"x\",\"b\":true}");
    const struct json_flat *root = json_flat_root(flat);
    static const char *const names[] = {"", "a", "aaa", "x", "c"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_null(json_flat_member(root, names[i]));
    }
    const struct json_flat *others[] = {NULL, json_flat_member(root, "b")};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        int64_t number = 7;
        assert_false(json_flat_is_object(others[i]) || json_flat_is_array(others[i]) ||
                     json_flat_is_string(others[i]) || json_flat_integer(others[i], &number));
        assert_int_equal(number, 0);
        assert_int_equal(json_flat_size(others[i]), 0);
        assert_int_equal(json_flat_string(others[i]).len, 0);
        assert_null(json_flat_member(others[i], "b"));
        assert_null(json_flat_first(others[i]));
    }
    json_flat_free(flat);
    json_flat_free(NULL);
}

static void strings_are_unescaped(void **state)
{
    (void)state;
    static const struct {
        const char *written, *meant;
    } rows[] = {
        {"", ""},
        {"plain, and longer than eight bytes", "plain, and longer than eight bytes"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"\\u0001\\u007f\\u0080\\u07FF\\u0800\\uffff",
         "\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
        {"\\ud800\\udc00\\uDBFF\\uDFFF", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\xc3\xa9 \\n \xf0\x9f\x98\x80", "\xc3\xa9 \n \xf0\x9f\x98\x80"},
        {"1234567\\n12345678\\n123456789", "1234567\n12345678\n123456789"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1000);
        buffer_put_format(&text, "{\"%s\":[\"%s\",\"%s\"]}", rows[i].written, rows[i].written,
                          rows[i].written);
        struct json_flat_text *flat = flat_of(buffer_text(&text));
        const struct json_flat *array = json_flat_member(json_flat_root(flat), rows[i].meant);
        expect_text(json_flat_first(array), rows[i].meant);
        expect_text(json_flat_next(json_flat_first(array)), rows[i].meant);
        json_flat_free(flat);
    }
}

static void integers_have_64_bits_and_are_no_reals(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        bool is_integer;
        int64_t meant;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"-17", true, -17},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"1.0", false, 0},
        {"1e3", false, 0},
        {"-0.5E-2", false, 0},
        {"1e0200", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[64];
        int64_t got = 7;
        (void)snprintf(text, sizeof text, "{\"n\":%s}", rows[i].written);
        struct json_flat_text *flat = flat_of(text);
        const struct json_flat *number = json_flat_member(json_flat_root(flat), "n");
        assert_non_null(number);
        assert_int_equal(json_flat_integer(number, &got), rows[i].is_integer);
        assert_int_equal(got, rows[i].meant);
        json_flat_free(flat);
    }
}

static void expect_refused(struct span text, enum outcome outcome, const char *fragment)
{
    /* Of exactly this size, so that a sanitizer sees a read past its end. */
    uint8_t *exact = malloc(text.len == 0 ? 1 : text.len);
    assert_non_null(exact);
    if (text.len > 0) {
        memcpy(exact, text.data, text.len);
    }
    struct json_flat_text *flat = NULL;
    struct reason why = {0};
    assert_refused(json_flat_parse(span_of(exact, text.len), JSON_VALUES_MAX, NULL, &flat, &why),
                   outcome, why, fragment);
    assert_null(flat);
    free(exact);
}

static void what_the_front_door_refuses_is_refused_in_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fragment;
    } rows[] = {
        {"", "line 1, column 1: the body must be one JSON object"},
        {" \n[]", "line 2, column 1: the body must be one JSON object"},
        {"{}{}", "line 1, column 3: nothing may follow the object"},
        {"{} x", "nothing may follow the object"},
        {"{", "the text ends before the object does"},
        {"{\"a\"", "the text ends before the object does"},
        {"{\"a\":", "the text ends before the object does"},
        {"{\"a\":[1", "the text ends before the object does"},
        {"{\"a\":\"x", "the text ends before the object does"},
        {"{\"a\":\"\\", "not JSON"},
        {"{\"a\":\"\\u00", "not JSON"},
        {"{\"a\":1,}", "not JSON"},
        {"{,}", "not JSON"},
        {"{\"a\" 1}", "not JSON"},
        {"{a:1}", "not JSON"},
        {"{\"a\":[1,]}", "not JSON"},
        {"{\"a\":[1 2]}", "not JSON"},
        {"{\"a\":[1}", "not JSON"},
        {"{\"a\":1]", "not JSON"},
        {"{\"a\":tru}", "not JSON"},
        {"{\"a\":True}", "not JSON"},
        {"{\"a\":nullx}", "not JSON"},
        {"{\"a\":01}", "not JSON"},
        {"{\"a\":-}", "not JSON"},
        {"{\"a\":1.}", "not JSON"},
        {"{\"a\":.5}", "not JSON"},
        {"{\"a\":1e}", "not JSON"},
        {"{\"a\":1e+}", "not JSON"},
        {"{\"a\":+1}", "not JSON"},
        {"{\"a\":9223372036854775808}", "a number out of range"},
        {"{\"a\":-9223372036854775809}", "a number out of range"},
        {"{\"a\":1e201}", "a number's exponent lies between -200 and 200"},
        {"{\"a\":1234567890123456789.123456789012345678901}", "a number has at most 40 characters"},
        {"{\"a\":\"\x01\"}", "not JSON"},
        {"{\"a\":\"12345678\n\"}", "not JSON"},
        {"{\"a\":\"\\x\"}", "not JSON"},
        {"{\"a\":\"\\u12g4\"}", "not JSON"},
        {"{\"a\":\"\\ud800\"}", "not JSON"},
        {"{\"a\":\"\\ud800\\n\"}", "not JSON"},
        {"{\"a\":\"\\ud800\\u0041\"}", "not JSON"},
        {"{\"a\":\"\\udc00\"}", "not JSON"},
        {"{\"a\":\"\\u0000\"}", "\\u0000 is not accepted in any string"},
        {"{\"\\u0000\":1}", "\\u0000 is not accepted in any string"},
        {"{\"a\":\"\x80\"}", "not UTF-8"},
        {"{\"a\":\"\xc1\xbf\"}", "not UTF-8"},
        {"{\"a\":\"\xe0\x9f\xbf\"}", "not UTF-8"},
        {"{\"a\":\"\xed\xa0\x80\"}", "not UTF-8"},
        {"{\"a\":\"\\n\xf0\x8f\xbf\xbf\"}", "not UTF-8"},
        {"{\"a\":\"\xf4\x90\x80\x80\"}", "not UTF-8"},
        {"{\"a\":\"\xe2\x82", "not UTF-8"},
        {"{\"a\":1,\"a\":2}", "column 10: a member of this name is already there"},
        {"{\"x\":{\"a\":{\"b\":1},\"c\":1,\"\\u0061\":2}}",
         "a member of this name is already there"},
        {"{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", "nested deeper than 16 levels"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        expect_refused(span_of_text(rows[i].text), OUTCOME_MALFORMED, rows[i].fragment);
    }
    expect_refused(span_of(NULL, 0), OUTCOME_MALFORMED, "the body must be one JSON object");
    expect_refused(span_of("{\"a\":1\0}", 8), OUTCOME_MALFORMED, "a NUL byte");
    expect_refused(span_of("{\"a\":\"x\0\"}", 10), OUTCOME_MALFORMED, "a NUL byte");
    expect_refused(span_of("{}\0", 3), OUTCOME_MALFORMED, "a NUL byte");
}

/* {"m0":0,"m1":1,…}, or as often "x" in an array. */
static void put_many(struct buffer *text, size_t n, bool members)
{
    buffer_put_text(text, members ? "{" : "{\"a\":[");
    for (size_t i = 0; i < n; i++) {
        buffer_put_text(text, i == 0 ? "" : ",");
        if (members) {
            buffer_put_format(text, "\"m%zu\":", i);
        }
        buffer_put_text(text, "\"x\"");
    }
    buffer_put_text(text, members ? "}" : "]}");
}

static void there_are_bounds(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1000000);
    put_many(&text, JSON_FLAT_MEMBERS_MAX, true);
    struct json_flat_text *flat = flat_of(buffer_text(&text));
    assert_int_equal(json_flat_size(json_flat_root(flat)), JSON_FLAT_MEMBERS_MAX);
    expect_text(json_flat_member(json_flat_root(flat), "m63"), "x");
    json_flat_free(flat);
    buffer_reset(&text);
    put_many(&text, JSON_FLAT_MEMBERS_MAX + 1, true);
    expect_refused(buffer_span(&text), OUTCOME_TOO_LARGE, "an object of more than 64 members");
    buffer_reset(&text);
    put_many(&text, JSON_VALUES_MAX - 2, false); /* and the object, and the array */
    json_flat_free(flat_of(buffer_text(&text)));
    buffer_reset(&text);
    put_many(&text, JSON_VALUES_MAX - 1, false);
    expect_refused(buffer_span(&text), OUTCOME_TOO_LARGE, "more than 16384 values");
}

struct taken {
    size_t n;
    size_t refuse_at;
};

/* Elements are {"i":INDEX,"s":"a\nb"}. */
static enum outcome take(void *context, const struct json_flat *root,
                         const struct json_flat *element, struct reason *why)
{
    struct taken *taken = context;
    int64_t index = -1;
    expect_text(json_flat_member(root, "before"), "\"");
    assert_null(json_flat_member(root, "keys"));
    assert_true(json_flat_integer(json_flat_member(element, "i"), &index));
    assert_int_equal(index, taken->n);
    expect_text(json_flat_member(element, "s"), "a\nb");
    return taken->n++ == taken->refuse_at ? refuse(why, OUTCOME_RULE, "not this one") : OUTCOME_OK;
}

static void elements_are_given_away_one_by_one(void **state)
{
    (void)state;
    static const char text[] =
        "{\"before\":\"\\\"\",\"keys\":[{\"i\":0,\"s\":\"a\\nb\",\"keys\":[1,2]},"
        "{\"i\":1,\"s\":\"a\\nb\"}],\"after\":{\"keys\":[\"kept\"]}}";
    struct taken taken = {.refuse_at = 9};
    const struct json_flat_each each = {"keys", take, &taken};
    struct json_flat_text *flat = NULL;
    struct reason why = {0};
    assert_done(json_flat_parse(span_of_text(text), JSON_VALUES_MAX, &each, &flat, &why), why);
    assert_int_equal(taken.n, 2);
    const struct json_flat *root = json_flat_root(flat);
    assert_int_equal(json_flat_size(root), 3);
    assert_true(json_flat_is_array(json_flat_member(root, "keys")));
    assert_int_equal(json_flat_size(json_flat_member(root, "keys")), 0);
    expect_text(json_flat_member(root, "before"), "\"");
    expect_text(json_flat_first(json_flat_member(json_flat_member(root, "after"), "keys")), "kept");
    json_flat_free(flat);
    taken = (struct taken){.refuse_at = 1};
    assert_refused(json_flat_parse(span_of_text(text), JSON_VALUES_MAX, &each, &flat, &why),
                   OUTCOME_RULE, why, "not this one");
    assert_null(flat);
    assert_int_equal(taken.n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_name_and_place),
        cmocka_unit_test(what_is_not_there_is_nothing),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(integers_have_64_bits_and_are_no_reals),
        cmocka_unit_test(what_the_front_door_refuses_is_refused_in_its_words),
        cmocka_unit_test(there_are_bounds),
        cmocka_unit_test(elements_are_given_away_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
