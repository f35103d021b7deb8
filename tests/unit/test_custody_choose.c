/* SPDX-License-Identifier: Apache-2.0
 * Which role, token and key is meant, over a keyring as the test makes it. */
#include "custody/change.h"

#include "keyring_support.h"

static const uint32_t es256 = 1U << ALG_ES256;

static char hsm_a[] = "hsm-a";
static char hsm_b[] = "hsm-b";
static char seal[] = "seal";
static char long_name[] = "seal-of-the-bank";
static char *seal_tokens[] = {hsm_b, hsm_a};
static char *one_token[] = {hsm_a};
static struct config_token tokens[] = {{.name = hsm_a}, {.name = hsm_b}};
static struct config_role roles[] = {
    {.name = seal, .tokens = seal_tokens, .n_tokens = COUNT_OF(seal_tokens)},
    {.name = long_name, .tokens = one_token, .n_tokens = COUNT_OF(one_token)}};
static struct config config = {
    .tokens = tokens, .n_tokens = COUNT_OF(tokens), .roles = roles, .n_roles = COUNT_OF(roles)};
static struct policy policy = {.config = &config};

struct stage {
    struct view view;
    struct act act;
    json_t *arguments;
    uint8_t next_id;
};

static int setup(void **state)
{
    static struct stage stage;
    stage = (struct stage){
        .view = {.policy = &policy, .keyring = empty_keyring()},
        .arguments = json_object(),
        .next_id = 1,
    };
    stage.act = (struct act){.view = &stage.view, .arguments = stage.arguments};
    *state = &stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    keyring_free(stage->view.keyring);
    json_decref(stage->arguments);
    return 0;
}

/* NULL: not said. */
static const struct act *asked(struct stage *stage, const char *role, const char *token)
{
    assert_int_equal(json_object_clear(stage->arguments), 0);
    if (role != NULL) {
        assert_int_equal(json_object_set_new(stage->arguments, "role", json_string(role)), 0);
    }
    if (token != NULL) {
        assert_int_equal(json_object_set_new(stage->arguments, "token", json_string(token)), 0);
    }
    return &stage->act;
}

/* A key of its own in this state; it stays in its place in the keyring. */
static size_t add(struct stage *stage, const char *role, const char *token, enum key_state state)
{
    struct key key = key_of(role, token, stage->next_id++, es256, new_public_key(KEY_P256));
    struct reason why = {0};
    const struct key_change change = {.state = state, .at = key.created};
    key.n_history = 0;
    assert_done(key_note(&key, &change, &why), why);
    add_key(&stage->view.keyring, key);
    return stage->view.keyring->n_keys - 1;
}

static void forget(struct stage *stage)
{
    keyring_free(stage->view.keyring);
    stage->view.keyring = empty_keyring();
}

typedef enum outcome chooser(const struct act *act, const struct key **out, struct reason *why);

static void expect_key(struct stage *stage, chooser *choose, const char *role, const char *token,
                       size_t index)
{
    const struct key *key = NULL;
    struct reason why = {0};
    assert_done(choose(asked(stage, role, token), &key, &why), why);
    assert_ptr_equal(key, &stage->view.keyring->keys[index]);
}

static void expect_none(struct stage *stage, chooser *choose, const char *role, const char *token,
                        enum outcome outcome, const char *fragment)
{
    const struct key *key = NULL;
    struct reason why = {0};
    assert_refused(choose(asked(stage, role, token), &key, &why), outcome, why, fragment);
}

