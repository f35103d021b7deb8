/* SPDX-License-Identifier: Apache-2.0
 * Each command to a key in each state: what becomes of it, or in what words it is refused; written
 * down here a second time from docs/keys.md. */
#include "custody_support.h"

#include <stdio.h>

enum { LONG_AGO = 1000000, STATES_MAX = 6 };

/* How a key comes into each state, and a second way into suspended. */
static const struct way {
    enum key_state states[STATES_MAX];
    size_t n;
} ways[] = {
    {{KEY_GENERATED}, 1},
    {{KEY_GENERATED, KEY_CERTIFIED}, 2},
    {{KEY_GENERATED, KEY_PUBLISHED}, 2},
    {{KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE}, 3},
    {{KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE, KEY_RETIRING}, 4},
    {{KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE, KEY_RETIRING, KEY_RETIRED}, 5},
    {{KEY_GENERATED, KEY_DESTROYED}, 2},
    {{KEY_GENERATED, KEY_SUSPENDED}, 2},
    {{KEY_GENERATED, KEY_COMPROMISED}, 2},
    {{KEY_GENERATED, KEY_CERTIFIED, KEY_SUSPENDED}, 3},
    {{KEY_GENERATED, KEY_PUBLISHED, KEY_SUSPENDED}, 3},
    {{KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE, KEY_SUSPENDED}, 4},
    {{KEY_GENERATED, KEY_PUBLISHED, KEY_ACTIVE, KEY_RETIRING, KEY_SUSPENDED}, 5},
};

static const char again[] = "it is in that state already";
static const char first[] = "publish it first";
static const char forward[] = "states go forward only; generate another key";
static const char unused[] = "it was never published: destroy it as it is";
static const char retire[] = "retire it first, or declare it compromised";
static const char successor[] = "activate its successor first, which makes this one retiring";
static const char both[] = "activate its successor, then retire it first, or declare it";
static const char quiet[] = "it signs nothing any more; destroy it, or declare it compromised";
static const char gone[] = "a destroyed key is gone for good; generate another key";
static const char taint[] = "a compromised key can only be destroyed; generate another key";
static const char resume[] = "resume it first";
static const char shown[] = "resume it first: it is then published, and can be activated";

/* In the order of `ways`, of which the last four are as the eighth: NULL, or what refuses. */
#define SUSPENDED(reason) (reason), (reason), (reason), (reason)
static const struct verb {
    enum custody_verb verb;
    enum key_state to;
    const char *reasons[COUNT_OF(ways)];
} verbs[] = {
    {CUSTODY_KEY_PUBLISH,
     KEY_PUBLISHED,
     {NULL, NULL, again, forward, forward, forward, gone, resume, taint, SUSPENDED(resume)}},
    {CUSTODY_KEY_ACTIVATE,
     KEY_ACTIVE,
     {first, first, NULL, again, forward, forward, gone, shown, taint, SUSPENDED(shown)}},
    {CUSTODY_KEY_RETIRE,
     KEY_RETIRED,
     {unused, unused, NULL, successor, NULL, again, gone, resume, taint, SUSPENDED(resume)}},
    {CUSTODY_KEY_SUSPEND,
     KEY_SUSPENDED,
     {NULL, NULL, NULL, NULL, NULL, quiet, gone, again, taint, SUSPENDED(again)}},
    {CUSTODY_KEY_COMPROMISED,
     KEY_COMPROMISED,
     {NULL, NULL, NULL, NULL, NULL, NULL, gone, NULL, again, SUSPENDED(NULL)}},
    {CUSTODY_KEY_DESTROY,
     KEY_DESTROYED,
     {NULL, NULL, retire, both, retire, NULL, again, retire, NULL, SUSPENDED(retire)}},
};

