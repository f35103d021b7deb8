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

/* The texts are what a person approves. */
static void a_schedule_is_told_as_it_was_and_as_it_will_be(void **state)
{
    (void)state;
    struct public_key *public_key = NULL;
    struct reason why = {0};
    JSON_CLEANUP json_t *jwk =
        json_pack("{s:s, s:s, s:s}", "kty", "OKP", "crv", "Ed25519", "x", /* RFC 8037 A.2 */
                  "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_done(public_key_from_jwk(jwk, &public_key, &why), why);
    struct key_planned before[] = {{.change = {.state = KEY_RETIRED, .at = 1795253400}}};
    struct key key = {.role = "seal",
                      .token = "hsm-a",
                      .public_key = public_key,
                      .state = KEY_RETIRING,
                      .schedule = before,
                      .n_schedule = COUNT_OF(before)};
    struct keyring_schedule none = {.index = 7};
    struct keyring_schedule two = {
        .n = 2,
        .steps = {{.change = {.state = KEY_PUBLISHED, .at = 1795253401}},
                  {.change = {.state = KEY_ACTIVE, .at = 1795253402}, .made_at = 12}}};
    json_t *effect = effect_new();
    effect_put_schedule(&effect, &key, &none);
    effect_put_schedule(&effect, &key, &two);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(2000);
    json_put(&text, json_at_pointer(effect, "/keys/0/schedule_before"));
    json_put(&text, json_at_pointer(effect, "/keys/0/schedule"));
    json_put(&text, json_at_pointer(effect, "/keys/1/schedule"));
    assert_string_equal(buffer_text(&text), "[\"retired at 2026-11-21T09:30:00Z\"][]"
                                            "[\"published at 2026-11-21T09:30:01Z\","
                                            "\"active at 2026-11-21T09:30:02Z\"]");
    assert_string_equal(json_string_value(json_at_pointer(effect, "/keys/1/to")),
                        "retiring"); /* as it stands, before the step */
    json_decref(effect);
    effect = NULL; /* memory was short before */
    effect_put_schedule(&effect, &key, &two);
    assert_null(effect);
    public_key_free(public_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_effects_are_one_text_or_differ_somewhere),
        cmocka_unit_test(what_cannot_be_put_in_leaves_nothing),
        cmocka_unit_test(a_schedule_is_told_as_it_was_and_as_it_will_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
