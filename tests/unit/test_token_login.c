/* SPDX-License-Identifier: Apache-2.0
 * The budget of one PIN attempt, code by code. Restarts of the process are in test_roles_tokend. */
#include "check.h"

#include "base/fd.h"
#include "base/file.h"
#include "room_fixture.h"
#include "token/login.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void assert_record(const struct room_fixture *fixture, const char *expected)
{
    char record[32];
    softhsm_record(&fixture->softhsm, record);
    assert_string_equal(record, expected);
}

static void expect_state(struct room_fixture *fixture, enum token_state want, const char *fragment)
{
    char detail[REASON_DETAIL_SIZE];
    assert_int_equal(room_fixture_state(fixture, detail), want);
    assert_non_null(strstr(detail, fragment));
}

static void expect_logins(const struct room_fixture *fixture, unsigned int n)
{
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", NULL), n);
}

static void open_room(struct room_fixture *fixture, const char *faults)
{
    const struct room_options options = room_fixture_options(fixture);
    softhsm_set_faults(&fixture->softhsm, faults);
    room_fixture_open(fixture, &options);
}

/* With a token whose next logins, this many, end with this code. */
static void open_with_code(struct room_fixture *fixture, int times, const char *code)
{
    char faults[64];
    (void)snprintf(faults, sizeof faults, "C_Login 1 %d %s\n", times, code);
    open_room(fixture, faults);
}

static void test_codes_that_count(void **state)
{
    static const char *const codes[] = {"0xa0", "0xa1", "0xa2", "0xa3",      "0xa4",
                                        "0x5",  "0x6",  "0x7",  "0x80001234"};
    struct room_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        assert_int_equal(room_fixture_setup(state), 0);
        open_with_code(fixture, 1000, codes[i]);
        for (int round = 0; round < 3; round++) {
            assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
            expect_state(fixture, TOKEN_LOCKED, "`qsealctl token unlock test` allows one more try");
        }
        expect_logins(fixture, 1);
        assert_record(fixture, "failed");
        assert_int_equal(room_fixture_teardown(state), 0);
    }
}

static void test_codes_that_do_not_count(void **state)
{
    static const char *const codes[] = {"0xe0", "0xe1", "0x3", "0xb3", "0x102"};
    struct room_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        assert_int_equal(room_fixture_setup(state), 0);
        open_with_code(fixture, 2, codes[i]);
        assert_int_equal(room_maintain(fixture->room), ROOM_WAITING);
        expect_state(fixture, TOKEN_DOWN, "C_Login: CKR_");
        assert_record(fixture, "fault");
        assert_int_equal(room_maintain(fixture->room), ROOM_WAITING);
        assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
        expect_state(fixture, TOKEN_READY, "");
        assert_record(fixture, "good");
        assert_int_equal(room_fixture_teardown(state), 0);
    }
}

static void put_record(const struct room_fixture *fixture, const char *line)
{
    assert_int_equal(file_replace(fixture->softhsm.record, span_of_text(line), 0600), 0);
}

/* The token is in trouble, and may have counted the PIN: one more, then a person. */
static void test_codes_that_may_count(void **state)
{
    static const char *const codes[] = {"0x30", "0x31"};
    struct room_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        assert_int_equal(room_fixture_setup(state), 0);
        open_with_code(fixture, 1000, codes[i]);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(room_maintain(fixture->room), ROOM_WAITING);
            expect_state(fixture, TOKEN_DOWN, "C_Login: CKR_");
            assert_record(fixture, "fault");
        }
        for (int round = 0; round < 2; round++) {
            assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
            expect_state(fixture, TOKEN_LOCKED, "two logins ended without an answer");
            expect_state(fixture, TOKEN_LOCKED, "`qsealctl token unlock test` allows one more");
        }
        expect_logins(fixture, 2);
        softhsm_set_faults(&fixture->softhsm, "");
        struct reason why = {0};
        assert_done(login_unlock(fixture->room, 0, NULL, &why), why);
        assert_record(fixture, "good");
        assert_int_equal(room_fixture_teardown(state), 0);
    }
}

