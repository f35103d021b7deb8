/* SPDX-License-Identifier: Apache-2.0
 * The remote body against a tokend of the test's own: answers, refusals, nonsense, and nobody. The
 * real qseal-tokend behind it is in test_roles_tokend. */
#include "check.h"

#include "base/fd.h"
#include "folder.h"
#include "token/remote.h"
#include "wire/frame.h"
#include "wire/serve.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { SOON_MS = 10000 };

struct double_room {
    enum outcome outcome;
    unsigned int number; /* instead of the outcome, when not 0 */
    const char *detail;
    struct span bytes;
    atomic_int calls;
    bool hang_up;   /* instead of an answer */
    char typed[16]; /* what was in the pipe beside the question */
};

static bool handle(struct serve_call *call)
{
    struct double_room *room = call->room;
    atomic_fetch_add(&room->calls, 1);
    struct reason why = {.claim = "/iss"};
    (void)snprintf(why.detail, sizeof why.detail, "%s", room->detail);
    memset(room->typed, 0, sizeof room->typed);
    if (call->passed >= 0) {
        assert_true(read(call->passed, room->typed, sizeof room->typed - 1) >= 0);
    }
    frame_put_outcome(call->answer, room->outcome, &why);
    if (room->number != 0) {
        call->answer->data[FRAME_HEADER_LEN] = (uint8_t)room->number;
    }
    if (room->outcome == OUTCOME_OK) {
        buffer_put_span(call->answer, room->bytes);
    }
    return !room->hang_up;
}

static const struct serve_row rows[] = {
    {TOKEN_KIND_STATUS, handle}, {TOKEN_KIND_SIGN, handle},    {TOKEN_KIND_GENERATE, handle},
    {TOKEN_KIND_UNLOCK, handle}, {TOKEN_KIND_DESTROY, handle}, {TOKEN_KIND_SHOW, handle},
};

struct rig {
    struct folder folder;
    char path[128];
    struct double_room room;
    struct serve *serve;
    struct token *token;
};

static void serve_begin(struct rig *rig)
{
    const struct serve_options options = {
        .name = "double",
        .takes_descriptors = true,
        .listener = fd_listen_unix(rig->path, 0600, 8),
        .workers = 1,
        .max_connections = 8,
        .max_payload = FRAME_PAYLOAD_MAX,
        .rows = rows,
        .n_rows = COUNT_OF(rows),
        .room = &rig->room,
    };
    struct reason why = {0};
    assert_true(options.listener >= 0);
    rig->serve = serve_start(&options, &why);
    assert_non_null(rig->serve);
}

static int setup(void **state)
{
    static struct rig rig;
    rig = (struct rig){.folder = folder_make(), .room = {.detail = "said the double"}};
    folder_path(&rig.folder, "t.sock", rig.path);
    serve_begin(&rig);
    rig.token = token_remote_new("hsm-a", rig.path);
    assert_non_null(rig.token);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    token_remote_free(rig->token);
    token_remote_free(NULL);
    serve_stop(rig->serve);
    folder_remove(&rig->folder);
    return 0;
}

static enum outcome sign(struct rig *rig, struct buffer *out, struct reason *why)
{
    const struct token_sign_request request = {.alg = ALG_ES256, .input = span_of_text("x")};
    return token_sign(rig->token, &request, deadline_in_ms(SOON_MS), out, why);
}

static enum outcome ask(struct rig *rig, unsigned int kind, struct reason *why)
{
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(64);
    struct deadline soon = deadline_in_ms(SOON_MS);
    const struct token_generate_request request = {.type = KEY_P256};
    struct token_status status;
    struct token_key key;
    *why = (struct reason){.claim = "/from/before", .detail = "before"};
    switch (kind) {
    case TOKEN_KIND_SIGN:
        return sign(rig, &out, why);
    case TOKEN_KIND_GENERATE:
        return token_generate(rig->token, &request, soon, &out, why);
    case TOKEN_KIND_DESTROY:
        return token_destroy(rig->token, &(struct token_destroy_request){.key_id = {1}}, soon, why);
    case TOKEN_KIND_SHOW:
        return token_show(rig->token, &(struct token_show_request){.key_id = {1}}, soon, &key, why);
    case TOKEN_KIND_STATUS:
        return token_status(rig->token, soon, &status, why);
    default:
        return token_unlock(rig->token, -1, soon, why);
    }
}

