/* SPDX-License-Identifier: Apache-2.0
 * From a role to a verified signature: which token and key are tried, when another is, and when
 * nobody is asked. (What a caller sees of it when tokens fail is in test_signing_seal.c.) */
#include "signing/dispatch.h"

#include "check.h"
#include "instance.h"

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

/* What one dispatch tried. */
struct tried {
    enum outcome outcomes[INSTANCE_TOKENS]; /* of each try */
    const char *tokens[INSTANCE_TOKENS];
    char kid[THUMBPRINT_SIZE];
    unsigned int n;
};

static const struct caller nobody = {.uid = 1, .gid = 1, .pid = 1};
static const struct dispatch_subject subject = {
    .caller = &nobody, .request_id = "id", .operation = "jar"};

static struct dispatch_content any_input(void)
{
    return (struct dispatch_content){.alg = ALG_ES256, .input = span_of_text("any input")};
}

static enum outcome use(void *context, const struct attempt *attempt, struct reason *why)
{
    struct tried *tried = context;
    enum outcome outcome = tried->outcomes[tried->n];
    const struct dispatch_content content = any_input();
    struct span signature;
    tried->tokens[tried->n++] = attempt->token->name;
    strcpy(tried->kid, public_key_thumbprint(attempt->key->public_key));
    if (outcome != OUTCOME_OK) {
        return refuse(why, outcome, "try %u was told to fail", tried->n);
    }
    outcome = dispatch_sign(attempt, &content, &signature, why);
    if (outcome == OUTCOME_OK) {
        assert_true(
            public_key_verify(attempt->key->public_key, content.alg, content.input, signature));
    }
    return outcome;
}

static enum outcome run(struct instance *instance, const char *kid, struct tried *tried,
                        struct reason *why)
{
    struct dispatcher *dispatcher = dispatcher_new();
    struct view *view = view_cell_get(instance->views);
    const struct dispatch dispatch = {
        .subject = &subject,
        .view = view,
        .views = instance->views,
        .watch = instance->watch,
        .role = config_role(view->policy->config, "seal-ec"),
        .kid = kid,
        .deadline = deadline_in_ms(10000),
    };
    enum outcome outcome = dispatch_to_tokens(dispatcher, &dispatch, use, tried, why);
    view_unref(view);
    dispatcher_free(dispatcher);
    return outcome;
}

static void a_thumbprint_finds_its_token(void **state)
{
    struct instance *instance = *state;
    struct reason why = {0};
    for (size_t i = 0; i < INSTANCE_TOKENS; i++) {
        struct tried tried = {0};
        struct view *view = view_cell_get(instance->views);
        char kid[THUMBPRINT_SIZE];
        strcpy(kid,
               public_key_thumbprint(
                   keyring_active(view->keyring, "seal-ec", instance->tokens[i].name)->public_key));
        view_unref(view);
        assert_done(run(instance, kid, &tried, &why), why);
        assert_int_equal(tried.n, 1);
        assert_string_equal(tried.tokens[0], instance->tokens[i].name);
        assert_string_equal(tried.kid, kid);
    }
}

static void an_unknown_thumbprint_asks_nobody(void **state)
{
    struct tried tried = {0};
    struct reason why = {0};
    assert_refused(run(*state, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", &tried, &why),
                   OUTCOME_NOT_FOUND, why, "role seal-ec has no active key of this thumbprint");
    assert_int_equal(tried.n, 0);
}

static void faults_of_a_token_lead_to_the_next(void **state)
{
    static const enum outcome faults[] = {OUTCOME_PIN, OUTCOME_KEY_MISMATCH, OUTCOME_NO_KEY,
                                          OUTCOME_VERIFY};
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct tried tried = {.outcomes = {faults[i]}};
        struct reason why = {0};
        assert_done(run(*state, "", &tried, &why), why);
        assert_int_equal(tried.n, 2);
        assert_string_equal(tried.tokens[0], "hsm-a");
        assert_string_equal(tried.tokens[1], "hsm-b");
    }
}

static void refusals_do_not(void **state)
{
    static const enum outcome refusals[] = {OUTCOME_RULE, OUTCOME_MALFORMED, OUTCOME_SHAPE,
                                            OUTCOME_DEADLINE, OUTCOME_INTERNAL};
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct instance *instance = *state;
        struct tried tried = {.outcomes = {refusals[i]}};
        struct reason why = {0};
        instance_wait_state(instance, "hsm-a", TOKEN_READY); /* a deadline marks it down */
        assert_refused(run(instance, "", &tried, &why), refusals[i], why, "try 1 was told to fail");
        assert_int_equal(tried.n, 1);
    }
}

static void a_spoilt_signature_is_withheld(void **state)
{
    struct instance *instance = *state;
    struct tried tried = {0};
    struct reason why = {0};
    instance->tokens[0].flip_a_bit = true;
    instance->tokens[1].flip_a_bit = true;
    assert_refused(run(instance, "", &tried, &why), OUTCOME_VERIFY, why,
                   "token hsm-b gave a signature that does not verify; it was withheld");
    assert_int_equal(tried.n, 2);
}

struct stopping {
    struct instance *instance;
    enum custody_verb verb;
    unsigned int n;
    struct reason first; /* of the first try */
};

