/* SPDX-License-Identifier: Apache-2.0
 * What the audit log says of administrators (docs/audit.md: admin, keyring, policy). */
#include "audit_support.h"
#include "custody/act_record.h"
#include "custody/clock.h"
#include "pki/request_profile.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { ANNA = 71001, BERT = 71002, NOBODY = 65534 };

static int setup(void **state)
{
    *state = audited_instance("[operator, custodian]");
    return 0;
}

static int teardown(void **state)
{
    transport_instance_free(*state);
    return 0;
}

static enum outcome ask_as(struct instance *instance, uid_t uid, enum custody_verb verb,
                           const char *arguments, struct reason *why)
{
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(CUSTODY_RESULT_MAX);
    const struct caller peer = {.uid = uid, .gid = uid + 10, .pid = 77};
    return instance_ask_as(instance, &peer, verb, arguments, &result, why);
}

/* --- a command, the keyring, and the end --- */

static void expect_keyring_file(const struct instance *instance, const json_t *record)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1 << 20);
    assert_int_equal(file_read(instance->keyring_path, &text), 0);
    expect_digest(record, "sha256", buffer_span(&text));
}

static void a_change_of_a_key_is_recorded_with_how_it_ended(void **state)
{
    struct instance *instance = *state;
    char kid[THUMBPRINT_SIZE];
    char arguments[200];
    make_key(instance, "{\"role\":\"seal\"}");
    kid_of(instance, 0, kid);
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\",\"reason\":\"a \\\"drill\\\"\"}",
                   kid);
    uint64_t before = audit_mark(instance);
    json_decref(do_verb(instance, CUSTODY_KEY_SUSPEND, arguments));
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    expect_members(admin, "seq prev time kind uid gid pid verb arguments");
    expect_self(admin);
    expect_text(admin, "verb", "key suspend");
    const json_t *given = json_object_get(admin, "arguments");
    expect_members(given, "key reason");
    expect_text(given, "key", kid);
    expect_text(given, "reason", "a \"drill\"");

    JSON_CLEANUP json_t *keyring = audit_record(instance, before, "keyring");
    expect_members(keyring, "seq prev time kind generation sha256 steps");
    assert_int_equal(number_of(keyring, "generation"), 2);
    expect_keyring_file(instance, keyring);
    assert_int_equal(json_array_size(json_object_get(keyring, "steps")), 1);
    const json_t *step = json_array_get(json_object_get(keyring, "steps"), 0);
    expect_members(step, "kid role token state by");
    expect_text(step, "kid", kid);
    expect_text(step, "role", "seal");
    expect_text(step, "token", "hsm-a");
    expect_text(step, "state", "suspended");
    assert_int_equal(number_of(step, "by"), geteuid());

    JSON_CLEANUP json_t *done = audit_done_of(instance, admin);
    expect_members(done, "seq prev time kind of outcome us");
    expect_text(done, "outcome", "done");
    expect_done(instance, keyring, "done");
    JSON_CLEANUP json_t *saved = audit_done_of(instance, keyring);
    assert_true(number_of(admin, "seq") < number_of(keyring, "seq"));
    assert_true(number_of(keyring, "seq") < number_of(saved, "seq"));
    assert_true(number_of(saved, "seq") < number_of(done, "seq"));
}

/* Its record comes first, and must not stand as if it had come into force. */
static void a_keyring_that_cannot_be_saved_says_so(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    assert_int_equal(mkdir(instance->keyring_path, 0700), 0);
    refuse_verb(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal\"}", OUTCOME_RULE,
                "keyring.json");
    assert_int_equal(rmdir(instance->keyring_path), 0);
    JSON_CLEANUP json_t *keyring = audit_record(instance, before, "keyring");
    assert_int_equal(number_of(keyring, "generation"), 1);
    expect_done(instance, keyring, "rule-refused");
}

/* --- what somebody vouches for --- */

static void expect_proof(struct instance *instance, uint64_t before, const char *role,
                         const char *proof)
{
    char kid[THUMBPRINT_SIZE];
    JSON_CLEANUP json_t *keyring = audit_record(instance, before, "keyring");
    const json_t *steps = json_object_get(keyring, "steps");
    const json_t *step = json_array_get(steps, 0);
    assert_int_equal(json_array_size(steps), 1);
    expect_members(step, "kid role token state proof by");
    kid_of(instance, 0, kid);
    expect_text(step, "kid", kid);
    expect_text(step, "role", role);
    expect_text(step, "token", "hsm-a");
    expect_text(step, "state", "active");
    expect_text(step, "proof", proof);
    assert_int_equal(number_of(step, "by"), geteuid());
    expect_done(instance, keyring, "done");
}