static void test_answers(void **state)
{
    struct rig *rig = *state;
    BUFFER_CLEANUP struct buffer answer = BUFFER_INIT(64);
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(64);
    struct reason why = {0};
    buffer_put_bytes(&answer, span_of_text("signature"));
    rig->room.bytes = buffer_span(&answer);
    assert_done(sign(rig, &out, &why), why);
    assert_true(span_is_text(buffer_span(&out), "signature"));
    buffer_reset(&out);
    const struct token_generate_request request = {.type = KEY_P256};
    assert_done(token_generate(rig->token, &request, deadline_in_ms(SOON_MS), &out, &why), why);
    assert_true(span_is_text(buffer_span(&out), "signature"));
    rig->room.bytes = (struct span){NULL, 0};
    assert_done(token_unlock(rig->token, -1, deadline_in_ms(SOON_MS), &why), why);
    assert_done(ask(rig, TOKEN_KIND_DESTROY, &why), why);
}

static void test_refusals_come_through(void **state)
{
    struct rig *rig = *state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(64);
    const enum outcome outcomes[] = {OUTCOME_SHAPE, OUTCOME_KEY_MISMATCH, OUTCOME_NO_KEY,
                                     OUTCOME_PIN,   OUTCOME_DEADLINE,     OUTCOME_TOKEN_UNAVAILABLE,
                                     OUTCOME_VERIFY};
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        struct reason why = {0};
        rig->room.outcome = outcomes[i];
        assert_refused(sign(rig, &out, &why), outcomes[i], why, "said the double");
        assert_string_equal(why.claim, "");
    }
    assert_int_equal(out.len, 0);
}

/* A captured tokend that wants to be heard by callers, in words that are other rooms'. */
static void test_only_its_own_outcomes(void **state)
{
    static const unsigned int may[] = {
        [TOKEN_KIND_STATUS] = 0,
        [TOKEN_KIND_SIGN] = 1U << OUTCOME_SHAPE | 1U << OUTCOME_KEY_MISMATCH |
                            1U << OUTCOME_NO_KEY | 1U << OUTCOME_PIN | 1U << OUTCOME_VERIFY,
        [TOKEN_KIND_GENERATE] = 1U << OUTCOME_RULE | 1U << OUTCOME_KEY_MISMATCH | 1U << OUTCOME_PIN,
        [TOKEN_KIND_UNLOCK] = 1U << OUTCOME_PIN | 1U << OUTCOME_RULE,
        [TOKEN_KIND_SHOW] = 1U << OUTCOME_NO_KEY | 1U << OUTCOME_KEY_MISMATCH | 1U << OUTCOME_PIN,
        [TOKEN_KIND_DESTROY] = 1U << OUTCOME_RULE | 1U << OUTCOME_KEY_MISMATCH |
                               1U << OUTCOME_NO_KEY | 1U << OUTCOME_PIN,
    };
    const unsigned int always = 1U << OUTCOME_TOKEN_UNAVAILABLE | 1U << OUTCOME_DEADLINE;
    struct rig *rig = *state;
    for (unsigned int kind = TOKEN_KIND_STATUS; kind <= TOKEN_KIND_SHOW; kind++) {
        for (unsigned int i = OUTCOME_MALFORMED; i < OUTCOME_COUNT; i++) {
            struct reason why;
            rig->room.outcome = (enum outcome)i;
            bool passes = ((may[kind] | always) & 1U << i) != 0;
            assert_refused(ask(rig, kind, &why),
                           passes ? (enum outcome)i : OUTCOME_TOKEN_UNAVAILABLE, why,
                           passes ? "said the double" : "tokend hsm-a: not its answer to give: ");
            assert_string_equal(why.claim, "");
        }
    }
}

static void test_texts_are_printable(void **state)
{
    struct rig *rig = *state;
    struct reason why;
    rig->room.outcome = OUTCOME_PIN;
    rig->room.detail = "a\r\nSet-Cookie: \x1b[2J\xff";
    assert_refused(ask(rig, TOKEN_KIND_UNLOCK, &why), OUTCOME_PIN, why, "a??Set-Cookie: ?[2J?");
}

