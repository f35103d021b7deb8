/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "jose/json.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void expect_refused(struct span text, const char *detail)
{
    json_t *value = NULL;
    struct reason why = {0};
    assert_int_equal(json_parse_object(text, &value, &why), OUTCOME_MALFORMED);
    assert_null(value);
    assert_string_equal(why.detail, detail);
    assert_string_equal(why.claim, "");
}

static void expect_text_refused(const char *text, const char *detail)
{
    expect_refused(span_of_text(text), detail);
}

static void expect_written(const char *text, const char *written)
{
    json_t *value JSON_CLEANUP = NULL;
    struct reason why = {0};
    assert_int_equal(json_parse_object(span_of_text(text), &value, &why), OUTCOME_OK);
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(1000);
    json_put(&out, value);
    assert_string_equal(buffer_text(&out), written);
}

static void objects_come_back_compact_and_in_order(void **state)
{
    (void)state;
    expect_written("{}", "{}");
    expect_written(" \t\r\n{ \"b\" : 1 , \"a\" : [ true , false , null , { } ] } \n",
                   "{\"b\":1,\"a\":[true,false,null,{}]}");
    expect_written("{\"z\":\"\",\"y\":{\"x\":[[]]}}", "{\"z\":\"\",\"y\":{\"x\":[[]]}}");
}

static void slashes_and_utf8_stay_as_they_are(void **state)
{
    (void)state;
    expect_written("{\"a\":\"https://x/\\u00e9\\/\xc3\xa9\\ud83d\\ude00\x7f\"}",
                   "{\"a\":\"https://x/\xc3\xa9/\xc3\xa9\xf0\x9f\x98\x80\x7f\"}");
    expect_written("{\"a\":\"\xef\xbf\xbf\\u2028\\\"\\\\\\n\\u0001\"}",
                   "{\"a\":\"\xef\xbf\xbf\xe2\x80\xa8\\\"\\\\\\n\\u0001\"}");
}

static void numbers_keep_their_value(void **state)
{
    (void)state;
    expect_written("{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":-0}",
                   "{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":0}");
    expect_written("{\"a\":0.1,\"b\":1e20,\"c\":-0.0,\"d\":1E+5,\"e\":1.5e-200,\"f\":1e200}",
                   "{\"a\":0.1,\"b\":1e20,\"c\":-0.0,\"d\":100000.0,\"e\":1.5e-200,\"f\":1e200}");
}

static void only_one_object_is_a_body(void **state)
{
    (void)state;
    static const char *const texts[] = {"[]", "\"a\"", "1", "null", "true", "x", "}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        expect_text_refused(texts[i], "line 1, column 1: the body must be one JSON object");
    }
    expect_text_refused("", "line 1, column 1: the body must be one JSON object");
    expect_refused(span_of(NULL, 0), "line 1, column 1: the body must be one JSON object");
    expect_text_refused(" \n ", "line 2, column 2: the body must be one JSON object");
    expect_text_refused("\xef\xbb\xbf{}", "line 1, column 1: the body must be one JSON object");
    expect_text_refused("//c\n{}", "line 1, column 1: the body must be one JSON object");
    expect_text_refused("\xff\xfe{\0}\0", "line 1, column 1: the body must be one JSON object");
}

static void nothing_may_follow(void **state)
{
    (void)state;
    expect_text_refused("{\"a\":1}x", "line 1, column 8: nothing may follow the object");
    expect_text_refused("{}{}", "line 1, column 3: nothing may follow the object");
    expect_text_refused("{}\n,", "line 2, column 1: nothing may follow the object");
    expect_text_refused("{}\x0c", "line 1, column 3: nothing may follow the object");
}

static void members_are_unique_after_unescaping(void **state)
{
    (void)state;
    static const char sentence[] =
        "line 1, column 15: a member of this name is already there; each name once";
    expect_text_refused("{\"a\":1,\"\\u0061\":2}", sentence);
    expect_text_refused(
        "{\"a\\/\":1,\"a/\":2}",
        "line 1, column 13: a member of this name is already there; each name once");
    expect_text_refused(
        "{\"x\":{\"a\":1,\"a\":1}}",
        "line 1, column 15: a member of this name is already there; each name once");
    expect_written("{\"a\":{\"a\":[{\"a\":1},{\"a\":1}]}}",
                   "{\"a\":{\"a\":[{\"a\":1},{\"a\":1}]}}");
}

