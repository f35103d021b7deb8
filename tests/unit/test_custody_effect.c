/* SPDX-License-Identifier: Apache-2.0
 * What a change would do, and what is said of two that differ. */
#include "custody/effect.h"

#include "check.h"
#include "jose/json.h"

static void two_effects_are_one_text_or_differ_somewhere(void **state)
{
    (void)state;
    static const struct {
        const char *was, *is;
        const char *difference; /* NULL: none */
    } rows[] = {
        {"{\"keys\":[]}", "{\"keys\":[]}", NULL},
        {"{\"keys\":[{\"a\":\"1\",\"b\":2}]}", "{\"keys\":[{\"b\":2,\"a\":\"1\"}]}", NULL},
        {"{\"keys\":[{\"from\":\"published\"}]}", "{\"keys\":[{\"from\":\"active\"}]}",
         "keys/0/from was \"published\" and is \"active\""},
        {"{\"keys\":[{\"n\":1}]}", "{\"keys\":[{\"n\":2}]}", "keys/0/n was 1 and is 2"},
        {"{\"keys\":[{\"n\":1}]}", "{\"keys\":[{\"n\":\"1\"}]}", "keys/0/n was 1 and is \"1\""},
        {"{\"keys\":[{\"n\":1}]}", "{\"keys\":[]}", "keys/0 was {\"n\":1} and is not there"},
        {"{\"keys\":[]}", "{\"keys\":[{\"n\":1}]}", "keys/0 was not there and is {\"n\":1}"},
        {"{\"keys\":[{\"a\":[\"x\"]}]}", "{\"keys\":[{\"a\":[\"x\",\"y\"]}]}",
         "keys/0/a/1 was not there and is \"y\""},
        {"{\"keys\":[{\"n\":1}]}", "{\"keys\":[{\"n\":1,\"m\":2}]}",
         "keys/0/m was not there and is 2"},
        {"{\"keys\":[{\"n\":1,\"m\":2}]}", "{\"keys\":[{\"n\":1}]}",
         "keys/0/m was 2 and is not there"},
        {"{\"keys\":[[1]]}", "{\"keys\":[{\"n\":1}]}", "keys/0 was [1] and is {\"n\":1}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUFFER_CLEANUP struct buffer difference = BUFFER_INIT(1000);
        JSON_CLEANUP json_t *was = json_loads(rows[i].was, 0, NULL);
        JSON_CLEANUP json_t *is = json_loads(rows[i].is, 0, NULL);
        assert_int_equal(effect_is_same(was, is, &difference), rows[i].difference == NULL);
        assert_string_equal(buffer_text(&difference),
                            rows[i].difference == NULL ? "" : rows[i].difference);
    }
}

static void what_cannot_be_put_in_leaves_nothing(void **state)
{
    (void)state;
    json_t *effect = effect_new();
    effect_put(&effect, json_pack("{s:s}", "role", "seal"));
    assert_int_equal(json_array_size(json_object_get(effect, "keys")), 1);
    effect_put(&effect, NULL); /* no memory for the entry */
    assert_null(effect);
    effect_put(&effect, json_object());
    assert_null(effect);
    BUFFER_CLEANUP struct buffer difference = BUFFER_INIT(1000);
    JSON_CLEANUP json_t *is = effect_new();
    assert_false(effect_is_same(NULL, is, &difference));
    assert_string_equal(buffer_text(&difference), " was not there and is {\"keys\":[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_effects_are_one_text_or_differ_somewhere),
        cmocka_unit_test(what_cannot_be_put_in_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
