/* SPDX-License-Identifier: Apache-2.0
 * The life of keys by an administrator's verbs, and what is refused on the way. */
#include "custody/change.h"

#include "custody_support.h"

#include <stdio.h>

static struct instance *make(void)
{
    struct instance *instance = new_instance("[operator, custodian]");
    make_key(instance, "{\"role\":\"seal-ec\"}");
    return instance;
}

static const char *with_reason(size_t index, struct instance *instance, char out[200])
{
    char kid[THUMBPRINT_SIZE];
    kid_of(instance, index, kid);
    (void)snprintf(out, 200, "{\"key\":\"%s\",\"reason\":\"for a test\"}", kid);
    return out;
}

static void do_to(struct instance *instance, enum custody_verb verb, size_t index)
{
    char arguments[200];
    json_decref(do_verb(instance, verb, with_reason(index, instance, arguments)));
}

static void refuse_to(struct instance *instance, enum custody_verb verb, size_t index,
                      const char *fragment)
{
    char arguments[200];
    refuse_verb(instance, verb, with_reason(index, instance, arguments), OUTCOME_RULE, fragment);
}

static void a_role_is_rotated_on_all_its_tokens_at_once(void **state)
{
    (void)state;
    struct instance *instance = make(); /* 0 and 1 are active, on hsm-a and hsm-b */
    json_decref(do_verb(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}"));
    expect_state(instance, 2, KEY_GENERATED);
    refuse_to(instance, CUSTODY_KEY_ACTIVATE, 2, "does not become active: publish it first");
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal-ec\"}", OUTCOME_RULE,
                "role seal-ec has no key that is published");
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}"));
    expect_state(instance, 2, KEY_PUBLISHED);
    expect_state(instance, 3, KEY_PUBLISHED);
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal-ec\"}", OUTCOME_RULE,
                "verifiers may hold the old JWK Set for 300 s: from 20");
    let_pass(instance, 301);
    struct view *before = view_cell_get(instance->views);
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_KEY_ACTIVATE,
                                          "{\"key\":\"seal-ec\",\"reason\":\"yearly rotation\"}");
    assert_int_equal(json_array_size(json_object_get(result, "keys")), 4);
    assert_int_equal(json_integer_value(json_object_get(result, "generation")),
                     before->keyring->generation + 1);
    assert_int_equal(before->keyring->keys[0].state, KEY_ACTIVE);
    view_unref(before);
    expect_state(instance, 0, KEY_RETIRING);
    expect_state(instance, 1, KEY_RETIRING);
    expect_state(instance, 2, KEY_ACTIVE);
    expect_state(instance, 3, KEY_ACTIVE);
    refuse_verb(instance, CUSTODY_KEY_RETIRE, "{\"key\":\"seal-ec\"}", OUTCOME_RULE,
                "the key stopped signing ");
    refuse_verb(instance, CUSTODY_KEY_RETIRE, "{\"key\":\"seal-ec\"}", OUTCOME_RULE,
                " s ago, and what it signed is valid for up to ");
    refuse_to(instance, CUSTODY_KEY_RETIRE, 2, "activate its successor first");
    refuse_to(instance, CUSTODY_KEY_DESTROY, 0, "retire it first, or declare it compromised");
    let_pass(instance, 400 * 86400);
    json_decref(do_verb(instance, CUSTODY_KEY_RETIRE, "{\"key\":\"seal-ec\"}"));
    expect_state(instance, 0, KEY_RETIRED);
    do_to(instance, CUSTODY_KEY_DESTROY, 0);
    expect_state(instance, 0, KEY_DESTROYED);
    expect_state(instance, 1, KEY_RETIRED);
    refuse_to(instance, CUSTODY_KEY_PUBLISH, 0, "a destroyed key is gone for good");
    transport_instance_free(instance);
}

