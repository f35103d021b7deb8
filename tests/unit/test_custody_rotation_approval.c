/* SPDX-License-Identifier: Apache-2.0
 * Rotations that two persons schedule and cancel: what they approve is what is scheduled. */
#include "approval_support.h"
#include "schedule_support.h"

#include "base/clock.h"
#include "base/utc.h"
#include "custody/clock.h"
#include "custody/effect.h"
#include "custody/plans.h"

enum { HOUR = 3600, KEEP = 900 + 10 + 1 /* as in test_custody_rotation.c */ };

/* The arguments of `rotation apply seal-ec`, published and activated so many seconds from now. */
struct dates {
    char arguments[300];
    char publish[UTC_SIZE];
    char activate[UTC_SIZE];
    char retire[UTC_SIZE];
};

static const char *apply_at(struct dates *dates, int64_t publish_s, int64_t activate_s)
{
    int64_t now = clock_wall_s();
    (void)snprintf(dates->arguments, sizeof dates->arguments,
                   "{\"role\":\"seal-ec\",\"publish_at\":\"%s\",\"activate_at\":\"%s\","
                   "\"reason\":\"of 2027\"}",
                   utc_text(now + publish_s, dates->publish),
                   utc_text(now + activate_s, dates->activate));
    (void)utc_text(now + activate_s + KEEP, dates->retire);
    return dates->arguments;
}

static void refused_by_bert(struct instance *instance, const char *digest, const char *fragment)
{
    refused_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, OUTCOME_RULE, fragment);
}

/* "STATE at TIME" in the list of the plan's entry. */
static void expect_text(json_t *entry, const char *list, size_t i, const char *state,
                        const char *at)
{
    char want[100];
    (void)snprintf(want, sizeof want, "%s at %s", state, at);
    const char *text = json_string_value(json_array_get(json_object_get(entry, list), i));
    assert_non_null(text);
    assert_string_equal(text, want);
}

static void expect_schedule(struct instance *instance, size_t index, size_t i, enum key_state to,
                            const char *at)
{
    struct view *view = NULL;
    char text[UTC_SIZE];
    const struct key *key = key_at(instance, &view, index);
    assert_true(i < key->n_schedule);
    assert_int_equal(key->schedule[i].change.state, to);
    assert_string_equal(utc_text(key->schedule[i].change.at, text), at);
    assert_int_equal(key->schedule[i].change.by, ANNA);
    assert_string_equal(key->schedule[i].change.reason, "of 2027");
    assert_true(key->schedule[i].change.approved);
    assert_int_equal(key->schedule[i].change.approved_by, BERT);
    view_unref(view);
}

static size_t count_schedule(struct instance *instance, size_t index)
{
    struct view *view = NULL;
    size_t n = key_at(instance, &view, index)->n_schedule;
    view_unref(view);
    return n;
}

static void times_from_now_on_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *publish; /* NULL: that of the dates */
        const char *activate;
    } rows[] = {{"+1h", "+2h"}, {"+1h", NULL}, {NULL, "+2h"}};
    struct instance *instance = approval_instance();
    struct dates dates;
    const char *arguments = apply_at(&dates, HOUR, 2 * HOUR);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char given[300];
        (void)snprintf(given, sizeof given,
                       "{\"role\":\"seal-ec\",\"publish_at\":\"%s\",\"activate_at\":\"%s\"}",
                       rows[i].publish != NULL ? rows[i].publish : dates.publish,
                       rows[i].activate != NULL ? rows[i].activate : dates.activate);
        refused_as(instance, ANNA, CUSTODY_ROTATION_APPLY, given, OUTCOME_RULE,
                   "where changes are approved the times are named, like 2026-11-21T09:30:00Z: "
                   "qsealctl rotation plan seal-ec prints the command");
        json_decref(done_as(instance, DORA, CUSTODY_ROTATION_PLAN, given)); /* only says */
    }
    refused_as(instance, ANNA, CUSTODY_ROTATION_APPLY, "{\"role\":\"seal-ec\"}", OUTCOME_RULE,
               "where changes are approved the times are named");
    assert_int_equal(count_plans(instance), 0);
    json_decref(done_as(instance, ANNA, CUSTODY_ROTATION_APPLY, arguments));
    assert_int_equal(count_plans(instance), 1);
    transport_instance_free(instance);
}

