/* SPDX-License-Identifier: Apache-2.0
 * qseal-tokend as a process: its door, the one PIN attempt over restarts, an absent token, faults
 * and hangs of the module. */
#include "check.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/random.h"
#include "jws.h"
#include "tokend_rig.h"
#include "wire/channel.h"
#include "wire/frame.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOON_MS = 20000 };

#define NOTE                                                                                       \
    "qseal audit checkpoint v1\n"                                                                  \
    "chain 0f8fad5b-d9cb-469f-a165-70867728950e\n"                                                 \
    "sequence 170000\n"                                                                            \
    "head 47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\n"                                           \
    "time 1795287600\n"

struct signing {
    struct buffer spki, input, signature;
    struct token_sign_request request;
    struct reason why;
};

static enum outcome generate_for(struct tokend_rig *rig, enum purpose purpose,
                                 struct signing *signing)
{
    *signing = (struct signing){
        .spki = BUFFER_INIT(SPKI_MAX),
        .input = BUFFER_INIT(1024),
        .signature = BUFFER_INIT(SIGNATURE_MAX),
        .request = {.purpose = purpose, .alg = ALG_ES256},
    };
    struct token_generate_request request = {
        .purpose = purpose, .type = KEY_P256, .algs = 1U << ALG_ES256, .role = "role"};
    random_bytes(request.key_id, sizeof request.key_id);
    memcpy(signing->request.key_id, request.key_id, sizeof request.key_id);
    jws_input(&signing->input, ALG_ES256);
    signing->request.input = buffer_span(&signing->input);
    enum outcome outcome = token_generate(rig->token, &request, deadline_in_ms(SOON_MS),
                                          &signing->spki, &signing->why);
    jws_spki_digest(buffer_span(&signing->spki), signing->request.spki_digest);
    return outcome;
}

static enum outcome generate(struct tokend_rig *rig, struct signing *signing)
{
    return generate_for(rig, PURPOSE_SEAL, signing);
}

static enum outcome sign(struct tokend_rig *rig, struct signing *signing)
{
    buffer_reset(&signing->signature);
    return token_sign(rig->token, &signing->request, deadline_in_ms(SOON_MS), &signing->signature,
                      &signing->why);
}

static bool verifies(const struct signing *signing)
{
    return jws_verifies(buffer_span(&signing->spki), ALG_ES256, buffer_span(&signing->input),
                        buffer_span(&signing->signature));
}

static void end(struct signing *signing)
{
    buffer_fini(&signing->spki);
    buffer_fini(&signing->input);
    buffer_fini(&signing->signature);
}

static int setup(void **state)
{
    struct tokend_rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    tokend_rig_make(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    tokend_rig_remove(*state);
    free(*state);
    (void)unsetenv("QSEAL_SHIM_SESSIONS");
    return 0;
}

static void test_usage(void **state)
{
    struct tokend_rig *rig = *state;
    assert_int_equal(tokend_rig_run(rig, (const char *const[]){"--help", NULL}), 0);
    assert_true(tokend_rig_said(rig, "usage: qseal-tokend --token NAME"));
    assert_int_equal(tokend_rig_run(rig, (const char *const[]){"--version", NULL}), 0);
    assert_true(tokend_rig_said(rig, "qseal-tokend " QSEAL_VERSION));
    assert_int_equal(tokend_rig_run(rig, (const char *const[]){"--config", "/x", NULL}), 2);
    assert_int_equal(tokend_rig_run(rig, (const char *const[]){"--token", "a", "b", NULL}), 2);
}

static void test_bad_configuration(void **state)
{
    struct tokend_rig *rig = *state;
    const char *const nobody[] = {"--config", rig->config, "--token", "other", NULL};
    assert_int_equal(tokend_rig_run(rig, nobody), 78);
    assert_true(tokend_rig_said(rig, "has no token other"));
    struct tokend_settings settings = tokend_rig_settings();
    settings.module = "/etc/passwd";
    tokend_rig_configure(rig, &settings);
    const char *const test[] = {"--config", rig->config, "--token", "test", NULL};
    assert_int_equal(tokend_rig_run(rig, test), 78);
    assert_true(tokend_rig_said(rig, "module /etc/passwd: "));
}

static void test_signs(void **state)
{
    struct tokend_rig *rig = *state;
    struct token_status status;
    struct signing signing;
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_READY, &status);
    assert_string_equal(status.label, SOFTHSM_LABEL);
    assert_int_equal(status.sessions, 4);
    assert_string_equal(status.version, QSEAL_VERSION);
    assert_true(status.n_marks > 0);
    assert_true(status.started > 0);
    assert_done(generate(rig, &signing), signing.why);
    assert_done(sign(rig, &signing), signing.why);
    assert_true(verifies(&signing));
    tokend_rig_await(rig, TOKEN_READY, &status);
    assert_int_equal(status.signatures, 1);
    /* Another process, the same key. */
    assert_int_equal(tokend_rig_stop(rig), 0);
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_READY, &status);
    assert_done(sign(rig, &signing), signing.why);
    assert_true(verifies(&signing));
    signing.request.spki_digest[0] ^= 1;
    assert_refused(sign(rig, &signing), OUTCOME_KEY_MISMATCH, signing.why, "not the pinned one");
    signing.request.spki_digest[0] ^= 1;
    signing.request.input = span_of("\x30\x31\x30", 3);
    assert_int_equal(sign(rig, &signing), OUTCOME_SHAPE);
    end(&signing);
}

