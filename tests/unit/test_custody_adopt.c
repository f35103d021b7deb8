/* SPDX-License-Identifier: Apache-2.0
 * Replicas of known keys: what comes of one, and each refusal in its own words. */
#include "approval_support.h"
#include "schedule_support.h"

#include <poll.h>
#include <pthread.h>

enum { PATIENCE_MS = 20000 };

/* What hsm-b says of every key, a replica that somebody has put there. */
static const struct token_key good = {.is_pinned = true, .label = "qseal:seal:seal-ec"};

/* Role seal-ec has an active key (0) on hsm-a. */
static struct instance *make(void)
{
    struct instance *instance = calloc(1, sizeof *instance);
    assert_non_null(instance);
    instance_init(instance, "[\"*\"]", "[operator, custodian]");
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    instance->tokens[1].shows = good;
    instance->tokens[1].shows.attributes[ATTRIBUTE_LOCAL] = ANSWER_FALSE;
    instance->tokens[1].shows.attributes[ATTRIBUTE_SENSITIVE] = ANSWER_TRUE;
    return instance;
}

/* Of the key in the keyring's place, on hsm-b. */
static const char *adopting(struct instance *instance, size_t index, char out[200])
{
    struct view *view = NULL;
    const struct key *key = key_at(instance, &view, index);
    (void)snprintf(out, 200, "{\"key\":\"%s\",\"token\":\"hsm-b\",\"reason\":\"cloned\"}",
                   public_key_thumbprint(key->public_key));
    view_unref(view);
    return out;
}

static void refuse_adoption(struct instance *instance, enum outcome outcome, const char *fragment)
{
    char arguments[200];
    uint64_t generation = generation_of(instance);
    refuse_verb(instance, CUSTODY_KEY_ADOPT, adopting(instance, 0, arguments), outcome, fragment);
    assert_int_equal(generation_of(instance), generation);
}

static void do_to(struct instance *instance, enum custody_verb verb, const char *token)
{
    struct view *view = NULL;
    char arguments[200];
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\",\"token\":\"%s\"}",
                   public_key_thumbprint(key_at(instance, &view, 0)->public_key), token);
    view_unref(view);
    json_decref(do_verb(instance, verb, arguments));
}

static void a_replica_is_as_its_key(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[200];
    uint64_t generation = generation_of(instance);
    unsigned int asked = instance->tokens[1].asked;
    instance->tokens[1].says.facts.flags = 1U << TOKEN_WRITE_PROTECTED;
    JSON_CLEANUP json_t *result =
        do_verb(instance, CUSTODY_KEY_ADOPT, adopting(instance, 0, arguments));
    const json_t *key = json_at_pointer(result, "/keys/0");
    assert_string_equal(text_of(key, "role"), "seal-ec");
    assert_string_equal(text_of(key, "token"), "hsm-b");
    assert_string_equal(text_of(key, "state"), "active");
    assert_string_equal(text_of(key, "replica_of"), "hsm-a");
    json_t *attributes = json_at_pointer(result, "/keys/0/in_token/attributes");
    assert_true(json_is_false(json_object_get(attributes, "CKA_LOCAL")));
    assert_true(json_is_true(json_object_get(attributes, "CKA_SENSITIVE")));
    assert_int_equal(instance->tokens[1].asked, asked + 1); /* the trial signature */
    assert_int_equal(generation_of(instance), generation + 1);
    assert_int_equal(json_integer_value(json_object_get(result, "generation")), generation + 1);
    expect_state(instance, 0, KEY_ACTIVE);
    expect_state(instance, 1, KEY_ACTIVE);
    expect_key(instance, 1, KEY_ACTIVE, getuid(), "cloned");
    JSON_CLEANUP json_t *shown = do_verb(instance, CUSTODY_KEY_LIST, "{}");
    assert_string_equal(text_of(json_at_pointer(shown, "/keys/0"), "kid"),
                        text_of(json_at_pointer(shown, "/keys/1"), "kid"));
    assert_string_equal(text_of(json_at_pointer(shown, "/keys/0"), "key_id"),
                        text_of(json_at_pointer(shown, "/keys/1"), "key_id"));
    JSON_CLEANUP json_t *jwks = do_verb(instance, CUSTODY_JWKS, "{}");
    assert_int_equal(json_array_size(json_object_get(jwks, "keys")), 1);
    (void)with_key(0, instance, arguments);
    JSON_CLEANUP json_t *details = do_verb(instance, CUSTODY_KEY_SHOW, arguments);
    const json_t *last = json_at_pointer(details, "/keys/1/history/3");
    assert_string_equal(text_of(last, "replica_of"), "hsm-a");
    assert_string_equal(text_of(last, "state"), "active");
    /* Twice is once too often. */
    refuse_adoption(instance, OUTCOME_RULE, "is in the keyring for token hsm-b already: active");
    transport_instance_free(instance);
}