static void test_unknown_outcome(void **state)
{
    struct rig *rig = *state;
    rig->room.outcome = OUTCOME_PIN;
    rig->room.number = OUTCOME_COUNT;
    for (unsigned int kind = TOKEN_KIND_STATUS; kind <= TOKEN_KIND_SHOW; kind++) {
        struct reason why;
        assert_refused(ask(rig, kind, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                       "tokend hsm-a: the answer makes no sense");
        assert_string_equal(why.claim, "");
    }
}

static void test_nonsense(void **state)
{
    struct rig *rig = *state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(2048);
    BUFFER_CLEANUP struct buffer answer = BUFFER_INIT(2048);
    struct reason why = {0};
    struct token_status status;
    rig->room.bytes = span_of_text("");
    assert_refused(sign(rig, &out, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "tokend hsm-a: the answer makes");
    assert_refused(token_status(rig->token, deadline_in_ms(SOON_MS), &status, &why),
                   OUTCOME_TOKEN_UNAVAILABLE, why, "makes no sense");
    char big[SIGNATURE_MAX + 1] = {0};
    buffer_put_bytes(&answer, span_of(big, sizeof big));
    rig->room.bytes = buffer_span(&answer);
    assert_refused(sign(rig, &out, &why), OUTCOME_TOKEN_UNAVAILABLE, why, "makes no sense");
    assert_refused(ask(rig, TOKEN_KIND_UNLOCK, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "makes no sense");
    assert_refused(ask(rig, TOKEN_KIND_DESTROY, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "makes no sense");
    assert_refused(ask(rig, TOKEN_KIND_SHOW, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "makes no sense");
    assert_int_equal(out.len, 0);
}

static void test_nobody(void **state)
{
    struct rig *rig = *state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(64);
    struct reason why = {0};
    serve_stop(rig->serve);
    rig->serve = NULL;
    assert_refused(sign(rig, &out, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "tokend hsm-a is not there");
}

/* A PIN attempt and a key are never asked for twice, even when the connection dies under them. */
static void test_once_only(void **state)
{
    struct rig *rig = *state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(64);
    struct reason why = {0};
    rig->room.outcome = OUTCOME_NO_KEY;
    assert_int_equal(sign(rig, &out, &why), OUTCOME_NO_KEY); /* now there is a connection */
    rig->room.hang_up = true;
    atomic_store(&rig->room.calls, 0);
    assert_int_equal(token_unlock(rig->token, -1, deadline_in_ms(SOON_MS), &why),
                     OUTCOME_TOKEN_UNAVAILABLE);
    assert_int_equal(atomic_load(&rig->room.calls), 1);
    const struct token_generate_request request = {.type = KEY_P256};
    assert_int_equal(token_generate(rig->token, &request, deadline_in_ms(SOON_MS), &out, &why),
                     OUTCOME_TOKEN_UNAVAILABLE);
    assert_int_equal(atomic_load(&rig->room.calls), 2);
}

/* The descriptor goes along unread, with its own question and no other, and stays the caller's. */
static void test_a_typed_pin_goes_along(void **state)
{
    struct rig *rig = *state;
    struct reason why = {0};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "4711", 4), 4);
    fd_close(&ends[1]);
    rig->room.bytes = (struct span){NULL, 0};
    assert_done(token_unlock(rig->token, ends[0], deadline_in_ms(SOON_MS), &why), why);
    assert_string_equal(rig->room.typed, "4711");
    assert_true(fcntl(ends[0], F_GETFD) >= 0);
    fd_close(&ends[0]);
    assert_done(token_unlock(rig->token, -1, deadline_in_ms(SOON_MS), &why), why);
    assert_string_equal(rig->room.typed, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers),
        TEST(test_refusals_come_through),
        TEST(test_nonsense),
        TEST(test_nobody),
        TEST(test_once_only),
        TEST(test_a_typed_pin_goes_along),
        TEST(test_only_its_own_outcomes),
        TEST(test_texts_are_printable),
        TEST(test_unknown_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