/* Each of the two signs what is its own and nothing of the other's, whatever the request says. */
static void test_audit_keys_sign_checkpoints_alone(void **state)
{
    struct tokend_rig *rig = *state;
    struct token_status status;
    struct signing audit;
    struct signing seal;
    struct span note = span_of_text(NOTE);
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_READY, &status);
    assert_done(generate_for(rig, PURPOSE_AUDIT, &audit), audit.why);
    assert_done(generate_for(rig, PURPOSE_SEAL, &seal), seal.why);
    assert_refused(sign(rig, &audit), OUTCOME_SHAPE, audit.why,
                   "checkpoint: another first line"); /* a JWS */
    audit.request.input = note;
    assert_done(sign(rig, &audit), audit.why);
    assert_true(
        jws_verifies(buffer_span(&audit.spki), ALG_ES256, note, buffer_span(&audit.signature)));
    audit.request.input = span_part(note, 0, note.len - 1);
    assert_refused(sign(rig, &audit), OUTCOME_SHAPE, audit.why, "checkpoint: no line of the time");
    audit.request.alg = ALG_ES384;
    audit.request.input = note;
    assert_refused(sign(rig, &audit), OUTCOME_KEY_MISMATCH, audit.why,
                   "a p-256 key does not sign ES384");

    assert_done(sign(rig, &seal), seal.why);
    assert_true(verifies(&seal));
    seal.request.input = note;
    assert_refused(sign(rig, &seal), OUTCOME_SHAPE, seal.why, "no dot: not a JWS signing input");
    seal.request.purpose = PURPOSE_AUDIT;
    assert_refused(sign(rig, &seal), OUTCOME_KEY_MISMATCH, seal.why,
                   "CKA_LABEL: the key is for seal, not for audit");
    audit.request.alg = ALG_ES256;
    audit.request.purpose = PURPOSE_SEAL;
    audit.request.input = buffer_span(&seal.input);
    assert_refused(sign(rig, &audit), OUTCOME_KEY_MISMATCH, audit.why,
                   "CKA_LABEL: the key is for audit, not for seal");
    audit.request.purpose = PURPOSE_TRANSPORT;
    assert_refused(sign(rig, &audit), OUTCOME_KEY_MISMATCH, audit.why,
                   "CKA_LABEL: the key is for audit, not for transport");
    end(&audit);
    end(&seal);
}

