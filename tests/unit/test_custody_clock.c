/* SPDX-License-Identifier: Apache-2.0
 * What is scheduled happens when its time has come, if the rules let it. */
#include "schedule_support.h"

#include "base/clock.h"
#include "base/utc.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KEEP = 900 + 10 + 1 /* the longest lifetime of a profile of seal-ec, a deadline, a second */
};

static const enum key_state old_steps[] = {KEY_RETIRING, KEY_RETIRED};
static const enum key_state new_steps[] = {KEY_PUBLISHED, KEY_ACTIVE};

static void schedule_rotation(struct instance *instance, int64_t publish, int64_t activate,
                              int64_t retire)
{
    const int64_t fresh[] = {publish, activate};
    const int64_t old[] = {activate, retire};
    for (size_t i = 0; i < 2; i++) {
        set_schedule(instance, 2 + i, 2, new_steps, fresh);
        set_schedule(instance, i, 2, old_steps, old);
    }
}

static void a_rotation_goes_by_the_clock(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    int64_t now = clock_wall_s();
    schedule_rotation(instance, now + 10, now + 311, now + 311 + KEEP);
    uint64_t generation = generation_of(instance);
    assert_false(custody_clock_step(instance->custody, now + 9));
    assert_int_equal(generation_of(instance), generation);
    assert_true(custody_clock_step(instance->custody, now + 10));
    assert_int_equal(generation_of(instance), generation + 1); /* both tokens in one */
    expect_state(instance, 2, KEY_PUBLISHED);
    expect_state(instance, 3, KEY_PUBLISHED);
    assert_false(custody_clock_step(instance->custody, now + 310));
    assert_true(custody_clock_step(instance->custody, now + 311));
    assert_int_equal(generation_of(instance), generation + 2);
    expect_state(instance, 0, KEY_RETIRING);
    expect_state(instance, 1, KEY_RETIRING);
    expect_state(instance, 2, KEY_ACTIVE);
    expect_state(instance, 3, KEY_ACTIVE);
    assert_false(custody_clock_step(instance->custody, now + 311 + KEEP - 1));
    assert_true(custody_clock_step(instance->custody, now + 311 + KEEP));
    assert_int_equal(generation_of(instance), generation + 3);
    expect_state(instance, 0, KEY_RETIRED);
    expect_state(instance, 1, KEY_RETIRED);
    expect_overdue(instance, 0, NULL);
    /* Who scheduled it has done it. */
    struct view *view = view_cell_get(instance->views);
    for (size_t i = 0; i < 4; i++) {
        const struct key *key = &view->keyring->keys[i];
        const struct key_change *last = &key->history[key->n_history - 1];
        assert_int_equal(key->n_schedule, 0);
        assert_int_equal(last->by, 4711);
        assert_string_equal(last->reason, "scheduled: yearly");
    }
    assert_int_equal(view->keyring->keys[2].history[1].at, now + 10);
    view_unref(view);
    assert_false(custody_clock_step(instance->custody, now + 100000));
    transport_instance_free(instance);
}

/* It was switched off while the key should have been published: that happens late, and what depends
 * on it too. */
static void what_is_late_makes_the_next_late(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    int64_t now = clock_wall_s();
    schedule_rotation(instance, now + 10, now + 311, now + 311 + KEEP);
    assert_true(custody_clock_step(instance->custody, now + 400));
    expect_state(instance, 2, KEY_PUBLISHED);
    assert_false(custody_clock_step(instance->custody, now + 400));
    expect_overdue(instance, 4,
                   "the key was published 0 s ago; verifiers may hold the old JWK Set for 300 s");
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    char looked[UTC_SIZE];
    assert_string_equal(text_of(json_object_get(status, "schedule"), "looked_at"),
                        utc_text(now + 400, looked));
    json_t *former = json_at_pointer(status, "/schedule/overdue/2");
    assert_string_equal(text_of(former, "detail"), "it goes with the activation of its successor");
    assert_string_equal(text_of(former, "state"), "retiring");
    assert_false(custody_clock_step(instance->custody, now + 700));
    expect_overdue(instance, 4, "the key was published 300 s ago");
    assert_true(custody_clock_step(instance->custody, now + 701));
    expect_overdue(instance, 0, NULL);
    expect_state(instance, 2, KEY_ACTIVE);
    assert_false(custody_clock_step(instance->custody, now + 311 + KEEP));
    expect_overdue(instance, 2, "the key stopped signing");
    assert_true(custody_clock_step(instance->custody, now + 701 + KEEP));
    expect_state(instance, 0, KEY_RETIRED);
    expect_overdue(instance, 0, NULL);
    transport_instance_free(instance);
}

