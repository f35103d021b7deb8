/* SPDX-License-Identifier: Apache-2.0
 * What a probe file shows was seen, and what is wrong with one is said. */
#include "schedule_support.h"

#include "base/clock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct stage {
    struct instance *instance;
    char path[96];
    char roles[400];
};

/* Role outside: 0 is active, on hsm-a, and 1 is published. */
static struct stage make(void)
{
    struct stage stage = {.instance = calloc(1, sizeof *stage.instance)};
    assert_non_null(stage.instance);
    instance_init(stage.instance, "[\"*\"]", "[operator]");
    return stage;
}

static void configure(struct stage *stage)
{
    struct instance *instance = stage->instance;
    (void)snprintf(stage->path, sizeof stage->path, "%s/jwks.json", instance->folder);
    (void)snprintf(stage->roles, sizeof stage->roles,
                   "  - {name: outside, purpose: seal, key: p-256, algorithms: [ES256], tokens: "
                   "[hsm-a], seen: required, publish_before_use_s: 0, probe_file: %s}\n",
                   stage->path);
    instance->roles_more = stage->roles;
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    make_key(instance, "{\"role\":\"outside\"}");
    make_key(instance, "{\"role\":\"outside\"}");
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"outside\"}"));
}

static void finish(struct stage *stage)
{
    (void)unlink(stage->path);
    transport_instance_free(stage->instance);
}

static void write_file(const struct stage *stage, const char *text)
{
    FILE *file = fopen(stage->path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void set_time(const struct stage *stage, int64_t at)
{
    const struct timespec times[] = {{.tv_sec = at}, {.tv_sec = at}};
    assert_int_equal(utimensat(AT_FDCWD, stage->path, times, 0), 0);
}

/* As somebody outside has fetched it, with keys of others. The time is set because a file's lags
 * behind the clock by some milliseconds, which may be of the second before. */
static void write_jwks(const struct stage *stage)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(65536);
    struct view *view = view_cell_get(stage->instance->views);
    JSON_CLEANUP json_t *jwks = NULL;
    struct reason why = {0};
    assert_done(json_parse_object(buffer_span(&view->jwks), &jwks, &why), why);
    view_unref(view);
    (void)json_array_append_new(json_object_get(jwks, "keys"), json_pack("{s:s}", "kty", "RSA"));
    json_put(&text, jwks);
    write_file(stage, buffer_text(&text));
    set_time(stage, clock_wall_s());
}

static bool look(const struct stage *stage)
{
    uint64_t before = generation_of(stage->instance);
    (void)custody_clock_step(stage->instance->custody, clock_wall_s());
    return generation_of(stage->instance) != before;
}

static void expect_said(const struct stage *stage, const char *fragment)
{
    JSON_CLEANUP json_t *status = do_verb(stage->instance, CUSTODY_STATUS, "{}");
    json_t *probes = json_at_pointer(status, "/schedule/probes");
    assert_int_equal(json_array_size(probes), fragment == NULL ? 0 : 1);
    if (fragment != NULL) {
        assert_string_equal(text_of(json_array_get(probes, 0), "role"), "outside");
        assert_non_null(strstr(text_of(json_array_get(probes, 0), "detail"), fragment));
    }
}

static void what_is_in_the_file_was_seen(void **state)
{
    (void)state;
    struct stage stage = make();
    configure(&stage);
    refuse_verb(stage.instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"outside\"}", OUTCOME_RULE,
                "role outside asks that a key be visible outside");
    write_jwks(&stage);
    assert_true(look(&stage));
    assert_false(look(&stage)); /* once */
    expect_said(&stage, NULL);
    char arguments[200];
    JSON_CLEANUP json_t *shown =
        do_verb(stage.instance, CUSTODY_KEY_SHOW, with_key(1, stage.instance, arguments));
    json_t *seen = json_at_pointer(shown, "/keys/0/seen");
    assert_string_equal(text_of(seen, "where"), "probe file");
    assert_int_equal(json_integer_value(json_object_get(seen, "by")), geteuid());
    json_decref(do_verb(stage.instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"outside\"}"));
    expect_state(stage.instance, 1, KEY_ACTIVE);
    finish(&stage);
}

/* It was there when the key was published before, and says nothing of now. */
static void an_old_file_does_not_count(void **state)
{
    (void)state;
    struct stage stage = make();
    configure(&stage);
    write_jwks(&stage);
    set_time(&stage, 1000000);
    assert_false(look(&stage));
    expect_said(&stage, NULL);
    set_time(&stage, clock_wall_s());
    assert_true(look(&stage));
    finish(&stage);
}

static void damage_is_said_until_it_is_gone(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *said;
    } rows[] = {
        {"", "line 1"},
        {"{\"keys\":[", "line 1"},
        {"[]", "line 1"},
        {"{}", "no JWK Set: there is no array \"keys\""},
        {"{\"keys\":{}}", "no JWK Set: there is no array \"keys\""},
        {"{\"keys\":[1]}", "no JWK Set: keys[0] is not a key"},
        {"{\"keys\":[{},{\"kid\":1}]}", "no JWK Set: keys[1] is not a key"},
    };
    struct stage stage = make();
    configure(&stage);
    assert_false(look(&stage));
    expect_said(&stage, "No such file or directory");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_file(&stage, rows[i].text);
        assert_false(look(&stage));
        expect_said(&stage, rows[i].said);
        assert_false(look(&stage));
        expect_said(&stage, rows[i].said);
        assert_int_equal(unlink(stage.path), 0); /* another inode or another time */
        assert_false(look(&stage));
    }
    write_jwks(&stage);
    for (mode_t mode = 0; mode < 2; mode++) {
        assert_int_equal(chmod(stage.path, mode == 0 ? 0646 : 0664), 0);
        assert_false(look(&stage));
        expect_said(&stage, "others than its owner may write it");
        assert_int_equal(unlink(stage.path), 0);
        write_jwks(&stage);
    }
    char elsewhere[140];
    (void)snprintf(elsewhere, sizeof elsewhere, "%s.real", stage.path);
    assert_int_equal(rename(stage.path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, stage.path), 0); /* whose owner would vouch for it */
    assert_false(look(&stage));
    expect_said(&stage, "Too many levels of symbolic links");
    assert_int_equal(unlink(stage.path), 0);
    assert_int_equal(mkfifo(stage.path, 0600), 0);
    assert_false(look(&stage));
    expect_said(&stage, "not a regular file");
    assert_int_equal(unlink(stage.path), 0);
    write_jwks(&stage);
    assert_true(look(&stage));
    expect_said(&stage, NULL);
    finish(&stage);
}

