/* SPDX-License-Identifier: Apache-2.0
 * Status and key list are JSON with the members that qsealctl and scripts read. */
#include "custody/report.h"

#include "check.h"
#include "instance.h"
#include "jose/json.h"

static int setup(void **state)
{
    static struct instance instance;
    instance_init(&instance, "[\"*\"]", "[custodian]");
    *state = &instance;
    return 0;
}

static int teardown(void **state)
{
    instance_fini(*state);
    return 0;
}

static json_t *ask(struct instance *instance, enum custody_verb verb)
{
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    json_t *json = NULL;
    assert_done(instance_admin(instance, verb, "{}", &result, &why), why);
    assert_done(json_parse_object(buffer_span(&result), &json, &why), why);
    return json;
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value == NULL ? "(none)" : value;
}

static void status_says_what_runs(void **state)
{
    struct instance *instance = *state;
    JSON_CLEANUP json_t *status = ask(instance, CUSTODY_STATUS);
    assert_string_equal(text(status, "status"), "unready");
    assert_string_equal(text(status, "httpd"), "connected");
    assert_string_equal(text(status, "audit"), "off");
    assert_string_equal(text(status, "config"), instance->config_path);
    assert_true(json_is_null(json_object_get(status, "reload")));
    assert_int_equal(json_integer_value(json_object_get(status, "profiles")), 15);
    const json_t *tokens = json_object_get(status, "tokens");
    assert_int_equal(json_array_size(tokens), INSTANCE_TOKENS);
    assert_string_equal(text(json_array_get(tokens, 0), "name"), "hsm-a");
    assert_string_equal(text(json_array_get(tokens, 0), "state"), "ready");
    const json_t *callers = json_object_get(status, "callers");
    assert_int_equal(json_array_size(callers), 1);
    assert_string_equal(text(json_array_get(callers, 0), "name"), "flow");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(callers, 0), "connections")),
                     1);
}

static void keys_are_listed_with_all_an_auditor_asks(void **state)
{
    struct instance *instance = *state;
    instance_make_keys(instance);
    JSON_CLEANUP json_t *list = ask(instance, CUSTODY_KEY_LIST);
    assert_int_equal(json_integer_value(json_object_get(list, "generation")), 3);
    const json_t *key = json_array_get(json_object_get(list, "keys"), 0);
    assert_string_equal(text(key, "role"), "seal");
    assert_string_equal(text(key, "token"), "hsm-a");
    assert_string_equal(text(key, "purpose"), "seal");
    assert_string_equal(text(key, "type"), "rsa-2048");
    assert_string_equal(text(key, "state"), "active");
    assert_int_equal(strlen(text(key, "kid")), THUMBPRINT_LEN);
    assert_int_equal(strlen(text(key, "key_id")), 2 * KEYRING_ID_LEN);
    assert_int_equal(strlen(text(key, "created")), strlen("2026-01-01T00:00:00Z"));
    assert_int_equal(json_array_size(json_object_get(key, "algs")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(status_says_what_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_are_listed_with_all_an_auditor_asks, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