static void what_was_asked_for_must_be_there(void **state)
{
    (void)state;
    struct instance *instance = make();
    static const struct {
        const char *arguments;
        enum outcome outcome;
        const char *fragment;
    } rows[] = {
        {"{\"token\":\"hsm-b\"}", OUTCOME_MALFORMED, "\"key\" is missing"},
        {"{\"key\":\"abcdefgh\"}", OUTCOME_MALFORMED,
         "\"token\" is missing: the one that has the replica"},
        {"{\"key\":\"abcdefgh\",\"token\":\"hsm-b\",\"state\":\"active\"}", OUTCOME_MALFORMED,
         "an argument is unknown"},
        {"{\"key\":\"abcdefgh\",\"token\":\"hsm-b\"}", OUTCOME_NOT_FOUND,
         "no key whose thumbprint begins so in the keyring"},
        {"{\"key\":\"seal-ec\",\"token\":\"hsm-b\"}", OUTCOME_RULE,
         "this is done to one key and not to a role: name it by its thumbprint"},
        {"{\"key\":\"abcdefgh\",\"token\":\"hsm-x\"}", OUTCOME_NOT_FOUND,
         "the configuration has no such token"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        refuse_verb(instance, CUSTODY_KEY_ADOPT, rows[i].arguments, rows[i].outcome,
                    rows[i].fragment);
    }
    char arguments[200];
    make_key(instance, "{\"role\":\"seal\"}"); /* 1: on hsm-a alone, as the role is */
    refuse_verb(instance, CUSTODY_KEY_ADOPT, adopting(instance, 1, arguments), OUTCOME_RULE,
                "role seal is not on token hsm-b: add that to `tokens` of the role in ");
    transport_instance_free(instance);
}

/* Nothing signs for what is no replica. */
static void the_token_must_show_it_as_it_is_known(void **state)
{
    (void)state;
    struct instance *instance = make();
    struct token_double *token = &instance->tokens[1];
    unsigned int asked = token->asked;
    token->outcome = OUTCOME_NO_KEY;
    refuse_adoption(instance, OUTCOME_NO_KEY,
                    "told to fail. Both objects of the pair must have CKA_ID ");
    refuse_adoption(instance, OUTCOME_NO_KEY, " (p11tool --provider=");
    token->outcome = OUTCOME_KEY_MISMATCH;
    refuse_adoption(instance, OUTCOME_KEY_MISMATCH, "the double hsm-b was told to fail");
    token->outcome = OUTCOME_OK;
    token->shows.is_pinned = false;
    refuse_adoption(instance, OUTCOME_KEY_MISMATCH,
                    "token hsm-b has another public key under CKA_ID ");
    refuse_adoption(instance, OUTCOME_KEY_MISMATCH, "it is no replica of it");
    token->shows.is_pinned = true;
    static const char *const labels[] = {"mine", "", "qseal:transport:seal-ec"};
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        char want[200];
        (void)snprintf(token->shows.label, sizeof token->shows.label, "%s", labels[i]);
        (void)snprintf(want, sizeof want,
                       "CKA_LABEL of the private key is \"%s\", and must be \"qseal:seal:seal-ec\"",
                       labels[i]);
        refuse_adoption(instance, OUTCOME_KEY_MISMATCH, want);
    }
    refuse_adoption(instance, OUTCOME_KEY_MISMATCH,
                    "--login --set-label=qseal:seal:seal-ec 'pkcs11:id=%");
    assert_int_equal(token->asked, asked);
    transport_instance_free(instance);
}

