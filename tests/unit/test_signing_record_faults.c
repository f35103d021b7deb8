/* SPDX-License-Identifier: Apache-2.0
 * What the audit log says of a signature that comes to nothing; and that nothing is signed, or
 * leaves, without a record on the disk. */
#include "audit_faults.h"

enum { DEADLINE_MS = 500 };

static int setup(void **state)
{
    struct instance *instance = disk_instance("[operator, custodian]");
    instance_make_keys(instance);
    *state = instance;
    return 0;
}

/* One request of role seal-ec, on both tokens, or of role seal, on hsm-a alone; in a thread of its
 * own where something is to happen meanwhile. */
struct asking {
    struct instance *instance;
    const char *profile;
    pthread_t thread;
    struct signing_answer answer;
    char detail[REASON_DETAIL_SIZE];
};

static void *ask(void *context)
{
    struct asking *asking = context;
    bool detached = strcmp(asking->profile, "op-detached") == 0;
    JSON_CLEANUP json_t *json = NULL;
    asking->answer =
        instance_ask(asking->instance, ROUTE_SIGN,
                     detached ? OPERATION_DETACHED_JWS : OPERATION_CLIENT_ASSERTION,
                     asking->profile, detached ? "{\"amountEUR\":1,\"payee\":{}}" : "{}", &json);
    (void)snprintf(asking->detail, sizeof asking->detail, "%s", text_of(json, "detail"));
    return NULL;
}

static void expect_answer(const struct asking *asking, enum outcome want, const char *fragment)
{
    struct reason why = {0};
    memcpy(why.detail, asking->detail, sizeof why.detail);
    if (want == OUTCOME_OK) {
        assert_done(asking->answer.outcome, why);
    } else {
        assert_refused(asking->answer.outcome, want, why, fragment);
    }
}

static void ask_and_expect(struct instance *instance, const char *profile, enum outcome want,
                           const char *fragment)
{
    struct asking asking = {.instance = instance, .profile = profile};
    (void)ask(&asking);
    expect_answer(&asking, want, fragment);
}

/* Returns when the token has the question. */
static void begin_asking(struct asking *asking)
{
    struct token_double *token = &asking->instance->tokens[0];
    struct deadline end = deadline_in_ms(AUDIT_PATIENCE_MS);
    atomic_store(&token->hangs, true);
    assert_int_equal(pthread_create(&asking->thread, NULL, ask, asking), 0);
    while (atomic_load(&token->held) == 0) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
    }
}

static void end_asking(struct asking *asking)
{
    atomic_store(&asking->instance->tokens[0].hangs, false);
    assert_int_equal(pthread_join(asking->thread, NULL), 0);
}

static unsigned int asked(const struct instance *instance)
{
    return instance->tokens[0].asked + instance->tokens[1].asked;
}

static void expect_refused(struct instance *instance, uint64_t before, enum outcome outcome)
{
    JSON_CLEANUP json_t *record = audit_record(instance, before, "refused");
    expect_text(record, "outcome", outcome_name(outcome));
}

/* --- completions --- */

static void each_token_that_is_tried_has_a_record(void **state)
{
    struct instance *instance = *state;
    static const enum outcome faults[] = {OUTCOME_TOKEN_UNAVAILABLE, OUTCOME_PIN,
                                          OUTCOME_KEY_MISMATCH, OUTCOME_NO_KEY};
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        uint64_t before = audit_mark(instance);
        instance->tokens[0].outcome = faults[i];
        instance_wait_state(instance, "hsm-a", TOKEN_READY); /* a fault marks it down */
        ask_and_expect(instance, "op-detached", OUTCOME_OK, "");
        JSON_CLEANUP json_t *records = audit_records(instance, before, "sign");
        assert_int_equal(json_array_size(records), 2);
        const json_t *first = json_array_get(records, 0);
        const json_t *second = json_array_get(records, 1);
        expect_text(first, "token", "hsm-a");
        expect_text(second, "token", "hsm-b");
        expect_text(first, "request", text_of(second, "request"));
        assert_string_not_equal(text_of(first, "kid"), text_of(second, "kid"));
        expect_done(instance, first, outcome_name(faults[i]));
        JSON_CLEANUP json_t *done = audit_done_of(instance, second);
        expect_text(done, "outcome", "released");
        JSON_CLEANUP json_t *none = audit_records(instance, before, "refused");
        assert_int_equal(json_array_size(none), 0);
    }
}

static void a_request_that_all_tokens_fail_ends_with_a_refusal(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    instance->tokens[0].outcome = OUTCOME_PIN;
    ask_and_expect(instance, "paynet-assertion", OUTCOME_PIN, "hsm-a was told to fail");
    JSON_CLEANUP json_t *record = audit_record(instance, before, "sign");
    expect_done(instance, record, "pin-refused");
    expect_refused(instance, before, OUTCOME_PIN);
}

static void a_signature_that_does_not_verify_is_on_record(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    instance->tokens[0].flip_a_bit = true;
    ask_and_expect(instance, "paynet-assertion", OUTCOME_VERIFY, "does not verify");
    JSON_CLEANUP json_t *record = audit_record(instance, before, "sign");
    expect_done(instance, record, "signature-not-verified");
    expect_refused(instance, before, OUTCOME_VERIFY);
}

static void a_key_that_is_stopped_meanwhile_is_on_record(void **state)
{
    struct instance *instance = *state;
    char arguments[200];
    struct asking asking = {.instance = instance, .profile = "paynet-assertion"};
    uint64_t before = audit_mark(instance);
    begin_asking(&asking);
    json_decref(do_verb(instance, CUSTODY_KEY_SUSPEND, with_key(0, instance, arguments)));
    end_asking(&asking);
    expect_answer(&asking, OUTCOME_NO_KEY, "the key was stopped while it signed");
    JSON_CLEANUP json_t *record = audit_record(instance, before, "sign");
    expect_done(instance, record, "no-active-key");
}