/* A custodian stops the key between the question and the signature. */
static enum outcome stop_and_sign(void *context, const struct attempt *attempt, struct reason *why)
{
    struct stopping *stopping = context;
    struct span signature;
    if (stopping->n++ == 0) {
        char arguments[200];
        struct reason inner = {0};
        BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
        (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\"}",
                       public_key_thumbprint(attempt->key->public_key));
        assert_done(instance_admin(stopping->instance, stopping->verb, arguments, &result, &inner),
                    inner);
    }
    const struct dispatch_content content = any_input();
    enum outcome outcome = dispatch_sign(attempt, &content, &signature, why);
    if (stopping->n == 1) {
        stopping->first = *why;
    }
    return outcome;
}

static void a_key_stopped_while_it_signs_signs_nothing(void **state)
{
    struct instance *instance = *state;
    static const enum custody_verb verbs[] = {CUSTODY_KEY_SUSPEND, CUSTODY_KEY_COMPROMISED};
    struct dispatcher *dispatcher = dispatcher_new();
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        struct stopping stopping = {.instance = instance, .verb = verbs[i]};
        struct reason why = {0};
        struct view *view = view_cell_get(instance->views);
        const struct dispatch dispatch = {
            .subject = &subject,
            .view = view,
            .views = instance->views,
            .watch = instance->watch,
            .role = config_role(view->policy->config, "seal-ec"),
            .kid = "",
            .deadline = deadline_in_ms(10000),
        };
        /* Of two tokens the second one helps, then nobody does. */
        enum outcome outcome =
            dispatch_to_tokens(dispatcher, &dispatch, stop_and_sign, &stopping, &why);
        if (i == 0) {
            assert_done(outcome, why);
        } else {
            assert_refused(outcome, OUTCOME_NO_KEY, why, stopping.first.detail);
        }
        assert_string_equal(stopping.first.detail,
                            "the key was stopped while it signed, and the signature was withheld");
        assert_int_equal(stopping.n, i == 0 ? 2 : 1);
        view_unref(view);
    }
    dispatcher_free(dispatcher);
}

static void age(struct instance *instance, int64_t seconds, const char *more)
{
    struct reason why = {0};
    instance->seal_ec_more = more;
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    assert_done(custody_reload(instance->custody, &why), why);
    instance_age_keys(instance, seconds);
}

enum { DAY_S = 86400 };

static void a_key_past_its_end_signs_nothing_where_the_role_says_stop(void **state)
{
    struct instance *instance = *state;
    struct tried tried = {0};
    struct reason why = {0};
    age(instance, DAY_S - 100, ", cryptoperiod_days: 1, at_end: stop");
    assert_done(run(instance, "", &tried, &why), why);
    tried.n = 0;
    instance_age_keys(instance, 200);
    assert_refused(run(instance, "", &tried, &why), OUTCOME_NO_KEY, why,
                   " of role seal-ec in token hsm-b signs nothing any more: its cryptoperiod ended "
                   "at ");
    assert_int_equal(tried.n, 0);
    assert_non_null(strstr(why.detail, "a custodian activates another key"));
}

static void a_key_past_its_end_signs_on_where_it_says_warn(void **state)
{
    struct instance *instance = *state;
    struct tried tried = {0};
    struct reason why = {0};
    age(instance, 100L * DAY_S, ", cryptoperiod_days: 1, at_end: warn");
    assert_done(run(instance, "", &tried, &why), why);
    assert_string_equal(tried.tokens[0], "hsm-a");
}

static void another_token_is_asked_when_the_key_of_one_has_ended(void **state)
{
    struct instance *instance = *state;
    struct tried tried = {0};
    struct reason why = {0};
    age(instance, 0, ", cryptoperiod_days: 1, at_end: stop");
    struct view *view = view_cell_get(instance->views);
    struct key *first = (struct key *)keyring_active(view->keyring, "seal-ec", "hsm-a");
    view->ends[first - view->keyring->keys].stop_at = 1;
    assert_done(run(instance, "", &tried, &why), why);
    assert_int_equal(tried.n, 1);
    assert_string_equal(tried.tokens[0], "hsm-b");
    view_unref(view);
}

static void a_clock_that_jumped_stops_all_until_it_is_back(void **state)
{
    struct instance *instance = *state;
    static const int64_t jumps[] = {3600, -3600, 315576000, 61, -61};
    struct reason why = {0};
    for (size_t i = 0; i < COUNT_OF(jumps); i++) {
        struct tried tried = {0};
        instance_jump(instance, jumps[i]);
        assert_refused(run(instance, "", &tried, &why), OUTCOME_CLOCK, why,
                       "the clock has jumped, and nothing is signed until an administrator "
                       "confirms it (qsealctl clock confirm) or it is back");
        assert_int_equal(tried.n, 0);
        instance_jump(instance, 0);
        assert_done(run(instance, "", &tried, &why), why);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_thumbprint_finds_its_token),
        TEST(an_unknown_thumbprint_asks_nobody),
        TEST(faults_of_a_token_lead_to_the_next),
        TEST(refusals_do_not),
        TEST(a_spoilt_signature_is_withheld),
        TEST(a_key_stopped_while_it_signs_signs_nothing),
        TEST(a_key_past_its_end_signs_nothing_where_the_role_says_stop),
        TEST(a_key_past_its_end_signs_on_where_it_says_warn),
        TEST(another_token_is_asked_when_the_key_of_one_has_ended),
        TEST(a_clock_that_jumped_stops_all_until_it_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
