/* SPDX-License-Identifier: Apache-2.0
 * Histories in the file, and a keyring of the version that had none. */
#include "base/file.h"
#include "folder.h"
#include "keyring/store.h"
#include "keyring_support.h"

/* As it was written before there were histories. */
static const char first_format[] =
    "{\"format\":1,\"generation\":3,\"keys\":[\n"
    "{\"role\":\"seal-ec\",\"token\":\"hsm-a\",\"purpose\":\"seal\",\"state\":\"active\","
    "\"algs\":[\"ES256\"],\"key_id\":\"0123456789abcdef0123456789abcdef\","
    "\"created\":\"2026-11-21T09:30:00Z\",\"created_by\":1000,\"spki\":"
    "\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEN0so0M0zydrTNURg2NG0xEwWZ1bYj8j2cbFi-"
    "V23YsDy1pa1WXkz65W6ZElYwi9cZFHLCtPp47TsW0XVRzBO_w\"}\n]}\n";

static void a_keyring_without_histories_is_read(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    struct keyring *keyring = NULL;
    struct keyring *again = NULL;
    struct reason why = {0};
    folder_path(&folder, "keyring.json", path);
    assert_int_equal(file_replace(path, span_of_text(first_format), 0600), 0);
    assert_done(keyring_load(path, &keyring, &why), why);
    assert_int_equal(keyring->generation, 3);
    const struct key *key = keyring_active(keyring, "seal-ec", "hsm-a");
    assert_non_null(key);
    assert_int_equal(key->n_history, 1);
    assert_int_equal(key->history[0].state, KEY_ACTIVE);
    assert_int_equal(key->history[0].at, 1795253400);
    assert_int_equal(key->history[0].by, 1000);
    assert_int_equal(key_since(key), 1795253400);
    keyring->generation++;
    assert_done(keyring_save(keyring, path, &why), why);
    assert_done(keyring_load(path, &again, &why), why);
    assert_int_equal(again->keys[0].n_history, 1);
    assert_int_equal(again->keys[0].state, KEY_ACTIVE);
    keyring_free(again);
    keyring_free(keyring);
    /* The file of before is still there, byte for byte. */
    char kept[160];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(10000);
    (void)snprintf(kept, sizeof kept, "%s.3", path);
    assert_int_equal(file_read(kept, &text), 0);
    assert_string_equal(buffer_text(&text), first_format);
    folder_remove(&folder);
}

/* In that format there is nothing but active keys. */
static void the_first_format_stays_as_strict_as_it_was(void **state)
{
    (void)state;
    json_t *root JSON_CLEANUP = json_of(first_format);
    json_t *object = json_at_pointer(root, "/keys/0");
    struct key key;
    struct reason why = {0};
    (void)json_object_set_new(object, "history", json_array());
    assert_refused(read_key(object, FORMAT_ACTIVE_ONLY, &key, &why), OUTCOME_RULE, why,
                   "and (from format 2 on) history, backup, seen and schedule stand here");
    (void)json_object_del(object, "history");
    (void)json_object_set_new(object, "state", json_string("retired"));
    assert_refused(read_key(object, FORMAT_ACTIVE_ONLY, &key, &why), OUTCOME_RULE, why,
                   "\"state\" must be \"active\" in format 1");
}

static json_t *step(const char *state, const char *at, int by, const char *reason)
{
    return json_pack("{s:s, s:s, s:i, s:s}", "state", state, "at", at, "by", by, "reason", reason);
}

static const char when[] = "2026-11-21T09:30:00Z";

static void what_is_put_is_read(void **state)
{
    (void)state;
    json_t *array JSON_CLEANUP =
        json_pack("[o, o, o]", step("generated", when, 0, ""),
                  step("suspended", "2026-11-22T00:00:00Z", 1000, "\"lost\" \\ found"),
                  step("compromised", "2026-11-21T00:00:00Z", 7, "")); /* clocks go back */
    struct key key = {.n_history = 0};
    struct reason why = {0};
    assert_done(read_history(array, &key, &why), why);
    assert_int_equal(key.n_history, 3);
    assert_int_equal(key.state, KEY_COMPROMISED);
    assert_string_equal(key.history[1].reason, "\"lost\" \\ found");
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1000);
    buffer_put_text(&text, "{\"h\":");
    history_put(&key, &text);
    buffer_put_text(&text, "}");
    json_t *again JSON_CLEANUP = json_of(buffer_text(&text));
    assert_true(json_equal(array, json_object_get(again, "h")));
    key_fini(&key);
}

