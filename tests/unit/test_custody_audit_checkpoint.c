/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit checkpoint: what it covers, who may ask, and what is said when none is made. */
#include "audit/checkpoint.h"
#include "audit_faults.h"
#include "signing/checkpointer.h"

#define AUDIT_ROLE "  - {name: audit, purpose: audit, key: p-256, tokens: [hsm-a]}\n"

struct bench {
    struct instance *instance;
    struct checkpointer *checkpointer;
};

static void configure(struct bench *bench, const char *rights)
{
    bench->instance->roles_more = AUDIT_ROLE;
    instance_configure(bench->instance, "[\"*\"]", rights);
    json_decref(do_verb(bench->instance, CUSTODY_RELOAD, "{}"));
}

static int setup(void **state)
{
    static struct bench bench;
    struct reason why = {0};
    bench = (struct bench){.instance = disk_instance("[operator, custodian]")};
    bench.checkpointer =
        checkpointer_new(bench.instance->views, bench.instance->watch, bench.instance->audit, &why);
    assert_non_null(bench.checkpointer);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    atomic_store(&disk_fault, 0);
    checkpointer_free(bench->checkpointer);
    transport_instance_free(bench->instance);
    return 0;
}

static void make_audit_key(struct bench *bench)
{
    configure(bench, "[operator, custodian]");
    make_key(bench->instance, "{\"role\":\"audit\"}");
}

static json_t *checkpoint(struct bench *bench)
{
    return do_verb(bench->instance, CUSTODY_AUDIT_CHECKPOINT, "{}");
}

static void refuse_checkpoint(struct bench *bench, enum outcome outcome, const char *fragment)
{
    refuse_verb(bench->instance, CUSTODY_AUDIT_CHECKPOINT, "{}", outcome, fragment);
}

static void it_covers_what_was_recorded_before_it_was_asked(void **state)
{
    struct bench *bench = *state;
    make_audit_key(bench);
    for (int i = 0; i < 5; i++) {
        uint64_t before = audit_mark(bench->instance);
        JSON_CLEANUP json_t *result = checkpoint(bench);
        JSON_CLEANUP json_t *admin = audit_record(bench->instance, before, "admin");
        expect_members(result, "chain covers head");
        expect_text(admin, "verb", "audit checkpoint");
        expect_done(bench->instance, admin, "done");
        assert_true(number_of(result, "covers") >= number_of(admin, "seq"));
        expect_text(result, "chain", audit_status_of(bench->instance).chain);
    }
}

/* The head that is told is that of the record of the checkpoint. */
static void it_tells_the_head_that_is_sealed(void **state)
{
    struct bench *bench = *state;
    make_audit_key(bench);
    uint64_t before = audit_mark(bench->instance);
    JSON_CLEANUP json_t *result = checkpoint(bench);
    JSON_CLEANUP json_t *records = audit_records(bench->instance, before, "checkpoint");
    const json_t *last = json_array_get(records, json_array_size(records) - 1);
    assert_int_equal(number_of(last, "covers"), number_of(result, "covers"));
    expect_text(last, "head", text_of(result, "head"));
}

static void an_auditor_may_ask_and_an_approver_may_not(void **state)
{
    struct bench *bench = *state;
    static const char *const may[] = {"[operator, auditor]", "[operator, custodian]", "[operator]"};
    make_audit_key(bench);
    for (size_t i = 0; i < COUNT_OF(may); i++) {
        configure(bench, may[i]);
        json_decref(checkpoint(bench));
    }
    bench->instance->administrators_more = "  - {uid: 71001, rights: [auditor]}\n"
                                           "  - {uid: 71002, rights: [approver]}\n";
    configure(bench, "[operator]");
    const struct caller auditor = {.uid = 71001};
    const struct caller approver = {.uid = 71002};
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(4096);
    assert_done(
        instance_ask_as(bench->instance, &auditor, CUSTODY_AUDIT_CHECKPOINT, "{}", &result, &why),
        why);
    assert_refused(
        instance_ask_as(bench->instance, &approver, CUSTODY_AUDIT_CHECKPOINT, "{}", &result, &why),
        OUTCOME_NOT_GRANTED, why, "uid 71002 may not: audit checkpoint");
}

