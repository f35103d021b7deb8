/* SPDX-License-Identifier: Apache-2.0
 * No key becomes active that does not sign in its token, whoever activates it. */
#include "approval_support.h"
#include "certificate_support.h"
#include "custody/trial.h"
#include "schedule_support.h"

static const enum key_state activation[] = {KEY_ACTIVE};

/* Role seal-ec: 0 and 1 are active, on hsm-a and hsm-b, and 2 and 3 are published long enough. */
static struct instance *make(void)
{
    struct instance *instance = two_generations();
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}"));
    let_pass(instance, 301);
    return instance;
}

static void by_hand(void **state)
{
    (void)state;
    struct instance *instance = make();
    const char *all = "{\"key\":\"seal-ec\"}";
    uint64_t generation = generation_of(instance);
    instance->tokens[1].outcome = OUTCOME_NO_KEY;
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, all, OUTCOME_NO_KEY,
                "the key is not activated, since it does not sign in token hsm-b now: the double "
                "hsm-b was told to fail");
    instance->tokens[1].outcome = OUTCOME_OK;
    instance->tokens[1].flip_a_bit = true;
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, all, OUTCOME_VERIFY,
                "in token hsm-b now: token hsm-b gave a signature that does not verify");
    assert_int_equal(generation_of(instance), generation);
    expect_state(instance, 0, KEY_ACTIVE);
    /* The other token is not held up. */
    json_decref(
        do_verb(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal-ec\",\"token\":\"hsm-a\"}"));
    expect_state(instance, 0, KEY_RETIRING);
    expect_state(instance, 2, KEY_ACTIVE);
    expect_state(instance, 3, KEY_PUBLISHED);
    instance->tokens[1].flip_a_bit = false;
    json_decref(do_verb(instance, CUSTODY_KEY_ACTIVATE, all));
    expect_state(instance, 3, KEY_ACTIVE);
    transport_instance_free(instance);
}

/* No signature is made for what is refused without. */
static void nothing_is_signed_for_nothing(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[200];
    unsigned int asked = instance->tokens[0].asked;
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}"); /* 4 */
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, with_key(4, instance, arguments), OUTCOME_RULE,
                "publish it first");
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, with_key(4, instance, arguments)));
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, with_key(4, instance, arguments), OUTCOME_RULE,
                "verifiers may hold the old JWK Set");
    assert_int_equal(instance->tokens[0].asked, asked);
    json_decref(do_verb(instance, CUSTODY_KEY_ACTIVATE, with_key(2, instance, arguments)));
    assert_int_equal(instance->tokens[0].asked, asked + 1);
    transport_instance_free(instance);
}

