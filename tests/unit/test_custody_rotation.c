/* SPDX-License-Identifier: Apache-2.0
 * Rotations as they are proposed, scheduled and dropped, and what speaks against them. */
#include "certificate_support.h"
#include "schedule_support.h"

#include "base/clock.h"
#include "base/utc.h"

#include <unistd.h>

enum {
    WAIT = 300 + 1,      /* limits/jwks_max_age_s, and the cut second */
    KEEP = 900 + 10 + 1, /* the longest lifetime of a profile of seal-ec, a deadline, a second */
    LEAD = 300,          /* of a plan */
    DAY = 86400,
};

static void configure(struct instance *instance, const char *roles)
{
    instance->roles_more = roles;
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

static int64_t time_of(json_t *object, const char *pointer)
{
    int64_t at = 0;
    const char *text = json_string_value(json_at_pointer(object, pointer));
    assert_non_null(text);
    assert_true(utc_read(span_of_text(text), &at));
    return at;
}

static void expect_step(json_t *result, size_t index, const char *token, const char *state,
                        int64_t at)
{
    json_t *step = json_array_get(json_object_get(result, "steps"), index);
    assert_string_equal(text_of(step, "token"), token);
    assert_string_equal(text_of(step, "state"), state);
    assert_int_equal(time_of(step, "/at"), at);
}

static void expect_warning(json_t *result, size_t index, const char *fragment)
{
    const char *text =
        json_string_value(json_array_get(json_object_get(result, "warnings"), index));
    assert_non_null(text);
    if (strstr(text, fragment) == NULL) {
        print_error("warning: \"%s\", want \"%s\"\n", text, fragment);
    }
    assert_non_null(strstr(text, fragment));
}

static void a_plan_changes_nothing_and_says_how_to_apply_it(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    char want[200];
    char publish[UTC_SIZE];
    char activate[UTC_SIZE];
    uint64_t generation = generation_of(instance);
    JSON_CLEANUP json_t *plan = do_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal-ec\"}");
    assert_int_equal(generation_of(instance), generation);
    int64_t at = time_of(plan, "/publish_at");
    assert_int_equal(at, time_of(plan, "/now") + LEAD);
    assert_int_equal(time_of(plan, "/activate_at"), at + WAIT);
    assert_int_equal(json_array_size(json_object_get(plan, "steps")), 8);
    expect_step(plan, 0, "hsm-a", "published", at);
    expect_step(plan, 1, "hsm-b", "published", at);
    expect_step(plan, 2, "hsm-a", "retiring", at + WAIT);
    expect_step(plan, 3, "hsm-a", "active", at + WAIT);
    expect_step(plan, 5, "hsm-b", "active", at + WAIT);
    expect_step(plan, 6, "hsm-a", "retired", at + WAIT + KEEP);
    expect_step(plan, 7, "hsm-b", "retired", at + WAIT + KEEP);
    assert_int_equal(json_array_size(json_object_get(plan, "warnings")), 0);
    (void)snprintf(want, sizeof want,
                   "qsealctl rotation apply seal-ec --publish-at %s --activate-at %s",
                   utc_text(at, publish), utc_text(at + WAIT, activate));
    assert_string_equal(text_of(plan, "command"), want);
    transport_instance_free(instance);
}

static void a_plan_that_is_applied_happens(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    uint64_t generation = generation_of(instance);
    JSON_CLEANUP json_t *applied =
        do_verb(instance, CUSTODY_ROTATION_APPLY,
                "{\"role\":\"seal-ec\",\"activate_at\":\"+10m\",\"reason\":\"of 2027\"}");
    int64_t now = time_of(applied, "/now");
    assert_int_equal(time_of(applied, "/publish_at"), now);
    assert_int_equal(time_of(applied, "/activate_at"), now + 600);
    assert_int_equal(json_integer_value(json_object_get(applied, "generation")), generation + 1);
    assert_int_equal(generation_of(instance), generation + 1); /* all in one */
    JSON_CLEANUP json_t *list = do_verb(instance, CUSTODY_KEY_LIST, "{}");
    assert_string_equal(text_of(json_at_pointer(list, "/keys/2/schedule/1"), "state"), "active");
    assert_int_equal(time_of(list, "/keys/2/schedule/1/made_at"), now);
    assert_string_equal(text_of(json_at_pointer(list, "/keys/0/schedule/0"), "state"), "retiring");
    while (custody_clock_step(instance->custody, now + 599)) {
    }
    expect_state(instance, 2, KEY_PUBLISHED);
    /* The clock was late: what it published at 599 signs 301 s after that. */
    assert_true(custody_clock_step(instance->custody, now + 599 + WAIT));
    assert_true(custody_clock_step(instance->custody, now + 599 + WAIT + KEEP));
    expect_state(instance, 0, KEY_RETIRED);
    expect_state(instance, 3, KEY_ACTIVE);
    struct view *view = view_cell_get(instance->views);
    const struct key *key = &view->keyring->keys[3];
    assert_string_equal(key->history[key->n_history - 1].reason, "scheduled: of 2027");
    assert_int_equal(key->history[key->n_history - 1].by, geteuid());
    view_unref(view);
    transport_instance_free(instance);
}

