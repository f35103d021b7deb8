/* SPDX-License-Identifier: Apache-2.0
 * Texts made at load time. */
#include "policy_support.h"

#include "policy/compiled.h"

static void test_pointer_key_and_json(void **state)
{
    (void)state;
    char *pointer = text_pointer("a/b~c");
    assert_string_equal(pointer, "/a~1b~0c");
    free(pointer);
    char *key = text_key("a\"b");
    assert_string_equal(key, "\"a\\\"b\":");
    free(key);
    JSON_CLEANUP json_t *value = json_pack("{s:[i,b]}", "a", 1, 1);
    char *json = text_json(value);
    assert_string_equal(json, "{\"a\":[1,true]}");
    free(json);
}

static void test_a_failed_buffer_gives_nothing(void **state)
{
    (void)state;
    struct buffer small = BUFFER_INIT(2);
    buffer_put_text(&small, "abc");
    assert_null(text_steal(&small));
    struct buffer good = BUFFER_INIT(3);
    buffer_put_text(&good, "abc");
    char *text = text_steal(&good);
    assert_string_equal(text, "abc");
    assert_null(good.data);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pointer_key_and_json),
        cmocka_unit_test(test_a_failed_buffer_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