/* What earlier processes left behind: each line, and whether it allows a login. */
static void test_records_of_the_dead(void **state)
{
    static const struct {
        const char *line;
        const char *detail; /* NULL: it logs in */
    } cases[] = {
        {"in-flight 1 2026-01-31T12:00:00Z\n", NULL},
        {"fault 1 2026-01-31T12:00:00Z\n", NULL},
        {"in-flight 2 2026-01-31T12:00:00Z\n",
         "two logins ended without an answer, or one that a person allowed, the last at "
         "2026-01-31T12:00:00Z; `qsealctl token unlock test` allows one more try"},
        {"in-flight 3 2026-01-31T12:00:00Z\n", "two logins ended without an answer"},
        {"fault 2 2026-01-31T12:00:00Z\n", "two logins ended without an answer"},
        {"in-flight 2026-01-31T12:00:00Z\n", "the PIN was refused at an unknown time"},
    };
    struct room_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(room_fixture_setup(state), 0);
        put_record(fixture, cases[i].line);
        open_room(fixture, "");
        assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
        expect_state(fixture, cases[i].detail == NULL ? TOKEN_READY : TOKEN_LOCKED,
                     cases[i].detail == NULL ? "" : cases[i].detail);
        expect_logins(fixture, cases[i].detail == NULL ? 1 : 0);
        assert_int_equal(room_fixture_teardown(state), 0);
    }
}

/* A fault that is not the PIN's takes nothing away and gives nothing back. */
static void test_faults_keep_the_count(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    put_record(fixture, "in-flight 1 2026-01-31T12:00:00Z\n");
    softhsm_set_faults(&fixture->softhsm, "C_Login 1 2 0xe0\nC_Login 3 3 0x30\n");
    room_fixture_open(fixture, &options);
    struct attempt last;
    struct reason why = {0};
    for (int round = 0; round < 2; round++) {
        assert_int_equal(room_maintain(fixture->room), ROOM_WAITING);
        assert_done(attempt_read(options.state, &last, &why), why);
        assert_int_equal(last.state, ATTEMPT_FAULT);
        assert_int_equal(last.unanswered, 1);
    }
    assert_int_equal(room_maintain(fixture->room), ROOM_WAITING);
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    expect_state(fixture, TOKEN_LOCKED, "two logins ended without an answer");
    expect_logins(fixture, 3);
}

/* A person allows one: one that ends without an answer is not made again, and one that did not
 * reach the token leaves the record as it was. */
