/* SPDX-License-Identifier: Apache-2.0
 * qsealctl's side of the admin door, against a qseald played by the test. */
#include "custody/custody.h"

#include "base/fd.h"
#include "base/log.h"
#include "check.h"
#include "folder.h"
#include "jose/json.h"
#include "wire/frame.h"
#include "wire/serve.h"

#include <stdio.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

/* The verb decides what this qseald answers. */
static bool answer(struct serve_call *call, enum outcome outcome, const char *json)
{
    struct reason why = {.detail = "said no"};
    struct span arguments = reader_bytes(call->request, CUSTODY_ARGUMENTS_MAX);
    assert_true(reader_done(call->request));
    frame_put_outcome(call->answer, outcome, &why);
    if (outcome == OUTCOME_OK) {
        buffer_put_bytes(call->answer, json == NULL ? arguments : span_of_text(json));
    }
    return true;
}

static bool echo(struct serve_call *call)
{
    return answer(call, OUTCOME_OK, NULL);
}

static bool refuses(struct serve_call *call)
{
    return answer(call, OUTCOME_NOT_GRANTED, NULL);
}

static bool no_json(struct serve_call *call)
{
    return answer(call, OUTCOME_OK, "no json");
}

static bool cut_short(struct serve_call *call)
{
    struct reason none = {0};
    frame_put_outcome(call->answer, OUTCOME_OK, &none);
    return true;
}

/* Answers what is in the pipe that came along. */
static bool read_pin(struct serve_call *call)
{
    char text[32] = "{\"pin\":\"";
    size_t len = strlen(text);
    ssize_t got = call->passed < 0 ? 0 : read(call->passed, text + len, 8);
    (void)snprintf(text + len + (got < 0 ? 0 : got), 3, "\"}");
    return answer(call, OUTCOME_OK, text);
}

static const struct serve_row rows[] = {{CUSTODY_KEY_GENERATE, echo},
                                        {CUSTODY_TOKEN_UNLOCK, read_pin},
                                        {CUSTODY_RELOAD, refuses},
                                        {CUSTODY_JWKS, no_json},
                                        {CUSTODY_STATUS, cut_short}};

static enum outcome ask(const char *path, enum custody_verb verb, const json_t *arguments,
                        json_t **result, struct reason *why)
{
    return custody_ask(path, verb, arguments, deadline_in_ms(PATIENCE_MS), result, why);
}

static void each_answer_is_told_apart(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    struct reason why = {0};
    folder_path(&folder, "admin.sock", path);
    log_set_level(LOG_LEVEL_ERROR);
    struct serve_options options = {
        .name = "admin door",
        .listener = fd_listen_unix(path, 0600, 4),
        .workers = 1,
        .max_connections = 4,
        .max_payload = CUSTODY_ARGUMENTS_MAX + 4,
        .takes_descriptors = true,
        .rows = rows,
        .n_rows = COUNT_OF(rows),
    };
    struct serve *serve = serve_start(&options, &why);
    assert_non_null(serve);
    JSON_CLEANUP json_t *arguments = json_pack("{s:s}", "role", "seal");
    JSON_CLEANUP json_t *result = NULL;
    JSON_CLEANUP json_t *empty = NULL;
    json_t *none = NULL;
    assert_done(ask(path, CUSTODY_KEY_GENERATE, arguments, &result, &why), why);
    assert_true(json_equal(result, arguments));
    assert_done(ask(path, CUSTODY_KEY_GENERATE, NULL, &empty, &why), why);
    assert_int_equal(json_object_size(empty), 0);
    int ends[2];
    JSON_CLEANUP json_t *typed = NULL;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "4711", 4), 4);
    fd_close(&ends[1]);
    assert_done(custody_ask_with(path, CUSTODY_TOKEN_UNLOCK, NULL, ends[0],
                                 deadline_in_ms(PATIENCE_MS), &typed, &why),
                why);
    fd_close(&ends[0]);
    assert_string_equal(json_string_value(json_object_get(typed, "pin")), "4711");
    assert_refused(ask(path, CUSTODY_RELOAD, NULL, &none, &why), OUTCOME_NOT_GRANTED, why,
                   "said no");
    assert_refused(ask(path, CUSTODY_JWKS, NULL, &none, &why), OUTCOME_MALFORMED, why, "JSON");
    assert_refused(ask(path, CUSTODY_STATUS, NULL, &none, &why), OUTCOME_INTERNAL, why,
                   "unknown form");
    assert_refused(ask(path, CUSTODY_KEY_LIST, NULL, &none, &why), OUTCOME_UNAVAILABLE, why,
                   "closed the connection");
    serve_stop(serve);
    assert_refused(ask(path, CUSTODY_JWKS, NULL, &none, &why), OUTCOME_UNAVAILABLE, why,
                   "qseald is not there");
    folder_remove(&folder);
}

int main(void)
{
    json_prepare();
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_answer_is_told_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