static void a_role_is_on_its_tokens(void **state)
{
    struct stage *stage = *state;
    static const struct {
        const char *role, *token;
        enum outcome outcome;
        const char *fragment;
    } rows[] = {
        {NULL, NULL, OUTCOME_NOT_FOUND, "the configuration has no such role"},
        {NULL, "hsm-a", OUTCOME_NOT_FOUND, "the configuration has no such role"},
        {"nobody", "hsm-z", OUTCOME_NOT_FOUND, "the configuration has no such role"},
        {"seal", "hsm-z", OUTCOME_NOT_FOUND, "the configuration has no such token"},
        {"seal-of-the-bank", "hsm-b", OUTCOME_RULE, "role seal-of-the-bank is not on token hsm-b"},
    };
    const struct config_role *role = NULL;
    const struct config_token *only = NULL;
    struct reason why = {0};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_refused(
            act_choose_role(asked(stage, rows[i].role, rows[i].token), &role, &only, &why),
            rows[i].outcome, why, rows[i].fragment);
    }
    assert_done(act_choose_role(asked(stage, "seal", NULL), &role, &only, &why), why);
    assert_ptr_equal(role, &roles[0]);
    assert_null(only);
    assert_done(act_choose_role(asked(stage, "seal", "hsm-b"), &role, &only, &why), why);
    assert_ptr_equal(role, &roles[0]);
    assert_ptr_equal(only, &tokens[1]);
}

static void the_active_key_of_the_first_token_is_meant(void **state)
{
    struct stage *stage = *state;
    expect_none(stage, act_choose_key, "seal", NULL, OUTCOME_NO_KEY,
                "role seal has no active key; a custodian runs: qsealctl key generate seal");
    for (int i = 0; i < KEY_STATE_COUNT; i++) {
        if (i != KEY_ACTIVE) {
            (void)add(stage, "seal", "hsm-b", (enum key_state)i);
        }
    }
    expect_none(stage, act_choose_key, "seal", NULL, OUTCOME_NO_KEY, "role seal has no active key");
    size_t a = add(stage, "seal", "hsm-a", KEY_ACTIVE);
    (void)add(stage, long_name, "hsm-a", KEY_ACTIVE);
    expect_key(stage, act_choose_key, "seal", NULL, a);
    expect_none(stage, act_choose_key, "seal", "hsm-b", OUTCOME_NO_KEY,
                "role seal has no active key on token hsm-b; a custodian runs: qsealctl key "
                "generate seal");
    size_t b = add(stage, "seal", "hsm-b", KEY_ACTIVE);
    expect_key(stage, act_choose_key, "seal", NULL, b); /* the role prefers it */
    expect_key(stage, act_choose_key, "seal", "hsm-a", a);
    expect_none(stage, act_choose_key, "nobody", NULL, OUTCOME_NOT_FOUND, "no such role");
}

static void a_role_has_had_a_key_in_whatever_state(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < KEY_STATE_COUNT; i++) {
        assert_false(act_has_key(stage->view.keyring, "seal", NULL));
        (void)add(stage, "seal", "hsm-a", (enum key_state)i);
        assert_true(act_has_key(stage->view.keyring, "seal", NULL));
        assert_true(act_has_key(stage->view.keyring, "seal", "hsm-a"));
        assert_false(act_has_key(stage->view.keyring, "seal", "hsm-b"));
        assert_false(act_has_key(stage->view.keyring, long_name, NULL));
        forget(stage);
    }
}

static const int ranks[KEY_STATE_COUNT] = {
    [KEY_GENERATED] = 3, [KEY_ACTIVE] = 2,   [KEY_CERTIFIED] = 1,
    [KEY_PUBLISHED] = 1, [KEY_RETIRING] = 1, /* and no other is asked for by its role */
};

static const char no_request[] = "role seal has no key that may ask for a certificate; a custodian "
                                 "runs: qsealctl key generate seal";

/* Of each two on one token: what waits for a certificate, then what signs, then the rest; of equals
 * the newer one.
 */
static void a_request_is_for_the_key_of_the_highest_rank(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < KEY_STATE_COUNT * KEY_STATE_COUNT; i++) {
        int older = i / KEY_STATE_COUNT;
        int newer = i % KEY_STATE_COUNT;
        if (older == KEY_ACTIVE && newer == KEY_ACTIVE) {
            continue; /* there is one at a time */
        }
        (void)add(stage, "seal", "hsm-a", (enum key_state)older);
        (void)add(stage, "seal", "hsm-a", (enum key_state)newer);
        if (ranks[older] == 0 && ranks[newer] == 0) {
            expect_none(stage, act_choose_for_csr, "seal", NULL, OUTCOME_NO_KEY, no_request);
        } else {
            expect_key(stage, act_choose_for_csr, "seal", NULL, ranks[newer] >= ranks[older]);
        }
        forget(stage);
    }
}

