/* SPDX-License-Identifier: Apache-2.0
 * The detail of a problem: found wherever it stands, unescaped, one line, and nothing from bad
 * JSON. */
#include "client/problem.h"

#include "check.h"

#include <stdlib.h>

static bool read(const char *json, char *out, size_t size)
{
    /* A copy of its own size, so that a sanitizer sees each byte too far. */
    size_t len = strlen(json);
    char *copy = malloc(len + 1);
    memcpy(copy, json, len);
    bool found = problem_detail(span_of(copy, len), out, size);
    free(copy);
    return found;
}

static void details_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *detail;
    } rows[] = {
        {"{\"detail\":\"no\"}", "no"},
        {" {\r\n\t\"status\" : 403 , \"detail\" : \"no\" } \n", "no"},
        {"{\"a\":[{\"detail\":\"x\"},[],{},-1.5e+3,true,false,null],\"detail\":\"no\"}", "no"},
        {"{\"details\":\"x\",\"detail\":\"\",\"detai\":\"y\"}", ""},
        {"{\"detail\":\"\\\"\\\\\\/\"}", "\"\\/"},
        {"{\"detail\":\"a\\nb\\tc\\u0000d\\u001fe\\u007ff\"}", "a b c d e f"},
        {"{\"detail\":\"\\u00e9\\u20AC\\ud83d\\ude00\"}", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"{\"detail\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}",
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"{\"d\\u0065tail\":\"no\"}", "no"},
        {"{\"detail\":7,\"x\":0,\"detail\":\"no\"}", "no"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char out[64];
        if (!read(rows[i].json, out, sizeof(out))) {
            fail_msg("%s", rows[i].json);
        }
        assert_string_equal(out, rows[i].detail);
    }
}

static void what_is_no_strict_json_has_none(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "{",
        "{}",
        "[]",
        "\"detail\"",
        "{\"detail\":1}",
        "{\"detail\":\"no\"",
        "{\"detail\":\"no\"}x",
        "{\"detail\":\"no\"}{}",
        "{\"detail\":\"no\",}",
        "{,\"detail\":\"no\"}",
        "{\"detail\" \"no\"}",
        "{'detail':'no'}",
        "{\"detail\":\"no}",
        "{\"detail\":\"n\no\"}",
        "{\"detail\":\"\\x\"}",
        "{\"detail\":\"\\",
        "{\"detail\":\"\\u12\"}",
        "{\"detail\":\"\\u12g4\"}",
        "{\"detail\":\"\\ud800\"}",
        "{\"detail\":\"\\ud800\\u0041\"}",
        "{\"detail\":\"\\udc00\"}",
        "{\"detail\":\"\xff\"}",
        "{\"detail\":\"\xc0\x80\"}",
        "{\"detail\":\"\xe0\x80\x80\"}",
        "{\"detail\":\"\xed\xa0\x80\"}",
        "{\"detail\":\"\xf4\x90\x80\x80\"}",
        "{\"detail\":\"\xf5\x80\x80\x80\"}",
        "{\"detail\":\"\xe2\x82\"}",
        "{\"detail\":\"\xe2\x82",
        "{\"a\":01,\"detail\":\"no\"}",
        "{\"a\":-,\"detail\":\"no\"}",
        "{\"a\":1.,\"detail\":\"no\"}",
        "{\"a\":1e,\"detail\":\"no\"}",
        "{\"a\":tru,\"detail\":\"no\"}",
        "{\"a\":nul",
        "{\"a\":[1,],\"detail\":\"no\"}",
        "{\"a\":[1 2],\"detail\":\"no\"}",
        "{\"a\":{\"b\"},\"detail\":\"no\"}",
        "{\"detail\":\"no\",\"detail\":\"yes\"}",
        "{\"a\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]],\"detail\":\"no\"}",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char out[64];
        if (read(rows[i], out, sizeof(out))) {
            fail_msg("taken: %s", rows[i]);
        }
    }
}

static void long_details_are_cut_at_a_character(void **state)
{
    (void)state;
    char out[8];
    assert_true(read("{\"detail\":\"123456789\"}", out, sizeof(out)));
    assert_string_equal(out, "1234567");
    assert_true(read("{\"detail\":\"12345\xe2\x82\xac\"}", out, sizeof(out)));
    assert_string_equal(out, "12345");
    assert_true(read("{\"detail\":\"123456\xe2\x82\xac"
                     "a\"}",
                     out, sizeof(out)));
    assert_string_equal(out, "123456");
}

static void every_cut_text_is_refused(void **state)
{
    (void)state;
    static const char whole[] =
        "{\"a\":[{\"b\":-1.5e3},true,null],\"detail\":\"x\\u20ac\\n\xc3\xa9\",\"z\":{}}";
    char part[sizeof(whole)];
    char out[64];
    assert_true(read(whole, out, sizeof(out)));
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        memcpy(part, whole, len);
        part[len] = '\0';
        assert_false(read(part, out, sizeof(out)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(details_are_found),
        cmocka_unit_test(what_is_no_strict_json_has_none),
        cmocka_unit_test(long_details_are_cut_at_a_character),
        cmocka_unit_test(every_cut_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