static void what_is_published_already_is_only_activated(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}"));
    refuse_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal-ec\",\"publish_at\":\"+1h\"}",
                OUTCOME_RULE, "every key of role seal-ec that waits is published already");
    JSON_CLEANUP json_t *plan =
        do_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal-ec\",\"token\":\"hsm-b\"}");
    assert_null(json_object_get(plan, "publish_at"));
    assert_int_equal(json_array_size(json_object_get(plan, "steps")), 3);
    assert_in_range(time_of(plan, "/activate_at"), time_of(plan, "/now") + WAIT - 60,
                    time_of(plan, "/now") + WAIT);
    assert_non_null(
        strstr(text_of(plan, "command"), "apply seal-ec --token hsm-b --activate-at 20"));
    transport_instance_free(instance);
}

static void dates_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        const char *fragment;
    } rows[] = {
        {"\"publish_at\":\"tomorrow\"",
         "\"publish_at\" must be a time like 2026-11-21T09:30:00Z, or from now on like +90s"},
        {"\"activate_at\":\"+1w\"", "\"activate_at\" must be a time like"},
        {"\"activate_at\":\"+3661d\"", "\"activate_at\" is more than 3660 days away"},
        {"\"publish_at\":\"2020-01-01T00:00:00Z\"",
         "\"publish_at\" is in the past: 2020-01-01T00:00:00Z, and it is 20"},
        {"\"activate_at\":\"2020-01-01T00:00:00Z\"", "\"activate_at\" is in the past"},
        {"\"publish_at\":\"+1h\",\"activate_at\":\"+3899s\"",
         "since a key is published for 300 s before it signs"},
        {"\"publish_at\":\"+1h\",\"activate_at\":\"+30m\"", " is too early: from 20"},
    };
    struct instance *instance = two_generations();
    uint64_t generation = generation_of(instance);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char arguments[200];
        (void)snprintf(arguments, sizeof arguments, "{\"role\":\"seal-ec\",%s}", rows[i].arguments);
        refuse_verb(instance, CUSTODY_ROTATION_PLAN, arguments, OUTCOME_RULE, rows[i].fragment);
        refuse_verb(instance, CUSTODY_ROTATION_APPLY, arguments, OUTCOME_RULE, rows[i].fragment);
    }
    char long_reason[300];
    (void)snprintf(long_reason, sizeof long_reason, "{\"role\":\"seal-ec\",\"reason\":\"%0201d\"}",
                   0);
    refuse_verb(instance, CUSTODY_ROTATION_APPLY, long_reason, OUTCOME_RULE,
                "a reason has at most 200 printable ASCII characters");
    assert_int_equal(generation_of(instance), generation);
    transport_instance_free(instance);
}

static void keys_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    refuse_verb(instance, CUSTODY_ROTATION_PLAN, "{}", OUTCOME_NOT_FOUND, "no such role");
    refuse_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal-ec\",\"token\":\"x\"}",
                OUTCOME_NOT_FOUND, "no such token");
    refuse_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal-ec\",\"at\":\"x\"}",
                OUTCOME_MALFORMED, "unknown or not a string");
    refuse_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal\"}", OUTCOME_RULE,
                "role seal has no successor: qsealctl key generate seal first");
    json_decref(do_verb(instance, CUSTODY_ROTATION_APPLY, "{\"role\":\"seal-ec\"}"));
    refuse_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal-ec\"}", OUTCOME_RULE,
                "on token hsm-a becomes retiring at 20");
    refuse_verb(instance, CUSTODY_ROTATION_APPLY, "{\"role\":\"seal-ec\"}", OUTCOME_RULE,
                "qsealctl rotation cancel seal-ec drops it");
    json_decref(do_verb(instance, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\"}"));
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    refuse_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal-ec\"}", OUTCOME_RULE,
                "role seal-ec has more than one key that waits on token hsm-a");
    JSON_CLEANUP json_t *other =
        do_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal-ec\",\"token\":\"hsm-b\"}");
    assert_int_equal(json_array_size(json_object_get(other, "steps")), 4);
    transport_instance_free(instance);
}