/* jansson drops a raw NUL that stands behind a number: shown here, so that a jansson that no longer
 * does it is noticed. */
static void no_nul_in_any_form(void **state)
{
    (void)state;
    json_t *dropped JSON_CLEANUP = json_loadb("{\"a\":1\0}", 8, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(dropped);
    expect_refused(span_of("{\"a\":1\0}", 8), "line 1, column 7: a NUL byte; JSON text has none");
    expect_refused(span_of("{\"a\":\"x\0y\"}", 11),
                   "line 1, column 8: a NUL byte; JSON text has none");
    expect_refused(span_of("{\"a\":\"\\\0\"}", 10),
                   "line 1, column 8: a NUL byte; JSON text has none");
    expect_refused(span_of("{}\0", 3), "line 1, column 3: a NUL byte; JSON text has none");
    expect_text_refused("{\"a\":\"\\u0000\"}",
                        "line 1, column 13: \\u0000 is not accepted in any string");
    expect_text_refused("{\"\\u0000\":1}",
                        "line 1, column 9: \\u0000 is not accepted in any string");
}

static void text_is_strict_utf8(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a\":\"\xff\"}",             /* no such byte */
        "{\"a\":\"\xc0\xaf\"}",         /* overlong / */
        "{\"a\":\"\xe0\x80\xaf\"}",     /* overlong, three bytes */
        "{\"a\":\"\xc0\x80\"}",         /* overlong NUL */
        "{\"a\":\"\xed\xa0\x80\"}",     /* surrogate */
        "{\"a\":\"\xf4\x90\x80\x80\"}", /* over U+10FFFF */
        "{\"a\":\"\x80\"}",             /* continuation alone */
        "{\"a\":\"\xe2\x82\"}",         /* cut short */
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        expect_text_refused(texts[i], "line 1, column 6: not UTF-8 (RFC 3629)");
    }
    expect_text_refused("{\"\xc3\xa9\":\n\"\xff\"}", "line 2, column 1: not UTF-8 (RFC 3629)");
}

static void surrogates_come_in_pairs(void **state)
{
    (void)state;
    expect_text_refused("{\"a\":\"\\ud800\"}", "line 1, column 13: not JSON (RFC 8259)");
    expect_text_refused("{\"a\":\"\\udc00\"}", "line 1, column 13: not JSON (RFC 8259)");
    expect_text_refused("{\"a\":\"\\ud800\\u0041\"}", "line 1, column 19: not JSON (RFC 8259)");
    expect_text_refused("{\"a\":\"\\ud800\\ud800\"}", "line 1, column 19: not JSON (RFC 8259)");
}

static void nest(char *text, int depth, char open, char close)
{
    strcpy(text, "{\"a\":");
    size_t len = strlen(text);
    for (int i = 1; i < depth; i++) {
        text[len++] = open;
    }
    for (int i = 1; i < depth; i++) {
        text[len++] = close;
    }
    strcpy(text + len, "}");
}

static void depth_sixteen_is_the_last(void **state)
{
    (void)state;
    char text[200];
    nest(text, 16, '[', ']');
    expect_written(text, text);
    nest(text, 17, '[', ']');
    expect_text_refused(text, "line 1, column 21: nested deeper than 16 levels");
    nest(text, 17, '{', '}');
    expect_text_refused(text, "line 1, column 21: nested deeper than 16 levels");
    expect_written("{\"a\":\"[[[[[[[[[[[[[[[[[[[[{{{{{\\\"[[[\"}",
                   "{\"a\":\"[[[[[[[[[[[[[[[[[[[[{{{{{\\\"[[[\"}");
}

/* {"a":[VALUE,VALUE,…]} with this many values, the object and the array counted. */
static char *many(const char *value, size_t values)
{
    size_t len = strlen(value);
    char *text = malloc(8 + (len + 1) * values);
    assert_non_null(text);
    char *end = stpcpy(text, "{\"a\":[");
    for (size_t i = 2; i < values; i++) {
        end = stpcpy(end, value);
        *end++ = ',';
    }
    (void)stpcpy(end - 1, "]}");
    return text;
}

static enum outcome parse_many(const char *value, size_t values, struct reason *why)
{
    char *text = many(value, values);
    json_t *root JSON_CLEANUP = NULL;
    enum outcome outcome = json_parse_object(span_of_text(text), &root, why);
    assert_int_equal(root != NULL, outcome == OUTCOME_OK);
    free(text);
    return outcome;
}