static void a_file_without_end_is_not_read(void **state)
{
    (void)state;
    struct stage stage = make();
    configure(&stage);
    write_jwks(&stage);
    assert_int_equal(truncate(stage.path, 1024L * 1024 + 1), 0);
    assert_false(look(&stage));
    expect_said(&stage, "larger than 1 MiB");
    finish(&stage);
}

/* A record that cannot be written is tried again. */
static void a_disk_that_fails_loses_nothing(void **state)
{
    (void)state;
    struct stage stage = make();
    configure(&stage);
    char blocker[140];
    (void)snprintf(blocker, sizeof blocker, "%s.new", stage.instance->keyring_path);
    assert_int_equal(mkdir(blocker, 0700), 0);
    write_jwks(&stage);
    assert_false(look(&stage));
    expect_said(&stage, "keyring.json: ");
    assert_int_equal(rmdir(blocker), 0);
    assert_true(look(&stage));
    expect_said(&stage, NULL);
    finish(&stage);
}

static void a_role_without_a_probe_has_none(void **state)
{
    (void)state;
    struct stage stage = make();
    configure(&stage);
    assert_false(look(&stage));
    expect_said(&stage, "No such file");
    stage.instance->roles_more = NULL;
    instance_configure(stage.instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(stage.instance, CUSTODY_RELOAD, "{}"));
    assert_false(look(&stage));
    expect_said(&stage, NULL);
    finish(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_the_file_was_seen),
        cmocka_unit_test(an_old_file_does_not_count),
        cmocka_unit_test(damage_is_said_until_it_is_gone),
        cmocka_unit_test(a_file_without_end_is_not_read),
        cmocka_unit_test(a_disk_that_fails_loses_nothing),
        cmocka_unit_test(a_role_without_a_probe_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