static void by_approval(void **state)
{
    (void)state;
    struct instance *instance = approval_instance(); /* as above; 2 and 3 are generated */
    char digest[100];
    json_decref(done_as(instance, BERT, CUSTODY_KEY_APPROVE,
                        planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", digest)));
    let_pass(instance, 301);
    instance->tokens[1].outcome = OUTCOME_TOKEN_UNAVAILABLE;
    /* The plan is made, and judged when it is approved. */
    (void)planned(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal-ec\"}", digest);
    refused_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, OUTCOME_TOKEN_UNAVAILABLE,
               "the key is not activated, since it does not sign in token hsm-b now");
    expect_state(instance, 2, KEY_PUBLISHED);
    instance->tokens[1].outcome = OUTCOME_OK;
    json_decref(done_as(instance, BERT, CUSTODY_KEY_APPROVE, digest));
    expect_state(instance, 2, KEY_ACTIVE);
    expect_state(instance, 3, KEY_ACTIVE);
    transport_instance_free(instance);
}

/* The other token's key is activated in time. */
static void by_the_clock(void **state)
{
    (void)state;
    struct instance *instance = make();
    int64_t now = clock_wall_s();
    set_schedule(instance, 2, 1, activation, &now);
    set_schedule(instance, 3, 1, activation, &now);
    instance->tokens[0].outcome = OUTCOME_DEADLINE;
    assert_true(custody_clock_step(instance->custody, now));
    expect_state(instance, 2, KEY_PUBLISHED);
    expect_state(instance, 3, KEY_ACTIVE);
    expect_overdue(instance, 1,
                   "the key is not activated, since it does not sign in token hsm-a now: the "
                   "double hsm-a was told to fail");
    assert_false(custody_clock_step(instance->custody, now));
    instance->tokens[0].outcome = OUTCOME_OK;
    assert_true(custody_clock_step(instance->custody, now + 1));
    expect_state(instance, 0, KEY_RETIRING);
    expect_state(instance, 2, KEY_ACTIVE);
    expect_overdue(instance, 0, NULL);
    transport_instance_free(instance);
}

/* One that answers not is asked once, whatever waits for it. */
static void a_lost_token_is_asked_once(void **state)
{
    (void)state;
    struct instance *instance = make();
    struct view *view = view_cell_get(instance->views);
    struct trials trials = {.n = 0};
    struct reason why = {0};
    unsigned int asked = instance->tokens[0].asked;
    const struct keyring_step steps[] = {{.index = 0, .change = {.state = KEY_ACTIVE}},
                                         {.index = 2, .change = {.state = KEY_ACTIVE}},
                                         {.index = 3, .change = {.state = KEY_RETIRING}}};
    instance->tokens[0].outcome = OUTCOME_TOKEN_UNAVAILABLE;
    const struct self_signer signer = {.config = view->policy->config, .operation = "trial"};
    trials_make(&trials, &signer, view->keyring, steps, COUNT_OF(steps));
    assert_int_equal(trials.n, 2);
    assert_int_equal(instance->tokens[0].asked, asked + 1);
    assert_refused(trials_check(&trials, view->keyring, steps + 1, 1, &why),
                   OUTCOME_TOKEN_UNAVAILABLE, why, "told to fail");
    const struct keyring_step other = {.index = 3, .change = {.state = KEY_ACTIVE}};
    assert_refused(trials_check(&trials, view->keyring, &other, 1, &why), OUTCOME_LIMIT, why,
                   "the keyring has changed while the token was asked; try again");
    view_unref(view);
    transport_instance_free(instance);
}

static void by_a_first_certificate(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    instance->roles_more =
        "  - {name: one, purpose: transport, key: p-256, tokens: [hsm-a], certificate: required}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    make_key(instance, "{\"role\":\"one\"}");
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
    const struct issue leaf = {
        .subject = "leaf", .issuer = "ca", .extended_key_usage = "clientAuth"};
    struct view *view = view_cell_get(instance->views);
    struct span spki = public_key_spki(view->keyring->keys[0].public_key);
    const unsigned char *at = spki.data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    EVP_PKEY *ca = EVP_EC_gen("P-256");
    view_unref(view);
    put_issued(&chain, &leaf, key, ca);
    JSON_CLEANUP json_t *json =
        json_pack("{s:s, s:s}", "role", "one", "chain", buffer_text(&chain));
    char *arguments = json_dumps(json, 0);
    instance->tokens[0].outcome = OUTCOME_KEY_MISMATCH;
    refuse_verb(instance, CUSTODY_KEY_IMPORT, arguments, OUTCOME_KEY_MISMATCH,
                "the key is not activated, since it does not sign in token hsm-a now");
    expect_state(instance, 0, KEY_GENERATED);
    instance->tokens[0].outcome = OUTCOME_OK;
    json_decref(do_verb(instance, CUSTODY_KEY_IMPORT, arguments));
    expect_state(instance, 0, KEY_ACTIVE);
    free(arguments);
    EVP_PKEY_free(ca);
    EVP_PKEY_free(key);
    transport_instance_free(instance);
}

/* Active at once, if it signs; otherwise it is known all the same, and waits. */
static void by_generation(void **state)
{
    (void)state;
    struct instance *instance = calloc(1, sizeof *instance);
    assert_non_null(instance);
    instance_init(instance, "[\"*\"]", "[operator, custodian]");
    instance->tokens[0].signs = OUTCOME_KEY_MISMATCH;
    instance->tokens[1].flip_a_bit = true;
    JSON_CLEANUP json_t *made = do_verb(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}");
    assert_int_equal(json_array_size(json_object_get(made, "keys")), 2);
    assert_string_equal(text_of(json_at_pointer(made, "/keys/0"), "state"), "generated");
    const json_t *first = json_at_pointer(made, "/failed/0");
    assert_string_equal(text_of(first, "token"), "hsm-a");
    assert_string_equal(text_of(first, "outcome"), "key-mismatch");
    assert_string_equal(text_of(first, "detail"),
                        "the key is not activated, since it does not sign in token hsm-a now: the "
                        "double hsm-a was told not to sign; it is generated: publish and activate "
                        "it when it does, or destroy it");
    const json_t *second = json_at_pointer(made, "/failed/1");
    assert_string_equal(text_of(second, "outcome"), "signature-not-verified");
    assert_non_null(strstr(text_of(second, "detail"),
                           "it does not sign in token hsm-b now: token hsm-b gave a signature that "
                           "does not verify"));
    expect_state(instance, 0, KEY_GENERATED);
    expect_state(instance, 1, KEY_GENERATED);
    /* As it says: */
    instance->tokens[0].signs = OUTCOME_OK;
    char arguments[200];
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, with_key(0, instance, arguments)));
    json_decref(do_verb(instance, CUSTODY_KEY_ACTIVATE, with_key(0, instance, arguments)));
    expect_state(instance, 0, KEY_ACTIVE);
    json_decref(do_verb(instance, CUSTODY_KEY_DESTROY, with_key(1, instance, arguments)));
    expect_state(instance, 1, KEY_DESTROYED);
    transport_instance_free(instance);
}

/* A key that is not active at once signs nothing when it is made. */
static void a_key_that_waits_is_not_tried(void **state)
{
    (void)state;
    struct instance *instance = make();
    instance->tokens[0].signs = OUTCOME_KEY_MISMATCH;
    JSON_CLEANUP json_t *made = do_verb(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}");
    assert_null(json_object_get(made, "failed"));
    expect_state(instance, 4, KEY_GENERATED);
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_generation),
        cmocka_unit_test(a_key_that_waits_is_not_tried),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(nothing_is_signed_for_nothing),
        cmocka_unit_test(by_approval),
        cmocka_unit_test(by_the_clock),
        cmocka_unit_test(a_lost_token_is_asked_once),
        cmocka_unit_test(by_a_first_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