static void a_rotation_can_be_cancelled(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    refuse_verb(instance, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\"}", OUTCOME_RULE,
                "nothing is scheduled for keys of role seal-ec");
    refuse_verb(instance, CUSTODY_ROTATION_CANCEL, "{\"role\":\"attic\"}", OUTCOME_NOT_FOUND,
                "there is no such role");
    refuse_verb(instance, CUSTODY_ROTATION_CANCEL, "{}", OUTCOME_NOT_FOUND, "no such role");
    refuse_verb(instance, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\",\"why\":\"x\"}",
                OUTCOME_MALFORMED, "unknown or not a string");
    json_decref(
        do_verb(instance, CUSTODY_ROTATION_APPLY, "{\"role\":\"seal-ec\",\"publish_at\":\"+1h\"}"));
    uint64_t generation = generation_of(instance);
    JSON_CLEANUP json_t *one =
        do_verb(instance, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    assert_int_equal(json_array_size(json_object_get(one, "keys")), 2);
    assert_int_equal(json_array_size(json_at_pointer(one, "/keys/1/dropped")), 2);
    refuse_verb(instance, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}",
                OUTCOME_RULE, "nothing is scheduled for keys of role seal-ec on token hsm-a");
    JSON_CLEANUP json_t *rest =
        do_verb(instance, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\"}");
    assert_int_equal(json_array_size(json_object_get(rest, "keys")), 2);
    assert_int_equal(generation_of(instance), generation + 2);
    assert_false(custody_clock_step(instance->custody, clock_wall_s() + DAY));
    expect_state(instance, 2, KEY_GENERATED);
    transport_instance_free(instance);
}

/* The end of the one before is in nobody's way. */
static void the_next_rotation_need_not_wait(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    JSON_CLEANUP json_t *applied =
        do_verb(instance, CUSTODY_ROTATION_APPLY, "{\"role\":\"seal-ec\"}");
    int64_t now = time_of(applied, "/now");
    assert_true(custody_clock_step(instance->custody, now));
    assert_true(custody_clock_step(instance->custody, now + WAIT));
    make_key(instance, "{\"role\":\"seal-ec\"}");
    json_decref(do_verb(instance, CUSTODY_ROTATION_APPLY, "{\"role\":\"seal-ec\"}"));
    JSON_CLEANUP json_t *list = do_verb(instance, CUSTODY_KEY_LIST, "{}");
    assert_string_equal(text_of(json_at_pointer(list, "/keys/0/schedule/0"), "state"), "retired");
    assert_string_equal(text_of(json_at_pointer(list, "/keys/2/schedule/0"), "state"), "retiring");
    transport_instance_free(instance);
}

