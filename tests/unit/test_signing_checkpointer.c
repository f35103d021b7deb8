/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints as the service makes them: verified with the public key alone, with what the tokens'
 * rooms have counted; and what is said when none can be made. */
#include "signing/checkpointer.h"

#include "audit/checkpoint.h"
#include "audit_support.h"
#include "base/base64url.h"

#include <sys/stat.h>

#define AUDIT_ROLE "  - {name: audit, purpose: audit, key: p-256, tokens: [hsm-a]}\n"

/* An instance whose log is sealed by nobody yet. */
struct bench {
    struct instance *instance;
    struct checkpointer *checkpointer;
};

static void configure(struct bench *bench, const char *roles, const char *audit)
{
    bench->instance->roles_more = roles;
    bench->instance->audit_more = audit;
    instance_configure(bench->instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(bench->instance, CUSTODY_RELOAD, "{}"));
}

static int setup(void **state)
{
    static struct bench bench;
    bench = (struct bench){.instance = audited_instance("[operator, custodian]")};
    instance_make_keys(bench.instance);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    checkpointer_free(bench->checkpointer);
    transport_instance_free(bench->instance);
    return 0;
}

static void start(struct bench *bench)
{
    struct reason why = {0};
    bench->checkpointer = checkpointer_new(bench->instance->views, bench->instance->watch,
                                           bench->instance->audit, &why);
    assert_non_null(bench->checkpointer);
}

/* And with it whatever it was about. */
static void stop(struct bench *bench)
{
    checkpointer_free(bench->checkpointer);
    bench->checkpointer = NULL;
}

static void start_with_key(struct bench *bench)
{
    configure(bench, AUDIT_ROLE, NULL);
    make_key(bench->instance, "{\"role\":\"audit\"}");
    start(bench);
}

static void wait_covered(struct bench *bench, uint64_t seq)
{
    struct deadline end = deadline_in_ms(AUDIT_PATIENCE_MS);
    while (audit_status_of(bench->instance).covered < seq) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
    }
}

/* Until the status says of checkpoints what begins so; "": nothing. */
static void wait_detail(struct bench *bench, const char *detail)
{
    struct deadline end = deadline_in_ms(AUDIT_PATIENCE_MS);
    size_t len = detail[0] == '\0' ? 1 : strlen(detail);
    while (strncmp(audit_status_of(bench->instance).checkpoint_detail, detail, len) != 0) {
        if (deadline_passed(end)) {
            fail_msg("it says \"%s\"", audit_status_of(bench->instance).checkpoint_detail);
        }
        (void)poll(NULL, 0, 1);
    }
}

static void expect_no_detail(const struct bench *bench)
{
    assert_string_equal(audit_status_of(bench->instance).checkpoint_detail, "");
}

static void file_path(const struct bench *bench, char out[200])
{
    (void)snprintf(out, 200, "%s/checkpoint", bench->instance->audit_folder);
}

/* The file is written after the record is on the disk. */
static void wait_file(struct bench *bench, struct buffer *text, uint64_t seq,
                      struct checkpoint_signed *out)
{
    char path[200];
    struct deadline end = deadline_in_ms(AUDIT_PATIENCE_MS);
    file_path(bench, path);
    for (;;) {
        buffer_reset(text);
        if (file_read(path, text) == 0) {
            assert_null(checkpoint_read_signed(buffer_span(text), out));
            if (out->checkpoint.seq >= seq) {
                return;
            }
        }
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
    }
}

static uint64_t ask(struct bench *bench)
{
    uint64_t seq = audit_mark(bench->instance);
    audit_ask_checkpoint(bench->instance->audit);
    return seq;
}

/* Of the line of that record. */
static void hash_of_record(struct bench *bench, uint64_t seq, char out[AUDIT_HASH_SIZE])
{
    char path[200];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(AUDIT_SEGMENT_MAX);
    (void)snprintf(path, sizeof path, "%s/audit-0000000001.jsonl", bench->instance->audit_folder);
    assert_int_equal(file_read(path, &text), 0);
    struct span rest = buffer_span(&text);
    for (uint64_t i = 1; i < seq; i++) {
        rest = span_part(rest, span_find(rest, '\n') + 1, rest.len);
    }
    assert_true(sha256_text(span_part(rest, 0, span_find(rest, '\n') + 1), out));
}