static void a_key_that_is_published_needs_one_time(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char digest[100];
    char at[UTC_SIZE];
    char arguments[200];
    json_decref(done_as(instance, BERT, CUSTODY_KEY_APPROVE,
                        planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", digest)));
    (void)snprintf(arguments, sizeof arguments, "{\"role\":\"seal-ec\",\"activate_at\":\"%s\"}",
                   utc_text(clock_wall_s() + HOUR, at));
    (void)planned(instance, CUSTODY_ROTATION_APPLY, arguments, digest);
    json_decref(done_as(instance, BERT, CUSTODY_KEY_APPROVE, digest));
    assert_int_equal(count_schedule(instance, 2), 1);
    transport_instance_free(instance);
}

static void the_plan_says_what_was_and_what_will_be_scheduled(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    struct dates dates;
    JSON_CLEANUP json_t *result =
        done_as(instance, ANNA, CUSTODY_ROTATION_APPLY, apply_at(&dates, HOUR, 2 * HOUR));
    json_t *keys = json_at_pointer(result, "/planned/effect/keys");
    assert_int_equal(json_array_size(keys), 4);
    json_t *successor = json_array_get(keys, 0);
    json_t *former = json_array_get(keys, 1);
    assert_string_equal(text_of(successor, "token"), "hsm-a");
    assert_string_equal(text_of(successor, "from"), "generated");
    assert_string_equal(text_of(successor, "to"), "generated");
    assert_int_equal(json_array_size(json_object_get(successor, "schedule_before")), 0);
    assert_int_equal(json_array_size(json_object_get(successor, "schedule")), 2);
    expect_text(successor, "schedule", 0, "published", dates.publish);
    expect_text(successor, "schedule", 1, "active", dates.activate);
    assert_string_equal(text_of(former, "from"), "active");
    assert_string_equal(text_of(former, "to"), "active");
    expect_text(former, "schedule", 0, "retiring", dates.activate);
    expect_text(former, "schedule", 1, "retired", dates.retire);
    assert_string_equal(text_of(json_array_get(keys, 3), "token"), "hsm-b");
    assert_int_equal(count_schedule(instance, 2), 0); /* nothing is, yet */
    assert_int_equal(count_schedule(instance, 0), 0);
    transport_instance_free(instance);
}

static void what_was_approved_is_scheduled_and_happens(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    struct dates dates;
    char digest[100];
    (void)planned(instance, CUSTODY_ROTATION_APPLY, apply_at(&dates, HOUR, 2 * HOUR), digest);
    JSON_CLEANUP json_t *result = done_as(instance, BERT, CUSTODY_KEY_APPROVE, digest);
    assert_string_equal(text_of(json_object_get(result, "approved"), "verb"), "rotation apply");
    assert_int_equal(json_array_size(json_at_pointer(result, "/result/steps")), 8);
    for (size_t token = 0; token < 2; token++) {
        assert_int_equal(count_schedule(instance, 2 + token), 2);
        expect_schedule(instance, 2 + token, 0, KEY_PUBLISHED, dates.publish);
        expect_schedule(instance, 2 + token, 1, KEY_ACTIVE, dates.activate);
        expect_schedule(instance, token, 0, KEY_RETIRING, dates.activate);
        expect_schedule(instance, token, 1, KEY_RETIRED, dates.retire);
    }
    assert_int_equal(count_plans(instance), 0);
    refused_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, OUTCOME_NOT_FOUND,
               "there is no plan of this digest");
    /* The clock asks nobody anew. */
    int64_t now = clock_wall_s();
    assert_true(custody_clock_step(instance->custody, now + HOUR + 60));
    expect_key(instance, 2, KEY_PUBLISHED, ANNA, "scheduled: of 2027; approved by uid 71002");
    assert_true(custody_clock_step(instance->custody, now + 2 * HOUR + 60));
    expect_key(instance, 3, KEY_ACTIVE, ANNA, "scheduled: of 2027; approved by uid 71002");
    transport_instance_free(instance);
}

/* Until it is cancelled and scheduled by two; or until one person is enough again. */
static void what_one_person_scheduled_before_waits(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    struct dates dates;
    char digest[100];
    int64_t then = clock_wall_s() + 4 * HOUR;
    configure(instance, "approval: {required: false}\n");
    json_decref(done_as(instance, ANNA, CUSTODY_ROTATION_APPLY, apply_at(&dates, HOUR, 2 * HOUR)));
    configure(instance, "approval: {required: true, valid_s: 3600}\n");
    assert_false(custody_clock_step(instance->custody, then));
    expect_overdue(instance, 4,
                   "uid 71001 scheduled it alone, and changes of keys need two persons since: "
                   "cancel and schedule it anew (qsealctl rotation cancel, rotation apply)");
    expect_key(instance, 2, KEY_GENERATED, 0, "");
    json_decref(
        done_as(instance, BERT, CUSTODY_KEY_APPROVE,
                planned(instance, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\"}", digest)));
    json_decref(done_as(
        instance, BERT, CUSTODY_KEY_APPROVE,
        planned(instance, CUSTODY_ROTATION_APPLY, apply_at(&dates, HOUR, 2 * HOUR), digest)));
    assert_true(custody_clock_step(instance->custody, clock_wall_s() + HOUR + 60));
    expect_key(instance, 2, KEY_PUBLISHED, ANNA, "scheduled: of 2027; approved by uid 71002");
    transport_instance_free(instance);
}

static void two_plans_are_not_both_scheduled(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    struct dates dates;
    char first[100];
    char second[100];
    (void)planned(instance, CUSTODY_ROTATION_APPLY, apply_at(&dates, HOUR, 2 * HOUR), first);
    (void)planned(instance, CUSTODY_ROTATION_APPLY, apply_at(&dates, HOUR, 3 * HOUR), second);
    json_decref(done_as(instance, BERT, CUSTODY_KEY_APPROVE, second));
    refused_by_bert(instance, first, "role seal-ec has a schedule: key ");
    expect_schedule(instance, 2, 1, KEY_ACTIVE, dates.activate);
    transport_instance_free(instance);
}

static void what_has_changed_in_between_is_not_scheduled(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    struct dates dates;
    char digest[100];
    char other[100];
    char arguments[400];
    (void)planned(instance, CUSTODY_ROTATION_APPLY, apply_at(&dates, HOUR, 2 * HOUR), digest);
    json_decref(
        done_as(instance, ANNA, CUSTODY_KEY_SUSPEND, naming_key(instance, 2, "odd", arguments)));
    refused_by_bert(instance, digest,
                    "what the plan would do has changed since: keys/0/token was \"hsm-a\" and is "
                    "\"hsm-b\"");
    json_decref(done_as(
        instance, BERT, CUSTODY_KEY_APPROVE,
        planned(instance, CUSTODY_KEY_RESUME, naming_key(instance, 2, "", arguments), other)));
    refused_by_bert(instance, digest, "keys/0/changes was 1 and is 3; ask for it anew");
    assert_int_equal(count_schedule(instance, 2), 0);
    transport_instance_free(instance);
}

/* The dates are judged at the approval, as those of every other plan. */
static void a_plan_whose_time_has_come_is_refused(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    struct reason why = {0};
    char file[128];
    char digest[100];
    PLANS_CLEANUP struct plans plans = {.n = 0};
    struct plan plan = {0};
    JSON_CLEANUP json_t *arguments =
        json_pack("{s:s, s:s, s:s}", "role", "seal-ec", "publish_at", "2026-01-01T00:00:00Z",
                  "activate_at", "2026-01-02T00:00:00Z");
    JSON_CLEANUP json_t *effect = effect_new();
    assert_done(plan_make(&plan, "rotation apply", arguments, effect, ANNA, 1, 4102444800, &why),
                why);
    (void)snprintf(digest, sizeof digest, "{\"digest\":\"%s\"}", plan.digest);
    assert_done(plans_add(&plans, &plan, &why), why);
    plans_path(instance, file);
    assert_done(plans_save(&plans, file, &why), why);
    refused_by_bert(instance, digest, "\"publish_at\" is in the past: 2026-01-01T00:00:00Z, and");
    assert_int_equal(count_schedule(instance, 2), 0);
    transport_instance_free(instance);
}

static void a_rotation_is_cancelled_by_two_as_well(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    struct dates dates;
    char digest[100];
    refused_as(instance, ANNA, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\"}", OUTCOME_RULE,
               "nothing is scheduled for keys of role seal-ec");
    json_decref(done_as(
        instance, BERT, CUSTODY_KEY_APPROVE,
        planned(instance, CUSTODY_ROTATION_APPLY, apply_at(&dates, HOUR, 2 * HOUR), digest)));
    JSON_CLEANUP json_t *result =
        done_as(instance, ANNA, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\"}");
    json_t *former = json_at_pointer(result, "/planned/effect/keys/0");
    expect_text(former, "schedule_before", 0, "retiring", dates.activate);
    expect_text(former, "schedule_before", 1, "retired", dates.retire);
    assert_int_equal(json_array_size(json_object_get(former, "schedule")), 0);
    assert_int_equal(count_schedule(instance, 0), 2);
    (void)snprintf(digest, sizeof digest, "{\"digest\":\"%s\"}",
                   text_of(json_object_get(result, "planned"), "digest"));
    JSON_CLEANUP json_t *done = done_as(instance, BERT, CUSTODY_KEY_APPROVE, digest);
    assert_int_equal(json_array_size(json_at_pointer(done, "/result/keys/0/dropped")), 2);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(count_schedule(instance, i), 0);
    }
    refused_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, OUTCOME_NOT_FOUND,
               "there is no plan of this digest");
    transport_instance_free(instance);
}