static void what_a_person_vouches_for_is_a_step(void **state)
{
    struct instance *instance = *state;
    char arguments[200];
    make_key(instance, "{\"role\":\"seal\"}");
    uint64_t before = audit_mark(instance);
    json_decref(do_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, with_key(0, instance, arguments)));
    expect_proof(instance, before, "seal", "backup");
    before = audit_mark(instance);
    json_decref(do_verb(instance, CUSTODY_KEY_SEEN, with_key(0, instance, arguments)));
    expect_proof(instance, before, "seal", "seen");
}

/* Nobody gives a command for it: the clock looks. */
static void what_a_probe_file_shows_is_a_step(void **state)
{
    struct instance *instance = *state;
    char path[96];
    char roles[300];
    BUFFER_CLEANUP struct buffer set = BUFFER_INIT(65536);
    struct reason why = {0};
    (void)snprintf(path, sizeof path, "%s/jwks.json", instance->folder);
    (void)snprintf(roles, sizeof roles,
                   "  - {name: outside, purpose: seal, key: p-256, algorithms: [ES256], tokens: "
                   "[hsm-a], probe_file: %s}\n",
                   path);
    instance->roles_more = roles;
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    make_key(instance, "{\"role\":\"outside\"}");
    assert_done(instance_admin(instance, CUSTODY_JWKS, "{}", &set, &why), why);
    uint64_t before = audit_mark(instance);
    assert_int_equal(file_replace(path, buffer_span(&set), 0600), 0);
    (void)custody_clock_step(instance->custody, clock_wall_s());
    assert_int_equal(unlink(path), 0);
    expect_proof(instance, before, "outside", "seen");
    JSON_CLEANUP json_t *none = audit_records(instance, before, "admin");
    assert_int_equal(json_array_size(none), 0);
}

/* One of role seal-ec on each of its tokens. */
static void new_keys_are_steps(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    make_key(instance, "{\"role\":\"seal-ec\"}");
    JSON_CLEANUP json_t *records = audit_records(instance, before, "keyring");
    assert_int_equal(json_array_size(records), 2);
    for (size_t i = 0; i < 2; i++) {
        char kid[THUMBPRINT_SIZE];
        const json_t *steps = json_object_get(json_array_get(records, i), "steps");
        const json_t *step = json_array_get(steps, 0);
        assert_int_equal(json_array_size(steps), 1);
        kid_of(instance, i, kid);
        expect_text(step, "kid", kid);
        expect_text(step, "token", instance->tokens[i].name);
        expect_text(step, "state", "active");
    }
}

static void a_command_that_fails_has_the_name_of_the_problem(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"none\"}", OUTCOME_NOT_FOUND, "no such");
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    expect_done(instance, admin, "not-found");
    JSON_CLEANUP json_t *none = audit_records(instance, before, "keyring");
    assert_int_equal(json_array_size(none), 0);
}

/* --- arguments --- */

/* As they stand in the record. */
static void expect_argument(struct instance *instance, struct span value, bool whole)
{
    struct reason why = {0};
    char digest[sizeof "sha256:" + AUDIT_HASH_SIZE] = "sha256:";
    BUFFER_CLEANUP struct buffer arguments = BUFFER_INIT(65536);
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    buffer_put_text(&arguments, "{\"role\":\"seal\",\"chain\":");
    json_put_string(&arguments, value);
    buffer_put_text(&arguments, "}");
    uint64_t before = audit_mark(instance);
    assert_refused(
        instance_admin(instance, CUSTODY_KEY_IMPORT, buffer_text(&arguments), &result, &why),
        OUTCOME_NO_KEY, why, "");
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    const json_t *given = json_object_get(admin, "arguments");
    expect_members(given, "role chain");
    assert_true(sha256_text(value, digest + strlen(digest)));
    if (whole) {
        assert_true(span_equal(json_text(json_object_get(given, "chain")), value));
    } else {
        expect_text(given, "chain", digest);
    }
}