/* A certificate beside the key, as import-certificate would have put it there. */
static void put_certificate(struct instance *instance, size_t index, long from_s, long to_s)
{
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
    const struct issue issue = {
        .subject = "leaf", .issuer = "leaf", .from_s = from_s, .to_s = to_s};
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    struct view *view = view_cell_get(instance->views);
    struct keyring *next = NULL;
    struct reason why = {0};
    put_issued(&chain, &issue, pkey, pkey);
    assert_done(keyring_set_chain(view->keyring, view->keyring->keys[index].public_key,
                                  buffer_text(&chain), NULL, 0, &next, &why),
                why);
    assert_done(keyring_save(next, instance->keyring_path, &why), why);
    keyring_free(next);
    view_unref(view);
    EVP_PKEY_free(pkey);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

static void a_certificate_must_be_valid_when_the_key_signs(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    put_certificate(instance, 2, DAY, 10 * DAY);
    JSON_CLEANUP json_t *plan =
        do_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    assert_in_range(time_of(plan, "/publish_at"), time_of(plan, "/now") + DAY - 60,
                    time_of(plan, "/now") + DAY);
    refuse_verb(instance, CUSTODY_ROTATION_PLAN,
                "{\"role\":\"seal-ec\",\"token\":\"hsm-a\",\"publish_at\":\"+12h\"}", OUTCOME_RULE,
                " is too early: from 20");
    refuse_verb(instance, CUSTODY_ROTATION_PLAN,
                "{\"role\":\"seal-ec\",\"token\":\"hsm-a\",\"publish_at\":\"+12h\"}", OUTCOME_RULE,
                "Z on, when the certificate is valid");
    refuse_verb(instance, CUSTODY_ROTATION_PLAN,
                "{\"role\":\"seal-ec\",\"token\":\"hsm-a\",\"activate_at\":\"+12h\"}", OUTCOME_RULE,
                "signs with a certificate only when that is valid");
    refuse_verb(instance, CUSTODY_ROTATION_PLAN,
                "{\"role\":\"seal-ec\",\"token\":\"hsm-a\",\"activate_at\":\"+11d\"}", OUTCOME_RULE,
                "on token hsm-a ends at 20");
    /* That of the key before ends sooner: said, not refused. */
    put_certificate(instance, 0, -DAY, 2 * DAY);
    JSON_CLEANUP json_t *late =
        do_verb(instance, CUSTODY_ROTATION_PLAN,
                "{\"role\":\"seal-ec\",\"token\":\"hsm-a\",\"activate_at\":\"+3d\"}");
    expect_warning(late, 0, "the certificate of the active key");
    expect_warning(late, 0, ", before its successor signs");
    transport_instance_free(instance);
}

/* It was valid when it was imported. */
static void a_certificate_that_has_ended_stops_the_key_on_its_way(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    int64_t now = clock_wall_s();
    static const enum key_state steps[] = {KEY_PUBLISHED};
    put_certificate(instance, 2, -10 * DAY, -DAY);
    refuse_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", OUTCOME_RULE,
                ": a renewed one comes first");
    set_schedule(instance, 2, 1, steps, &now);
    assert_false(custody_clock_step(instance->custody, now));
    expect_overdue(instance, 1, ": a renewed one comes first");
    put_certificate(instance, 2, -DAY, DAY);
    assert_true(custody_clock_step(instance->custody, now));
    let_pass(instance, 301);
    put_certificate(instance, 2, -10 * DAY, -DAY);
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal-ec\"}", OUTCOME_RULE,
                ": a renewed one comes first");
    expect_state(instance, 2, KEY_PUBLISHED);
    transport_instance_free(instance);
}

static void a_certificate_that_is_missing_is_asked_for(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    configure(instance, "  - {name: qseal, purpose: seal, key: p-256, algorithms: [ES256], tokens: "
                        "[hsm-a], certificate: required}\n");
    make_key(instance, "{\"role\":\"qseal\"}");
    refuse_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"qseal\"}", OUTCOME_RULE,
                "keys of role qseal need a certificate, and ");
    put_certificate(instance, 4, -DAY, 10 * DAY);
    /* Nobody signs yet, so nobody has to wait. */
    JSON_CLEANUP json_t *applied =
        do_verb(instance, CUSTODY_ROTATION_APPLY, "{\"role\":\"qseal\"}");
    assert_int_equal(time_of(applied, "/publish_at"), time_of(applied, "/activate_at"));
    while (custody_clock_step(instance->custody, clock_wall_s())) {
    }
    expect_state(instance, 4, KEY_ACTIVE);
    transport_instance_free(instance);
}

static void what_will_wait_is_said(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    configure(instance, "  - {name: vault, purpose: seal, key: p-256, algorithms: [ES256], tokens: "
                        "[hsm-a, hsm-b], backup: required, seen: required}\n");
    make_key(instance, "{\"role\":\"vault\",\"token\":\"hsm-a\"}");
    json_decref(do_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, "{\"key\":\"vault\"}"));
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"vault\"}"));
    json_decref(do_verb(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"vault\"}"));
    make_key(instance, "{\"role\":\"vault\",\"token\":\"hsm-a\"}");
    JSON_CLEANUP json_t *plan = do_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"vault\"}");
    expect_warning(plan, 0, "token hsm-b has no key of role vault that waits");
    expect_warning(plan, 1, "no backup of key ");
    expect_warning(plan, 1, "its activation waits for qsealctl key backup-recorded ");
    expect_warning(plan, 2,
                   "has not been seen outside: its activation waits for qsealctl key seen");
    transport_instance_free(instance);
}