/* One that is refused holds up no other, of its role or another. */
static void what_is_refused_waits_for_its_reason_to_go(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    char arguments[200];
    int64_t now = clock_wall_s();
    const int64_t at[] = {now, now};
    instance->roles_more = "  - {name: vault, purpose: seal, key: p-256, algorithms: [ES256], "
                           "tokens: [hsm-a, hsm-b], backup: required}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    make_key(instance, "{\"role\":\"vault\"}"); /* 4 and 5, which wait */
    set_schedule(instance, 4, 2, new_steps, at);
    set_schedule(instance, 5, 2, new_steps, at);
    set_schedule(instance, 2, 1, new_steps, at);
    json_decref(do_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, with_key(5, instance, arguments)));
    while (custody_clock_step(instance->custody, now)) {
    }
    expect_state(instance, 2, KEY_PUBLISHED);
    expect_state(instance, 4, KEY_PUBLISHED);
    expect_state(instance, 5, KEY_ACTIVE);
    expect_overdue(instance, 1, "role vault asks for a backup of each key");
    json_decref(do_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, with_key(4, instance, arguments)));
    assert_false(custody_clock_step(instance->custody, now)); /* the other one is active now */
    expect_overdue(instance, 1, "verifiers may hold the old JWK Set");
    assert_true(custody_clock_step(instance->custody, now + 301));
    expect_state(instance, 4, KEY_ACTIVE);
    expect_overdue(instance, 0, NULL);
    transport_instance_free(instance);
}

static void a_full_history_holds_up_no_other(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    int64_t now = clock_wall_s();
    struct reason why = {0};
    struct keyring *keyring = NULL;
    struct key_change change = {.state = KEY_CERTIFIED, .at = now};
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    keyring->generation++;
    while (keyring->keys[2].n_history < KEYRING_HISTORY_FREE) {
        assert_done(key_note(&keyring->keys[2], &change, &why), why);
        change.state = change.state == KEY_SUSPENDED ? KEY_CERTIFIED : KEY_SUSPENDED;
    }
    assert_done(keyring_save(keyring, instance->keyring_path, &why), why);
    keyring_free(keyring);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    set_schedule(instance, 2, 1, new_steps, &now);
    set_schedule(instance, 3, 1, new_steps, &now);
    assert_true(custody_clock_step(instance->custody, now));
    expect_state(instance, 3, KEY_PUBLISHED);
    expect_overdue(instance, 1, "this key has changed");
    transport_instance_free(instance);
}

static void what_is_not_configured_any_more_waits(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    int64_t now = clock_wall_s();
    const int64_t at[] = {now};
    struct reason why = {0};
    struct keyring *keyring = NULL;
    /* As if the configuration had had another role and token. */
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    keyring->generation++;
    (void)snprintf(keyring->keys[2].role, sizeof keyring->keys[2].role, "attic");
    (void)snprintf(keyring->keys[3].token, sizeof keyring->keys[3].token, "hsm-z");
    assert_done(keyring_save(keyring, instance->keyring_path, &why), why);
    keyring_free(keyring);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    set_schedule(instance, 2, 1, new_steps, at);
    set_schedule(instance, 3, 1, new_steps, at);
    assert_false(custody_clock_step(instance->custody, now));
    expect_overdue(instance, 2, "role attic is not in the configuration any more");
    JSON_CLEANUP json_t *status = do_verb(instance, CUSTODY_STATUS, "{}");
    assert_string_equal(text_of(json_at_pointer(status, "/schedule/overdue/1"), "detail"),
                        "token hsm-z is not in the configuration any more");
    expect_state(instance, 2, KEY_GENERATED);
    transport_instance_free(instance);
}

