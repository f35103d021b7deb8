/* SPDX-License-Identifier: Apache-2.0
 * Frames, as a captured or confused room may send them. The first byte chooses who reads, the rest
 * is a frame with its header. What was read and is put again reads equal, and keeps what the
 * headers of wire/, token/ and signing/ promise about it. */
#include "base/buffer.h"
#include "model/outcome.h"
#include "signing/signing.h"
#include "token/token.h"
#include "wire/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Reads, checks and puts again; false when what is there was refused. */
struct row {
    bool (*again)(struct reader *frame, struct buffer *out);
    bool exact; /* the same bytes come out; otherwise something is dropped or replaced once */
};

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

static bool again_sign(struct reader *frame, struct buffer *out)
{
    struct token_sign_request request;
    if (!token_get_sign(frame, &request)) {
        return false;
    }
    MUST(purpose_is_known(request.purpose) && alg_is_known(request.alg));
    MUST(request.input.len <= TOKEN_INPUT_MAX);
    token_put_sign(out, &request);
    return true;
}

static bool again_generate(struct reader *frame, struct buffer *out)
{
    struct token_generate_request request;
    if (!token_get_generate(frame, &request)) {
        return false;
    }
    MUST(purpose_is_known(request.purpose) && key_type_is_known(request.type));
    MUST(memchr(request.role, '\0', sizeof request.role) != NULL);
    token_put_generate(out, &request);
    return true;
}

static bool again_status(struct reader *frame, struct buffer *out)
{
    struct token_status status;
    if (!token_get_status(frame, &status)) {
        return false;
    }
    MUST(strcmp(token_state_name(status.state), "") != 0);
    MUST(is_printable(status.label) && is_printable(status.serial) && is_printable(status.model) &&
         is_printable(status.module) && is_printable(status.detail));
    MUST(is_printable(status.facts.manufacturer) && is_printable(status.facts.hardware) &&
         is_printable(status.facts.firmware) && is_printable(status.version));
    MUST(status.n_marks <= TOKEN_MARKS_MAX);
    token_put_status(out, &status);
    return true;
}

static bool again_show(struct reader *frame, struct buffer *out)
{
    struct token_show_request request;
    if (!token_get_show(frame, &request)) {
        return false;
    }
    token_put_show(out, &request);
    return true;
}

static bool again_key(struct reader *frame, struct buffer *out)
{
    struct token_key key;
    if (!token_get_key(frame, &key)) {
        return false;
    }
    for (unsigned int i = 0; i < TOKEN_ATTRIBUTE_COUNT; i++) {
        MUST((unsigned int)key.attributes[i] <= ANSWER_NONE);
    }
    MUST(is_printable(key.label) && is_printable(key.mechanisms));
    token_put_key(out, &key);
    return true;
}

static bool again_outcome(struct reader *frame, struct buffer *out)
{
    struct reason why;
    enum outcome outcome = frame_get_outcome(frame, &why);
    MUST(outcome_is_known(outcome));
    MUST(memchr(why.claim, '\0', sizeof why.claim) != NULL);
    MUST(memchr(why.detail, '\0', sizeof why.detail) != NULL);
    MUST(!frame->failed || outcome == OUTCOME_INTERNAL);
    frame_put_outcome(out, outcome, &why);
    return reader_done(frame);
}

static bool again_request(struct reader *frame, struct buffer *out)
{
    struct signing_request request;
    if (!signing_get_request(frame, &request)) {
        return false;
    }
    MUST((unsigned int)request.route < ROUTE_COUNT && request.body.len <= SIGNING_BODY_MAX);
    MUST((request.route >= ROUTE_SIGN) == (request.name[0] != '\0'));
    MUST(request.route != ROUTE_SIGN || operation_is_known(request.operation));
    signing_put_request(out, &request);
    return true;
}

static bool again_answer(struct reader *frame, struct buffer *out)
{
    struct signing_answer answer;
    if (!signing_get_answer(frame, &answer)) {
        return false;
    }
    MUST(outcome_is_known(answer.outcome) && (unsigned int)answer.media < MEDIA_COUNT);
    MUST(is_printable(answer.request_id) && strchr(answer.request_id, ' ') == NULL);
    MUST(is_printable(answer.peer));
    signing_put_answer(out, &answer);
    return true;
}

static bool again_settings(struct reader *frame, struct buffer *out)
{
    struct door_settings settings;
    if (!door_get_settings(frame, &settings)) {
        return false;
    }
    MUST(settings.channels > 0 && settings.connections > 0);
    MUST(settings.body_max <= SIGNING_BODY_MAX);
    door_put_settings(out, &settings);
    return true;
}

static bool again_front(struct reader *frame, struct buffer *out)
{
    struct door_front front;
    if (!door_get_front(frame, &front)) {
        return false;
    }
    MUST(is_printable(front.version));
    door_put_front(out, &front);
    return true;
}

static bool again_caller(struct reader *frame, struct buffer *out)
{
    struct door_caller caller;
    if (!door_get_caller(frame, &caller)) {
        return false;
    }
    door_put_caller(out, &caller);
    return true;
}

static const struct row rows[] = {
    {again_sign, true},    {again_generate, true}, {again_status, false},  {again_outcome, false},
    {again_request, true}, {again_answer, false},  {again_settings, true}, {again_caller, true},
    {again_show, true},    {again_key, false},     {again_front, false},
};

static bool read_and_put(const struct row *row, struct span payload, struct buffer *out)
{
    struct reader reader = reader_of(payload);
    buffer_reset(out);
    return row->again(&reader, out) && buffer_ok(out);
}

static void try_payload(const struct row *row, struct span payload)
{
    BUFFER_CLEANUP struct buffer once = BUFFER_INIT(FRAME_PAYLOAD_MAX);
    BUFFER_CLEANUP struct buffer twice = BUFFER_INIT(FRAME_PAYLOAD_MAX);
    if (!read_and_put(row, payload, &once)) {
        return;
    }
    MUST(!row->exact || span_equal(payload, buffer_span(&once)));
    MUST(once.len <= payload.len);
    MUST(read_and_put(row, buffer_span(&once), &twice));
    MUST(span_equal(buffer_span(&once), buffer_span(&twice)));
}

static void try_header(struct span frame)
{
    struct frame_header header;
    if (!frame_parse_header(frame.data, FRAME_PAYLOAD_MAX, &header)) {
        return;
    }
    MUST(header.length <= FRAME_PAYLOAD_MAX);
    MUST(header.length == 0 || !frame_parse_header(frame.data, header.length - 1, &header));
    if (frame.len != FRAME_HEADER_LEN + (size_t)header.length) {
        return;
    }
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(FRAME_HEADER_LEN + FRAME_PAYLOAD_MAX);
    frame_begin(&out, header.kind);
    buffer_put_span(&out, span_part(frame, FRAME_HEADER_LEN, frame.len));
    MUST(frame_end(&out) && span_equal(buffer_span(&out), frame));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 + FRAME_HEADER_LEN) {
        return 0;
    }
    struct span frame = span_of(data + 1, size - 1);
    try_header(frame);
    try_payload(&rows[data[0] % COUNT_OF(rows)], span_part(frame, FRAME_HEADER_LEN, frame.len));
    return 0;
}