static void it_takes_no_arguments(void **state)
{
    struct bench *bench = *state;
    refuse_verb(bench->instance, CUSTODY_AUDIT_CHECKPOINT, "{\"role\":\"audit\"}",
                OUTCOME_MALFORMED, "an argument is unknown");
}

/* --- when none is made --- */

static void without_a_role_it_says_so(void **state)
{
    refuse_checkpoint(*state, OUTCOME_AUDIT,
                      "no checkpoint is made: the configuration has no role of purpose audit");
}

static void without_a_key_it_says_what_to_do(void **state)
{
    configure(*state, "[operator, custodian]");
    refuse_checkpoint(*state, OUTCOME_AUDIT, "no checkpoint is made: role audit has no active key");
}

static void a_token_that_is_down_is_named(void **state)
{
    struct bench *bench = *state;
    make_audit_key(bench);
    bench->instance->tokens[0].state = TOKEN_DOWN;
    instance_wait_state(bench->instance, "hsm-a", TOKEN_DOWN);
    refuse_checkpoint(bench, OUTCOME_AUDIT, "no checkpoint is made: token hsm-a is down");
}

static void a_clock_that_jumped_is_named(void **state)
{
    struct bench *bench = *state;
    make_audit_key(bench);
    instance_jump(bench->instance, 3600);
    refuse_checkpoint(bench, OUTCOME_AUDIT, "no checkpoint is made: the clock has jumped");
    instance_jump(bench->instance, 0);
}

static void a_log_that_has_failed_is_not_sealed(void **state)
{
    struct bench *bench = *state;
    make_audit_key(bench);
    disk_break(bench->instance);
    refuse_checkpoint(bench, OUTCOME_AUDIT, WHY_NOT);
    disk_mend(bench->instance);
    json_decref(checkpoint(bench));
}

/* The log itself is asked: one that has failed since the command was recorded. */
static void a_log_that_fails_meanwhile_is_not_waited_for(void **state)
{
    struct bench *bench = *state;
    struct audit_head head;
    struct reason why = {0};
    disk_break(bench->instance);
    assert_refused(
        audit_seal(bench->instance->audit, deadline_in_ms(AUDIT_PATIENCE_MS), &head, &why),
        OUTCOME_AUDIT, why, WHY_NOT);
    disk_mend(bench->instance);
}

static void nobody_who_makes_one_is_waited_for_in_vain(void **state)
{
    struct bench *bench = *state;
    struct audit_head head;
    struct reason why = {0};
    checkpointer_free(bench->checkpointer);
    bench->checkpointer = NULL;
    audit_note_checkpoint(bench->instance->audit, "");
    assert_refused(audit_seal(bench->instance->audit, deadline_in_ms(1), &head, &why),
                   OUTCOME_DEADLINE, why, "no checkpoint was made in time");
    assert_string_equal(why.detail, "no checkpoint was made in time");
    audit_note_checkpoint(bench->instance->audit, "the token is away");
    assert_refused(audit_seal(bench->instance->audit, deadline_in_ms(1), &head, &why),
                   OUTCOME_DEADLINE, why,
                   "no checkpoint was made in time, and before that: the token is away");
}

static void without_a_log_there_is_nothing_to_seal(void **state)
{
    (void)state;
    struct instance *instance = new_instance("[operator]");
    refuse_verb(instance, CUSTODY_AUDIT_CHECKPOINT, "{}", OUTCOME_RULE,
                "there is no audit log: audit/enabled was false when qseald started");
    transport_instance_free(instance);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_covers_what_was_recorded_before_it_was_asked),
        TEST(it_tells_the_head_that_is_sealed),
        TEST(an_auditor_may_ask_and_an_approver_may_not),
        TEST(it_takes_no_arguments),
        TEST(without_a_role_it_says_so),
        TEST(without_a_key_it_says_what_to_do),
        TEST(a_token_that_is_down_is_named),
        TEST(a_clock_that_jumped_is_named),
        TEST(a_log_that_has_failed_is_not_sealed),
        TEST(a_log_that_fails_meanwhile_is_not_waited_for),
        TEST(nobody_who_makes_one_is_waited_for_in_vain),
        cmocka_unit_test(without_a_log_there_is_nothing_to_seal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