static void a_disk_that_fails_makes_it_late(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    int64_t now = clock_wall_s();
    char blocker[140];
    schedule_rotation(instance, now, now + 301, now + 301 + KEEP);
    (void)snprintf(blocker, sizeof blocker, "%s.new", instance->keyring_path);
    assert_int_equal(mkdir(blocker, 0700), 0);
    assert_false(custody_clock_step(instance->custody, now));
    expect_overdue(instance, 2, "keyring.json: ");
    assert_int_equal(rmdir(blocker), 0);
    expect_state(instance, 2, KEY_GENERATED);
    assert_true(custody_clock_step(instance->custody, now));
    expect_state(instance, 2, KEY_PUBLISHED);
    expect_overdue(instance, 0, NULL);
    transport_instance_free(instance);
}

/* One after the other, since a token has one active key of a role. */
static void two_successors_of_one_token_do_not_collide(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    int64_t now = clock_wall_s();
    const int64_t at[] = {now, now + 301};
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}"); /* 4 */
    set_schedule(instance, 2, 2, new_steps, at);
    set_schedule(instance, 4, 2, new_steps, at);
    assert_true(custody_clock_step(instance->custody, now));
    assert_true(custody_clock_step(instance->custody, now + 301));
    expect_state(instance, 2, KEY_ACTIVE);
    expect_state(instance, 4, KEY_PUBLISHED);
    assert_true(custody_clock_step(instance->custody, now + 301));
    expect_state(instance, 2, KEY_RETIRING);
    expect_state(instance, 4, KEY_ACTIVE);
    assert_false(custody_clock_step(instance->custody, now + 301));
    transport_instance_free(instance);
}

static void nothing_happens_by_a_clock_that_nobody_trusts(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    int64_t now = clock_wall_s();
    schedule_rotation(instance, now, now + 301, now + 301 + KEEP);
    instance_jump(instance, 3600);
    assert_false(custody_clock_step(instance->custody, now));
    JSON_CLEANUP json_t *paused = do_verb(instance, CUSTODY_STATUS, "{}");
    assert_true(json_is_true(json_at_pointer(paused, "/schedule/paused")));
    expect_state(instance, 2, KEY_GENERATED);
    instance_jump(instance, 0);
    assert_true(custody_clock_step(instance->custody, now));
    JSON_CLEANUP json_t *going = do_verb(instance, CUSTODY_STATUS, "{}");
    assert_true(json_is_false(json_at_pointer(going, "/schedule/paused")));
    expect_state(instance, 2, KEY_PUBLISHED);
    transport_instance_free(instance);
}

static bool is_published(struct instance *instance)
{
    struct view *view = view_cell_get(instance->views);
    bool published = view->keyring->keys[2].state == KEY_PUBLISHED;
    view_unref(view);
    return published;
}

static void the_thread_needs_nobody(void **state)
{
    (void)state;
    enum { PATIENCE_MS = 20000 };
    struct instance *instance = two_generations();
    struct reason why = {0};
    const int64_t at[] = {clock_wall_s() + 1};
    set_schedule(instance, 2, 1, new_steps, at);
    struct custody_clock *clock = custody_clock_new(instance->custody, &why);
    assert_non_null(clock);
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    while (!is_published(instance) && !deadline_passed(end)) {
        (void)poll(NULL, 0, 2);
    }
    assert_true(is_published(instance));
    custody_clock_free(clock);
    custody_clock_free(NULL);
    struct view *view = view_cell_get(instance->views);
    const struct key *key = &view->keyring->keys[2];
    assert_true(key->history[key->n_history - 1].at >= at[0]);
    view_unref(view);
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rotation_goes_by_the_clock),
        cmocka_unit_test(what_is_late_makes_the_next_late),
        cmocka_unit_test(what_is_refused_waits_for_its_reason_to_go),
        cmocka_unit_test(a_full_history_holds_up_no_other),
        cmocka_unit_test(what_is_not_configured_any_more_waits),
        cmocka_unit_test(a_disk_that_fails_makes_it_late),
        cmocka_unit_test(two_successors_of_one_token_do_not_collide),
        cmocka_unit_test(nothing_happens_by_a_clock_that_nobody_trusts),
        cmocka_unit_test(the_thread_needs_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
