/* SPDX-License-Identifier: Apache-2.0
 * The fields of the frames between qseal-httpd and qseald, written and read: both sides link this
 * file, so that there is one order of fields and one place that doubts them. */
#include "signing/signing.h"

#include "wire/frame.h"

#include <string.h>

enum { CHANNELS_MAX = 4096 };

void signing_put_request(struct buffer *frame, const struct signing_request *request)
{
    buffer_put_u64(frame, request->connection);
    buffer_put_u8(frame, (uint8_t)request->route);
    buffer_put_u8(frame, (uint8_t)request->operation);
    buffer_put_bytes(frame, span_of_text(request->name));
    buffer_put_bytes(frame, span_of_text(request->scheme));
    buffer_put_bytes(frame, span_of_text(request->kid));
    buffer_put_bytes(frame, span_of_text(request->content_type));
    buffer_put_bytes(frame, span_of_text(request->interaction_id));
    buffer_put_u8(frame, request->interaction_id_bad ? 1 : 0);
    buffer_put_bytes(frame, request->body);
}

bool key_name_is_valid(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
            return false;
        }
    }
    return name.len == KEY_NAME_LEN;
}

/* Whether the fields go together with the route: not every route has all of them. */
static bool route_is_sound(unsigned int route, unsigned int operation,
                           const struct signing_request *request)
{
    bool named = route >= ROUTE_SIGN;
    bool scheme = route == ROUTE_TLS_SIGNATURE || request->scheme[0] == '\0';
    bool kid = route == ROUTE_TLS_SIGNATURE || route == ROUTE_CERTIFICATE;
    return route < ROUTE_COUNT &&
           (route == ROUTE_SIGN ? operation_is_known(operation) : operation == 0) &&
           (named ? name_is_valid(span_of_text(request->name)) : request->name[0] == '\0') &&
           scheme && span_is_printable(span_of_text(request->scheme)) &&
           (request->kid[0] == '\0' || (kid && key_name_is_valid(span_of_text(request->kid))));
}

bool signing_get_request(struct reader *frame, struct signing_request *out)
{
    *out = (struct signing_request){.connection = reader_u64(frame)};
    unsigned int route = reader_u8(frame);
    unsigned int operation = reader_u8(frame);
    reader_text(frame, out->name, sizeof out->name);
    reader_text(frame, out->scheme, sizeof out->scheme);
    reader_text(frame, out->kid, sizeof out->kid);
    reader_text(frame, out->content_type, sizeof out->content_type);
    reader_text(frame, out->interaction_id, sizeof out->interaction_id);
    unsigned int bad = reader_u8(frame);
    out->body = reader_bytes(frame, SIGNING_BODY_MAX);
    if (!reader_done(frame) || bad > 1 || !route_is_sound(route, operation, out)) {
        return false;
    }
    out->route = (enum signing_route)route;
    out->operation = (enum operation)operation;
    out->interaction_id_bad = bad == 1;
    return true;
}

/* Like every answer it begins with an outcome and its reason (wire/frame.h). The reason is empty
 * here: httpd has no JSON, so qseald has written it into the body. */
void signing_put_answer(struct buffer *frame, const struct signing_answer *answer)
{
    static const struct reason none;
    frame_put_outcome(frame, answer->outcome, &none);
    buffer_put_u8(frame, (uint8_t)answer->media);
    buffer_put_bytes(frame, span_of_text(answer->request_id));
    buffer_put_bytes(frame, span_of_text(answer->peer));
    buffer_put_u32(frame, answer->max_age_s);
    buffer_put_bytes(frame, answer->body);
}

bool signing_get_answer(struct reader *frame, struct signing_answer *out)
{
    struct reason unused;
    *out = (struct signing_answer){.outcome = frame_get_outcome(frame, &unused)};
    unsigned int media = reader_u8(frame);
    reader_text(frame, out->request_id, sizeof out->request_id);
    reader_text(frame, out->peer, sizeof out->peer);
    out->max_age_s = reader_u32(frame);
    out->body = reader_bytes(frame, FRAME_PAYLOAD_MAX);
    /* What becomes a header field may hold nothing that could end one. */
    if (!reader_done(frame) || media >= MEDIA_COUNT ||
        !span_is_visible(span_of_text(out->request_id)) ||
        !span_is_printable(span_of_text(out->peer))) {
        return false;
    }
    out->media = (enum signing_media)media;
    return true;
}

void door_put_front(struct buffer *frame, const struct door_front *front)
{
    buffer_put_bytes(frame, span_of_text(front->version));
    buffer_put_u64(frame, (uint64_t)front->started);
}

bool door_get_front(struct reader *frame, struct door_front *out)
{
    reader_text(frame, out->version, sizeof out->version);
    for (char *at = out->version; *at != '\0'; at++) {
        *at = *at < ' ' || *at > '~' ? '?' : *at;
    }
    out->started = (int64_t)reader_u64(frame);
    return reader_done(frame);
}

void door_put_settings(struct buffer *frame, const struct door_settings *settings)
{
    buffer_put_u32(frame, settings->channels);
    buffer_put_u32(frame, settings->connections);
    buffer_put_u32(frame, settings->body_max);
    buffer_put_u32(frame, settings->head_ms);
    buffer_put_u32(frame, settings->body_ms);
    buffer_put_u32(frame, settings->idle_ms);
    buffer_put_u32(frame, settings->deadline_ms);
}

bool door_get_settings(struct reader *frame, struct door_settings *out)
{
    *out = (struct door_settings){.channels = reader_u32(frame)};
    out->connections = reader_u32(frame);
    out->body_max = reader_u32(frame);
    out->head_ms = reader_u32(frame);
    out->body_ms = reader_u32(frame);
    out->idle_ms = reader_u32(frame);
    out->deadline_ms = reader_u32(frame);
    bool sizes = out->channels > 0 && out->channels <= CHANNELS_MAX && out->connections > 0 &&
                 out->body_max <= SIGNING_BODY_MAX;
    bool times = out->head_ms > 0 && out->body_ms > 0 && out->idle_ms > 0 && out->deadline_ms > 0;
    return reader_done(frame) && sizes && times;
}

void door_put_caller(struct buffer *frame, const struct door_caller *caller)
{
    buffer_put_u64(frame, caller->connection);
    buffer_put_u32(frame, caller->uid);
    buffer_put_u32(frame, caller->in_flight);
}

bool door_get_caller(struct reader *frame, struct door_caller *out)
{
    *out = (struct door_caller){.connection = reader_u64(frame)};
    out->uid = reader_u32(frame);
    out->in_flight = reader_u32(frame);
    return reader_done(frame);
}
