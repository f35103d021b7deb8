/* SPDX-License-Identifier: Apache-2.0
 * The guard's JSON: what it takes jansson takes too, and each refusal has its own word. */
#include "model/shape_header.h"

#include "check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* In memory of exactly its size, so that a sanitizer sees a read past the end. */
static const char *scan_exact(const char *json)
{
    size_t len = strlen(json);
    uint8_t *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, json, len);
    struct shape_header header;
    const char *fault = shape_header_scan(span_of(exact, len), &header);
    free(exact);
    return fault;
}

static void test_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *alg; /* NULL: none */
        bool raw;
    } rows[] = {
        {"{}", NULL, false},
        {" {\n\t\"alg\" : \"PS256\" }\r\n", "PS256", false},
        {"{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]}", "ES256", true},
        {"{\"b64\":true,\"alg\":\"RS256\"}", "RS256", false},
        {"{\"crit\":[\"a\", \"http://b/\" ,\"\"],\"alg\":\"\"}", "", false},
        {"{\"a\":[],\"b\":{},\"c\":[[],[{}]],\"d\":null,\"e\":true,\"f\":false}", NULL, false},
        {"{\"a\":0,\"b\":-0,\"c\":-1.50,\"d\":123456789012345678,\"e\":0.1}", NULL, false},
        {"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\ude00\"}", NULL, false},
        {"{\"\":\"\xC3\xA4\xF0\x9F\x98\x80\"}", NULL, false},
        {"{\"a\":{\"alg\":\"none\",\"b64\":false,\"crit\":0}}", NULL, false},
        {"{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{}}}}}}}", NULL, false},
        {"{\"a\":[[[[[[[1]]]]]]]}", NULL, false},
        {"{\"a\":{\"x\":1},\"b\":{\"x\":1}}", NULL, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct shape_header header;
        const char *fault = shape_header_scan(span_of_text(rows[i].json), &header);
        assert_string_equal(fault != NULL ? fault : "", "");
        assert_null(scan_exact(rows[i].json));
        assert_int_equal(header.alg.data != NULL, rows[i].alg != NULL);
        assert_true(rows[i].alg == NULL || span_is_text(header.alg, rows[i].alg));
        assert_int_equal(header.raw, rows[i].raw);
        json_t *other = json_loads(rows[i].json, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(other);
        json_decref(other);
    }
}

#define NAMES "crit is not a list of names"

static const struct {
    const char *json;
    const char *fault;
} denied[] = {
    {"", "not an object"},
    {"  ", "not an object"},
    {"[]", "not an object"},
    {"\"alg\"", "not an object"},
    {"1", "not an object"},
    {"null", "not an object"},
    {"{", "not JSON"},
    {"{\"a\"", "not JSON"},
    {"{\"a\":", "not JSON"},
    {"{\"a\":1", "not JSON"},
    {"{\"a\":1,", "not JSON"},
    {"{\"a\":1,}", "not JSON"},
    {"{,}", "not JSON"},
    {"{a:1}", "not JSON"},
    {"{'a':1}", "not JSON"},
    {"{\"a\" 1}", "not JSON"},
    {"{\"a\":1 \"b\":2}", "not JSON"},
    {"{\"a\":[1,]}", "not JSON"},
    {"{\"a\":[1}", "not JSON"},
    {"{\"a\":[,1]}", "not JSON"},
    {"{\"a\":tru}", "not JSON"},
    {"{\"a\":trueX}", "not JSON"},
    {"{\"a\":True}", "not JSON"},
    {"{\"a\":NaN}", "not JSON"},
    {"{\"a\":01}", "not JSON"},
    {"{\"a\":-}", "not JSON"},
    {"{\"a\":+1}", "not JSON"},
    {"{\"a\":1.}", "not JSON"},
    {"{\"a\":.5}", "not JSON"},
    {"{\"a\":1e5}", "not JSON"},
    {"{\"a\":1E400}", "not JSON"},
    {"{\"a\":0x1}", "not JSON"},
    {"{\"a\":1234567890123456789}", "a number of too many digits"},
    {"{\"a\":1}{", "something behind the object"},
    {"{\"a\":1} x", "something behind the object"},
    {"{\"a\":1}\xEF\xBB\xBF", "something behind the object"},
    {"\xEF\xBB\xBF{}", "not an object"},
    {"{/**/}", "not JSON"},
    {"{\"a\":\"x}", "not JSON"},
    {"{\"a\":\"\\", "not JSON"},
    {"{\"a\":\"\\x\"}", "not JSON"},
    {"{\"a\":\"\\u12g4\"}", "not JSON"},
    {"{\"a\":\"\\u12", "not JSON"},
    {"{\"a\":\"\\u0000\"}", "a NUL"},
    {"{\"a\":\"\\ud800\"}", "a lone surrogate"},
    {"{\"a\":\"\\ud800x\"}", "a lone surrogate"},
    {"{\"a\":\"\\ud800\\u0041\"}", "a lone surrogate"},
    {"{\"a\":\"\\udc00\"}", "a lone surrogate"},
    {"{\"a\":\"\x01\"}", "a control character"},
    {"{\"a\":\"\n\"}", "a control character"},
    {"{\"a\":\"\xFF\"}", "not UTF-8"},
    {"{\"a\xED\xA0\x80\":1}", "not UTF-8"},
    {"{\"a\":1,\"a\":1}", "a member is there twice"},
    {"{\"alg\":\"PS256\",\"kid\":\"x\",\"alg\":\"PS256\"}", "a member is there twice"},
    {"{\"b64\":true,\"b64\":false}", "a member is there twice"},
    {"{\"a\":{\"x\":1,\"x\":1}}", "a member is there twice"},
    {"{\"\\u0061lg\":1}", "a member's name with a backslash"},
    {"{\"a\":{\"\\n\":1}}", "a member's name with a backslash"},
    {"{\"alg\":1}", "alg is not a text"},
    {"{\"alg\":null}", "alg is not a text"},
    {"{\"alg\":[\"PS256\"]}", "alg is not a text"},
    {"{\"b64\":\"false\"}", "b64 is neither true nor false"},
    {"{\"b64\":0}", "b64 is neither true nor false"},
    {"{\"b64\":null}", "b64 is neither true nor false"},
    {"{\"b64\":falsey}", "not JSON"},
    {"{\"crit\":[]}", NAMES},
    {"{\"crit\":\"b64\"}", NAMES},
    {"{\"crit\":null}", NAMES},
    {"{\"crit\":{}}", NAMES},
    {"{\"crit\":[1]}", NAMES},
    {"{\"crit\":[\"a\",1]}", NAMES},
    {"{\"crit\":[[\"a\"]]}", NAMES},
    {"{\"crit\":[\"a\",]}", NAMES},
    {"{\"crit\":[\"a\"", "not JSON"},
    {"{\"a\":[[[[[[[[1]]]]]]]]}", "nested too deeply"},
    {"{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{}}}}}}}}}", "nested too deeply"},
};

static void test_denied(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(denied); i++) {
        const char *fault = scan_exact(denied[i].json);
        if (fault == NULL || strcmp(fault, denied[i].fault) != 0) {
            print_error("%s\n", denied[i].json);
        }
        assert_non_null(fault);
        assert_string_equal(fault, denied[i].fault);
    }
}