/* What was active comes back as published: verifiers may have a set without it. */
static void a_suspended_key_goes_on_where_it_was(void **state)
{
    (void)state;
    struct instance *instance = make();
    json_t *answer JSON_CLEANUP = NULL;
    refuse_to(instance, CUSTODY_KEY_RESUME, 0, "the key is active and not suspended");
    do_to(instance, CUSTODY_KEY_SUSPEND, 0);
    expect_state(instance, 0, KEY_SUSPENDED);
    do_to(instance, CUSTODY_KEY_SUSPEND, 1);
    struct signing_answer refused =
        instance_ask(instance, ROUTE_SIGN, OPERATION_DPOP, "dpop",
                     "{\"htm\":\"GET\",\"htu\":\"https://rs.example/a\"}", &answer);
    assert_int_equal(refused.outcome, OUTCOME_NO_KEY);
    assert_non_null(strstr(text_of(answer, "detail"),
                           "role seal-ec has no active key: its newest is suspended"));
    refuse_to(instance, CUSTODY_KEY_ACTIVATE, 0, "resume it first: it is then published");
    do_to(instance, CUSTODY_KEY_RESUME, 0);
    expect_state(instance, 0, KEY_PUBLISHED);
    do_to(instance, CUSTODY_KEY_ACTIVATE, 0); /* the role has no other: at once */
    expect_state(instance, 0, KEY_ACTIVE);
    do_to(instance, CUSTODY_KEY_RESUME, 1);
    refuse_to(instance, CUSTODY_KEY_ACTIVATE, 1, "the key was published ");
    refuse_to(instance, CUSTODY_KEY_ACTIVATE, 1, " s ago; verifiers may hold the old JWK Set for ");
    transport_instance_free(instance);
}

static void a_compromised_key_is_only_destroyed(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[200];
    do_to(instance, CUSTODY_KEY_COMPROMISED, 0);
    expect_state(instance, 0, KEY_COMPROMISED);
    refuse_to(instance, CUSTODY_KEY_PUBLISH, 0, "a compromised key can only be destroyed");
    instance->tokens[0].outcome = OUTCOME_TOKEN_UNAVAILABLE;
    refuse_verb(instance, CUSTODY_KEY_DESTROY, with_reason(0, instance, arguments),
                OUTCOME_TOKEN_UNAVAILABLE, "told to fail");
    expect_state(instance, 0, KEY_COMPROMISED);
    char kid[THUMBPRINT_SIZE];
    kid_of(instance, 0, kid);
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\",\"reason\":\"a\\u0007\"}", kid);
    refuse_verb(instance, CUSTODY_KEY_DESTROY, arguments, OUTCOME_RULE,
                "a reason has at most 200 printable ASCII characters"); /* the token is not asked */
    instance->tokens[0].outcome = OUTCOME_OK;
    do_to(instance, CUSTODY_KEY_DESTROY, 0);
    expect_state(instance, 0, KEY_DESTROYED);
    transport_instance_free(instance);
}

