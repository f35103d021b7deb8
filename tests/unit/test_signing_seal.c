/* SPDX-License-Identifier: Apache-2.0
 * One artefact when tokens fail: another token is tried, nothing unverified leaves, and the caller
 * learns why. */
#include "signing/seal.h"

#include "check.h"
#include "instance.h"
#include "jose/json.h"

#include <stdio.h>

static const char jar_body[] =
    "{\"response_type\":\"code\",\"state\":\"abc\",\"nonce\":\"n-1\",\"max_age\":86400,"
    "\"redirect_uri\":\"https://localhost:8181/oauth/access_token\","
    "\"authorizationId\":\"976da7b0-1db2-410d-a5c9-e3a37bc4d7a1\"}";

static int setup(void **state)
{
    static struct instance instance;
    instance_init(&instance, "[\"*\"]", "[custodian]");
    instance_make_keys(&instance);
    *state = &instance;
    return 0;
}

static int teardown(void **state)
{
    instance_fini(*state);
    return 0;
}

static const struct caller nobody = {.uid = 1, .gid = 1, .pid = 1};
static const struct dispatch_subject subject = {
    .caller = &nobody, .request_id = "id", .operation = "jar"};

/* Seals with role seal-ec (on both tokens), at this deadline. */
static enum outcome seal(struct instance *instance, struct deadline deadline, struct buffer *json,
                         struct reason *why)
{
    struct sealer *sealer = sealer_new();
    struct dispatcher *dispatcher = dispatcher_new();
    struct view *view = view_cell_get(instance->views);
    struct seal_request request = {
        .dispatcher = dispatcher,
        .view = view,
        .views = instance->views,
        .watch = instance->watch,
        .profile = profiles_find(view->policy->profiles, OPERATION_JAR, "op-jar-cof"),
        .body = span_of_text(jar_body),
        .content_type = "application/json",
        .subject = &subject,
        .deadline = deadline,
    };
    enum outcome outcome = seal_artefact(sealer, &request, json, why);
    view_unref(view);
    sealer_free(sealer);
    dispatcher_free(dispatcher);
    return outcome;
}

static void assert_seal(struct instance *instance, enum outcome want, const char *fragment)
{
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(65536);
    struct reason why = {0};
    enum outcome outcome = seal(instance, deadline_in_ms(10000), &json, &why);
    if (want == OUTCOME_OK) {
        assert_done(outcome, why);
        assert_true(json.len > 0);
        return;
    }
    assert_refused(outcome, want, why, fragment);
    assert_int_equal(json.len, 0);
}

static void the_first_token_is_preferred(void **state)
{
    struct instance *instance = *state;
    assert_seal(instance, OUTCOME_OK, "");
    assert_int_equal(instance->tokens[0].asked, 1);
    assert_int_equal(instance->tokens[1].asked, 0);
}

static void a_failing_token_is_replaced_by_the_other(void **state)
{
    struct instance *instance = *state;
    static const enum outcome faults[] = {OUTCOME_TOKEN_UNAVAILABLE, OUTCOME_UNAVAILABLE,
                                          OUTCOME_PIN, OUTCOME_KEY_MISMATCH, OUTCOME_NO_KEY};
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        unsigned int before = instance->tokens[1].asked;
        instance->tokens[0].outcome = faults[i];
        instance_wait_state(instance, "hsm-a", TOKEN_READY);
        assert_seal(instance, OUTCOME_OK, "");
        assert_int_equal(instance->tokens[1].asked, before + 1);
    }
}

static void a_token_seen_down_is_not_asked(void **state)
{
    struct instance *instance = *state;
    instance->tokens[0].state = TOKEN_ABSENT;
    instance_wait_state(instance, "hsm-a", TOKEN_ABSENT);
    assert_seal(instance, OUTCOME_OK, "");
    assert_int_equal(instance->tokens[0].asked, 0);
    assert_int_equal(instance->tokens[1].asked, 1);
    instance->tokens[1].state = TOKEN_LOCKED;
    instance_wait_state(instance, "hsm-b", TOKEN_LOCKED);
    assert_seal(instance, OUTCOME_PIN, "token hsm-b is locked");
    instance->tokens[1].state = TOKEN_ABSENT;
    instance_wait_state(instance, "hsm-b", TOKEN_ABSENT);
    assert_seal(instance, OUTCOME_TOKEN_UNAVAILABLE, "token hsm-b is absent");
    assert_int_equal(instance->tokens[1].asked, 1);
}

static void when_all_fail_the_last_reason_is_told(void **state)
{
    struct instance *instance = *state;
    instance->tokens[0].outcome = OUTCOME_PIN;
    instance->tokens[1].outcome = OUTCOME_UNAVAILABLE;
    instance->tokens[1].goes_down = true; /* or the watch may have found it ready again by now */
    assert_seal(instance, OUTCOME_TOKEN_UNAVAILABLE, "hsm-b was told to fail");
    assert_int_equal(watch_state(instance->watch, "hsm-b", NULL), TOKEN_DOWN);
}

static void a_refused_shape_is_not_tried_elsewhere(void **state)
{
    struct instance *instance = *state;
    instance->tokens[0].outcome = OUTCOME_SHAPE;
    assert_seal(instance, OUTCOME_SHAPE, "hsm-a was told to fail");
    assert_int_equal(instance->tokens[1].asked, 0);
}

static void a_spoilt_signature_never_leaves(void **state)
{
    struct instance *instance = *state;
    instance->tokens[0].flip_a_bit = true;
    assert_seal(instance, OUTCOME_OK, ""); /* from hsm-b */
    instance->tokens[1].flip_a_bit = true;
    assert_seal(instance, OUTCOME_VERIFY, "does not verify");
}

static void after_the_deadline_nothing_leaves(void **state)
{
    struct instance *instance = *state;
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(65536);
    struct reason why = {0};
    assert_refused(seal(instance, deadline_in_ms(0), &json, &why), OUTCOME_DEADLINE, why,
                   "before a token was asked");
    assert_int_equal(json.len, 0);
    assert_int_equal(instance->tokens[0].asked, 0);
    assert_int_equal(watch_state(instance->watch, "hsm-a", NULL), TOKEN_READY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_token_is_preferred, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failing_token_is_replaced_by_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_seen_down_is_not_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(when_all_fail_the_last_reason_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_shape_is_not_tried_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(a_spoilt_signature_never_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(after_the_deadline_nothing_leaves, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
