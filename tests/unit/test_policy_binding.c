/* SPDX-License-Identifier: Apache-2.0
 * Bindings: every way in which a profile file is wrong stops the start, with file and line. */
#include "policy_support.h"

#include "policy/binding.h"

static struct test_files files;

static const struct change changes[] = {
    {"fapi2-jar", "profile: fapi2-jar", "profile: other", "named as its file is"},
    {"fapi2-jar", "template: fapi2-jar", "template: nothing", "no template of this name"},
    {"fapi2-jar", "template: fapi2-jar", "template: ../templates/fapi2-jar",
     "no template of this name"},
    {"fapi2-jar", "role: seal", "role: transport", "no role of this name"},
    {"fapi2-jar", "role: seal", "role: seal-ec", "role seal-ec does not grant PS256"},
    {"fapi2-jar", "alg: PS256", "alg: ES256", "role seal does not grant ES256"},
    {"fapi2-jar", "alg: PS256", "alg: RS256", "does not allow this algorithm"},
    {"fapi2-jar", "alg: PS256", "alg: none", "does not allow this algorithm"},
    {"fapi2-jar", "alg: PS256", "alg: PS256\nkid: bank-chose-this", NULL},
    {"fapi2-jar", "alg: PS256", "alg: PS256\nkid: \"two words\"", "printable ASCII without blanks"},
    {"fapi2-jar", "alg: PS256", "alg: PS256\ncolour: red", "unknown key"},
    {"fapi2-jar", "  - {name: client_id, value: tpp-client-1}\n", "",
     "the value \"client_id\" is missing: client id at"},
    {"fapi2-jar", "  - {name: client_id, value: tpp-client-1}\n",
     "  - {name: client_id, value: tpp-client-1}\n  - {name: client_id, value: tpp-client-1}\n",
     "a second value of this name"},
    {"fapi2-jar", "  - {name: client_id, value: tpp-client-1}\n",
     "  - {name: client_id, value: tpp-client-1}\n  - {name: colour, value: red}\n",
     "wants no value of this name"},
    {"fapi2-jar", "  - {name: client_id, value: tpp-client-1}\n",
     "  - {name: client_id, integer: 1}\n", "wants a text here"},
    {"fapi2-jar", "  - {name: client_id, value: tpp-client-1}\n",
     "  - {name: client_id, values: [a]}\n", "wants a text here"},
    {"fapi2-jar", "  - {name: client_id, value: tpp-client-1}\n", "  - {name: client_id}\n",
     "exactly one of value"},
    {"fapi2-jar", "  - {name: client_id, value: tpp-client-1}\n",
     "  - {name: client_id, value: a, integer: 1}\n", "exactly one of value"},
    {"fapi2-jar", "values: [\"https://tpp.example/callback\"]",
     "value: \"https://tpp.example/callback\"", "wants a list here"},
    {"fapi2-jar", "[\"https://tpp.example/callback\"]", "[\"http://tpp.example/callback\"]",
     "template's pattern"},
    {"fapi2-jar", "[\"https://tpp.example/callback\"]",
     "[\"https://a.example/\", \"https://a.example/\"]", "a value stands here twice"},
    {"fapi2-jar", "\"https://as.bank.example\"", "\"https://as.bank.example/?x\"",
     "template's pattern"},
    {"op-jar-cof", "value: openid fundsconfirmations", "value: openid accounts payments",
     "template's enum"},
    {"op-jar-cof", "value: openid fundsconfirmations", "value: openid accounts", NULL},
    {"paynet-jar", "value: oauth-authz-req+jwt", "value: dpop+jwt", "template's enum"},
    {"paynet-jar", "  - {name: typ, value: oauth-authz-req+jwt}\n", "", NULL},
};

static enum outcome load(const struct change *change, struct reason *why)
{
    char *text = changed(shipped_binding(change->name), change);
    write_named(files.bindings, change->name, text);
    free(text);
    struct test_config test;
    test_config_init(&test, SHIPPED_TEMPLATES, files.bindings);
    struct profiles *profiles = NULL;
    enum outcome outcome = profiles_load(&test.config, &profiles, why);
    profiles_free(profiles);
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s.yaml", files.bindings, change->name);
    assert_int_equal(unlink(path), 0);
    return outcome;
}

static void test_every_change(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct reason why = {.detail = ""};
        enum outcome outcome = load(&changes[i], &why);
        wrong += reason_fits(&changes[i], outcome, &why) ? 0 : 1;
    }
    assert_int_equal(wrong, 0);
}

static void test_the_reason_has_the_right_line(void **state)
{
    (void)state;
    struct change change = {"fapi2-jar", "{name: client_id, value: tpp-client-1}",
                            "{name: client_id, integer: 5}", ""};
    struct reason why = {.detail = ""};
    assert_int_equal(load(&change, &why), OUTCOME_RULE);
    assert_non_null(strstr(why.detail, "fapi2-jar.yaml:7: "));
}

static void test_values_as_json(void **state)
{
    (void)state;
    struct binding_value values[] = {
        {.name = (char *)"text", .value = (char *)"a"},
        {.name = (char *)"list", .values = (char *[]){(char *)"a", (char *)"b"}, .values_count = 2},
        {.name = (char *)"number", .integer = (int64_t[]){-5}},
        {.name = (char *)"json", .json = (char *)"{\"a\":[true]}"},
    };
    struct binding binding = {.values = values, .values_count = COUNT_OF(values)};
    static const struct {
        const char *name;
        const char *json;
    } rows[] = {
        {"text", "\"a\""}, {"list", "[\"a\",\"b\"]"}, {"number", "-5"}, {"json", "{\"a\":[true]}"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        JSON_CLEANUP json_t *value = binding_json(&binding, rows[i].name);
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        assert_string_equal(text, rows[i].json);
        free(text);
    }
    assert_null(binding_json(&binding, "nothing"));
}

static int setup(void **state)
{
    (void)state;
    test_files_init(&files);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_files_fini(&files);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_change),
        cmocka_unit_test(test_the_reason_has_the_right_line),
        cmocka_unit_test(test_values_as_json),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
