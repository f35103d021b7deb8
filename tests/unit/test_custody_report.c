/* SPDX-License-Identifier: Apache-2.0
 * Status and key list are JSON with the members that qsealctl and scripts read. */
#include "custody/report.h"

#include "custody_support.h"
#include "model/quirk.h"

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

static void status_says_what_runs(void **state)
{
    struct instance *instance = *state;
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    assert_string_equal(text_of(status, "status"), "unready");
    assert_string_equal(text_of(status, "httpd"), "connected");
    assert_string_equal(text_of(status, "audit"), "off");
    assert_string_equal(text_of(status, "config"), instance->config_path);
    assert_true(json_is_null(json_object_get(status, "reload")));
    assert_int_equal(json_integer_value(json_object_get(status, "profiles")), 21);
    const json_t *tokens = json_object_get(status, "tokens");
    assert_int_equal(json_array_size(tokens), INSTANCE_TOKENS);
    assert_string_equal(text_of(json_array_get(tokens, 0), "name"), "hsm-a");
    assert_string_equal(text_of(json_array_get(tokens, 0), "state"), "ready");
    const json_t *callers = json_object_get(status, "callers");
    assert_int_equal(json_array_size(callers), 1);
    assert_string_equal(text_of(json_array_get(callers, 0), "name"), "flow");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(callers, 0), "connections")),
                     1);
}

static void keys_are_listed_with_all_an_auditor_asks(void **state)
{
    struct instance *instance = *state;
    instance_make_keys(instance);
    JSON_CLEANUP json_t *list = do_verb(instance, CUSTODY_KEY_LIST, "{}");
    assert_int_equal(json_integer_value(json_object_get(list, "generation")), 3);
    const json_t *key = json_array_get(json_object_get(list, "keys"), 0);
    assert_string_equal(text_of(key, "role"), "seal");
    assert_string_equal(text_of(key, "token"), "hsm-a");
    assert_string_equal(text_of(key, "purpose"), "seal");
    assert_string_equal(text_of(key, "type"), "rsa-2048");
    assert_string_equal(text_of(key, "state"), "active");
    assert_int_equal(strlen(text_of(key, "kid")), THUMBPRINT_LEN);
    assert_int_equal(strlen(text_of(key, "key_id")), 2 * KEYRING_ID_LEN);
    assert_int_equal(strlen(text_of(key, "created")), strlen("2026-01-01T00:00:00Z"));
    assert_int_equal(json_array_size(json_object_get(key, "algs")), 2);
}

static const json_t *quirk(const json_t *token, const char *name)
{
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(token, "quirks"), i, one) {
        if (strcmp(text_of(one, "name"), name) == 0) {
            return one;
        }
    }
    fail_msg("no quirk %s", name);
    return NULL;
}