/* What the clock has done meanwhile is not cancelled any more. */
static void a_cancellation_that_comes_late_is_refused(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    struct dates dates;
    char digest[100];
    json_decref(done_as(
        instance, BERT, CUSTODY_KEY_APPROVE,
        planned(instance, CUSTODY_ROTATION_APPLY, apply_at(&dates, HOUR, 2 * HOUR), digest)));
    (void)planned(instance, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\"}", digest);
    assert_true(custody_clock_step(instance->custody, clock_wall_s() + HOUR + 60));
    refused_by_bert(instance, digest, "what the plan would do has changed since: keys/2/");
    assert_int_equal(count_schedule(instance, 2), 1);
    refused_as(instance, 0, CUSTODY_ROTATION_CANCEL, "{\"role\":\"seal-ec\"}", OUTCOME_NOT_GRANTED,
               "uid 0 is none of them: ask as yourself");
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_from_now_on_are_refused),
        cmocka_unit_test(a_key_that_is_published_needs_one_time),
        cmocka_unit_test(the_plan_says_what_was_and_what_will_be_scheduled),
        cmocka_unit_test(what_was_approved_is_scheduled_and_happens),
        cmocka_unit_test(what_one_person_scheduled_before_waits),
        cmocka_unit_test(two_plans_are_not_both_scheduled),
        cmocka_unit_test(what_has_changed_in_between_is_not_scheduled),
        cmocka_unit_test(a_plan_whose_time_has_come_is_refused),
        cmocka_unit_test(a_rotation_is_cancelled_by_two_as_well),
        cmocka_unit_test(a_cancellation_that_comes_late_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
