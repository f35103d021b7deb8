/* SPDX-License-Identifier: Apache-2.0
 * How much is taken, told and kept of what is due, at its bounds. */
#include "base/clock.h"
#include "custody/trial.h"
#include "keyring_support.h"
#include "schedule_support.h"

static const uint32_t es256 = 1U << ALG_ES256;
static const enum key_state activation[] = {KEY_ACTIVE};

/* So many keys of the role on hsm-a, each generated and due to be published, for this reason. */
static void add_due(struct instance *instance, const char *role, size_t n, const char *reason)
{
    struct keyring *keyring = NULL;
    struct keyring *next = NULL;
    struct reason why = {0};
    int64_t now = clock_wall_s();
    struct keyring_schedule *schedules = calloc(n, sizeof *schedules);
    assert_non_null(schedules);
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    for (size_t i = 0; i < n; i++) {
        struct key key =
            key_of(role, "hsm-a", (uint8_t)(keyring->n_keys + 1), es256, new_public_key(KEY_P256));
        const struct key_change made = {
            .state = KEY_GENERATED, .at = now - 1, .by = key.created_by};
        key.created = made.at;
        key.n_history = 0;
        assert_done(key_note(&key, &made, &why), why);
        schedules[i] = (struct keyring_schedule){.index = keyring->n_keys, .n = 1};
        struct key_change *due = &schedules[i].steps[0].change;
        *due = (struct key_change){.state = KEY_PUBLISHED, .at = now, .by = 4711};
        (void)snprintf(due->reason, sizeof due->reason, "%s", reason);
        add_key(&keyring, key);
    }
    assert_done(keyring_set_schedules(keyring, schedules, n, &next, &why), why);
    assert_done(keyring_save(next, instance->keyring_path, &why), why);
    free(schedules);
    keyring_free(next);
    keyring_free(keyring);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

static size_t n_published(struct instance *instance)
{
    struct view *view = view_cell_get(instance->views);
    size_t n = 0;
    for (size_t i = 0; i < view->keyring->n_keys; i++) {
        n += view->keyring->keys[i].state == KEY_PUBLISHED ? 1 : 0;
    }
    view_unref(view);
    return n;
}

/* There is room for a step and one for the key whose place it takes; the rest is the next look's,
 * and not late. */
static void so_many_steps_are_one_generation(void **state)
{
    (void)state;
    enum { DUE = STEPS_MAX + 5, AT_ONCE = STEPS_MAX - 1 };
    struct instance *instance = new_instance("[operator, custodian]");
    add_due(instance, "seal-ec", DUE, "");
    uint64_t generation = generation_of(instance);
    assert_true(custody_clock_step(instance->custody, clock_wall_s()));
    assert_int_equal(n_published(instance), AT_ONCE);
    assert_int_equal(generation_of(instance), generation + 1);
    expect_overdue(instance, 0, NULL);
    assert_true(custody_clock_step(instance->custody, clock_wall_s()));
    assert_int_equal(n_published(instance), DUE);
    assert_int_equal(generation_of(instance), generation + 2);
    assert_false(custody_clock_step(instance->custody, clock_wall_s()));
    transport_instance_free(instance);
}

/* However many are refused: the others are done. */
static void so_many_that_are_late_are_told(void **state)
{
    (void)state;
    struct instance *instance = new_instance("[operator, custodian]");
    add_due(instance, "attic", OVERDUE_MAX + 1, "");
    add_due(instance, "seal-ec", 1, "");
    assert_true(custody_clock_step(instance->custody, clock_wall_s()));
    assert_int_equal(n_published(instance), 1);
    expect_state(instance, OVERDUE_MAX + 1, KEY_PUBLISHED);
    expect_overdue(instance, OVERDUE_MAX, "role attic is not in the configuration any more");
    assert_false(custody_clock_step(instance->custody, clock_wall_s()));
    expect_overdue(instance, OVERDUE_MAX, "role attic is not in the configuration any more");
    transport_instance_free(instance);
}

static void expect_reason(struct instance *instance, size_t index, const char *want)
{
    struct view *view = view_cell_get(instance->views);
    const struct key *key = &view->keyring->keys[index];
    assert_string_equal(key->history[key->n_history - 1].reason, want);
    view_unref(view);
}

/* That it was scheduled stands before what was said then, of which the end makes room. */
static void a_reason_is_cut_to_its_room(void **state)
{
    (void)state;
    struct instance *instance = new_instance("[operator, custodian]");
    char longest[KEYRING_REASON_MAX + 1];
    char want[sizeof longest];
    char fits[sizeof longest - sizeof "scheduled: " + 1];
    memset(longest, 'r', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memcpy(fits, longest + sizeof longest - sizeof fits, sizeof fits);
    (void)snprintf(want, sizeof want, "scheduled: %s", fits);
    assert_int_equal(strlen(want), KEYRING_REASON_MAX);
    add_due(instance, "seal-ec", 1, longest);
    add_due(instance, "seal-ec", 1, fits);
    add_due(instance, "seal-ec", 1, "");
    assert_true(custody_clock_step(instance->custody, clock_wall_s()));
    expect_state(instance, 0, KEY_PUBLISHED); /* and the keyring's file takes it */
    expect_reason(instance, 0, want);
    expect_reason(instance, 1, want);
    expect_reason(instance, 2, "scheduled");
    transport_instance_free(instance);
}

/* A key that was not to be activated when the tokens were asked, and is now: the next look asks. */
static void who_was_not_asked_is_waited_for(void **state)
{
    (void)state;
    struct instance *instance = new_instance("[operator, custodian]");
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}"));
    let_pass(instance, 301);
    const int64_t now = clock_wall_s();
    set_schedule(instance, 1, 1, activation, &now);
    const struct trials nobody_asked = {.n = 0};
    struct overdue_list overdue = {.n = 0};
    struct act act = {.custody = instance->custody, .pin = -1};
    pthread_mutex_lock(&instance->custody->change);
    bool taken = due_take_locked(&act, now, &nobody_asked, &overdue);
    pthread_mutex_unlock(&instance->custody->change);
    assert_false(taken);
    assert_int_equal(overdue.n, 0);
    expect_state(instance, 0, KEY_ACTIVE);
    expect_state(instance, 1, KEY_PUBLISHED);
    assert_true(custody_clock_step(instance->custody, now));
    expect_state(instance, 0, KEY_RETIRING);
    expect_state(instance, 1, KEY_ACTIVE);
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_steps_are_one_generation),
        cmocka_unit_test(so_many_that_are_late_are_told),
        cmocka_unit_test(a_reason_is_cut_to_its_room),
        cmocka_unit_test(who_was_not_asked_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