static void a_long_argument_or_one_that_is_no_plain_text_is_a_digest(void **state)
{
    char text[202];
    memset(text, 'x', sizeof text);
    expect_argument(*state, span_of(text, 200), true);
    expect_argument(*state, span_of(text, 201), false);
    expect_argument(*state, span_of_text(" ~\"\\"), true);
    expect_argument(*state, span_of_text("-----BEGIN CERTIFICATE-----\n"), false);
    expect_argument(*state, span_of_text("\x7f"), false);
    expect_argument(*state, span_of_text("\xc3\xa4"), false);
}

/* It may be a PIN in the wrong place. */
static void what_is_no_argument_is_counted(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    refuse_verb(
        instance, CUSTODY_KEY_GENERATE,
        "{\"role\":\"seal\",\"n\":1,\"Not A Name\":\"x\",\"token\":[\"x\"],\"pin\":\"123456\"}",
        OUTCOME_MALFORMED, "an argument is unknown or not a string");
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    const json_t *given = json_object_get(admin, "arguments");
    expect_members(given, "role other");
    assert_int_equal(number_of(given, "other"), 4);
    expect_done(instance, admin, "malformed");
}

static void put_full(struct buffer *out, const char *name)
{
    buffer_put_format(out, "%s\"%s\":\"", out->len == 1 ? "" : ",", name);
    for (int i = 0; i < 200; i++) {
        buffer_put_text(out, "\\\\");
    }
    buffer_put_text(out, "\"");
}

/* However many, however long: a command that may be given is recorded. */
static void no_arguments_are_too_many_for_a_record(void **state)
{
    struct instance *instance = *state;
    BUFFER_CLEANUP struct buffer arguments = BUFFER_INIT(65536);
    buffer_put_text(&arguments, "{");
    size_t n = 0;
    for (; act_record_arguments[n] != NULL; n++) {
        put_full(&arguments, act_record_arguments[n]);
    }
    for (unsigned int value = 0; value < REQUEST_VALUES; value++) {
        put_full(&arguments, request_value_member((enum request_value)value));
    }
    for (int i = 0; i < 75; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "n%d", i);
        put_full(&arguments, name);
    }
    buffer_put_text(&arguments, "}");
    assert_true(buffer_ok(&arguments));
    uint64_t before = audit_mark(instance);
    refuse_verb(instance, CUSTODY_KEY_CSR, buffer_text(&arguments), OUTCOME_MALFORMED,
                "an argument is unknown or not a string");
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    const json_t *given = json_object_get(admin, "arguments");
    assert_int_equal(json_object_size(given), n + REQUEST_VALUES + 1);
    assert_int_equal(number_of(given, "other"), 75);
}

static void a_command_without_arguments_has_none(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    refuse_verb(instance, CUSTODY_CLOCK_CONFIRM, "{}", OUTCOME_RULE, "");
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    expect_text(admin, "verb", "clock confirm");
    assert_int_equal(json_object_size(json_object_get(admin, "arguments")), 0);
    assert_true(json_is_object(json_object_get(admin, "arguments")));
}

static void a_typed_pin_is_nowhere_in_the_log(void **state)
{
    static const char pin[] = "8d2f-Zq71";
    struct instance *instance = *state;
    struct reason why = {0};
    int ends[2];
    char path[200];
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(4096);
    BUFFER_CLEANUP struct buffer log = BUFFER_INIT(AUDIT_SEGMENT_MAX);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], pin, sizeof pin - 1), sizeof pin - 1);
    assert_int_equal(close(ends[1]), 0);
    const struct custody_question question = {
        .verb = CUSTODY_TOKEN_UNLOCK,
        .peer = {.uid = geteuid(), .gid = getegid(), .pid = getpid()},
        .arguments = span_of_text("{\"token\":\"hsm-a\"}"),
        .pin = ends[0],
    };
    uint64_t before = audit_mark(instance);
    assert_done(custody_do(instance->custody, &question, &result, &why), why);
    assert_int_equal(close(ends[0]), 0);
    assert_string_equal(instance->tokens[0].typed, pin);
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    expect_text(admin, "verb", "token unlock");
    expect_members(json_object_get(admin, "arguments"), "token");
    (void)snprintf(path, sizeof path, "%s/audit-0000000001.jsonl", instance->audit_folder);
    assert_int_equal(file_read(path, &log), 0);
    assert_null(strstr(buffer_text(&log), pin));
}

/* --- who may not --- */

