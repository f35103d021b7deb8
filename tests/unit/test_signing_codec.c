/* SPDX-License-Identifier: Apache-2.0
 * Fields of the frames between httpd and qseald: what one side writes the other reads, and nothing
 * else is read. */
#include "signing/signing.h"
#include "wire/frame.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct signing_request sample = {.connection = 0x0102030405060708,
                                              .route = ROUTE_SIGN,
                                              .operation = OPERATION_DETACHED_JWS,
                                              .name = "op-detached",
                                              .content_type = "application/json",
                                              .interaction_id =
                                                  "93bac548-d2de-4546-b106-880a5018460d",
                                              .interaction_id_bad = true};

static bool read_request(const struct buffer *frame, struct signing_request *out)
{
    struct reader reader = reader_of(buffer_span(frame));
    return signing_get_request(&reader, out);
}

static void test_request(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(4096);
    struct signing_request request = sample;
    struct signing_request out;
    request.body = span_of("a\0b", 3);
    signing_put_request(&frame, &request);
    assert_true(read_request(&frame, &out));
    assert_int_equal(out.connection, request.connection);
    assert_int_equal(out.route, ROUTE_SIGN);
    assert_int_equal(out.operation, OPERATION_DETACHED_JWS);
    assert_string_equal(out.name, request.name);
    assert_string_equal(out.content_type, request.content_type);
    assert_string_equal(out.interaction_id, request.interaction_id);
    assert_true(out.interaction_id_bad);
    assert_true(span_equal(out.body, request.body));

    /* Each shorter frame, and a longer one, is refused. */
    size_t whole = frame.len;
    for (size_t len = 0; len < whole; len++) {
        struct reader reader = reader_of(span_of(frame.data, len));
        assert_false(signing_get_request(&reader, &out));
    }
    buffer_put_u8(&frame, 0);
    assert_false(read_request(&frame, &out));
}

static void test_role_request(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(4096);
    struct signing_request out;
    struct signing_request request = {.connection = 1,
                                      .route = ROUTE_TLS_SIGNATURE,
                                      .name = "transport",
                                      .scheme = "no such_scheme",
                                      .kid = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
                                      .body = span_of_text("abc")};
    signing_put_request(&frame, &request);
    assert_true(read_request(&frame, &out));
    assert_int_equal(out.route, ROUTE_TLS_SIGNATURE);
    assert_string_equal(out.name, "transport");
    assert_string_equal(out.scheme, request.scheme);
    assert_string_equal(out.kid, request.kid);
    for (int route = ROUTE_CERTIFICATE; route < ROUTE_COUNT; route++) {
        buffer_reset(&frame);
        request.route = (enum signing_route)route;
        request.scheme[0] = '\0';
        if (route != ROUTE_CERTIFICATE) {
            request.kid[0] = '\0';
        }
        signing_put_request(&frame, &request);
        assert_true(read_request(&frame, &out));
        assert_int_equal(out.route, route);
    }
}

static void assert_request_refused(const struct signing_request *request)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(2 * SIGNING_BODY_MAX);
    struct signing_request out;
    signing_put_request(&frame, request);
    assert_true(buffer_ok(&frame));
    assert_false(read_request(&frame, &out));
}

static void test_unsound_requests(void **state)
{
    (void)state;
    static const uint8_t body[SIGNING_BODY_MAX + 1];
    struct signing_request request = sample;
    request.name[0] = '\0';
    assert_request_refused(&request);
    request.name[0] = '.';
    assert_request_refused(&request);
    request = sample;
    request.route = ROUTE_KEYS; /* which has no operation and no profile */
    assert_request_refused(&request);
    request.operation = (enum operation)0;
    assert_request_refused(&request);
    request.name[0] = '\0';
    request.route = (enum signing_route)ROUTE_COUNT;
    assert_request_refused(&request);
    request = sample;
    request.operation = (enum operation)OPERATION_COUNT;
    assert_request_refused(&request);
    request = sample;
    request.body = span_of(body, sizeof body);
    assert_request_refused(&request);
}