/* The role's key on hsm-a, as if it had gone that way long ago. */
static void go(struct instance *instance, const struct way *way)
{
    struct keyring *keyring = NULL;
    struct reason why = {0};
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    struct key *key = &keyring->keys[0];
    key->n_history = 0;
    key->created = LONG_AGO;
    key->created_by = 0;
    for (size_t i = 0; i < way->n; i++) {
        const struct key_change change = {.state = way->states[i], .at = LONG_AGO + (int64_t)i};
        assert_done(key_note(key, &change, &why), why);
    }
    keyring->generation++;
    assert_done(keyring_save(keyring, instance->keyring_path, &why), why);
    keyring_free(keyring);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

static enum key_state state_now(struct instance *instance)
{
    struct view *view = view_cell_get(instance->views);
    enum key_state state = view->keyring->keys[0].state;
    view_unref(view);
    return state;
}

static struct instance *make(char arguments[100])
{
    struct instance *instance = calloc(1, sizeof *instance);
    assert_non_null(instance);
    instance_init(instance, "[\"*\"]", "[operator, custodian]");
    make_key(instance, "{\"role\":\"seal-ec\"}"); /* on hsm-a and on hsm-b */
    struct view *view = view_cell_get(instance->views);
    (void)snprintf(arguments, 100, "{\"key\":\"%s\"}",
                   public_key_thumbprint(view->keyring->keys[0].public_key));
    view_unref(view);
    return instance;
}

/* What is refused changes nothing, the keyring's generation included. */
static void expect_refused(struct instance *instance, enum custody_verb verb, const char *arguments,
                           const char *reason)
{
    struct view *before = view_cell_get(instance->views);
    enum key_state state = before->keyring->keys[0].state;
    refuse_verb(instance, verb, arguments, OUTCOME_RULE, reason);
    struct view *after = view_cell_get(instance->views);
    assert_ptr_equal(after->keyring, before->keyring);
    assert_int_equal(after->keyring->keys[0].state, state);
    view_unref(after);
    view_unref(before);
}

static void every_command_in_every_state(void **state)
{
    (void)state;
    char arguments[100];
    struct instance *instance = make(arguments);
    for (size_t v = 0; v < COUNT_OF(verbs); v++) {
        for (size_t w = 0; w < COUNT_OF(ways); w++) {
            go(instance, &ways[w]);
            if (verbs[v].reasons[w] != NULL) {
                expect_refused(instance, verbs[v].verb, arguments, verbs[v].reasons[w]);
                continue;
            }
            json_decref(do_verb(instance, verbs[v].verb, arguments));
            assert_int_equal(state_now(instance), verbs[v].to);
        }
    }
    transport_instance_free(instance);
}

static void what_is_resumed_goes_on_where_it_was(void **state)
{
    (void)state;
    char arguments[100];
    struct instance *instance = make(arguments);
    for (size_t w = 0; w < COUNT_OF(ways); w++) {
        const struct way *way = &ways[w];
        enum key_state last = way->states[way->n - 1];
        go(instance, way);
        if (last != KEY_SUSPENDED) {
            char want[100];
            (void)snprintf(want, sizeof want,
                           "the key is %s and not suspended: there is nothing to resume",
                           key_state_name(last));
            expect_refused(instance, CUSTODY_KEY_RESUME, arguments, want);
            continue;
        }
        enum key_state before = way->states[way->n - 2];
        json_decref(do_verb(instance, CUSTODY_KEY_RESUME, arguments));
        assert_int_equal(state_now(instance), before == KEY_ACTIVE ? KEY_PUBLISHED : before);
    }
    transport_instance_free(instance);
}

static void requests_are_for_keys_that_may_still_sign(void **state)
{
    (void)state;
    char key[100];
    char arguments[120];
    struct instance *instance = make(key);
    (void)snprintf(arguments, sizeof arguments, "{\"role\"%s", key + strlen("{\"key\""));
    for (size_t w = 0; w < COUNT_OF(ways); w++) {
        enum key_state last = ways[w].states[ways[w].n - 1];
        go(instance, &ways[w]);
        if (last == KEY_DESTROYED || last == KEY_COMPROMISED) {
            char want[100];
            (void)snprintf(want, sizeof want, "the key is %s: it gets no certificate any more",
                           key_state_name(last));
            expect_refused(instance, CUSTODY_KEY_CSR, arguments, want);
            continue;
        }
        json_decref(do_verb(instance, CUSTODY_KEY_CSR, arguments));
        assert_int_equal(state_now(instance), last);
    }
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_in_every_state),
        cmocka_unit_test(what_is_resumed_goes_on_where_it_was),
        cmocka_unit_test(requests_are_for_keys_that_may_still_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