static void it_must_sign(void **state)
{
    (void)state;
    struct instance *instance = make();
    struct token_double *token = &instance->tokens[1];
    token->signs = OUTCOME_KEY_MISMATCH;
    refuse_adoption(instance, OUTCOME_KEY_MISMATCH,
                    "the key is not adopted, since it does not sign in token hsm-b now: the double "
                    "hsm-b was told not to sign");
    token->signs = OUTCOME_OK;
    token->flip_a_bit = true;
    refuse_adoption(instance, OUTCOME_VERIFY,
                    "since it does not sign in token hsm-b now: token hsm-b gave a signature that "
                    "does not verify");
    token->flip_a_bit = false;
    static const struct {
        enum token_state state;
        const char *fragment;
    } rows[] = {{TOKEN_DOWN, "token hsm-b is down"}, {TOKEN_LOCKED, "token hsm-b is locked"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        token->state = rows[i].state;
        instance_wait_state(instance, "hsm-b", rows[i].state);
        refuse_adoption(instance, OUTCOME_TOKEN_UNAVAILABLE, rows[i].fragment);
    }
    token->state = TOKEN_READY;
    instance_wait_state(instance, "hsm-b", TOKEN_READY);
    char arguments[200];
    json_decref(do_verb(instance, CUSTODY_KEY_ADOPT, adopting(instance, 0, arguments)));
    expect_state(instance, 1, KEY_ACTIVE);
    transport_instance_free(instance);
}

static void what_is_over_is_not_adopted(void **state)
{
    (void)state;
    struct instance *instance = make();
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}"); /* 1 */
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}"));
    let_pass(instance, 301);
    json_decref(do_verb(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal-ec\"}"));
    let_pass(instance, 1000000);
    do_to(instance, CUSTODY_KEY_RETIRE, "hsm-a");
    refuse_adoption(instance, OUTCOME_RULE,
                    "is retired in token hsm-a: it signs nothing any more, on no token; generate");
    do_to(instance, CUSTODY_KEY_DESTROY, "hsm-a");
    refuse_adoption(instance, OUTCOME_RULE, "is destroyed in token hsm-a");
    transport_instance_free(instance);
}

static void what_is_compromised_is_so_everywhere(void **state)
{
    (void)state;
    struct instance *instance = make();
    do_to(instance, CUSTODY_KEY_COMPROMISED, "hsm-a");
    refuse_adoption(instance, OUTCOME_RULE,
                    "is compromised in token hsm-a, and so it is wherever it is");
    transport_instance_free(instance);
}

static void a_destroyed_replica_does_not_come_back(void **state)
{
    (void)state;
    struct instance *instance = make();
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}"); /* 1: generated */
    char arguments[200];
    json_decref(do_verb(instance, CUSTODY_KEY_ADOPT, adopting(instance, 1, arguments)));
    expect_state(instance, 2, KEY_GENERATED);
    json_decref(do_verb(instance, CUSTODY_KEY_DESTROY, adopting(instance, 1, arguments)));
    expect_state(instance, 1, KEY_GENERATED);
    expect_state(instance, 2, KEY_DESTROYED);
    refuse_verb(instance, CUSTODY_KEY_ADOPT, adopting(instance, 1, arguments), OUTCOME_RULE,
                "is in the keyring for token hsm-b already: destroyed");
    transport_instance_free(instance);
}

/* It is resumed where its key is. */
static void a_suspended_key_s_replica_is_suspended(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[200];
    do_to(instance, CUSTODY_KEY_SUSPEND, "hsm-a");
    json_decref(do_verb(instance, CUSTODY_KEY_ADOPT, adopting(instance, 0, arguments)));
    expect_state(instance, 1, KEY_SUSPENDED);
    do_to(instance, CUSTODY_KEY_RESUME, "hsm-b");
    expect_state(instance, 1, KEY_PUBLISHED);
    transport_instance_free(instance);
}

/* One active key: the replica takes its place as any successor does. */
static void where_another_is_active_the_replica_waits(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[200];
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-b\"}"); /* 1: generated */
    struct view *view = NULL;
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\"}",
                   public_key_thumbprint(key_at(instance, &view, 1)->public_key));
    view_unref(view);
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, arguments));
    let_pass(instance, 301);
    json_decref(do_verb(instance, CUSTODY_KEY_ACTIVATE, arguments));
    JSON_CLEANUP json_t *result =
        do_verb(instance, CUSTODY_KEY_ADOPT, adopting(instance, 0, arguments)); /* 2 */
    assert_string_equal(text_of(json_at_pointer(result, "/keys/0"), "state"), "published");
    expect_state(instance, 1, KEY_ACTIVE);
    expect_state(instance, 2, KEY_PUBLISHED);
    /* At once, since it has been published for long on the other token. */
    do_to(instance, CUSTODY_KEY_ACTIVATE, "hsm-b");
    expect_state(instance, 1, KEY_RETIRING);
    expect_state(instance, 2, KEY_ACTIVE);
    transport_instance_free(instance);
}