/* As the clock would have it; the verbs for that have their own test. */
static void schedule(struct instance *instance, size_t index, const enum key_state states[2])
{
    struct view *view = view_cell_get(instance->views);
    struct keyring *next = NULL;
    struct reason why = {0};
    struct keyring_schedule schedule = {.index = index, .n = 2};
    for (size_t i = 0; i < 2; i++) {
        schedule.steps[i].change =
            (struct key_change){.state = states[i], .at = 4102444800 + (int64_t)i}; /* 2100 */
    }
    assert_done(keyring_set_schedules(view->keyring, &schedule, 1, &next, &why), why);
    assert_done(keyring_save(next, instance->keyring_path, &why), why);
    keyring_free(next);
    view_unref(view);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

static void what_a_change_makes_impossible_is_dropped_and_said(void **state)
{
    (void)state;
    static const enum key_state old[] = {KEY_RETIRING, KEY_RETIRED};
    static const enum key_state fresh[] = {KEY_PUBLISHED, KEY_ACTIVE};
    struct instance *instance = make();
    char arguments[200];
    json_decref(do_verb(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}"));
    schedule(instance, 0, old);
    schedule(instance, 2, fresh);
    JSON_CLEANUP json_t *published =
        do_verb(instance, CUSTODY_KEY_PUBLISH, with_reason(2, instance, arguments));
    assert_null(json_at_pointer(published, "/keys/0/dropped")); /* it was done, sooner */
    JSON_CLEANUP json_t *stopped =
        do_verb(instance, CUSTODY_KEY_SUSPEND, with_reason(2, instance, arguments));
    json_t *dropped = json_at_pointer(stopped, "/keys/0/dropped");
    assert_int_equal(json_array_size(dropped), 1);
    assert_string_equal(text_of(json_array_get(dropped, 0), "state"), "active");
    assert_string_equal(text_of(json_array_get(dropped, 0), "at"), "2100-01-01T00:00:01Z");
    /* Nor does the one retire whose place it would have taken. */
    assert_int_equal(json_array_size(json_object_get(stopped, "keys")), 2);
    assert_string_equal(text_of(json_at_pointer(stopped, "/keys/1"), "state"), "active");
    assert_int_equal(json_array_size(json_at_pointer(stopped, "/keys/1/dropped")), 2);
    schedule(instance, 3, fresh);
    JSON_CLEANUP json_t *gone =
        do_verb(instance, CUSTODY_KEY_DESTROY, with_reason(3, instance, arguments));
    assert_int_equal(json_array_size(json_at_pointer(gone, "/keys/0/dropped")), 2);
    transport_instance_free(instance);
}

/* A crash after the token and before the keyring: the second time, the token has no such key. */
static void a_key_that_is_gone_already_is_destroyed(void **state)
{
    (void)state;
    struct instance *instance = make();
    do_to(instance, CUSTODY_KEY_COMPROMISED, 0);
    token_double_set(instance->tokens, INSTANCE_TOKENS); /* forgets all keys */
    do_to(instance, CUSTODY_KEY_DESTROY, 0);
    expect_state(instance, 0, KEY_DESTROYED);
    transport_instance_free(instance);
}

static void a_key_is_named_clearly_or_not_at_all(void **state)
{
    (void)state;
    struct instance *instance = make();
    char kid[THUMBPRINT_SIZE];
    char arguments[400];
    static const struct {
        const char *arguments;
        enum outcome outcome;
        const char *fragment;
    } rows[] = {
        {"{}", OUTCOME_MALFORMED, "\"key\" is missing: a thumbprint, or a role"},
        {"{\"key\":\"seal-ec\"}", OUTCOME_RULE, "this is done to one key and not to a role"},
        {"{\"key\":\"abcdefg\"}", OUTCOME_NOT_FOUND,
         "no such role, and a thumbprint needs at least its first 8 characters"},
        {"{\"key\":\"abcdefgh\"}", OUTCOME_NOT_FOUND,
         "no such role in the configuration, and no key whose thumbprint begins so"},
        {"{\"key\":\"seal-ec\",\"why\":\"x\"}", OUTCOME_MALFORMED, "unknown or not a string"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        refuse_verb(instance, CUSTODY_KEY_SUSPEND, rows[i].arguments, rows[i].outcome,
                    rows[i].fragment);
    }
    kid_of(instance, 0, kid);
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\",\"token\":\"hsm-b\"}", kid);
    refuse_verb(instance, CUSTODY_KEY_SUSPEND, arguments, OUTCOME_NOT_FOUND, "begins so");
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%.8s\",\"reason\":\"%0250d\"}", kid, 0);
    refuse_verb(instance, CUSTODY_KEY_SUSPEND, arguments, OUTCOME_RULE,
                "a reason has at most 200 printable ASCII characters");
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%.8s\",\"reason\":\"a\\u0007\"}", kid);
    refuse_verb(instance, CUSTODY_KEY_SUSPEND, arguments, OUTCOME_RULE, "printable ASCII");
    expect_state(instance, 0, KEY_ACTIVE);
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%.8s\"}", kid);
    json_decref(do_verb(instance, CUSTODY_KEY_SUSPEND, arguments));
    expect_state(instance, 0, KEY_SUSPENDED);
    /* Two successors on one token: which is meant is not guessed. */
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-b\"}");
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-b\"}");
    refuse_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", OUTCOME_RULE,
                "role seal-ec has more than one such key on token hsm-b: name one");
    transport_instance_free(instance);
}

