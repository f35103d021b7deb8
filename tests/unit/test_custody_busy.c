/* SPDX-License-Identifier: Apache-2.0
 * A token that does not answer holds up nobody who asks another one, or none. */
#include "schedule_support.h"

#include "base/clock.h"

#include <poll.h>
#include <pthread.h>

enum { PATIENCE_MS = 20000 };

/* A request on a thread of its own. */
struct asked {
    struct instance *instance;
    enum custody_verb verb;
    char arguments[200];
    enum outcome outcome;
    struct reason why;
    pthread_t thread;
};

static void *run(void *argument)
{
    struct asked *asked = argument;
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(CUSTODY_RESULT_MAX);
    asked->outcome =
        instance_admin(asked->instance, asked->verb, asked->arguments, &result, &asked->why);
    return NULL;
}

/* It has arrived at the token before this returns. */
static void start(struct asked *asked, struct instance *instance, size_t token,
                  enum custody_verb verb, size_t index)
{
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    struct token_double *self = &instance->tokens[token];
    unsigned int before = atomic_load(&self->held);
    *asked = (struct asked){.instance = instance, .verb = verb};
    (void)with_key(index, instance, asked->arguments);
    assert_int_equal(pthread_create(&asked->thread, NULL, run, asked), 0);
    while (atomic_load(&self->held) == before && !deadline_passed(end)) {
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(atomic_load(&self->held), before + 1);
}

static void end(struct asked *asked, size_t token)
{
    atomic_store(&asked->instance->tokens[token].hangs, false);
    assert_int_equal(pthread_join(asked->thread, NULL), 0);
}

static void a_destruction_that_waits_holds_up_no_other_change(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    struct asked destruction;
    char arguments[200];
    atomic_store(&instance->tokens[1].hangs, true);
    start(&destruction, instance, 1, CUSTODY_KEY_DESTROY, 3);
    json_decref(do_verb(instance, CUSTODY_KEY_COMPROMISED, with_key(0, instance, arguments)));
    expect_state(instance, 0, KEY_COMPROMISED);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, with_key(2, instance, arguments)));
    end(&destruction, 1);
    assert_done(destruction.outcome, destruction.why);
    expect_state(instance, 3, KEY_DESTROYED);
    expect_state(instance, 2, KEY_PUBLISHED); /* what was changed meanwhile stays */
    transport_instance_free(instance);
}

/* It may be gone from the token at any moment. */
static void a_key_that_is_being_destroyed_does_not_go_on(void **state)
{
    (void)state;
    static const enum key_state publication[] = {KEY_PUBLISHED};
    struct instance *instance = two_generations();
    struct asked destruction;
    char arguments[200];
    int64_t now = clock_wall_s();
    set_schedule(instance, 3, 1, publication, &now);
    atomic_store(&instance->tokens[1].hangs, true);
    start(&destruction, instance, 1, CUSTODY_KEY_DESTROY, 3);
    static const enum custody_verb verbs[] = {CUSTODY_KEY_PUBLISH, CUSTODY_KEY_SUSPEND,
                                              CUSTODY_KEY_DESTROY};
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        refuse_verb(instance, verbs[i], with_key(3, instance, arguments), OUTCOME_LIMIT,
                    "is being destroyed in token hsm-b at this moment; try again");
    }
    assert_false(custody_clock_step(instance->custody, now));
    expect_overdue(instance, 1, "is being destroyed in token hsm-b at this moment");
    json_decref(do_verb(instance, CUSTODY_KEY_COMPROMISED, with_key(3, instance, arguments)));
    end(&destruction, 1);
    assert_done(destruction.outcome, destruction.why);
    expect_state(instance, 3, KEY_DESTROYED);
    transport_instance_free(instance);
}

static void a_destruction_that_failed_lets_the_key_go_on(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    struct asked destruction;
    char arguments[200];
    atomic_store(&instance->tokens[1].hangs, true);
    instance->tokens[1].outcome = OUTCOME_DEADLINE;
    start(&destruction, instance, 1, CUSTODY_KEY_DESTROY, 3);
    end(&destruction, 1);
    assert_refused(destruction.outcome, OUTCOME_DEADLINE, destruction.why, "told to fail");
    expect_state(instance, 3, KEY_GENERATED);
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, with_key(3, instance, arguments)));
    expect_state(instance, 3, KEY_PUBLISHED);
    transport_instance_free(instance);
}

/* The keyring changes while the token is asked for a trial signature. */
static void a_trial_does_not_outlast_its_key(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    struct asked activation;
    char arguments[200];
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, with_key(2, instance, arguments)));
    let_pass(instance, 301);
    atomic_store(&instance->tokens[0].hangs, true);
    start(&activation, instance, 0, CUSTODY_KEY_ACTIVATE, 2);
    json_decref(do_verb(instance, CUSTODY_KEY_COMPROMISED, with_key(2, instance, arguments)));
    end(&activation, 0);
    assert_refused(activation.outcome, OUTCOME_RULE, activation.why,
                   "a compromised key can only be destroyed");
    expect_state(instance, 0, KEY_ACTIVE);
    transport_instance_free(instance);
}

static void the_last_one_is_kept_for_what_needs_no_token(void **state)
{
    (void)state;
    struct instance *instance = two_generations();
    struct asked waiting[INSTANCE_ASKERS - 1];
    char arguments[200];
    atomic_store(&instance->tokens[0].hangs, true);
    atomic_store(&instance->tokens[1].hangs, true);
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        start(&waiting[i], instance, i, CUSTODY_KEY_DESTROY, 2 + i);
    }
    refuse_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"seal-ec\"}", OUTCOME_TOKEN_UNAVAILABLE,
                "2 commands wait for tokens already, which is as many as may; try again when one "
                "of them is done");
    json_decref(do_verb(instance, CUSTODY_STATUS, "{}"));
    json_decref(do_verb(instance, CUSTODY_KEY_SUSPEND, with_key(0, instance, arguments)));
    json_decref(do_verb(instance, CUSTODY_KEY_COMPROMISED, with_key(1, instance, arguments)));
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        end(&waiting[i], i);
        assert_done(waiting[i].outcome, waiting[i].why);
    }
    make_key(instance, "{\"role\":\"seal-ec\"}"); /* there is room again */
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_destruction_that_waits_holds_up_no_other_change),
        cmocka_unit_test(a_key_that_is_being_destroyed_does_not_go_on),
        cmocka_unit_test(a_destruction_that_failed_lets_the_key_go_on),
        cmocka_unit_test(a_trial_does_not_outlast_its_key),
        cmocka_unit_test(the_last_one_is_kept_for_what_needs_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