/* Where its places differ it comes as where it is least far, and as stopped where it is so. */
static void a_key_in_several_states(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[200];
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}"); /* 1: generated */
    add_twin(instance, 1, "hsm-c");                                   /* 2 */
    struct view *view = NULL;
    char kid[THUMBPRINT_SIZE];
    (void)snprintf(kid, sizeof kid, "%s",
                   public_key_thumbprint(key_at(instance, &view, 1)->public_key));
    view_unref(view);
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\",\"token\":\"hsm-a\"}", kid);
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, arguments));
    JSON_CLEANUP json_t *first =
        do_verb(instance, CUSTODY_KEY_ADOPT, adopting(instance, 1, arguments));
    assert_string_equal(text_of(json_at_pointer(first, "/keys/0"), "state"), "generated");
    assert_string_equal(text_of(json_at_pointer(first, "/keys/0"), "replica_of"), "hsm-c");
    add_twin(instance, 0, "hsm-c"); /* 4 */
    do_to(instance, CUSTODY_KEY_SUSPEND, "hsm-a");
    do_to(instance, CUSTODY_KEY_RESUME, "hsm-a");
    expect_state(instance, 0, KEY_PUBLISHED);
    expect_state(instance, 4, KEY_SUSPENDED);
    JSON_CLEANUP json_t *second =
        do_verb(instance, CUSTODY_KEY_ADOPT, adopting(instance, 0, arguments));
    assert_string_equal(text_of(json_at_pointer(second, "/keys/0"), "state"), "suspended");
    transport_instance_free(instance);
}

static void on_so_many_tokens_and_no_more(void **state)
{
    (void)state;
    enum { TOKENS_MAX = 16 };
    struct instance *instance = make();
    for (unsigned int i = 1; i < TOKENS_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "t-%u", i);
        add_twin(instance, 0, name);
    }
    refuse_adoption(instance, OUTCOME_RULE, "the key is on 16 tokens, which is as many as may be");
    transport_instance_free(instance);
}

/* A request on a thread of its own, which waits in its token for the trial signature. */
struct asked {
    struct instance *instance;
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
        instance_admin(asked->instance, CUSTODY_KEY_ADOPT, asked->arguments, &result, &asked->why);
    return NULL;
}

static void start(struct asked *asked, struct instance *instance, size_t index)
{
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    struct token_double *token = &instance->tokens[1];
    *asked = (struct asked){.instance = instance};
    (void)adopting(instance, index, asked->arguments);
    atomic_store(&token->hangs, true);
    assert_int_equal(pthread_create(&asked->thread, NULL, run, asked), 0);
    while (atomic_load(&token->held) == 0 && !deadline_passed(end)) {
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(atomic_load(&token->held), 1);
}

static void finish(struct asked *asked)
{
    atomic_store(&asked->instance->tokens[1].hangs, false);
    assert_int_equal(pthread_join(asked->thread, NULL), 0);
}

/* What becomes of the key while the token is asked holds for the replica. */
static void a_key_that_is_stopped_meanwhile(void **state)
{
    (void)state;
    struct instance *instance = make();
    struct asked asked;
    start(&asked, instance, 0);
    do_to(instance, CUSTODY_KEY_SUSPEND, "hsm-a");
    finish(&asked);
    assert_done(asked.outcome, asked.why);
    expect_state(instance, 1, KEY_SUSPENDED);
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}"); /* 2 */
    start(&asked, instance, 2);
    char arguments[200];
    json_decref(do_verb(instance, CUSTODY_KEY_COMPROMISED, with_key(2, instance, arguments)));
    finish(&asked);
    assert_refused(asked.outcome, OUTCOME_RULE, asked.why, "is compromised in token hsm-a");
    transport_instance_free(instance);
}