static void set_deadline(struct instance *instance)
{
    instance->administrators_more = "limits: {deadline_ms: 500}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

/* The request has begun before: its deadline has passed when this returns. */
static void let_the_deadline_pass(void)
{
    struct deadline end = deadline_in_ms(DEADLINE_MS);
    while (!deadline_passed(end)) {
        (void)poll(NULL, 0, 1);
    }
}

static void a_signature_after_the_deadline_is_on_record(void **state)
{
    struct instance *instance = *state;
    struct asking asking = {.instance = instance, .profile = "paynet-assertion"};
    set_deadline(instance);
    uint64_t before = audit_mark(instance);
    begin_asking(&asking);
    let_the_deadline_pass();
    end_asking(&asking);
    expect_answer(&asking, OUTCOME_DEADLINE,
                  "the signature came after the deadline and was withheld");
    JSON_CLEANUP json_t *record = audit_record(instance, before, "sign");
    expect_done(instance, record, "deadline");
}

/* --- without a log --- */

static void nothing_is_asked_of_a_token_when_there_can_be_no_record(void **state)
{
    struct instance *instance = *state;
    unsigned int before = asked(instance);
    disk_break(instance);
    ask_and_expect(instance, "op-detached", OUTCOME_AUDIT, WHY_NOT);
    assert_int_equal(asked(instance), before);
    disk_mend(instance);
    JSON_CLEANUP json_t *record = audit_record(instance, 1, "segment");
    expect_members(record, "seq prev time kind segment version chain cause previous_bytes fault "
                           "unrecorded");
    expect_text(record, "cause", "fault");
    assert_int_equal(unrecorded_of(instance, record), 2); /* a note, and the refusal */
    ask_and_expect(instance, "op-detached", OUTCOME_OK, "");
}

/* The record is on its way while the token signs, and does not arrive. */
static void what_was_signed_is_withheld_when_its_record_is_lost(void **state)
{
    struct instance *instance = *state;
    unsigned int before = asked(instance);
    uint64_t mark = audit_mark(instance);
    atomic_store(&disk_fault, EIO);
    ask_and_expect(instance, "op-detached", OUTCOME_AUDIT, WHY_LOST);
    assert_int_equal(asked(instance), before + 1); /* another token would not help */
    disk_mend(instance);
    JSON_CLEANUP json_t *lost = audit_records(instance, mark, "sign");
    assert_int_equal(json_array_size(lost), 0);
    JSON_CLEANUP json_t *record = audit_record(instance, mark, "segment");
    assert_int_equal(unrecorded_of(instance, record), 2); /* the completion, and the refusal */
}

/* What is on the disk is enough: the completion alone is lost. */
static void a_log_that_fails_after_the_record_withholds_nothing(void **state)
{
    struct instance *instance = *state;
    struct asking asking = {.instance = instance, .profile = "paynet-assertion"};
    uint64_t mark = audit_mark(instance);
    begin_asking(&asking);
    (void)audit_mark(instance);
    disk_break(instance);
    end_asking(&asking);
    expect_answer(&asking, OUTCOME_OK, "");
    disk_mend(instance);
    JSON_CLEANUP json_t *record = audit_record(instance, mark, "sign");
    expect_text(record, "operation", "client-assertion");
    JSON_CLEANUP json_t *done = audit_records(instance, mark, "done");
    assert_int_equal(json_array_size(done), 0);
}

static void what_was_signed_is_withheld_when_its_record_is_late(void **state)
{
    struct instance *instance = *state;
    struct asking asking = {.instance = instance, .profile = "paynet-assertion"};
    set_deadline(instance);
    uint64_t mark = audit_mark(instance);
    atomic_store(&disk_hangs, true);
    (void)ask(&asking);
    atomic_store(&disk_hangs, false);
    expect_answer(&asking, OUTCOME_DEADLINE,
                  "the audit record was not on the disk before the deadline");
    JSON_CLEANUP json_t *record = audit_record(instance, mark, "sign");
    expect_done(instance, record, "deadline");
}

static void health_says_that_the_log_has_failed_and_why(void **state)
{
    struct instance *instance = *state;
    JSON_CLEANUP json_t *good = NULL;
    JSON_CLEANUP json_t *bad = NULL;
    (void)instance_ask(instance, ROUTE_HEALTH, OPERATION_JAR, "", "", &good);
    expect_text(good, "audit", "ok");
    assert_null(json_object_get(good, "audit_detail"));
    disk_break(instance);
    struct signing_answer answer =
        instance_ask(instance, ROUTE_HEALTH, OPERATION_JAR, "", "", &bad);
    assert_int_equal(answer.outcome, OUTCOME_UNAVAILABLE);
    expect_text(bad, "status", "unready");
    expect_text(bad, "audit", "failed");
    expect_text(bad, "audit_detail", "audit-0000000002.jsonl: No space left on device");
    disk_mend(instance);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, disk_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_token_that_is_tried_has_a_record),
        TEST(a_request_that_all_tokens_fail_ends_with_a_refusal),
        TEST(a_signature_that_does_not_verify_is_on_record),
        TEST(a_key_that_is_stopped_meanwhile_is_on_record),
        TEST(a_signature_after_the_deadline_is_on_record),
        TEST(nothing_is_asked_of_a_token_when_there_can_be_no_record),
        TEST(what_was_signed_is_withheld_when_its_record_is_lost),
        TEST(a_log_that_fails_after_the_record_withholds_nothing),
        TEST(what_was_signed_is_withheld_when_its_record_is_late),
        TEST(health_says_that_the_log_has_failed_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