static void a_key_shows_all_that_is_known_of_it(void **state)
{
    (void)state;
    struct instance *instance = make();
    do_to(instance, CUSTODY_KEY_SUSPEND, 1);
    char arguments[200];
    char kid[THUMBPRINT_SIZE];
    kid_of(instance, 1, kid);
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\"}", kid);
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_KEY_SHOW, arguments);
    json_t *key = json_at_pointer(result, "/keys/0");
    assert_string_equal(text_of(key, "kid"), kid);
    assert_string_equal(text_of(key, "role"), "seal-ec");
    assert_string_equal(text_of(key, "token"), "hsm-b");
    assert_string_equal(text_of(key, "state"), "suspended");
    assert_int_equal(strlen(text_of(key, "spki_sha256")), 64);
    static const char *const states[] = {"generated", "published", "active", "suspended"};
    json_t *history = json_object_get(key, "history");
    assert_int_equal(json_array_size(history), COUNT_OF(states));
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        assert_string_equal(text_of(json_array_get(history, i), "state"), states[i]);
    }
    assert_string_equal(text_of(json_array_get(history, 3), "reason"), "for a test");
    assert_string_equal(text_of(json_array_get(history, 3), "at"), text_of(key, "since"));
    JSON_CLEANUP json_t *all = do_verb(instance, CUSTODY_KEY_SHOW, "{\"key\":\"seal-ec\"}");
    assert_int_equal(json_array_size(json_object_get(all, "keys")), 2);
    transport_instance_free(instance);
}

/* What the token says comes beside it; where it says nothing, the rest is shown all the same. */
static void a_key_is_shown_as_it_is_in_its_token(void **state)
{
    (void)state;
    struct instance *instance = make();
    instance->tokens[1].shows = (struct token_key){
        .attributes = {[ATTRIBUTE_SENSITIVE] = ANSWER_TRUE, [ATTRIBUTE_MODIFIABLE] = ANSWER_NONE},
        .label = "qseal:seal:seal-ec",
        .has_mechanisms = true,
        .mechanisms = "CKM_ECDSA 0x80001234",
        .is_pinned = true,
        .signatures = 42,
        .started = 1767225600};
    const char *arguments = "{\"key\":\"seal-ec\",\"token\":\"hsm-b\"}";
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_KEY_SHOW, arguments);
    const json_t *shown = json_at_pointer(result, "/keys/0/in_token");
    assert_string_equal(text_of(shown, "outcome"), "ok");
    assert_string_equal(text_of(shown, "label"), "qseal:seal:seal-ec");
    assert_string_equal(text_of(shown, "counted_since"), "2026-01-01T00:00:00Z");
    assert_int_equal(json_integer_value(json_object_get(shown, "signatures")), 42);
    assert_true(json_is_true(json_object_get(shown, "is_pinned")));
    const json_t *attributes = json_object_get(shown, "attributes");
    assert_int_equal(json_object_size(attributes), TOKEN_ATTRIBUTE_COUNT);
    assert_true(json_is_true(json_object_get(attributes, "CKA_SENSITIVE")));
    assert_true(json_is_false(json_object_get(attributes, "CKA_EXTRACTABLE")));
    assert_true(json_is_null(json_object_get(attributes, "CKA_MODIFIABLE")));
    const json_t *mechanisms = json_object_get(shown, "allowed_mechanisms");
    assert_int_equal(json_array_size(mechanisms), 2);
    assert_string_equal(json_string_value(json_array_get(mechanisms, 1)), "0x80001234");

    instance->tokens[1].shows = (struct token_key){.signatures = TOKEN_UNKNOWN};
    JSON_CLEANUP json_t *less = do_verb(instance, CUSTODY_KEY_SHOW, arguments);
    shown = json_at_pointer(less, "/keys/0/in_token");
    assert_true(json_is_null(json_object_get(shown, "allowed_mechanisms")));
    assert_true(json_is_null(json_object_get(shown, "signatures")));

    instance->tokens[1].outcome = OUTCOME_NO_KEY;
    JSON_CLEANUP json_t *gone = do_verb(instance, CUSTODY_KEY_SHOW, arguments);
    shown = json_at_pointer(gone, "/keys/0/in_token");
    assert_string_equal(text_of(shown, "outcome"), "no-active-key");
    assert_non_null(strstr(text_of(shown, "detail"), "told to fail"));
    instance->tokens[1].state = TOKEN_DOWN;
    instance_wait_state(instance, "hsm-b", TOKEN_DOWN);
    JSON_CLEANUP json_t *down = do_verb(instance, CUSTODY_KEY_SHOW, arguments);
    shown = json_at_pointer(down, "/keys/0/in_token");
    assert_string_equal(text_of(shown, "outcome"), "token-unavailable");
    assert_non_null(strstr(text_of(shown, "detail"), "token hsm-b is down: "));
    assert_string_equal(text_of(json_at_pointer(down, "/keys/0"), "role"), "seal-ec");
    transport_instance_free(instance);
}

