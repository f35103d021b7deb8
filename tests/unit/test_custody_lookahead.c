/* SPDX-License-Identifier: Apache-2.0
 * The life of keys as data for those who draw it. */
#include "schedule_support.h"

#include "base/clock.h"
#include "base/utc.h"

enum { DAY = 86400 };

static const enum key_state new_steps[] = {KEY_PUBLISHED, KEY_ACTIVE};

static void expect_span(json_t *result, const char *pointer, const char *state, const char *until,
                        bool planned)
{
    json_t *span = json_at_pointer(result, pointer);
    assert_non_null(span);
    assert_string_equal(text_of(span, "state"), state);
    assert_int_equal(json_is_true(json_object_get(span, "planned")), planned);
    assert_non_null(json_string_value(json_object_get(span, "from")));
    if (until == NULL) {
        assert_true(json_is_null(json_object_get(span, "until")));
    } else {
        assert_string_equal(text_of(span, "until"), until);
    }
}

static void past_and_future_are_spans(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    int64_t now = clock_wall_s();
    const int64_t at[] = {now + DAY, now + 2 * DAY};
    char first[UTC_SIZE];
    char second[UTC_SIZE];
    set_schedule(instance, 2, 2, new_steps, at);
    (void)utc_text(at[0], first);
    (void)utc_text(at[1], second);
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_ROTATION_LOOKAHEAD, "{}");
    assert_int_equal(json_array_size(json_object_get(result, "keys")), 4);
    json_t *key = json_at_pointer(result, "/keys/0");
    assert_string_equal(text_of(key, "role"), "seal-ec");
    assert_string_equal(text_of(key, "token"), "hsm-a");
    assert_string_equal(text_of(key, "purpose"), "seal");
    assert_string_equal(text_of(key, "state"), "active");
    assert_null(json_object_get(key, "certificate"));
    assert_null(json_object_get(key, "overdue"));
    assert_int_equal(json_array_size(json_object_get(key, "spans")), 3);
    expect_span(result, "/keys/0/spans/2", "active", NULL, false);
    assert_int_equal(json_array_size(json_at_pointer(result, "/keys/2/spans")), 3);
    expect_span(result, "/keys/2/spans/0", "generated", first, false);
    expect_span(result, "/keys/2/spans/1", "published", second, true);
    expect_span(result, "/keys/2/spans/2", "active", NULL, true);
    assert_string_equal(text_of(json_at_pointer(result, "/keys/2/spans/1"), "from"), first);
    transport_instance_free(instance);
}

/* What is overdue has not happened: it begins now at the earliest. */
static void what_is_overdue_is_said(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    int64_t now = clock_wall_s();
    const int64_t at[] = {now - DAY, now - DAY};
    char arguments[200];
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, with_key(2, instance, arguments)));
    set_schedule(instance, 2, 1, new_steps + 1, at);
    assert_false(custody_clock_step(instance->custody, clock_wall_s()));
    JSON_CLEANUP json_t *result =
        do_verb(instance, CUSTODY_ROTATION_LOOKAHEAD, "{\"role\":\"seal-ec\"}");
    assert_non_null(strstr(text_of(json_at_pointer(result, "/keys/2"), "overdue"),
                           "verifiers may hold the old JWK Set"));
    expect_span(result, "/keys/2/spans/1", "published", text_of(result, "now"), false);
    expect_span(result, "/keys/2/spans/2", "active", NULL, true);
    assert_string_equal(text_of(json_at_pointer(result, "/keys/2/spans/2"), "from"),
                        text_of(result, "now"));
    transport_instance_free(instance);
}

static void records_and_days_are_there(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    char arguments[200];
    json_decref(do_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, with_key(2, instance, arguments)));
    json_decref(do_verb(instance, CUSTODY_KEY_DESTROY, with_key(3, instance, arguments)));
    JSON_CLEANUP json_t *result =
        do_verb(instance, CUSTODY_ROTATION_LOOKAHEAD, "{\"days\":\"30\"}");
    int64_t now = 0;
    int64_t until = 0;
    assert_true(utc_read(span_of_text(text_of(result, "now")), &now));
    assert_true(utc_read(span_of_text(text_of(result, "until")), &until));
    assert_int_equal(until, now + 30 * DAY);
    assert_non_null(json_at_pointer(result, "/keys/2/backup/at"));
    assert_null(json_at_pointer(result, "/keys/2/schedule"));
    assert_int_equal(json_array_size(json_object_get(result, "keys")), 4); /* lately */
    JSON_CLEANUP json_t *none =
        do_verb(instance, CUSTODY_ROTATION_LOOKAHEAD, "{\"role\":\"seal\"}");
    assert_int_equal(json_array_size(json_object_get(none, "keys")), 0);
    assert_string_equal(text_of(none, "from"), text_of(none, "now"));
    transport_instance_free(instance);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "0", "3661", "-1", "1x", "12345", " 1"};
    struct instance *instance = two_generations();
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char arguments[100];
        (void)snprintf(arguments, sizeof arguments, "{\"days\":\"%s\"}", wrong[i]);
        refuse_verb(instance, CUSTODY_ROTATION_LOOKAHEAD, arguments, OUTCOME_RULE,
                    "\"days\" must be a number, 1 to 3660");
    }
    refuse_verb(instance, CUSTODY_ROTATION_LOOKAHEAD, "{\"role\":\"attic\"}", OUTCOME_NOT_FOUND,
                "the configuration has no such role");
    refuse_verb(instance, CUSTODY_ROTATION_LOOKAHEAD, "{\"x\":\"y\"}", OUTCOME_MALFORMED,
                "unknown or not a string");
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(past_and_future_are_spans),
        cmocka_unit_test(what_is_overdue_is_said),
        cmocka_unit_test(records_and_days_are_there),
        cmocka_unit_test(wrong_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
