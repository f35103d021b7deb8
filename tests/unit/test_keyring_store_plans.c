/* SPDX-License-Identifier: Apache-2.0
 * Records and schedules in the keyring's file. */
#include "keyring/store.h"
#include "keyring_support.h"

static const char when[] = "2026-11-21T09:30:00Z";
static const char later[] = "2026-11-22T09:30:00Z";

static json_t *record(const char *name, const char *text)
{
    return json_pack("{s:s, s:i, s:s}", "at", when, "by", 1000, name, text);
}

static json_t *step(const char *state, const char *at)
{
    return json_pack("{s:s, s:s, s:i, s:s, s:s}", "state", state, "at", at, "by", 7, "reason",
                     "yearly", "made_at", when);
}

static void what_is_put_is_read(void **state)
{
    (void)state;
    json_t *object JSON_CLEANUP = good_object();
    struct key key;
    struct reason why = {0};
    (void)json_object_set_new(object, "backup", record("reason", "\"two\" cards"));
    (void)json_object_set_new(object, "seen", record("where", ""));
    (void)json_object_set_new(object, "schedule",
                              json_pack("[o, o]", step("retiring", when), step("retired", when)));
    assert_done(read_key(object, FORMAT, &key, &why), why);
    const struct key_record *backup = &key.proofs[KEY_PROOF_BACKUP];
    assert_true(backup->recorded);
    assert_int_equal(backup->at, 1795253400);
    assert_int_equal(backup->by, 1000);
    assert_string_equal(backup->text, "\"two\" cards");
    assert_true(key.proofs[KEY_PROOF_SEEN].recorded);
    assert_int_equal(key.n_schedule, 2);
    assert_int_equal(key.schedule[1].change.state, KEY_RETIRED);
    assert_int_equal(key.schedule[1].change.by, 7);
    assert_string_equal(key.schedule[1].change.reason, "yearly");
    assert_int_equal(key.schedule[1].made_at, 1795253400);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(4000);
    key_put(&key, &text);
    json_t *again JSON_CLEANUP = json_of(buffer_text(&text));
    assert_true(json_equal(object, again));
    key_fini(&key);
}

/* Takes the value over. */
static void expect_refused(const char *member, json_t *value, const char *fragment)
{
    json_t *object JSON_CLEANUP = good_object();
    struct key key;
    struct reason why = {0};
    (void)json_object_set_new(object, member, value);
    assert_refused(read_key(object, FORMAT, &key, &why), OUTCOME_RULE, why, fragment);
    assert_null(key.schedule);
}

static void records_are_checked(void **state)
{
    (void)state;
    char long_text[KEYRING_REASON_MAX + 2];
    memset(long_text, 'a', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    expect_refused("backup", json_null(), "\"backup\": \"at\" must be a time like");
    expect_refused("backup", json_array(), "\"backup\": \"at\" must be a time like");
    expect_refused("seen", json_pack("{s:s}", "at", when), "\"seen\": \"by\" must be a uid");
    expect_refused("backup", json_pack("{s:s, s:i}", "at", when, "by", 1),
                   "\"backup\": \"reason\" must be a text of at most 200 characters");
    expect_refused("seen", record("reason", "x"), "\"seen\": \"where\" must be a text");
    expect_refused("seen", record("where", long_text), "\"seen\": \"where\" must be a text");
    expect_refused("seen", record("where", "a\nb"), "\"seen\": a reason has at most 200 printable");
    json_t *more = record("reason", "x");
    (void)json_object_set_new(more, "x", json_true());
    expect_refused("backup", more, "\"backup\": only at, by and reason stand here");
    more = record("where", "x");
    (void)json_object_set_new(more, "reason", json_string(""));
    expect_refused("seen", more, "\"seen\": only at, by and where stand here");
}

static void schedules_are_checked(void **state)
{
    (void)state;
    expect_refused("schedule", json_null(), "\"schedule\" must be an array that is not empty");
    expect_refused("schedule", json_array(), "\"schedule\" must be an array that is not empty");
    expect_refused("schedule", json_pack("[i]", 1), "\"schedule\"[0]: \"state\" must be the name");
    expect_refused("schedule", json_pack("[o]", step("idle", when)), "\"state\" must be the name");
    expect_refused("schedule", json_pack("[o]", step("retired", when)),
                   "\"schedule\"[0]: a key that is active does not become retired");
    expect_refused("schedule", json_pack("[o, o]", step("retiring", when), step("active", later)),
                   "\"schedule\"[1]: a key that is retiring does not become active");
    expect_refused("schedule", json_pack("[o, o]", step("retiring", later), step("retired", when)),
                   "\"schedule\"[1]: the steps of a key are scheduled in the order of time");
    json_t *bad = step("retiring", when);
    (void)json_object_del(bad, "made_at");
    expect_refused("schedule", json_pack("[o]", bad), "\"made_at\" must be a time like");
    bad = step("retiring", when);
    (void)json_object_set_new(bad, "x", json_true());
    expect_refused("schedule", json_pack("[o]", bad),
                   "\"schedule\"[0]: only state, at, by, approved_by, reason and made_at stand");
    bad = json_array();
    for (size_t i = 0; i <= KEYRING_SCHEDULE_MAX; i++) {
        (void)json_array_append_new(bad, step(i % 2 == 0 ? "suspended" : "published", when));
    }
    expect_refused("schedule", bad, "\"schedule\"[8]: at most 8 steps of a key are scheduled");
}

static void the_first_format_has_none_of_it(void **state)
{
    (void)state;
    static const char *const names[] = {"backup", "seen", "schedule"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        json_t *object JSON_CLEANUP = good_object();
        struct key key;
        struct reason why = {0};
        (void)json_object_del(object, "history");
        (void)json_object_set_new(object, names[i], record("reason", ""));
        assert_refused(read_key(object, FORMAT_ACTIVE_ONLY, &key, &why), OUTCOME_RULE, why,
                       "history, backup, seen and schedule stand here");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_read),
        cmocka_unit_test(records_are_checked),
        cmocka_unit_test(schedules_are_checked),
        cmocka_unit_test(the_first_format_has_none_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