static void test_unsound_role_requests(void **state)
{
    (void)state;
    const struct signing_request good = {.route = ROUTE_TLS_SIGNATURE, .name = "transport"};
    struct signing_request request = good;
    request.name[0] = '\0';
    assert_request_refused(&request);
    request = good;
    request.operation = OPERATION_DETACHED_JWS; /* which only ROUTE_SIGN has */
    assert_request_refused(&request);
    request = good;
    strcpy(request.scheme, "a\nb");
    assert_request_refused(&request);
    request = good;
    strcpy(request.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X");
    assert_request_refused(&request);
    strcpy(request.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X=");
    assert_request_refused(&request);
    strcpy(request.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    request.route = ROUTE_REFERENCE; /* the role's active key, no other */
    assert_request_refused(&request);
    request.route = ROUTE_CERTIFICATE;
    strcpy(request.scheme, "ed25519");
    assert_request_refused(&request);
    request = sample;
    strcpy(request.scheme, "ed25519");
    assert_request_refused(&request);
    request = sample;
    strcpy(request.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_request_refused(&request);
}

static bool read_answer(const struct buffer *frame, struct signing_answer *out)
{
    struct reader reader = reader_of(buffer_span(frame));
    return signing_get_answer(&reader, out);
}

static void test_answer(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(4096);
    struct signing_answer out;
    struct signing_answer answer = {.outcome = OUTCOME_RULE,
                                    .media = MEDIA_PROBLEM,
                                    .request_id = "93bac548-d2de-4546-b106-880a5018460d",
                                    .peer = "spki=abc; claimed-sni=bank.example",
                                    .max_age_s = 300,
                                    .body = span_of_text("{}")};
    signing_put_answer(&frame, &answer);
    assert_true(read_answer(&frame, &out));
    assert_int_equal(out.outcome, OUTCOME_RULE);
    assert_int_equal(out.media, MEDIA_PROBLEM);
    assert_string_equal(out.request_id, answer.request_id);
    assert_string_equal(out.peer, answer.peer);
    assert_int_equal(out.max_age_s, 300);
    assert_true(span_is_text(out.body, "{}"));
    for (size_t len = 0; len < frame.len; len++) {
        struct reader reader = reader_of(span_of(frame.data, len));
        assert_false(signing_get_answer(&reader, &out));
    }

    /* It begins as every answer does. */
    struct reason why;
    struct reader reader = reader_of(buffer_span(&frame));
    assert_int_equal(frame_get_outcome(&reader, &why), OUTCOME_RULE);

    buffer_reset(&frame);
    answer.media = (enum signing_media)MEDIA_COUNT;
    signing_put_answer(&frame, &answer);
    assert_false(read_answer(&frame, &out));
    buffer_reset(&frame);
    answer.media = MEDIA_JSON;
    answer.outcome = (enum outcome)OUTCOME_COUNT;
    signing_put_answer(&frame, &answer);
    assert_false(read_answer(&frame, &out));
    buffer_reset(&frame);
    answer.outcome = OUTCOME_OK;
    strcpy(answer.request_id, "a\r\nSet-Cookie: b"); /* it would become a header */
    signing_put_answer(&frame, &answer);
    assert_false(read_answer(&frame, &out));
    buffer_reset(&frame);
    strcpy(answer.request_id, "id");
    strcpy(answer.peer, "spki=a\r\nSet-Cookie: b");
    signing_put_answer(&frame, &answer);
    assert_false(read_answer(&frame, &out));
}

static bool settings_pass(const struct door_settings *settings, struct door_settings *out)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(64);
    door_put_settings(&frame, settings);
    struct reader reader = reader_of(buffer_span(&frame));
    return door_get_settings(&reader, out);
}

static void test_front(void **state)
{
    (void)state;
    const struct door_front front = {.version = "0.1.\x1b", .started = 1767225600};
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(256);
    door_put_front(&frame, &front);
    struct door_front got;
    struct reader reader = reader_of(buffer_span(&frame));
    assert_true(door_get_front(&reader, &got));
    assert_string_equal(got.version, "0.1.?");
    assert_int_equal(got.started, 1767225600);
    for (size_t len = 0; len < frame.len; len++) {
        reader = reader_of(span_of(frame.data, len));
        assert_false(door_get_front(&reader, &got));
    }
    buffer_reset(&frame);
    buffer_put_bytes(&frame, span_of_text("a-version-too-long"));
    buffer_put_u64(&frame, 1);
    reader = reader_of(buffer_span(&frame));
    assert_false(door_get_front(&reader, &got));
}

static void test_settings(void **state)
{
    (void)state;
    const struct door_settings good = {.channels = 8,
                                       .connections = 1000,
                                       .body_max = SIGNING_BODY_MAX,
                                       .head_ms = 2000,
                                       .body_ms = 5000,
                                       .idle_ms = 30000,
                                       .deadline_ms = 10000};
    struct door_settings out;
    assert_true(settings_pass(&good, &out));
    assert_memory_equal(&out, &good, sizeof good);
    struct door_settings bad = good;
    bad.channels = 0;
    assert_false(settings_pass(&bad, &out));
    bad = good;
    bad.body_max = SIGNING_BODY_MAX + 1;
    assert_false(settings_pass(&bad, &out));
    bad = good;
    bad.deadline_ms = 0;
    assert_false(settings_pass(&bad, &out));
}

static void test_caller(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(64);
    const struct door_caller caller = {
        .connection = 0xFFFFFFFFFFFFFFFF, .uid = 65534, .in_flight = 64};
    struct door_caller out;
    door_put_caller(&frame, &caller);
    struct reader reader = reader_of(buffer_span(&frame));
    assert_true(door_get_caller(&reader, &out));
    assert_int_equal(out.connection, caller.connection);
    assert_int_equal(out.uid, caller.uid);
    assert_int_equal(out.in_flight, caller.in_flight);
    buffer_put_u8(&frame, 0);
    reader = reader_of(buffer_span(&frame));
    assert_false(door_get_caller(&reader, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_role_request),
        cmocka_unit_test(test_unsound_requests),
        cmocka_unit_test(test_unsound_role_requests),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_front),
        cmocka_unit_test(test_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