static void values_are_counted(void **state)
{
    (void)state;
    static const char *const values[] = {"1",  "-1.5e3", "\"x\"",      "null",
                                         "{}", "[]",     "\"\\\",,\"", " true "};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct reason why = {0};
        assert_done(parse_many(values[i], JSON_VALUES_MAX, &why), why);
        assert_refused(parse_many(values[i], JSON_VALUES_MAX + 1, &why), OUTCOME_TOO_LARGE, why,
                       "line 1, column ");
        assert_non_null(strstr(why.detail, ": more than 16384 values"));
        assert_string_equal(why.claim, "");
    }
    /* Names are none: two values each, an object and its member. */
    struct reason why = {0};
    assert_done(parse_many("{\"b\" : {}}", 2 + (JSON_VALUES_MAX - 2) / 2, &why), why);
    assert_refused(parse_many("{\"b\" : {}}", 3 + (JSON_VALUES_MAX - 2) / 2, &why),
                   OUTCOME_TOO_LARGE, why, ": more than 16384 values");
}

/* Who is trusted may bring more of them, and not without end either. */
static void another_number_of_values_may_be_asked_for(void **state)
{
    (void)state;
    struct reason why = {0};
    json_t *root JSON_CLEANUP = NULL;
    char *text = many("1", JSON_VALUES_MAX + 1);
    assert_refused(json_parse_own(span_of_text(text), JSON_VALUES_MAX, &root, &why),
                   OUTCOME_TOO_LARGE, why, ": more than 16384 values");
    assert_done(json_parse_own(span_of_text(text), JSON_VALUES_MAX + 1, &root, &why), why);
    free(text);
}

/* The other end of the heap: what one body of a mebibyte may cost. */
static size_t heap_taken;
static size_t heap_most;

static void *counted_malloc(size_t size)
{
    void *block = malloc(size);
    heap_taken += malloc_usable_size(block);
    heap_most = heap_taken > heap_most ? heap_taken : heap_most;
    return block;
}

static void counted_free(void *block)
{
    heap_taken -= malloc_usable_size(block);
    free(block);
}

static void a_mebibyte_costs_little_memory(void **state)
{
    (void)state;
    static const char *const values[] = {"{}", "[]", "1", "\"\"", "{\"\":{}}", "[[[[[]]]]]"};
    json_set_alloc_funcs(counted_malloc, counted_free);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        size_t fit = ((1U << 20) - 8) / (strlen(values[i]) + 1);
        struct reason why = {0};
        heap_most = heap_taken = 0;
        assert_int_equal(parse_many(values[i], fit, &why), OUTCOME_TOO_LARGE);
        assert_int_equal(heap_most, 0); /* refused before jansson sees it */
        assert_int_equal(parse_many(values[i], JSON_VALUES_MAX / 6, &why), OUTCOME_OK);
        (void)parse_many(values[i], JSON_VALUES_MAX, &why);
        assert_in_range(heap_most, 1, 8U << 20);
        assert_int_equal(heap_taken, 0);
    }
    json_set_alloc_funcs(malloc, free);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    static const char range[] = "line 1, column 24: a number out of range; integers have 64 bits";
    expect_text_refused("{\"a\":9223372036854775808}", range);
    expect_text_refused("{\"a\":-9223372036854775809}",
                        "line 1, column 25: a number out of range; integers have 64 bits");
    static const char exponent[] =
        "line 1, column 6: a number's exponent lies between -200 and 200";
    expect_text_refused("{\"a\":1e999}", exponent);
    expect_text_refused("{\"a\":1e-999}", exponent); /* jansson would make it 0.0 */
    expect_text_refused("{\"a\":1E+201}", exponent);
    expect_text_refused("{\"a\":1e99999999999999999999}", exponent);
    expect_text_refused("{\"a\":0.0000000000000000000000000000000000000001}",
                        "line 1, column 6: a number has at most 40 characters");
}

static void numbers_have_one_grammar(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}",  "{\"a\":+1}",  "{\"a\":0x10}",    "{\"a\":NaN}",
        "{\"a\":1e}", "{\"a\":-}",  "{\"a\":--1}", "{\"a\":1-1}", "{\"a\":Infinity}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        json_t *value = NULL;
        struct reason why;
        assert_int_equal(json_parse_object(span_of_text(texts[i]), &value, &why),
                         OUTCOME_MALFORMED);
        assert_non_null(strstr(why.detail, ": not JSON (RFC 8259)"));
    }
}