static void test_wrong_pin_is_tried_once_ever(void **state)
{
    struct tokend_rig *rig = *state;
    struct token_status status;
    struct signing signing;
    char record[32];
    softhsm_set_pin(&rig->softhsm, "11111111\n");
    for (int start = 0; start < 3; start++) {
        tokend_rig_start(rig, -1);
        tokend_rig_await(rig, TOKEN_LOCKED, &status);
        assert_non_null(strstr(status.detail, "`qsealctl token unlock test` allows one more try"));
        assert_refused(generate(rig, &signing), OUTCOME_PIN, signing.why, "token test is locked");
        end(&signing);
        assert_int_equal(tokend_rig_stop(rig), 0);
        assert_int_equal(softhsm_count(&rig->softhsm, "C_Login", NULL), 1);
        softhsm_record(&rig->softhsm, record);
        assert_string_equal(record, "failed");
    }
    /* A person, with the wrong PIN still there: one more, and no more. */
    struct reason why;
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_LOCKED, &status);
    assert_refused(token_unlock(rig->token, -1, deadline_in_ms(SOON_MS), &why), OUTCOME_PIN, why,
                   "CKR_PIN_INCORRECT");
    assert_int_equal(softhsm_count(&rig->softhsm, "C_Login", NULL), 2);
    assert_int_equal(tokend_rig_stop(rig), 0);
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_LOCKED, &status);
    assert_int_equal(softhsm_count(&rig->softhsm, "C_Login", NULL), 2);
    /* The right PIN alone does not help, the person's word does. */
    softhsm_set_pin(&rig->softhsm, SOFTHSM_PIN "\n");
    assert_int_equal(tokend_rig_stop(rig), 0);
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_LOCKED, &status);
    assert_int_equal(softhsm_count(&rig->softhsm, "C_Login", NULL), 2);
    assert_done(token_unlock(rig->token, -1, deadline_in_ms(SOON_MS), &why), why);
    tokend_rig_await(rig, TOKEN_READY, &status);
    assert_int_equal(softhsm_count(&rig->softhsm, "C_Login", NULL), 3);
    assert_done(token_unlock(rig->token, -1, deadline_in_ms(SOON_MS), &why), why);
    assert_int_equal(softhsm_count(&rig->softhsm, "C_Login", NULL), 3);
    assert_int_equal(tokend_rig_stop(rig), 0);
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_READY, &status);
}

static enum outcome type(struct tokend_rig *rig, const char *pin, struct reason *why)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], pin, strlen(pin)), strlen(pin));
    fd_close(&ends[1]);
    enum outcome outcome = token_unlock(rig->token, ends[0], deadline_in_ms(SOON_MS), why);
    fd_close(&ends[0]);
    return outcome;
}

/* It comes through the door, and each process waits for it anew. */
static void test_typed_pin(void **state)
{
    struct tokend_rig *rig = *state;
    struct token_status status;
    struct signing signing;
    struct reason why = {0};
    struct tokend_settings settings = tokend_rig_settings();
    settings.uri = "pkcs11:token=" SOFTHSM_LABEL;
    settings.more = ", pin: typed";
    tokend_rig_configure(rig, &settings);
    for (unsigned int start = 0; start < 2; start++) {
        tokend_rig_start(rig, -1);
        tokend_rig_await(rig, TOKEN_LOCKED, &status);
        assert_string_equal(status.detail, "its PIN is typed: `qsealctl token unlock test`");
        assert_refused(generate(rig, &signing), OUTCOME_PIN, signing.why, "token test is locked");
        end(&signing);
        assert_refused(type(rig, "00000000", &why), OUTCOME_PIN, why, "CKR_PIN_INCORRECT");
        assert_refused(token_unlock(rig->token, -1, deadline_in_ms(SOON_MS), &why), OUTCOME_PIN,
                       why, "its PIN is typed");
        assert_done(type(rig, SOFTHSM_PIN, &why), why);
        tokend_rig_await(rig, TOKEN_READY, &status);
        assert_done(generate(rig, &signing), signing.why);
        assert_done(sign(rig, &signing), signing.why);
        end(&signing);
        assert_int_equal(softhsm_count(&rig->softhsm, "C_Login", NULL), 2 * (start + 1));
        assert_false(tokend_rig_said(rig, SOFTHSM_PIN));
        assert_false(tokend_rig_said(rig, "00000000"));
        assert_int_equal(tokend_rig_stop(rig), 0);
    }
}

static void test_absent_then_present(void **state)
{
    struct tokend_rig *rig = *state;
    struct token_status status;
    struct signing signing;
    softhsm_set_faults(&rig->softhsm, "C_GetSlotList 1 100000 empty\n");
    tokend_rig_start(rig, -1);
    do {
        tokend_rig_await(rig, TOKEN_ABSENT, &status);
    } while (strcmp(status.detail, "not looked for yet") == 0);
    assert_refused(generate(rig, &signing), OUTCOME_TOKEN_UNAVAILABLE, signing.why,
                   "no token that fits the uri");
    end(&signing);
    softhsm_set_faults(&rig->softhsm, "");
    tokend_rig_await(rig, TOKEN_READY, &status);
    assert_done(generate(rig, &signing), signing.why);
    end(&signing);
}