static void the_file_verifies_with_the_public_key_alone(void **state)
{
    struct bench *bench = *state;
    static struct checkpoint_signed found;
    char head[AUDIT_HASH_SIZE];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    start_with_key(bench);
    uint64_t seq = ask(bench);
    wait_file(bench, &text, seq, &found);
    struct public_key *key = pinned(bench->instance, "audit", "hsm-a");
    struct public_key *other = pinned(bench->instance, "seal-ec", "hsm-a");
    assert_true(checkpoint_verify(&found, key));
    assert_false(checkpoint_verify(&found, other));
    assert_string_equal(found.kid, public_key_thumbprint(key));
    assert_int_equal(found.alg, ALG_ES256);
    assert_string_equal(found.checkpoint.chain, audit_status_of(bench->instance).chain);
    hash_of_record(bench, found.checkpoint.seq, head);
    assert_string_equal(found.checkpoint.head, head);
    assert_true(found.checkpoint.time > 0);
    public_key_free(key);
    public_key_free(other);
}

static void its_record_has_all_that_the_file_has(void **state)
{
    struct bench *bench = *state;
    static struct checkpoint_signed found;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(2 * SIGNATURE_MAX);
    start_with_key(bench);
    uint64_t seq = ask(bench);
    wait_file(bench, &text, seq, &found);
    base64url_encode(&signature, span_of(found.signature, found.signature_len));
    JSON_CLEANUP json_t *records = audit_records(bench->instance, seq, "checkpoint");
    const json_t *record = json_array_get(records, 0);
    expect_members(record, "seq prev time kind covers head kid alg note signature");
    assert_int_equal(number_of(record, "covers"), found.checkpoint.seq);
    expect_text(record, "head", found.checkpoint.head);
    expect_text(record, "kid", found.kid);
    expect_text(record, "alg", "ES256");
    assert_true(span_equal(json_text(json_object_get(record, "note")), found.note));
    expect_text(record, "signature", buffer_text(&signature));
}

/* A checkpoint is a signature like any other. */
static void its_signature_is_on_record(void **state)
{
    struct bench *bench = *state;
    static struct checkpoint_signed found;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    start_with_key(bench);
    uint64_t seq = ask(bench);
    wait_file(bench, &text, seq, &found);
    stop(bench);
    JSON_CLEANUP json_t *records = audit_records(bench->instance, seq, "sign");
    const json_t *record = json_array_get(records, 0);
    expect_members(record, "seq prev time kind uid gid pid operation role kid alg token "
                           "payload_sha256 input_sha256");
    expect_self(record);
    expect_text(record, "operation", "checkpoint");
    expect_text(record, "role", "audit");
    expect_text(record, "token", "hsm-a");
    expect_digest(record, "payload_sha256", found.note);
    expect_digest(record, "input_sha256", found.note);
    JSON_CLEANUP json_t *done = audit_done_of(bench->instance, record);
    expect_text(done, "outcome", "released");
    expect_digest(done, "released_sha256", span_of(found.signature, found.signature_len));
}

/* In order of the token and then of the key, and no key of which a room knows no number. */
static void the_rooms_counts_are_in_it_in_order(void **state)
{
    struct bench *bench = *state;
    static struct checkpoint_signed found;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    bench->instance->tokens[0].shows =
        (struct token_key){.signatures = 84211, .started = 1795200000};
    bench->instance->tokens[1].shows = (struct token_key){.signatures = 7, .started = 1795200001};
    start_with_key(bench);
    wait_file(bench, &text, ask(bench), &found);
    const struct checkpoint_use *uses = found.checkpoint.uses;
    assert_int_equal(found.checkpoint.n_uses, 4); /* seal, seal-ec, audit; and seal-ec */
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(uses[i].token, "hsm-a");
        assert_int_equal(uses[i].count, 84211);
        assert_int_equal(uses[i].since, 1795200000);
    }
    assert_true(strcmp(uses[0].kid, uses[1].kid) < 0 && strcmp(uses[1].kid, uses[2].kid) < 0);
    struct public_key *key = pinned(bench->instance, "seal-ec", "hsm-b");
    assert_string_equal(uses[3].token, "hsm-b");
    assert_string_equal(uses[3].kid, public_key_thumbprint(key));
    assert_int_equal(uses[3].count, 7);
    public_key_free(key);
    bench->instance->tokens[0].shows.signatures = TOKEN_UNKNOWN;
    buffer_reset(&text);
    wait_file(bench, &text, ask(bench), &found);
    assert_int_equal(found.checkpoint.n_uses, 1);
    assert_string_equal(found.checkpoint.uses[0].token, "hsm-b");
}