static void a_command_that_is_not_permitted_is_recorded(void **state)
{
    struct instance *instance = *state;
    static const struct {
        enum custody_verb verb;
        const char *name;
    } rows[] = {{CUSTODY_KEY_SUSPEND, "key suspend"},
                {CUSTODY_RELOAD, "reload"},
                {CUSTODY_STATUS, "status"}, /* it only reads, and even so */
                {CUSTODY_REPORT, "report"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reason why = {0};
        char operation[64];
        uint64_t before = audit_mark(instance);
        assert_refused(ask_as(instance, NOBODY, rows[i].verb, "{\"key\":\"x\"}", &why),
                       OUTCOME_NOT_GRANTED, why, "uid 65534 may not: ");
        (void)snprintf(operation, sizeof operation, "admin: %s", rows[i].name);
        JSON_CLEANUP json_t *refused = audit_record(instance, before, "refused");
        expect_members(refused, "seq prev time kind uid gid pid operation outcome detail");
        expect_text(refused, "operation", operation);
        expect_text(refused, "outcome", "not-granted");
        expect_text(refused, "detail", why.detail);
        assert_int_equal(number_of(refused, "uid"), NOBODY);
        assert_int_equal(number_of(refused, "gid"), NOBODY + 10);
        assert_int_equal(number_of(refused, "pid"), 77);
        JSON_CLEANUP json_t *none = audit_records(instance, before, "admin");
        assert_int_equal(json_array_size(none), 0);
    }
}

/* So nobody fills the disk with what he may not. */
static void commands_that_are_not_permitted_are_counted_when_they_are_many(void **state)
{
    enum { MANY = 400 };
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    for (int i = 0; i < MANY; i++) {
        struct reason why = {0};
        assert_refused(ask_as(instance, NOBODY, CUSTODY_KEY_SUSPEND, "{}", &why),
                       OUTCOME_NOT_GRANTED, why, "uid 65534 may not: ");
    }
    int64_t singles = 0;
    int64_t total = 0;
    struct deadline end = deadline_in_ms(AUDIT_PATIENCE_MS);
    while (total < MANY) { /* what is counted is written when its second is over */
        size_t i;
        json_t *record;
        JSON_CLEANUP json_t *records = audit_records(instance, before, "refused");
        singles = total = 0;
        json_array_foreach (records, i, record) {
            bool single = json_object_get(record, "count") == NULL;
            singles += single;
            total += single ? 1 : number_of(record, "count");
        }
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 10);
    }
    assert_int_equal(total, MANY);
    assert_true(singles < MANY);
}

static void a_command_that_waits_for_the_clock_is_recorded(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    instance_jump(instance, 3600);
    refuse_verb(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal\"}", OUTCOME_CLOCK,
                "the clock has jumped");
    instance_jump(instance, 0);
    JSON_CLEANUP json_t *refused = audit_record(instance, before, "refused");
    expect_self(refused);
    expect_text(refused, "operation", "admin: key generate");
    expect_text(refused, "outcome", "clock-unconfirmed");
}

static void reading_is_not_recorded(void **state)
{
    static const enum custody_verb verbs[] = {CUSTODY_STATUS, CUSTODY_KEY_LIST,
                                              CUSTODY_JWKS,   CUSTODY_TOKEN_LIST,
                                              CUSTODY_REPORT, CUSTODY_PLAN_LIST};
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        json_decref(do_verb(instance, verbs[i], "{}"));
    }
    assert_int_equal(audit_mark(instance), before + 1);
}

/* --- two persons --- */