static void test_hung_signature_ends_the_process(void **state)
{
    struct tokend_rig *rig = *state;
    struct tokend_settings settings = tokend_rig_settings();
    settings.deadline_ms = 1000;
    tokend_rig_configure(rig, &settings);
    struct token_status status;
    struct signing signing;
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_READY, &status);
    assert_done(generate(rig, &signing), signing.why);
    softhsm_set_faults(&rig->softhsm, "C_Sign 1 1 hang\n");
    assert_int_equal(sign(rig, &signing), OUTCOME_TOKEN_UNAVAILABLE);
    assert_int_equal(tokend_rig_end(rig), 70);
    assert_true(tokend_rig_said(rig, "does not return (worker"));
    softhsm_set_faults(&rig->softhsm, "");
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_READY, &status);
    assert_done(sign(rig, &signing), signing.why);
    assert_true(verifies(&signing));
    end(&signing);
}

static void test_hung_login_ends_the_process(void **state)
{
    struct tokend_rig *rig = *state;
    struct tokend_settings settings = tokend_rig_settings();
    settings.deadline_ms = 1000;
    tokend_rig_configure(rig, &settings);
    softhsm_set_faults(&rig->softhsm, "C_Login 1 1 hang\n");
    tokend_rig_start(rig, -1);
    assert_int_equal(tokend_rig_end(rig), 70);
    assert_true(tokend_rig_said(rig, "does not return (maintenance"));
    char record[32];
    softhsm_record(&rig->softhsm, record);
    assert_string_equal(record, "in-flight");
    softhsm_set_faults(&rig->softhsm, "");
    struct token_status status;
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_READY, &status);
    softhsm_record(&rig->softhsm, record);
    assert_string_equal(record, "good");
}

/* Each process that hangs in C_Login may have used up one of the token's tries. */
static void test_hung_logins_are_counted(void **state)
{
    struct tokend_rig *rig = *state;
    struct tokend_settings settings = tokend_rig_settings();
    settings.deadline_ms = 1000;
    tokend_rig_configure(rig, &settings);
    softhsm_set_faults(&rig->softhsm, "C_Login 1 1000 hang\n");
    struct token_status status;
    struct reason why;
    for (int start = 0; start < 2; start++) {
        tokend_rig_start(rig, -1);
        assert_int_equal(tokend_rig_end(rig), 70);
        assert_true(tokend_rig_said(rig, "does not return (maintenance"));
    }
    for (int start = 0; start < 2; start++) {
        tokend_rig_start(rig, -1);
        tokend_rig_await(rig, TOKEN_LOCKED, &status);
        assert_non_null(strstr(status.detail, "two logins ended without an answer"));
        assert_non_null(strstr(status.detail, "`qsealctl token unlock test` allows one more"));
        assert_int_equal(tokend_rig_stop(rig), 0);
    }
    /* A person allows one; it hangs too, and is the last. */
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_LOCKED, &status);
    assert_int_equal(token_unlock(rig->token, -1, deadline_in_ms(SOON_MS), &why),
                     OUTCOME_TOKEN_UNAVAILABLE);
    assert_int_equal(tokend_rig_end(rig), 70);
    softhsm_set_faults(&rig->softhsm, "");
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_LOCKED, &status);
    assert_int_equal(softhsm_count(&rig->softhsm, "C_Login", NULL), 0); /* none came back */
    assert_done(token_unlock(rig->token, -1, deadline_in_ms(SOON_MS), &why), why);
    tokend_rig_await(rig, TOKEN_READY, &status);
}

/* The one who asked gets an answer before the process ends. */
static void test_lasting_fault_ends_the_process(void **state)
{
    struct tokend_rig *rig = *state;
    struct token_status status;
    struct signing signing;
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_READY, &status);
    assert_done(generate(rig, &signing), signing.why);
    softhsm_set_faults(&rig->softhsm, "C_Sign 1 1000 0x30\n");
    assert_refused(sign(rig, &signing), OUTCOME_TOKEN_UNAVAILABLE, signing.why, "CKR_DEVICE_ERROR");
    assert_int_equal(tokend_rig_end(rig), 70);
    assert_true(tokend_rig_said(rig, "this process is given up"));
    end(&signing);
}