static void tokens_say_what_they_can_and_what_is_unknown(void **state)
{
    struct instance *instance = *state;
    instance->tokens[0].says = (struct token_status){
        .started = 1767225600,
        .facts = {.manufacturer = "ACME",
                  .hardware = "1.2",
                  .firmware = "3.4",
                  .flags = 1U << TOKEN_LOGIN_REQUIRED | 1U << TOKEN_PIN_COUNT_LOW,
                  .numbers = {3, TOKEN_NO_LIMIT, 5, TOKEN_UNKNOWN, 0, 8},
                  .quirks_looked = 1U << QUIRK_BARE_POINT | 1U << QUIRK_NO_RAW_RSA,
                  .quirks_found = 1U << QUIRK_BARE_POINT}};
    instance->tokens[0].state = TOKEN_LOCKED;
    instance->tokens[1].state = TOKEN_DOWN;
    instance_wait_state(instance, "hsm-a", TOKEN_LOCKED);
    instance_wait_state(instance, "hsm-b", TOKEN_DOWN);
    JSON_CLEANUP json_t *list = do_verb(instance, CUSTODY_TOKEN_LIST, "{}");
    const json_t *token = json_array_get(json_object_get(list, "tokens"), 0);
    assert_string_equal(text_of(token, "firmware"), "3.4");
    assert_string_equal(text_of(token, "pin"), "pin-source");
    assert_string_equal(text_of(token, "started"), "2026-01-01T00:00:00Z");
    assert_int_equal(json_integer_value(json_object_get(token, "sessions_open")), 3);
    assert_string_equal(text_of(token, "sessions_max"), "unlimited");
    assert_true(json_is_null(json_object_get(token, "public_total")));
    assert_int_equal(json_integer_value(json_object_get(token, "private_total")), 8);
    assert_string_equal(json_string_value(json_array_get(json_object_get(token, "flags"), 1)),
                        "pin-count-low");
    assert_string_equal(text_of(quirk(token, "bare-point"), "state"), "found");
    assert_string_equal(text_of(quirk(token, "bare-point"), "text"), quirk_text(QUIRK_BARE_POINT));
    assert_string_equal(text_of(quirk(token, "no-raw-rsa"), "state"), "not-found");
    assert_string_equal(text_of(quirk(token, "login-lost"), "state"), "unknown");
    /* Of one that is down nothing is known; no number is made up. */
    const json_t *other = json_array_get(json_object_get(list, "tokens"), 1);
    assert_string_equal(text_of(other, "state"), "down");
    assert_true(json_is_null(json_object_get(other, "sessions_open")));
    assert_null(json_object_get(other, "started"));
    assert_string_equal(text_of(quirk(other, "bare-point"), "state"), "unknown");
}

static void rooms_say_what_waits_for_their_restart(void **state)
{
    struct instance *instance = *state;
    struct view *view = view_cell_get(instance->views);
    const struct config *config = view->policy->config;
    struct config_marks marks;
    config_marks(config, &config->tokens[0], &marks);
    for (size_t i = 0; i < INSTANCE_TOKENS; i++) {
        struct token_status *says = &instance->tokens[i].says;
        *says = (struct token_status){
            .version = QSEAL_VERSION, .started = 1767225600, .n_marks = marks.n};
        memcpy(says->marks, marks.values, sizeof says->marks);
    }
    view_unref(view);
    instance->tokens[0].says.marks[5] ^= 1; /* sessions */
    instance->tokens[0].state = TOKEN_LOCKED;
    instance->tokens[1].says.n_marks--;
    instance->tokens[1].says.version[0] = '9';
    instance->tokens[1].state = TOKEN_LOCKED;
    instance_wait_state(instance, "hsm-a", TOKEN_LOCKED);
    instance_wait_state(instance, "hsm-b", TOKEN_LOCKED);
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    const json_t *rooms = json_object_get(status, "rooms");
    static const char *const expected[][3] = {
        {"qseald", "qseald", NULL},
        {"httpd", "qseal-httpd", NULL},
        {"tokend hsm-a", "qseal-tokend@hsm-a", "sessions: 8"},
        {"tokend hsm-b", "qseal-tokend@hsm-b", "version: " QSEAL_VERSION}};
    assert_int_equal(json_array_size(rooms), COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        const json_t *room = json_array_get(rooms, i);
        const json_t *restart = json_object_get(room, "restart");
        assert_string_equal(text_of(room, "room"), expected[i][0]);
        assert_string_equal(text_of(room, "unit"), expected[i][1]);
        assert_int_equal(json_array_size(restart), expected[i][2] == NULL ? 0 : 1);
        if (expected[i][2] != NULL) {
            assert_string_equal(json_string_value(json_array_get(restart, 0)), expected[i][2]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(status_says_what_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_are_listed_with_all_an_auditor_asks, setup, teardown),
        cmocka_unit_test_setup_teardown(tokens_say_what_they_can_and_what_is_unknown, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rooms_say_what_waits_for_their_restart, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
