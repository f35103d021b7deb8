/* SPDX-License-Identifier: Apache-2.0
 * The questions of token/token.h, as rows. */
#include "roles/tokend/door.h"

#include "base/log.h"
#include "token/local.h"
#include "wire/frame.h"

enum {
    PAYLOAD_MAX = TOKEN_INPUT_MAX + 1024, /* a signing input and what stands around it */
    CONNECTIONS_MAX = 1024,               /* qseald has one per worker; old ones may linger */
    GENERATE_MS = 600000,                 /* the watchdog is what ends a generation */
};

static struct deadline call_deadline(const struct serve_call *call)
{
    const struct room *room = call->room;
    return deadline_in_ms(room->options.deadline_ms);
}

/* The outcome, then the bytes if there are any to give. */
static bool answer(struct serve_call *call, enum outcome outcome, const struct reason *why,
                   const struct buffer *bytes)
{
    frame_put_outcome(call->answer, outcome, why);
    if (outcome == OUTCOME_OK && bytes != NULL) {
        buffer_put_bytes(call->answer, buffer_span(bytes));
    }
    return true;
}

static void log_refusal(const struct serve_call *call, const char *what, enum outcome outcome,
                        const struct reason *why)
{
    const struct room *room = call->room;
    if (outcome != OUTCOME_OK) {
        log_info("token %s: %s: %s: %s", room->options.name, what, outcome_name(outcome),
                 why->detail);
    }
}

static bool handle_sign(struct serve_call *call)
{
    struct token_sign_request request;
    if (call->worker == NULL || !token_get_sign(call->request, &request)) {
        return false;
    }
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    enum outcome outcome =
        token_sign(call->worker, &request, call_deadline(call), &signature, &why);
    log_refusal(call, "a signature", outcome, &why);
    return answer(call, outcome, &why, &signature);
}

static bool handle_generate(struct serve_call *call)
{
    struct token_generate_request request;
    if (call->worker == NULL || !token_get_generate(call->request, &request)) {
        return false;
    }
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    enum outcome outcome =
        token_generate(call->worker, &request, deadline_in_ms(GENERATE_MS), &spki, &why);
    return answer(call, outcome, &why, &spki);
}

static bool handle_destroy(struct serve_call *call)
{
    struct token_destroy_request request;
    if (call->worker == NULL || !token_get_destroy(call->request, &request)) {
        return false;
    }
    struct reason why = {0};
    enum outcome outcome = token_destroy(call->worker, &request, call_deadline(call), &why);
    return answer(call, outcome, &why, NULL);
}

static bool handle_status(struct serve_call *call)
{
    struct token_status status;
    struct reason why = {0};
    if (call->worker == NULL || !reader_done(call->request) ||
        token_status(call->worker, call_deadline(call), &status, &why) != OUTCOME_OK) {
        return false;
    }
    frame_put_outcome(call->answer, OUTCOME_OK, &why);
    token_put_status(call->answer, &status);
    return true;
}

static bool handle_show(struct serve_call *call)
{
    struct token_show_request request;
    struct token_key key;
    struct reason why = {0};
    if (call->worker == NULL || !token_get_show(call->request, &request)) {
        return false;
    }
    enum outcome outcome = token_show(call->worker, &request, call_deadline(call), &key, &why);
    frame_put_outcome(call->answer, outcome, &why);
    if (outcome == OUTCOME_OK) {
        token_put_key(call->answer, &key);
    }
    return true;
}

static bool handle_unlock(struct serve_call *call)
{
    struct reason why = {0};
    if (call->worker == NULL || !reader_done(call->request)) {
        return false;
    }
    enum outcome outcome = token_unlock(call->worker, call->passed, call_deadline(call), &why);
    log_refusal(call, "unlock", outcome, &why);
    return answer(call, outcome, &why, NULL);
}

static const struct serve_row rows[] = {
    {TOKEN_KIND_SIGN, handle_sign},         {TOKEN_KIND_STATUS, handle_status},
    {TOKEN_KIND_GENERATE, handle_generate}, {TOKEN_KIND_UNLOCK, handle_unlock},
    {TOKEN_KIND_DESTROY, handle_destroy},   {TOKEN_KIND_SHOW, handle_show},
};

static void *worker_new(void *room, unsigned int index)
{
    return token_local_new(room, index);
}

static void worker_free(void *worker)
{
    token_local_free(worker);
}

struct serve *door_open(struct room *room, int listener, const uid_t *qseald, struct reason *why)
{
    const struct serve_options options = {
        .name = "tokend",
        .listener = listener,
        .workers = room->options.sessions,
        .max_connections = CONNECTIONS_MAX,
        .max_payload = PAYLOAD_MAX,
        .takes_descriptors = true, /* a typed PIN */
        .allowed = qseald,
        .n_allowed = 1,
        .rows = rows,
        .n_rows = COUNT_OF(rows),
        .room = room,
        .worker_new = worker_new,
        .worker_free = worker_free,
    };
    return serve_start(&options, why);
}