/* And what the first one refused is no reason for a warning. */
static void another_token_signs_when_the_first_does_not(void **state)
{
    struct bench *bench = *state;
    configure(bench, "  - {name: audit, purpose: audit, key: p-256, tokens: [hsm-a, hsm-b]}\n",
              NULL);
    make_key(bench->instance, "{\"role\":\"audit\"}");
    bench->instance->tokens[0].flip_a_bit = true;
    start(bench);
    uint64_t seq = ask(bench);
    wait_covered(bench, seq);
    JSON_CLEANUP json_t *records = audit_records(bench->instance, seq, "sign");
    expect_text(json_array_get(records, 0), "token", "hsm-a");
    expect_text(json_array_get(records, 1), "token", "hsm-b");
    stop(bench);
    expect_no_detail(bench);
}

/* A room that is away is not asked, and its lines are left out. */
static void a_room_that_is_away_has_no_lines(void **state)
{
    struct bench *bench = *state;
    static struct checkpoint_signed found;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    start_with_key(bench);
    bench->instance->tokens[1].state = TOKEN_DOWN;
    instance_wait_state(bench->instance, "hsm-b", TOKEN_DOWN);
    wait_file(bench, &text, ask(bench), &found);
    assert_int_equal(found.checkpoint.n_uses, 3);
}

static void one_is_made_after_so_many_records(void **state)
{
    struct bench *bench = *state;
    configure(bench, AUDIT_ROLE, ", checkpoint_records: 20, checkpoint_s: 86400");
    make_key(bench->instance, "{\"role\":\"audit\"}");
    start(bench);
    uint64_t seq = 0;
    for (int i = 0; i < 25; i++) {
        seq = audit_mark(bench->instance);
    }
    wait_covered(bench, seq - 25);
}

static void one_is_made_after_so_long(void **state)
{
    struct bench *bench = *state;
    configure(bench, AUDIT_ROLE, ", checkpoint_s: 1");
    make_key(bench->instance, "{\"role\":\"audit\"}");
    start(bench);
    wait_covered(bench, audit_mark(bench->instance));
}

/* What comes before the service ends is sealed. */
static void the_last_one_is_made_at_the_end(void **state)
{
    struct bench *bench = *state;
    start_with_key(bench);
    uint64_t seq = audit_mark(bench->instance);
    stop(bench);
    assert_true(audit_status_of(bench->instance).covered >= seq);
}

/* --- when none can be made --- */

static void without_a_role_the_status_says_so(void **state)
{
    struct bench *bench = *state;
    start(bench);
    (void)ask(bench);
    wait_detail(bench, "the configuration has no role of purpose audit");
    JSON_CLEANUP json_t *status = do_verb(bench->instance, CUSTODY_STATUS, "{}");
    const json_t *log = json_object_get(status, "audit_log");
    expect_text(log, "checkpoint_detail", "the configuration has no role of purpose audit");
    assert_int_equal(number_of(log, "sealed"), 0);
    assert_null(json_object_get(log, "checkpoint_at"));
    expect_text(status, "audit", "ok"); /* the log itself is written */
}

static void without_a_key_the_status_says_what_to_do(void **state)
{
    struct bench *bench = *state;
    configure(bench, AUDIT_ROLE, NULL);
    start(bench);
    (void)ask(bench);
    wait_detail(bench, "role audit has no active key");
}