/* Cut anywhere, an object is no object any more. */
static void test_prefixes(void **state)
{
    (void)state;
    static const char whole[] = "{\"alg\":\"PS256\",\"b64\":false,\"crit\":[\"b64\"],\"x\":"
                                "[1.5,-2,{\"y\":\"\\ud83d\\ude00\xC3\xA4\"},true,null]}";
    assert_null(scan_exact(whole));
    for (size_t len = 0; len < strlen(whole); len++) {
        char part[sizeof whole] = "";
        memcpy(part, whole, len);
        assert_non_null(scan_exact(part));
    }
}

static void test_nul(void **state)
{
    (void)state;
    struct shape_header header;
    static const char inside[] = "{\"a\":\"\0\"}";
    static const char behind[] = "{}\0";
    static const char between[] = "{\0}";
    assert_string_equal(shape_header_scan(span_of(inside, sizeof inside - 1), &header),
                        "a control character");
    assert_string_equal(shape_header_scan(span_of(behind, sizeof behind - 1), &header),
                        "something behind the object");
    assert_string_equal(shape_header_scan(span_of(between, sizeof between - 1), &header),
                        "not JSON");
}

/* 32 members are taken, 33 not; and no depth of brackets costs more than eight levels of stack. */
static void test_limits(void **state)
{
    (void)state;
    struct shape_header header;
    for (int n = 32; n <= 33; n++) {
        char json[1024] = "{";
        size_t at = 1;
        for (int i = 0; i < n; i++) {
            at += (size_t)snprintf(json + at, sizeof json - at, "%s\"m%d\":%d", i > 0 ? "," : "", i,
                                   i);
        }
        (void)snprintf(json + at, sizeof json - at, "}");
        const char *fault = shape_header_scan(span_of_text(json), &header);
        assert_string_equal(fault != NULL ? fault : "", n == 32 ? "" : "too many members");
    }
    static char deep[100000];
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"a\":", 5);
    assert_string_equal(shape_header_scan(span_of(deep, sizeof deep), &header),
                        "nested too deeply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allowed),  cmocka_unit_test(test_denied),
        cmocka_unit_test(test_prefixes), cmocka_unit_test(test_nul),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