/* Programs present the old certificate until they are started anew; nobody knows when. */
static void a_transport_key_is_not_retired_by_the_clock(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    configure(instance, "  - {name: tls, purpose: transport, key: p-256, tokens: [hsm-a], "
                        "certificate: optional}\n");
    make_key(instance, "{\"role\":\"tls\"}");
    make_key(instance, "{\"role\":\"tls\"}");
    JSON_CLEANUP json_t *applied = do_verb(instance, CUSTODY_ROTATION_APPLY, "{\"role\":\"tls\"}");
    expect_warning(applied, 0,
                   "stays retiring: when every program has the new certificate, "
                   "qsealctl key retire");
    while (custody_clock_step(instance->custody, clock_wall_s() + 400 * DAY)) {
    }
    expect_state(instance, 4, KEY_RETIRING);
    expect_state(instance, 5, KEY_ACTIVE);
    transport_instance_free(instance);
}

/* Published and active in the same second, and the former one is of no use from then on. Each token
 * has its own, of which the first is active at once. */
static void an_audit_key_is_retired_when_the_next_one_signs(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    configure(instance, "  - {name: audit, purpose: audit, key: p-256, tokens: [hsm-a, hsm-b]}\n");
    make_key(instance, "{\"role\":\"audit\",\"token\":\"hsm-a\"}");
    make_key(instance, "{\"role\":\"audit\",\"token\":\"hsm-b\"}");
    expect_state(instance, 4, KEY_ACTIVE);
    expect_state(instance, 5, KEY_ACTIVE);
    make_key(instance, "{\"role\":\"audit\"}");
    expect_state(instance, 6, KEY_GENERATED);
    refuse_verb(instance, CUSTODY_KEY_REFERENCE, "{\"role\":\"audit\"}", OUTCOME_RULE,
                "role audit is of purpose audit: only transport keys are used by reference");
    JSON_CLEANUP json_t *applied =
        do_verb(instance, CUSTODY_ROTATION_APPLY, "{\"role\":\"audit\"}");
    assert_int_equal(time_of(applied, "/activate_at"), time_of(applied, "/publish_at"));
    assert_int_equal(json_array_size(json_object_get(applied, "steps")), 8);
    assert_int_equal(json_array_size(json_object_get(applied, "warnings")), 0);
    while (custody_clock_step(instance->custody, clock_wall_s() + 1)) {
    }
    for (size_t i = 0; i < 2; i++) {
        expect_state(instance, 4 + i, KEY_RETIRED);
        expect_state(instance, 6 + i, KEY_ACTIVE);
    }
    transport_instance_free(instance);
}

static void who_may_only_read_may_only_plan(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    instance_configure(instance, "[\"*\"]", "[operator, auditor]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    json_decref(do_verb(instance, CUSTODY_ROTATION_PLAN, "{\"role\":\"seal-ec\"}"));
    json_decref(do_verb(instance, CUSTODY_ROTATION_LOOKAHEAD, "{}"));
    refuse_verb(instance, CUSTODY_ROTATION_APPLY, "{\"role\":\"seal-ec\"}", OUTCOME_NOT_GRANTED,
                "may not: rotation apply");
    refuse_verb(instance, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\"}", OUTCOME_NOT_GRANTED,
                "may not: rotation cancel");
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_changes_nothing_and_says_how_to_apply_it),
        cmocka_unit_test(a_plan_that_is_applied_happens),
        cmocka_unit_test(what_is_published_already_is_only_activated),
        cmocka_unit_test(dates_that_cannot_be_are_refused),
        cmocka_unit_test(keys_that_do_not_fit_are_refused),
        cmocka_unit_test(a_rotation_can_be_cancelled),
        cmocka_unit_test(the_next_rotation_need_not_wait),
        cmocka_unit_test(a_certificate_must_be_valid_when_the_key_signs),
        cmocka_unit_test(a_certificate_that_has_ended_stops_the_key_on_its_way),
        cmocka_unit_test(a_certificate_that_is_missing_is_asked_for),
        cmocka_unit_test(what_will_wait_is_said),
        cmocka_unit_test(a_transport_key_is_not_retired_by_the_clock),
        cmocka_unit_test(an_audit_key_is_retired_when_the_next_one_signs),
        cmocka_unit_test(who_may_only_read_may_only_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