/* One key on two tokens: who has it in one place has it. */
static void a_key_is_stopped_on_all_its_tokens(void **state)
{
    (void)state;
    struct instance *instance = make();
    char kid[THUMBPRINT_SIZE];
    char arguments[200];
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    add_twin(instance, 2, "hsm-b"); /* 3 */
    kid_of(instance, 2, kid);
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\",\"token\":\"hsm-b\"}", kid);
    JSON_CLEANUP json_t *suspended = do_verb(instance, CUSTODY_KEY_SUSPEND, arguments);
    assert_int_equal(json_array_size(json_object_get(suspended, "keys")), 2);
    expect_state(instance, 2, KEY_SUSPENDED);
    expect_state(instance, 3, KEY_SUSPENDED);
    refuse_verb(instance, CUSTODY_KEY_SUSPEND, arguments, OUTCOME_RULE,
                "it is in that state already");
    json_decref(do_verb(instance, CUSTODY_KEY_RESUME, arguments)); /* on hsm-b alone */
    expect_state(instance, 2, KEY_SUSPENDED);
    expect_state(instance, 3, KEY_GENERATED);
    do_to(instance, CUSTODY_KEY_SUSPEND, 2); /* one is in that state already */
    expect_state(instance, 3, KEY_SUSPENDED);
    json_decref(do_verb(instance, CUSTODY_KEY_RESUME, arguments));
    json_decref(do_verb(instance, CUSTODY_KEY_DESTROY, arguments));
    expect_state(instance, 3, KEY_DESTROYED);
    json_decref(do_verb(instance, CUSTODY_KEY_COMPROMISED, arguments)); /* one is gone */
    expect_state(instance, 2, KEY_COMPROMISED);
    expect_state(instance, 3, KEY_DESTROYED);
    refuse_to(instance, CUSTODY_KEY_COMPROMISED, 2, "it is in that state already");
    expect_state(instance, 0, KEY_ACTIVE);
    transport_instance_free(instance);
}

/* What was done on one token is, and the answer says so, and what was not done on the other. */
static void what_is_done_on_some_tokens_is_said_for_each(void **state)
{
    (void)state;
    struct instance *instance = make();
    instance->tokens[1].outcome = OUTCOME_TOKEN_UNAVAILABLE;
    JSON_CLEANUP json_t *made = do_verb(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}");
    assert_int_equal(json_array_size(json_object_get(made, "keys")), 1);
    assert_string_equal(text_of(json_at_pointer(made, "/keys/0"), "token"), "hsm-a");
    assert_int_equal(json_array_size(json_object_get(made, "failed")), 1);
    const json_t *failed = json_at_pointer(made, "/failed/0");
    assert_string_equal(text_of(failed, "token"), "hsm-b");
    assert_string_equal(text_of(failed, "outcome"), "token-unavailable");
    assert_string_equal(text_of(failed, "detail"), "the double hsm-b was told to fail");
    expect_state(instance, 2, KEY_GENERATED);

    add_twin(instance, 2, "hsm-b");
    char arguments[200];
    JSON_CLEANUP json_t *gone =
        do_verb(instance, CUSTODY_KEY_DESTROY, with_reason(2, instance, arguments));
    assert_int_equal(json_array_size(json_object_get(gone, "keys")), 1);
    assert_string_equal(text_of(json_at_pointer(gone, "/keys/0"), "state"), "destroyed");
    assert_string_equal(text_of(json_at_pointer(gone, "/failed/0"), "token"), "hsm-b");
    expect_state(instance, 2, KEY_DESTROYED);
    expect_state(instance, 3, KEY_GENERATED);

    /* With nothing done it is a refusal. */
    instance->tokens[0].outcome = OUTCOME_PIN;
    refuse_verb(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}", OUTCOME_PIN,
                "the double hsm-a was told to fail");
    transport_instance_free(instance);
}