/* The rank counts before the token, and between equals the order of the tokens. */
static void a_request_is_for_the_first_token_of_that_rank(void **state)
{
    struct stage *stage = *state;
    (void)add(stage, long_name, "hsm-a", KEY_GENERATED);
    expect_none(stage, act_choose_for_csr, "seal", NULL, OUTCOME_NO_KEY, no_request);
    for (int i = 0; i < KEY_STATE_COUNT * KEY_STATE_COUNT; i++) {
        int on_b = i / KEY_STATE_COUNT;
        int on_a = i % KEY_STATE_COUNT;
        forget(stage);
        size_t b = add(stage, "seal", "hsm-b", (enum key_state)on_b);
        size_t a = add(stage, "seal", "hsm-a", (enum key_state)on_a);
        if (ranks[on_b] == 0 && ranks[on_a] == 0) {
            expect_none(stage, act_choose_for_csr, "seal", NULL, OUTCOME_NO_KEY, no_request);
        } else {
            expect_key(stage, act_choose_for_csr, "seal", NULL, ranks[on_b] >= ranks[on_a] ? b : a);
        }
        if (ranks[on_a] == 0) {
            expect_none(stage, act_choose_for_csr, "seal", "hsm-a", OUTCOME_NO_KEY,
                        "role seal has no key that may ask for a certificate on token hsm-a; a "
                        "custodian runs");
        } else {
            expect_key(stage, act_choose_for_csr, "seal", "hsm-a", a);
        }
    }
    expect_none(stage, act_choose_for_csr, "seal", "hsm-z", OUTCOME_NOT_FOUND,
                "the configuration has no such token");
}

/* A role's name counts before a thumbprint, and what is too short for one is a role's. */
static void a_request_may_be_for_a_thumbprint(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < KEY_STATE_COUNT; i++) {
        size_t at = add(stage, "seal", "hsm-a", (enum key_state)i);
        const char *kid = public_key_thumbprint(stage->view.keyring->keys[at].public_key);
        if (key_state_may((enum key_state)i, KEY_ACT_CSR)) {
            expect_key(stage, act_choose_for_csr, kid, NULL, at);
        } else {
            char text[80];
            (void)snprintf(text, sizeof text, "the key is %s: it gets no certificate any more",
                           key_state_name((enum key_state)i));
            expect_none(stage, act_choose_for_csr, kid, NULL, OUTCOME_RULE, text);
        }
    }
    assert_true(key_state_may(KEY_RETIRED, KEY_ACT_CSR)); /* by its thumbprint alone */
    expect_none(stage, act_choose_for_csr, "unknown-", NULL, OUTCOME_NOT_FOUND,
                "no key whose thumbprint begins so");
    expect_none(stage, act_choose_for_csr, "unknown", NULL, OUTCOME_NOT_FOUND,
                "the configuration has no such role");
    expect_none(stage, act_choose_for_csr, long_name, NULL, OUTCOME_NO_KEY,
                "role seal-of-the-bank has no key that may ask for a certificate");
    size_t lost = add(stage, "seal", "hsm-z", KEY_GENERATED);
    expect_none(stage, act_choose_for_csr,
                public_key_thumbprint(stage->view.keyring->keys[lost].public_key), NULL,
                OUTCOME_RULE, "token hsm-z is not in the configuration any more");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_role_is_on_its_tokens),
        TEST(the_active_key_of_the_first_token_is_meant),
        TEST(a_role_has_had_a_key_in_whatever_state),
        TEST(a_request_is_for_the_key_of_the_highest_rank),
        TEST(a_request_is_for_the_first_token_of_that_rank),
        TEST(a_request_may_be_for_a_thumbprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