static void test_a_person_allows_one(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    put_record(fixture, "failed 0 2026-01-31T12:00:00Z\n");
    softhsm_set_faults(&fixture->softhsm, "C_Login 1 1 0xe0\nC_Login 2 2 0x30\n");
    room_fixture_open(fixture, &options);
    struct reason why = {0};
    assert_refused(login_unlock(fixture->room, 0, NULL, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "CKR_TOKEN_NOT_PRESENT");
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    expect_state(fixture, TOKEN_LOCKED, "the PIN was refused at 2026-01-31T12:00:00Z");
    assert_refused(login_unlock(fixture->room, 0, NULL, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "CKR_DEVICE_ERROR");
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    expect_state(fixture, TOKEN_LOCKED, "or one that a person allowed");
    expect_logins(fixture, 2);
}

/* The refusal does not get onto the disk: this process knows it, the next one has one more try, and
 * that is all. */
static void test_refused_on_a_full_disk(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    softhsm_set_pin(&fixture->softhsm, "00000000");
    for (unsigned int process = 1; process <= 3; process++) {
        softhsm_set_faults(&fixture->softhsm, "C_Login 1 1 full\n");
        room_fixture_open(fixture, &options);
        assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_record(fixture, "in-flight");
        assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
        expect_state(fixture, TOKEN_LOCKED,
                     process < 3 ? "the PIN was refused" : "two logins ended without an answer");
        expect_logins(fixture, process < 3 ? process : 2);
        assert_int_equal(room_fixture_teardown(state), 0);
    }
}

/* Somebody else guessed at the token: what is left of its patience is not ours to use up. */
static void test_warning_of_the_token(void **state)
{
    struct room_fixture *fixture = *state;
    const char *const guess[] = {"pkcs11-tool", "--module", "/usr/lib/softhsm/libsofthsm2.so",
                                 "--login",     "--pin",    "00000000",
                                 "-O",          NULL};
    (void)softhsm_run(guess);
    const struct room_options options = room_fixture_options(fixture);
    room_fixture_open(fixture, &options);
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    expect_state(fixture, TOKEN_LOCKED, "not tried: the token has seen wrong PINs");
    expect_logins(fixture, 0);
    struct reason why = {0};
    assert_done(login_unlock(fixture->room, 0, NULL, &why), why);
    expect_state(fixture, TOKEN_READY, "");
    expect_logins(fixture, 1);
}

static void test_no_record_no_attempt(void **state)
{
    struct room_fixture *fixture = *state;
    struct room_options options = room_fixture_options(fixture);
    options.state = "/nonexistent";
    room_fixture_open(fixture, &options);
    assert_int_equal(room_maintain(fixture->room), ROOM_WAITING);
    expect_state(fixture, TOKEN_DOWN, "/nonexistent/pin-attempt");
    expect_logins(fixture, 0);
}

static void test_no_pin(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    softhsm_set_pin(&fixture->softhsm, "");
    room_fixture_open(fixture, &options);
    assert_int_equal(room_maintain(fixture->room), ROOM_WAITING);
    expect_state(fixture, TOKEN_DOWN, "empty");
    expect_logins(fixture, 0);
    assert_record(fixture, "");
}

static void test_unlock_of_an_absent_token(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    room_fixture_open(fixture, &options);
    softhsm_set_faults(&fixture->softhsm, "C_GetSlotList 1 1000 empty\n");
    struct reason why = {0};
    assert_refused(login_unlock(fixture->room, 0, NULL, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "no token that fits the uri");
    expect_logins(fixture, 0);
}

static struct room_options typed_options(const struct room_fixture *fixture)
{
    struct room_options options = room_fixture_options(fixture);
    options.uri = "pkcs11:token=" SOFTHSM_LABEL;
    options.pin_typed = true;
    return options;
}

/* token_unlock() with this in its pipe, or without one. */
static enum outcome type(struct room_fixture *fixture, const char *text, struct reason *why)
{
    int ends[2] = {-1, -1};
    if (text != NULL) {
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
        fd_close(&ends[1]);
    }
    enum outcome outcome = token_unlock(fixture->token, ends[0], deadline_in_ms(60000), why);
    fd_close(&ends[0]);
    return outcome;
}

static void assert_state(struct room_fixture *fixture, enum token_state state, const char *fragment)
{
    char detail[REASON_DETAIL_SIZE];
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    assert_int_equal(room_fixture_state(fixture, detail), state);
    if (strstr(detail, fragment) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", fragment, detail);
    }
}

static void test_a_typed_pin(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = typed_options(fixture);
    struct reason why = {0};
    room_fixture_open(fixture, &options);
    for (int round = 0; round < 3; round++) {
        assert_state(fixture, TOKEN_LOCKED, "its PIN is typed: `qsealctl token unlock test`");
    }
    assert_refused(type(fixture, NULL, &why), OUTCOME_PIN, why, "token test is locked: its PIN");
    assert_refused(type(fixture, "", &why), OUTCOME_RULE, why, "the typed PIN: empty");
    char big[257];
    memset(big, '4', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_refused(type(fixture, big, &why), OUTCOME_RULE, why, "too long for a PIN");
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", NULL), 0);
    assert_record(fixture, "");
    assert_done(type(fixture, SOFTHSM_PIN, &why), why);
    assert_record(fixture, "good");
    assert_state(fixture, TOKEN_READY, "");
    /* Ready: nothing that is typed is tried. */
    assert_done(type(fixture, "00000000", &why), why);
    assert_done(type(fixture, NULL, &why), why);
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", NULL), 1);
}

/* What the token says of its patience comes with the refusal, and before the next one is typed. */
static void test_a_wrong_typed_pin(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = typed_options(fixture);
    struct reason why = {0};
    room_fixture_open(fixture, &options);
    for (unsigned int i = 1; i <= 3; i++) {
        assert_state(fixture, TOKEN_LOCKED, "its PIN is typed: `qsealctl token unlock test`");
        assert_refused(type(fixture, "00000000", &why), OUTCOME_PIN, why,
                       "the PIN was refused (C_Login: CKR_PIN_INCORRECT); the token has seen wrong "
                       "PINs (USER_PIN_COUNT_LOW); `qsealctl token unlock test` allows one more");
        assert_record(fixture, "failed");
        assert_state(fixture, TOKEN_LOCKED,
                     "`qsealctl token unlock test`; the last one was refused "
                     "at 20");
        assert_state(fixture, TOKEN_LOCKED, "; the token has seen wrong PINs (USER_PIN_COUNT_LOW)");
        assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", NULL), i);
    }
    assert_done(type(fixture, SOFTHSM_PIN "\n", &why), why);
    assert_state(fixture, TOKEN_READY, "");
    assert_record(fixture, "good");
}

static void test_the_words_of_the_token(void **state)
{
    static const struct {
        const char *fault;
        const char *words;
    } cases[] = {
        {"C_GetTokenInfo 1 1000 final\n",
         "; the token allows one last PIN attempt (USER_PIN_FINAL_TRY)"},
        {"C_GetTokenInfo 1 1000 locked\n", "; the token has locked the PIN (USER_PIN_LOCKED)"},
    };
    struct room_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(room_fixture_setup(state), 0);
        const struct room_options options = typed_options(fixture);
        struct reason why = {0};
        softhsm_set_faults(&fixture->softhsm, cases[i].fault);
        room_fixture_open(fixture, &options);
        assert_state(fixture, TOKEN_LOCKED, cases[i].words);
        assert_refused(type(fixture, "00000000", &why), OUTCOME_PIN, why, cases[i].words);
        assert_int_equal(room_fixture_teardown(state), 0);
    }
}

static void test_not_typed_here(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    struct reason why = {0};
    put_record(fixture, "failed 0 2026-01-31T12:00:00Z\n");
    room_fixture_open(fixture, &options);
    assert_state(fixture, TOKEN_LOCKED, "the PIN was refused at");
    assert_refused(type(fixture, SOFTHSM_PIN, &why), OUTCOME_RULE, why,
                   "token test takes its PIN from its pin-source: none is typed");
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", NULL), 0);
    assert_done(type(fixture, NULL, &why), why);
}

/* Nobody has the PIN any more when the token forgets the login. */
static void test_a_lost_login_waits_for_typing(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = typed_options(fixture);
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(4096);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    room_fixture_open(fixture, &options);
    assert_state(fixture, TOKEN_LOCKED, "its PIN is typed");
    assert_done(type(fixture, SOFTHSM_PIN, &why), why);
    struct token_sign_request request = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    (void)fixture->room->module.calls->C_Logout(room_fixture_session(fixture).handle);
    assert_refused(room_fixture_sign(fixture, &request, &input, &signature, &why), OUTCOME_PIN, why,
                   "the login was lost; its PIN is typed");
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", NULL), 1);
    assert_done(type(fixture, SOFTHSM_PIN, &why), why);
    assert_done(room_fixture_sign(fixture, &request, &input, &signature, &why), why);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_codes_that_count),
        TEST(test_codes_that_do_not_count),
        TEST(test_codes_that_may_count),
        TEST(test_records_of_the_dead),
        TEST(test_faults_keep_the_count),
        TEST(test_a_person_allows_one),
        TEST(test_refused_on_a_full_disk),
        TEST(test_warning_of_the_token),
        TEST(test_no_record_no_attempt),
        TEST(test_no_pin),
        TEST(test_unlock_of_an_absent_token),
        TEST(test_a_typed_pin),
        TEST(test_a_wrong_typed_pin),
        TEST(test_the_words_of_the_token),
        TEST(test_not_typed_here),
        TEST(test_a_lost_login_waits_for_typing),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