/* The configuration of now says nothing of sets that were given out before. */
static void a_reload_does_not_end_a_wait(void **state)
{
    (void)state;
    struct instance *instance = make();
    json_decref(do_verb(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}"));
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}"));
    instance->seal_ec_more = ", publish_before_use_s: 1";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    let_pass(instance, 2);
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal-ec\"}", OUTCOME_RULE,
                "verifiers may hold the old JWK Set for 300 s: from 20");
    let_pass(instance, 299);
    json_decref(do_verb(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal-ec\"}"));
    struct view *view = view_cell_get(instance->views);
    assert_int_equal(key_keep_s(&view->keyring->keys[0]), rule_keep_s(view->policy, "seal-ec"));
    assert_true(key_keep_s(&view->keyring->keys[0]) > 0);
    view_unref(view);
    /* One that was suspended has stopped signing, too; resumed, it waits as long as is asked
     * at that time. */
    do_to(instance, CUSTODY_KEY_SUSPEND, 2);
    do_to(instance, CUSTODY_KEY_RESUME, 2);
    view = view_cell_get(instance->views);
    assert_int_equal(key_keep_s(&view->keyring->keys[2]), rule_keep_s(view->policy, "seal-ec"));
    assert_int_equal(key_wait_s(&view->keyring->keys[2]), 1);
    view_unref(view);
    transport_instance_free(instance);
}

/* A role that needs a certificate: the key waits for it, and the first one is in use with it. */
static void a_key_that_needs_a_certificate_waits(void **state)
{
    (void)state;
    struct instance *instance = make();
    instance->roles_more =
        "  - {name: qseal, purpose: seal, key: p-256, algorithms: [ES256], tokens: [hsm-a], "
        "certificate: required}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    make_key(instance, "{\"role\":\"qseal\"}");
    expect_state(instance, 2, KEY_GENERATED);
    refuse_to(instance, CUSTODY_KEY_PUBLISH, 2, "keys of role qseal need a certificate first");
    JSON_CLEANUP json_t *csr = do_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"qseal\"}");
    char kid[THUMBPRINT_SIZE];
    kid_of(instance, 2, kid);
    assert_string_equal(text_of(csr, "kid"), kid);
    do_to(instance, CUSTODY_KEY_DESTROY, 2); /* never used: no detour */
    expect_state(instance, 2, KEY_DESTROYED);
    transport_instance_free(instance);
}

/* Which key of a role a request is for, with some in every state. */
static void a_request_is_for_the_key_that_waits(void **state)
{
    (void)state;
    struct instance *instance = make();
    char kid[THUMBPRINT_SIZE];
    char arguments[200];
    JSON_CLEANUP json_t *active = do_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"seal-ec\"}");
    kid_of(instance, 0, kid);
    assert_string_equal(text_of(active, "kid"), kid);
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-b\"}");
    JSON_CLEANUP json_t *waiting = do_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"seal-ec\"}");
    kid_of(instance, 2, kid);
    assert_string_equal(text_of(waiting, "kid"), kid);
    kid_of(instance, 1, kid);
    (void)snprintf(arguments, sizeof arguments, "{\"role\":\"%s\"}", kid);
    JSON_CLEANUP json_t *named = do_verb(instance, CUSTODY_KEY_CSR, arguments);
    assert_string_equal(text_of(named, "kid"), kid);
    do_to(instance, CUSTODY_KEY_COMPROMISED, 1);
    refuse_verb(instance, CUSTODY_KEY_CSR, arguments, OUTCOME_RULE,
                "the key is compromised: it gets no certificate any more");
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_is_rotated_on_all_its_tokens_at_once),
        cmocka_unit_test(a_suspended_key_goes_on_where_it_was),
        cmocka_unit_test(a_compromised_key_is_only_destroyed),
        cmocka_unit_test(what_a_change_makes_impossible_is_dropped_and_said),
        cmocka_unit_test(a_key_that_is_gone_already_is_destroyed),
        cmocka_unit_test(a_key_is_named_clearly_or_not_at_all),
        cmocka_unit_test(a_key_shows_all_that_is_known_of_it),
        cmocka_unit_test(a_key_is_shown_as_it_is_in_its_token),
        cmocka_unit_test(a_key_is_stopped_on_all_its_tokens),
        cmocka_unit_test(what_is_done_on_some_tokens_is_said_for_each),
        cmocka_unit_test(a_reload_does_not_end_a_wait),
        cmocka_unit_test(a_key_that_needs_a_certificate_waits),
        cmocka_unit_test(a_request_is_for_the_key_that_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