/* Takes the array over. */
static void expect_refused(json_t *array, const char *fragment)
{
    struct key key = {.n_history = 0};
    struct reason why = {0};
    assert_refused(read_history(array, &key, &why), OUTCOME_RULE, why, fragment);
    key_fini(&key);
    json_decref(array);
}

static void histories_are_checked(void **state)
{
    (void)state;
    char long_text[KEYRING_REASON_MAX + 2];
    memset(long_text, 'a', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    expect_refused(json_object(), "\"history\" must be an array that is not empty");
    expect_refused(json_array(), "\"history\" must be an array that is not empty");
    expect_refused(json_pack("[i]", 1), "\"history\"[0]: \"state\" must be the name");
    expect_refused(json_pack("[o]", step("idle", when, 1, "")), "\"state\" must be the name");
    expect_refused(json_pack("[o]", step("active", "now", 1, "")), "\"at\" must be a time like");
    expect_refused(json_pack("[o]", step("active", when, -1, "")), "\"by\" must be a uid");
    expect_refused(json_pack("[o]", step("active", when, 1, long_text)),
                   "\"reason\" must be a text of at most 200 characters");
    expect_refused(json_pack("[o]", step("active", when, 1, "a\nb")),
                   "a reason has at most 200 printable ASCII characters");
    expect_refused(json_pack("[{s:s, s:s, s:i}]", "state", "active", "at", when, "by", 1),
                   "\"reason\" must be a text");
    expect_refused(json_pack("[{s:s, s:s, s:i, s:s, s:i}]", "state", "active", "at", when, "by", 1,
                             "reason", "", "x", 1),
                   "only state, at, by, approved_by and reason stand here");
    expect_refused(json_pack("[o]", step("retired", when, 1, "")),
                   "the first state must be \"generated\" or \"active\"");
    expect_refused(json_pack("[o, o]", step("active", when, 1, ""), step("retired", when, 1, "")),
                   "\"history\"[1]: a key that is active does not become retired");
}

static json_t *with_number(json_t *object, const char *name, json_int_t value)
{
    (void)json_object_set_new(object, name, json_integer(value));
    return object;
}

static void waits_stand_where_they_began(void **state)
{
    (void)state;
    json_t *array JSON_CLEANUP = json_pack(
        "[o, o, o, o]", step("generated", when, 0, ""),
        with_number(step("published", when, 0, ""), "wait_s", 300), step("active", when, 0, ""),
        with_number(step("retiring", when, 0, ""), "keep_s", 911));
    struct key key = {.n_history = 0};
    struct reason why = {0};
    assert_done(read_history(array, &key, &why), why);
    assert_int_equal(key.history[1].wait_s, 300);
    assert_int_equal(key_wait_s(&key), 0);
    assert_int_equal(key_keep_s(&key), 911);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1000);
    buffer_put_text(&text, "{\"h\":");
    history_put(&key, &text);
    buffer_put_text(&text, "}");
    json_t *again JSON_CLEANUP = json_of(buffer_text(&text));
    assert_true(json_equal(array, json_object_get(again, "h")));
    key_fini(&key);

    expect_refused(json_pack("[o]", with_number(step("active", when, 0, ""), "wait_s", 300)),
                   "only state, at, by, approved_by and reason stand here");
    expect_refused(json_pack("[o, o]", step("generated", when, 0, ""),
                             with_number(step("suspended", when, 0, ""), "keep_s", 300)),
                   "\"history\"[1]: only state, at, by, approved_by and reason stand here");
    expect_refused(json_pack("[o, o]", step("active", when, 0, ""),
                             with_number(step("suspended", when, 0, ""), "wait_s", 300)),
                   "\"history\"[1]: only state, at, by, approved_by and reason stand here, and "
                   "perhaps keep_s");
    expect_refused(json_pack("[o, o]", step("active", when, 0, ""),
                             with_number(step("suspended", when, 0, ""), "keep_s", 0)),
                   "\"keep_s\" must be a number of seconds from 1 to 4294967295");
    expect_refused(json_pack("[o, o]", step("generated", when, 0, ""),
                             with_number(step("published", when, 0, ""), "wait_s", 4294967296)),
                   "\"wait_s\" must be a number of seconds from 1 to 4294967295");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_keyring_without_histories_is_read),
        cmocka_unit_test(the_first_format_stays_as_strict_as_it_was),
        cmocka_unit_test(what_is_put_is_read),
        cmocka_unit_test(waits_stand_where_they_began),
        cmocka_unit_test(histories_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