static void require_approval(struct instance *instance)
{
    instance->administrators_more = "  - {uid: 71001, rights: [custodian]}\n"
                                    "  - {uid: 71002, rights: [approver]}\n"
                                    "approval: {required: true, valid_s: 3600}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

/* The digest of the plan that Anna's wish becomes. */
static void plan(struct instance *instance, const char *arguments, char out[100])
{
    struct reason why = {0};
    JSON_CLEANUP json_t *json = NULL;
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    const struct caller anna = {.uid = ANNA, .gid = ANNA, .pid = 5};
    assert_done(instance_ask_as(instance, &anna, CUSTODY_KEY_PUBLISH, arguments, &result, &why),
                why);
    assert_done(json_parse_object(buffer_span(&result), &json, &why), why);
    (void)snprintf(out, 100, "{\"digest\":\"%s\"}",
                   text_of(json_object_get(json, "planned"), "digest"));
}

static void what_two_persons_do_names_both(void **state)
{
    struct instance *instance = *state;
    struct reason why = {0};
    char arguments[200];
    char digest[100];
    make_key(instance, "{\"role\":\"seal-ec\"}");
    make_key(instance, "{\"role\":\"seal-ec\"}"); /* 2 and 3 only wait */
    require_approval(instance);
    uint64_t before = audit_mark(instance);
    plan(instance, with_key(2, instance, arguments), digest);
    JSON_CLEANUP json_t *asked = audit_record(instance, before, "admin");
    expect_members(asked, "seq prev time kind uid gid pid verb arguments");
    expect_done(instance, asked, "done"); /* it is a plan now */

    before = audit_mark(instance);
    assert_done(ask_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, &why), why);
    JSON_CLEANUP json_t *records = audit_records(instance, before, "admin");
    assert_int_equal(json_array_size(records), 2);
    const json_t *approval = json_array_get(records, 0);
    const json_t *itself = json_array_get(records, 1);
    expect_text(approval, "verb", "key approve");
    assert_int_equal(number_of(approval, "uid"), BERT);
    expect_done(instance, approval, "done");
    expect_members(itself, "seq prev time kind uid gid pid verb arguments approver");
    expect_text(itself, "verb", "key publish");
    assert_int_equal(number_of(itself, "uid"), ANNA);
    assert_int_equal(number_of(itself, "gid"), 4294967295);
    assert_int_equal(number_of(itself, "pid"), 0);
    assert_int_equal(number_of(itself, "approver"), BERT);
    assert_true(
        json_equal(json_object_get(itself, "arguments"), json_object_get(asked, "arguments")));
    expect_done(instance, itself, "done");

    JSON_CLEANUP json_t *keyring = audit_record(instance, before, "keyring");
    const json_t *step = json_array_get(json_object_get(keyring, "steps"), 0);
    expect_members(step, "kid role token state by approved_by");
    assert_int_equal(number_of(step, "by"), ANNA);
    assert_int_equal(number_of(step, "approved_by"), BERT);
}

/* --- policy --- */

static void a_reload_has_a_record_of_what_is_in_force(void **state)
{
    struct instance *instance = *state;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(65536);
    uint64_t before = audit_mark(instance);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    JSON_CLEANUP json_t *policy = audit_record(instance, before, "policy");
    expect_members(policy, "seq prev time kind configuration_sha256 profiles keyring_generation "
                           "generation");
    assert_int_equal(file_read(instance->config_path, &text), 0);
    expect_digest(policy, "configuration_sha256", buffer_span(&text));
    struct view *view = view_cell_get(instance->views);
    assert_int_equal(number_of(policy, "profiles"), profiles_total(view->policy->profiles));
    view_unref(view);
    assert_int_equal(number_of(policy, "keyring_generation"), 0);
    assert_int_equal(number_of(policy, "generation"), 2);
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    expect_text(admin, "verb", "reload");
    expect_done(instance, admin, "done");
}

static void a_reload_that_is_refused_puts_nothing_in_force(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    instance->administrators_more = "nonsense: true\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    refuse_verb(instance, CUSTODY_RELOAD, "{}", OUTCOME_RULE, "nonsense");
    JSON_CLEANUP json_t *none = audit_records(instance, before, "policy");
    assert_int_equal(json_array_size(none), 0);
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    expect_done(instance, admin, "rule-refused");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_of_a_key_is_recorded_with_how_it_ended),
        TEST(a_keyring_that_cannot_be_saved_says_so),
        TEST(what_a_person_vouches_for_is_a_step),
        TEST(what_a_probe_file_shows_is_a_step),
        TEST(new_keys_are_steps),
        TEST(a_command_that_fails_has_the_name_of_the_problem),
        TEST(a_long_argument_or_one_that_is_no_plain_text_is_a_digest),
        TEST(what_is_no_argument_is_counted),
        TEST(no_arguments_are_too_many_for_a_record),
        TEST(a_command_without_arguments_has_none),
        TEST(a_typed_pin_is_nowhere_in_the_log),
        TEST(a_command_that_is_not_permitted_is_recorded),
        TEST(commands_that_are_not_permitted_are_counted_when_they_are_many),
        TEST(a_command_that_waits_for_the_clock_is_recorded),
        TEST(reading_is_not_recorded),
        TEST(what_two_persons_do_names_both),
        TEST(a_reload_has_a_record_of_what_is_in_force),
        TEST(a_reload_that_is_refused_puts_nothing_in_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