/* As many sessions as the token has: the one that logged in is used by a worker, and a generation
 * borrows its worker's. */
static void test_no_session_to_spare(void **state)
{
    struct tokend_rig *rig = *state;
    struct tokend_settings settings = tokend_rig_settings();
    settings.sessions = 2;
    tokend_rig_configure(rig, &settings);
    assert_int_equal(setenv("QSEAL_SHIM_SESSIONS", "2", 1), 0);
    struct token_status status;
    struct signing signing;
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_READY, &status);
    enum { ROUNDS = 3, SIGNATURES = 20 };
    for (int round = 0; round < ROUNDS; round++) {
        assert_done(generate(rig, &signing), signing.why);
        for (int i = 0; i < SIGNATURES; i++) {
            assert_done(sign(rig, &signing), signing.why);
        }
        assert_true(verifies(&signing));
        end(&signing);
    }
    assert_int_equal(softhsm_count(&rig->softhsm, "C_Login", NULL), 1);
}

static void test_other_users_are_turned_away(void **state)
{
    struct tokend_rig *rig = *state;
    struct tokend_settings settings = tokend_rig_settings();
    settings.qseald = geteuid() + 1;
    tokend_rig_configure(rig, &settings);
    tokend_rig_start(rig, -1);
    struct deadline deadline = deadline_in_ms(SOON_MS);
    FD_CLEANUP int fd = channel_connect(rig->socket, deadline);
    while (fd < 0 && !deadline_passed(deadline)) {
        (void)poll(NULL, 0, 10);
        fd = channel_connect(rig->socket, deadline);
    }
    char byte;
    assert_true(fd >= 0);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    char text[64];
    (void)snprintf(text, sizeof text, "uid %u (pid %d) may not connect here", geteuid(), getpid());
    assert_true(tokend_rig_said(rig, text));
}

static void test_foreign_frames(void **state)
{
    static const char *const frames[] = {"GET / HTTP/1.1\r\n\r\n", "QS\001\007\0\0\0\0",
                                         "QS\001\002\0\0\0\0", "QS\001\001\0\0\0\001x"};
    static const size_t lens[] = {18, 8, 8, 9};
    struct tokend_rig *rig = *state;
    struct token_status status;
    tokend_rig_start(rig, -1);
    tokend_rig_await(rig, TOKEN_READY, &status);
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        FD_CLEANUP int fd = channel_connect(rig->socket, deadline_in_ms(SOON_MS));
        char byte;
        assert_true(fd >= 0);
        assert_int_equal(send(fd, frames[i], lens[i], MSG_NOSIGNAL), lens[i]);
        assert_true(recv(fd, &byte, 1, 0) <= 0);
    }
    tokend_rig_await(rig, TOKEN_READY, &status);
}

static void test_socket_activation(void **state)
{
    struct tokend_rig *rig = *state;
    FD_CLEANUP int listener = fd_listen_unix(rig->socket, 0600, 8);
    assert_true(listener >= 0);
    struct token_status status;
    tokend_rig_start(rig, listener);
    tokend_rig_await(rig, TOKEN_READY, &status);
    assert_int_equal(tokend_rig_stop(rig), 0);
    struct stat file;
    assert_int_equal(stat(rig->socket, &file), 0); /* not ours to remove */
}

/* The longest test, about half a minute: it gives a new process the chance to see the token. */
static void test_absent_for_long(void **state)
{
    struct tokend_rig *rig = *state;
    softhsm_set_faults(&rig->softhsm, "C_GetSlotList 1 100000 empty\n");
    tokend_rig_start(rig, -1);
    assert_int_equal(tokend_rig_end(rig), 75);
    assert_true(tokend_rig_said(rig, "not usable after 30 looks"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_usage),
        TEST(test_bad_configuration),
        TEST(test_signs),
        TEST(test_audit_keys_sign_checkpoints_alone),
        TEST(test_wrong_pin_is_tried_once_ever),
        TEST(test_typed_pin),
        TEST(test_absent_then_present),
        TEST(test_hung_signature_ends_the_process),
        TEST(test_hung_login_ends_the_process),
        TEST(test_hung_logins_are_counted),
        TEST(test_lasting_fault_ends_the_process),
        TEST(test_no_session_to_spare),
        TEST(test_other_users_are_turned_away),
        TEST(test_foreign_frames),
        TEST(test_socket_activation),
        TEST(test_absent_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