static void broken_syntax_is_refused_without_quoting_it(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{'secret':1}",          "{\"a\":1,}",           "{\"a\" \"secret\"}", "{\"a\":secret}",
        "{\"a\":\"sec\\xret\"}", "{\"a\":\"\tsecret\"}", "{\"secret\":}",      "{secret:1}",
        "{\"a\":[1,]}",          "{\"secret\"}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        json_t *value = NULL;
        struct reason why;
        assert_int_equal(json_parse_object(span_of_text(texts[i]), &value, &why),
                         OUTCOME_MALFORMED);
        assert_non_null(strstr(why.detail, ": not JSON (RFC 8259)"));
        assert_null(strstr(why.detail, "sec"));
    }
    expect_text_refused("{\"a\":\n  tru}", "line 2, column 5: not JSON (RFC 8259)");
    expect_text_refused("{\"a\":\"x", "line 1, column 7: the text ends before the object does");
    expect_text_refused("{\"a\":\"x\\", "line 1, column 8: not JSON (RFC 8259)");
    expect_text_refused("{\"a\":[1", "line 1, column 7: the text ends before the object does");
}

/* Every proper prefix of a good text is refused, and reads nothing behind its end (ASan). */
static void every_prefix_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"a\\u00e9\":[1.5e3,{\"b\":null}],\"c\":\"\\ud83d\\ude00\"}";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        uint8_t *copy = test_malloc(len == 0 ? 1 : len);
        memcpy(copy, text, len);
        json_t *value = NULL;
        struct reason why;
        assert_int_equal(json_parse_object(span_of(copy, len), &value, &why), OUTCOME_MALFORMED);
        test_free(copy);
    }
}

static void strings_are_escaped_as_json(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(1000);
    char all[0x20];
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (char)i;
    }
    json_put_string(&out, span_of(all, sizeof all));
    assert_string_equal(
        buffer_text(&out),
        "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b"
        "\\f\\r\\u000e\\u000f\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017"
        "\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f\"");
    buffer_reset(&out);
    json_put_string(&out, span_of_text("a\"b\\c/\xc3\xa9"));
    json_put_string(&out, span_of(NULL, 0));
    assert_string_equal(buffer_text(&out), "\"a\\\"b\\\\c/\xc3\xa9\"\"\"");
}

static void a_full_buffer_fails(void **state)
{
    (void)state;
    json_t *value JSON_CLEANUP = json_pack("{s:s}", "a", "0123456789");
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(10);
    json_put(&out, value);
    assert_false(buffer_ok(&out));
    buffer_reset(&out);
    json_put_string(&out, span_of_text("0123456789"));
    assert_false(buffer_ok(&out));
    buffer_reset(&out);
    json_put(&out, NULL);
    assert_false(buffer_ok(&out));
}

static void scalars_can_be_put(void **state)
{
    (void)state;
    json_t *value JSON_CLEANUP = json_string("x/y");
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(10);
    json_put(&out, value);
    assert_string_equal(buffer_text(&out), "\"x/y\"");
    json_clear_ref(&value);
    assert_null(value);
    json_clear_ref(&value);
}

int main(void)
{
    json_prepare();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_come_back_compact_and_in_order),
        cmocka_unit_test(slashes_and_utf8_stay_as_they_are),
        cmocka_unit_test(numbers_keep_their_value),
        cmocka_unit_test(only_one_object_is_a_body),
        cmocka_unit_test(nothing_may_follow),
        cmocka_unit_test(members_are_unique_after_unescaping),
        cmocka_unit_test(no_nul_in_any_form),
        cmocka_unit_test(text_is_strict_utf8),
        cmocka_unit_test(surrogates_come_in_pairs),
        cmocka_unit_test(depth_sixteen_is_the_last),
        cmocka_unit_test(values_are_counted),
        cmocka_unit_test(another_number_of_values_may_be_asked_for),
        cmocka_unit_test(a_mebibyte_costs_little_memory),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(numbers_have_one_grammar),
        cmocka_unit_test(broken_syntax_is_refused_without_quoting_it),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(strings_are_escaped_as_json),
        cmocka_unit_test(a_full_buffer_fails),
        cmocka_unit_test(scalars_can_be_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