/* The look was at another object of the token then. */
static void a_look_is_worth_nothing_for_another_object(void **state)
{
    (void)state;
    struct instance *instance = make();
    struct keyring *keyring = NULL;
    struct reason why = {0};
    struct asked asked;
    start(&asked, instance, 0);
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    keyring->generation++;
    keyring->keys[0].key_id[0] ^= 1;
    assert_done(keyring_save(keyring, instance->keyring_path, &why), why);
    keyring_free(keyring);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    finish(&asked);
    assert_refused(asked.outcome, OUTCOME_LIMIT, asked.why,
                   "the keyring has changed while the token was asked; try again");
    transport_instance_free(instance);
}

static void two_persons_adopt(void **state)
{
    (void)state;
    struct instance *instance = make();
    struct token_double *token = &instance->tokens[1];
    char arguments[200];
    char digest[100];
    configure(instance, "approval: {required: true}\n");
    (void)adopting(instance, 0, arguments);
    refused_as(instance, DORA, CUSTODY_KEY_ADOPT, arguments, OUTCOME_NOT_GRANTED,
               "may not: key adopt");
    refused_as(instance, BERT, CUSTODY_KEY_ADOPT, arguments, OUTCOME_NOT_GRANTED,
               "may not: key adopt");
    /* What is wrong with it is said before there is a plan. */
    token->shows.is_pinned = false;
    refused_as(instance, ANNA, CUSTODY_KEY_ADOPT, arguments, OUTCOME_KEY_MISMATCH,
               "it is no replica of it");
    assert_int_equal(count_plans(instance), 0);
    token->shows.is_pinned = true;
    unsigned int asked = token->asked;
    JSON_CLEANUP json_t *result = done_as(instance, ANNA, CUSTODY_KEY_ADOPT, arguments);
    const json_t *effect = json_at_pointer(result, "/planned/effect/keys/0");
    assert_string_equal(text_of(effect, "token"), "hsm-b");
    assert_string_equal(text_of(effect, "replica_of"), "hsm-a");
    assert_string_equal(text_of(effect, "to"), "active");
    assert_int_equal(token->asked, asked); /* nothing is signed for a plan */
    (void)snprintf(digest, sizeof digest, "{\"digest\":\"%s\"}",
                   text_of(json_object_get(result, "planned"), "digest"));
    token->signs = OUTCOME_KEY_MISMATCH;
    refused_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, OUTCOME_KEY_MISMATCH,
               "the key is not adopted, since it does not sign in token hsm-b now");
    token->signs = OUTCOME_OK;
    token->outcome = OUTCOME_NO_KEY;
    refused_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, OUTCOME_NO_KEY,
               "token hsm-b: the double hsm-b was told to fail. Both objects");
    token->outcome = OUTCOME_OK;
    json_decref(done_as(instance, BERT, CUSTODY_KEY_APPROVE, digest));
    expect_key(instance, 1, KEY_ACTIVE, ANNA, "cloned; approved by uid 71002");
    transport_instance_free(instance);
}

static void a_plan_is_for_the_key_as_it_was(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[200];
    char digest[100];
    configure(instance, "approval: {required: true}\n");
    (void)planned(instance, CUSTODY_KEY_ADOPT, adopting(instance, 0, arguments), digest);
    do_to(instance, CUSTODY_KEY_SUSPEND, "hsm-a");
    refused_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, OUTCOME_RULE,
               "what the plan would do has changed since: keys/0/to was \"active\" and is "
               "\"suspended\"");
    do_to(instance, CUSTODY_KEY_COMPROMISED, "hsm-a");
    refused_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, OUTCOME_RULE,
               "what the plan would do has changed since: key ");
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replica_is_as_its_key),
        cmocka_unit_test(what_was_asked_for_must_be_there),
        cmocka_unit_test(the_token_must_show_it_as_it_is_known),
        cmocka_unit_test(it_must_sign),
        cmocka_unit_test(what_is_over_is_not_adopted),
        cmocka_unit_test(what_is_compromised_is_so_everywhere),
        cmocka_unit_test(a_destroyed_replica_does_not_come_back),
        cmocka_unit_test(a_suspended_key_s_replica_is_suspended),
        cmocka_unit_test(where_another_is_active_the_replica_waits),
        cmocka_unit_test(a_key_in_several_states),
        cmocka_unit_test(on_so_many_tokens_and_no_more),
        cmocka_unit_test(a_key_that_is_stopped_meanwhile),
        cmocka_unit_test(a_look_is_worth_nothing_for_another_object),
        cmocka_unit_test(two_persons_adopt),
        cmocka_unit_test(a_plan_is_for_the_key_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
