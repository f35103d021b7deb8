/* SPDX-License-Identifier: Apache-2.0
 * What is done at once, what becomes a plan, and what the plan says. */
#include "approval_support.h"

#include "custody/act.h"
#include "custody/effect.h"

#include <sys/stat.h>

/* Every verb that changes keys but those that stop one. */
static void changes_wait_and_stopping_does_not(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char arguments[400];
    struct view *before = view_cell_get(instance->views);
    static const struct {
        enum custody_verb verb;
        const char *arguments; /* NULL: the key that was generated last */
        const char *name;
        const char *effect;
    } rows[] = {
        {CUSTODY_KEY_GENERATE, "{\"role\":\"seal\"}", "key generate", "active"},
        {CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}", "key generate", "generated"},
        {CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", "key publish", "published"},
        {CUSTODY_KEY_DESTROY, NULL, "key destroy", "destroyed"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *given = rows[i].arguments != NULL ? rows[i].arguments
                                                      : naming_key(instance, 3, "old", arguments);
        JSON_CLEANUP json_t *result = done_as(instance, ANNA, rows[i].verb, given);
        json_t *plan = json_object_get(result, "planned");
        JSON_CLEANUP json_t *want = json_loads(given, 0, NULL);
        assert_string_equal(text_of(plan, "verb"), rows[i].name);
        assert_true(json_equal(json_object_get(plan, "arguments"), want));
        assert_int_equal(json_integer_value(json_object_get(plan, "by")), ANNA);
        assert_string_equal(text_of(json_at_pointer(plan, "/effect/keys/0"), "to"), rows[i].effect);
        assert_int_equal(count_plans(instance), i + 1);
    }
    struct view *now = view_cell_get(instance->views);
    assert_ptr_equal(now->keyring, before->keyring);
    view_unref(now);
    view_unref(before);
    json_decref(
        done_as(instance, ANNA, CUSTODY_KEY_SUSPEND, naming_key(instance, 1, "odd", arguments)));
    expect_key(instance, 1, KEY_SUSPENDED, ANNA, "odd");
    (void)planned(instance, CUSTODY_KEY_RESUME, naming_key(instance, 1, "odd", arguments),
                  (char[100]){0});
    json_decref(done_as(instance, ANNA, CUSTODY_KEY_COMPROMISED,
                        naming_key(instance, 0, "stolen", arguments)));
    expect_key(instance, 0, KEY_COMPROMISED, ANNA, "stolen");
    transport_instance_free(instance);
}

/* The one who is replaced is in the plan, too. */
static void a_plan_says_all_that_will_happen(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    configure(instance, "");
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}"));
    configure(instance, "approval: {required: true}\n");
    JSON_CLEANUP json_t *result =
        done_as(instance, ANNA, CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal-ec\",\"token\":\"hsm-b\"}");
    json_t *plan = json_object_get(result, "planned");
    assert_int_equal(json_array_size(json_at_pointer(plan, "/effect/keys")), 2);
    const json_t *former = json_at_pointer(plan, "/effect/keys/0");
    const json_t *next = json_at_pointer(plan, "/effect/keys/1");
    assert_string_equal(text_of(former, "from"), "active");
    assert_string_equal(text_of(former, "to"), "retiring");
    assert_int_equal(json_integer_value(json_object_get(former, "changes")), 3);
    assert_string_equal(text_of(next, "from"), "published");
    assert_string_equal(text_of(next, "to"), "active");
    assert_string_equal(text_of(next, "role"), "seal-ec");
    assert_string_equal(text_of(next, "token"), "hsm-b");
    assert_int_equal(strlen(text_of(next, "kid")), 43);
    JSON_CLEANUP json_t *made =
        done_as(instance, ANNA, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    const json_t *key = json_at_pointer(made, "/planned/effect/keys/0");
    assert_string_equal(text_of(key, "type"), "p-256");
    assert_string_equal(text_of(key, "purpose"), "seal");
    assert_string_equal(json_string_value(json_array_get(json_object_get(key, "algs"), 0)),
                        "ES256");
    assert_int_equal(json_integer_value(json_object_get(key, "keys_before")), 2);
    transport_instance_free(instance);
}

/* The table of states and the rules that are not about time hold for plans as well. */
static void what_cannot_be_done_is_not_planned(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char arguments[400];
    char reason[240]; /* as long as one may be, and who approved behind it */
    memset(reason, 'r', KEYRING_REASON_MAX);
    reason[200] = '\0';
    refused_as(instance, ANNA, CUSTODY_KEY_ACTIVATE, naming_key(instance, 2, "", arguments),
               OUTCOME_RULE, "does not become active: publish it first");
    refused_as(instance, 0, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", OUTCOME_NOT_GRANTED,
               "this needs two persons, and uid 0 is none of them: ask as yourself");
    refused_as(instance, BERT, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", OUTCOME_NOT_GRANTED,
               "uid 71002 may not: key publish");
    assert_int_equal(count_plans(instance), 0);
    char digest[100];
    (void)planned(instance, CUSTODY_KEY_PUBLISH, naming_key(instance, 2, reason, arguments),
                  digest);
    json_decref(done_as(instance, BERT, CUSTODY_KEY_APPROVE, digest));
    (void)strcat(reason, "; approved by uid 71002");
    expect_key(instance, 2, KEY_PUBLISHED, ANNA, reason);
    transport_instance_free(instance);
}

static void plans_are_bounded_and_the_same_one_is_there_once(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char arguments[400];
    char file[128];
    char text[40];
    struct stat there;
    for (unsigned int i = 0; i < 32; i++) {
        (void)snprintf(text, sizeof text, "number %u", i);
        json_decref(
            done_as(instance, ANNA, CUSTODY_KEY_PUBLISH, naming_key(instance, 2, text, arguments)));
        assert_int_equal(count_plans(instance), i + 1);
    }
    refused_as(instance, ANNA, CUSTODY_KEY_PUBLISH, naming_key(instance, 2, "more", arguments),
               OUTCOME_RULE, "32 plans wait already: approve or withdraw one");
    plans_path(instance, file);
    assert_int_equal(stat(file, &there), 0);
    assert_int_equal(there.st_mode & 0777, 0640);
    transport_instance_free(instance);
}

static void no_plan_that_is_not_on_disk(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char file[128];
    plans_path(instance, file);
    (void)strcat(file, ".new");
    assert_int_equal(mkdir(file, 0700), 0);
    refused_as(instance, ANNA, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", OUTCOME_RULE,
               "plans.json: Is a directory");
    assert_int_equal(rmdir(file), 0);
    assert_int_equal(count_plans(instance), 0);
    transport_instance_free(instance);
}

/* A verb of the table that is marked, and forgets to ask. */
static void a_change_that_was_not_asked_for_is_not_saved(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    struct reason why = {0};
    bool go = false;
    struct view *view = view_cell_get(instance->views);
    struct act act = {
        .custody = instance->custody,
        .view = view,
        .peer = {.uid = ANNA},
        .verb = "key swap",
        .two_persons = true,
    };
    struct keyring *keyring = NULL;
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    keyring->generation++;
    assert_refused(act_install_locked(&act, keyring, &why), OUTCOME_INTERNAL, why,
                   "qsealctl key swap did not ask whether it may be done");
    assert_refused(act_decide(&act, NULL, &go, &why), OUTCOME_INTERNAL, why, "out of memory");
    assert_false(go);
    act.two_persons = false;
    assert_done(act_decide(&act, effect_new(), &go, &why), why);
    assert_true(go);
    view_unref(view);
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_wait_and_stopping_does_not),
        cmocka_unit_test(a_plan_says_all_that_will_happen),
        cmocka_unit_test(what_cannot_be_done_is_not_planned),
        cmocka_unit_test(plans_are_bounded_and_the_same_one_is_there_once),
        cmocka_unit_test(no_plan_that_is_not_on_disk),
        cmocka_unit_test(a_change_that_was_not_asked_for_is_not_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