static void a_token_that_is_down_is_tried_again(void **state)
{
    struct bench *bench = *state;
    start_with_key(bench);
    bench->instance->tokens[0].state = TOKEN_DOWN;
    instance_wait_state(bench->instance, "hsm-a", TOKEN_DOWN);
    uint64_t seq = ask(bench);
    wait_detail(bench, "token hsm-a is down");
    JSON_CLEANUP json_t *none = audit_records(bench->instance, seq, "sign");
    assert_int_equal(json_array_size(none), 0);
    bench->instance->tokens[0].state = TOKEN_READY;
    wait_covered(bench, seq);
    wait_detail(bench, "");
}

static void a_token_that_fails_leaves_the_log_unsealed(void **state)
{
    struct bench *bench = *state;
    start_with_key(bench);
    uint64_t covered = audit_status_of(bench->instance).covered;
    bench->instance->tokens[0].flip_a_bit = true;
    uint64_t seq = ask(bench);
    wait_detail(bench, "token hsm-a gave a signature that does not verify; it was withheld");
    JSON_CLEANUP json_t *none = audit_records(bench->instance, seq, "checkpoint");
    assert_int_equal(json_array_size(none), 0);
    assert_int_equal(audit_status_of(bench->instance).covered, covered);
    JSON_CLEANUP json_t *records = audit_records(bench->instance, seq, "sign");
    expect_done(bench->instance, json_array_get(records, 0), "signature-not-verified");
}

/* The log stays where it was at the start, and its checkpoint with it. */
static void the_file_stays_beside_the_log(void **state)
{
    struct bench *bench = *state;
    static struct checkpoint_signed found;
    char begun_in[sizeof bench->instance->audit_folder];
    char other[128];
    char path[200];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    (void)snprintf(other, sizeof other, "%s/other", bench->instance->folder);
    (void)snprintf(path, sizeof path, "%s/checkpoint", other);
    assert_int_equal(mkdir(other, 0700), 0);
    memcpy(begun_in, bench->instance->audit_folder, sizeof begun_in);
    memcpy(bench->instance->audit_folder, other, sizeof other);
    configure(bench, AUDIT_ROLE, NULL);
    memcpy(bench->instance->audit_folder, begun_in, sizeof begun_in);
    make_key(bench->instance, "{\"role\":\"audit\"}");
    start(bench);
    wait_file(bench, &text, ask(bench), &found);
    stop(bench);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(rmdir(other), 0);
}

/* The record is what counts; but who would copy the file is told that it is another one. */
static void a_file_that_cannot_be_written_is_no_fault_of_the_log(void **state)
{
    struct bench *bench = *state;
    char path[200];
    struct audit_head head;
    struct reason why = {0};
    file_path(bench, path);
    assert_int_equal(mkdir(path, 0700), 0);
    start_with_key(bench);
    uint64_t seq = ask(bench);
    wait_covered(bench, seq);
    wait_detail(bench, "its file could not be written: Is a directory; its record is in the log");
    assert_refused(
        audit_seal(bench->instance->audit, deadline_in_ms(AUDIT_PATIENCE_MS), &head, &why),
        OUTCOME_AUDIT, why, "no checkpoint is made: its file could not be written: Is a directory");
    assert_true(audit_status_of(bench->instance).ok);
    assert_int_equal(rmdir(path), 0);
    assert_done(audit_seal(bench->instance->audit, deadline_in_ms(AUDIT_PATIENCE_MS), &head, &why),
                why);
    expect_no_detail(bench);
    assert_int_equal(access(path, F_OK), 0);
    stop(bench);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_verifies_with_the_public_key_alone),
        TEST(its_record_has_all_that_the_file_has),
        TEST(its_signature_is_on_record),
        TEST(the_rooms_counts_are_in_it_in_order),
        TEST(another_token_signs_when_the_first_does_not),
        TEST(a_room_that_is_away_has_no_lines),
        TEST(one_is_made_after_so_many_records),
        TEST(one_is_made_after_so_long),
        TEST(the_last_one_is_made_at_the_end),
        TEST(without_a_role_the_status_says_so),
        TEST(without_a_key_the_status_says_what_to_do),
        TEST(a_token_that_is_down_is_tried_again),
        TEST(a_token_that_fails_leaves_the_log_unsealed),
        TEST(the_file_stays_beside_the_log),
        TEST(a_file_that_cannot_be_written_is_no_fault_of_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
