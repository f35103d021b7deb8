/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/json.h"
#include "jose_support.h"

/* RFC 6901 §5, but for the members that no strict text of ours changes. */
static void pointers_of_the_rfc(void **state)
{
    (void)state;
    json_t *root JSON_CLEANUP = json_of("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,"
                                        "\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,"
                                        "\"m~n\":8}");
    static const char *const pointers[] = {"/",     "/a~1b", "/c%d", "/e^f", "/g|h",
                                           "/i\\j", "/k\"l", "/ ",   "/m~0n"};
    for (size_t i = 0; i < COUNT_OF(pointers); i++) {
        json_t *hit = json_at_pointer(root, pointers[i]);
        assert_non_null(hit);
        assert_int_equal(json_integer_value(hit), i);
    }
    assert_ptr_equal(json_at_pointer(root, ""), root);
    assert_int_equal(json_array_size(json_at_pointer(root, "/foo")), 2);
    assert_string_equal(json_string_value(json_at_pointer(root, "/foo/1")), "baz");
}

static void pointers_to_nothing(void **state)
{
    (void)state;
    json_t *root JSON_CLEANUP = json_of("{\"a\":[1,2,3,4,5,6,7,8,9,10,11],\"s\":\"x\",\"m~n\":8}");
    static const char *const pointers[] = {
        "a",     "/b",     "/a/-", "/a/01", "/a/11", "/a/x", "/a/1x",
        "/a/",   "/a/0/0", "/s/0", "/m~n",  "/m~2n", "/m~",  "/a/99999999999999999999",
        "/a/+1", "/a//"};
    for (size_t i = 0; i < COUNT_OF(pointers); i++) {
        assert_null(json_at_pointer(root, pointers[i]));
    }
    assert_int_equal(json_integer_value(json_at_pointer(root, "/a/10")), 11);
    assert_null(json_at_pointer(NULL, "/a"));
    char longest[2 * REASON_CLAIM_SIZE];
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    assert_null(json_at_pointer(root, longest));
}

static void reals_of_fifteen_digits_are_exact(void **state)
{
    (void)state;
    char pointer[REASON_CLAIM_SIZE] = "untouched";
    json_t *root JSON_CLEANUP = json_of("{\"a\":[0.1,12345.678901234,1e-200,-0.0,1e20,7],"
                                        "\"b\":{\"c\":0.30000000000000004}}");
    assert_false(json_reals_are_exact(root, pointer));
    assert_string_equal(pointer, "/b/c");
    json_object_del(root, "b");
    assert_true(json_reals_are_exact(root, pointer));
    assert_string_equal(pointer, "");
}

static void the_pointer_is_escaped_and_counts_elements(void **state)
{
    (void)state;
    char pointer[REASON_CLAIM_SIZE];
    json_t *root JSON_CLEANUP = json_of("{\"x\":1,\"a/b~c\":[{\"z\":1.5},[0,1.2345678901234567]]}");
    assert_false(json_reals_are_exact(root, pointer));
    assert_string_equal(pointer, "/a~1b~0c/1/1");
    assert_non_null(json_at_pointer(root, pointer));
}

static void a_pointer_without_room_names_the_parent(void **state)
{
    (void)state;
    char name[REASON_CLAIM_SIZE];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    json_t *root JSON_CLEANUP = json_object();
    json_t *parent = json_object();
    assert_int_equal(json_object_set_new(root, "parent", parent), 0);
    assert_int_equal(json_object_set_new(parent, name, json_real(1.2345678901234567)), 0);
    char pointer[REASON_CLAIM_SIZE];
    assert_false(json_reals_are_exact(root, pointer));
    assert_string_equal(pointer, "/parent");
}

static void a_text_is_a_string_and_nothing_else(void **state)
{
    (void)state;
    json_t *string JSON_CLEANUP = json_string("text");
    json_t *number JSON_CLEANUP = json_integer(1);
    assert_true(span_is_text(json_text(string), "text"));
    assert_int_equal(json_text(number).len, 0);
    assert_int_equal(json_text(NULL).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_of_the_rfc),
        cmocka_unit_test(pointers_to_nothing),
        cmocka_unit_test(reals_of_fifteen_digits_are_exact),
        cmocka_unit_test(the_pointer_is_escaped_and_counts_elements),
        cmocka_unit_test(a_pointer_without_room_names_the_parent),
        cmocka_unit_test(a_text_is_a_string_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
