/* SPDX-License-Identifier: Apache-2.0
 * qseal-httpd as a program: requests and answers, byte by byte. */
#include "httpd_rig.h"

#include "base/clock.h"
#include "base/fd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct door_settings usual = {RIG_USUAL, .connections = 8};

static const char jar[] = "POST /v1/jar/op-jar-cof HTTP/1.1\r\nHost: localhost\r\n"
                          "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n"
                          "{\"a\":1}";

/* The problem is the right one, and says why. */
static void assert_problem(const char *text, const char *name, const char *detail)
{
    char type[128];
    (void)snprintf(type, sizeof type, "{\"type\":\"urn:qseal:problem:%s\"", name);
    assert_has(text, type);
    assert_has(text, detail);
    assert_has(text, "Content-Type: application/problem+json\r\n");
    assert_has(text, "Cache-Control: no-store\r\n");
    assert_has(text, "X-Content-Type-Options: nosniff\r\n");
    const char *id = strstr(text, "\"request_id\":\"");
    assert_non_null(id);
    char header[80];
    (void)snprintf(header, sizeof header, "Qseal-Request-Id: %.36s\r\n", id + 14);
    assert_has(text, header);
}

static void test_request_and_answer(void **state)
{
    (void)state;
    struct rig rig;
    struct asked asked;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    struct client client = rig_caller(&rig, 1000, 8);
    client_send(&client, "POST /v1/jar/op-jar-cof HTTP/1.1\r\nHost: localhost\r\n"
                         "content-type: application/json\r\nX-FAPI-Interaction-ID: abc\r\n"
                         "Content-Length: 7\r\n\r\n{\"a\":1}");
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    assert_int_equal(asked.request.connection, client.number);
    assert_int_equal(asked.request.route, ROUTE_SIGN);
    assert_int_equal(asked.request.operation, OPERATION_JAR);
    assert_string_equal(asked.request.name, "op-jar-cof");
    assert_string_equal(asked.request.content_type, "application/json");
    assert_string_equal(asked.request.interaction_id, "abc");
    assert_false(asked.request.interaction_id_bad);
    assert_true(span_is_text(asked.request.body, "{\"a\":1}"));
    rig_answer_json(&asked, "{\"request\":\"x.y.z\"}");
    asked_fini(&asked);
    assert_int_equal(client_read(&client, text), 200);
    assert_has(text, "Content-Type: application/json\r\n");
    assert_has(text, "Qseal-Request-Id: 11111111-2222-4333-8444-555555555555\r\n");
    assert_has(text, "Cache-Control: no-store\r\n");
    assert_has(text, "X-Content-Type-Options: nosniff\r\n");
    assert_has(text, "\r\n\r\n{\"request\":\"x.y.z\"}");

    /* The same connection and the same lane once more, with another kind of answer. */
    client_send(&client, "GET /v1/jwks HTTP/1.1\r\nHost: x\r\n\r\n");
    rig_read(lane, &asked);
    assert_int_equal(asked.request.route, ROUTE_JWKS);
    assert_string_equal(asked.request.content_type, "");
    assert_int_equal(asked.request.body.len, 0);
    struct signing_answer answer = {.media = MEDIA_JWK_SET,
                                    .request_id = "id",
                                    .max_age_s = 300,
                                    .body = span_of_text("{\"keys\":[]}")};
    rig_answer(&asked, &answer);
    asked_fini(&asked);
    assert_int_equal(client_read(&client, text), 200);
    assert_has(text, "Content-Type: application/jwk-set+json\r\n");
    assert_has(text, "Cache-Control: max-age=300\r\n");

    /* Refusals of qseald are passed on whole. */
    client_send(&client, jar);
    rig_read(lane, &asked);
    answer = (struct signing_answer){.outcome = OUTCOME_TOKEN_UNAVAILABLE,
                                     .media = MEDIA_PROBLEM,
                                     .request_id = "id",
                                     .body = span_of_text("{\"type\":\"t\"}")};
    rig_answer(&asked, &answer);
    asked_fini(&asked);
    assert_int_equal(client_read(&client, text), 503);
    assert_has(text, "Retry-After: 1\r\n");
    assert_has(text, "\r\n\r\n{\"type\":\"t\"}");

    fd_close(&client.fd);
    rig_expect_closed(&rig, client.number);
    fd_close(&lane);
    rig_stop(&rig);
}

static void test_a_role_and_its_fields(void **state)
{
    (void)state;
    struct rig rig;
    struct asked asked;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    struct client client = rig_caller(&rig, 1000, 8);
    client_send(&client, "POST /v1/tls-signature/transport HTTP/1.1\r\nHost: localhost\r\n"
                         "Content-Type: application/octet-stream\r\n"
                         "QSEAL-Signature-Scheme: ecdsa_secp256r1_sha256\r\n"
                         "Qseal-Key: NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs\r\n"
                         "Content-Length: 3\r\n\r\n\x01\x02\x03");
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    assert_int_equal(asked.request.route, ROUTE_TLS_SIGNATURE);
    assert_string_equal(asked.request.name, "transport");
    assert_string_equal(asked.request.scheme, "ecdsa_secp256r1_sha256");
    assert_string_equal(asked.request.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_true(span_is_text(asked.request.body, "\x01\x02\x03"));
    struct signing_answer answer = {.media = MEDIA_OCTETS,
                                    .request_id = "id",
                                    .peer = "spki=abc; claimed-sni=api.bank.example",
                                    .body = span_of_text("\x30\x06")};
    rig_answer(&asked, &answer);
    asked_fini(&asked);
    assert_int_equal(client_read(&client, text), 200);
    assert_has(text, "Content-Type: application/octet-stream\r\n");
    assert_has(text, "Qseal-Peer: spki=abc; claimed-sni=api.bank.example\r\n");
    assert_has(text, "\r\n\r\n\x30\x06");

    client_send(&client, "GET /v1/keys/transport/certificate"
                         "?kid=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs HTTP/1.1\r\n"
                         "Host: x\r\n\r\n");
    rig_read(lane, &asked);
    assert_int_equal(asked.request.route, ROUTE_CERTIFICATE);
    assert_string_equal(asked.request.name, "transport");
    assert_string_equal(asked.request.scheme, "");
    assert_string_equal(asked.request.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    answer = (struct signing_answer){
        .media = MEDIA_PEM_CHAIN, .request_id = "id", .body = span_of_text("-----BEGIN")};
    rig_answer(&asked, &answer);
    asked_fini(&asked);
    assert_int_equal(client_read(&client, text), 200);
    assert_has(text, "Content-Type: application/pem-certificate-chain\r\n");
    assert_lacks(text, "Qseal-Peer");

    /* On the same connection: nothing of the last request is left, and elsewhere the fields do not
     * count. */
    client_send(&client, "GET /v1/keys/transport/reference HTTP/1.1\r\nHost: x\r\n"
                         "Qseal-Signature-Scheme: ed25519\r\n\r\n");
    rig_read(lane, &asked);
    assert_int_equal(asked.request.route, ROUTE_REFERENCE);
    assert_string_equal(asked.request.scheme, "");
    assert_string_equal(asked.request.kid, "");
    rig_answer_json(&asked, "{}");
    asked_fini(&asked);
    assert_int_equal(client_read(&client, text), 200);
    fd_close(&client.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

static void test_pieces_chunks_and_large_bodies(void **state)
{
    (void)state;
    struct rig rig;
    struct asked asked;
    char text[RIG_TEXT_SIZE];
    struct door_settings settings = usual;
    settings.body_max = SIGNING_BODY_MAX;
    rig_start(&rig, &settings);
    struct client client = rig_caller(&rig, 1000, 8);
    for (size_t i = 0; i < sizeof jar - 1; i++) {
        client_send_bytes(&client, jar + i, 1);
    }
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    assert_true(span_is_text(asked.request.body, "{\"a\":1}"));
    rig_answer_json(&asked, "{}");
    asked_fini(&asked);
    assert_int_equal(client_read(&client, text), 200);

    client_send(&client, "POST /v1/detached-jws/p HTTP/1.1\r\nHost: x\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    rig_read(lane, &asked);
    assert_int_equal(asked.request.operation, OPERATION_DETACHED_JWS);
    assert_true(span_is_text(asked.request.body, "abcde"));
    rig_answer_json(&asked, "{}");
    asked_fini(&asked);
    assert_int_equal(client_read(&client, text), 200);

    char *body = malloc(SIGNING_BODY_MAX);
    assert_non_null(body);
    memset(body, 'x', SIGNING_BODY_MAX);
    client_send(&client, "POST /v1/detached-jws/p HTTP/1.1\r\nHost: x\r\n"
                         "Content-Length: 1048576\r\n\r\n");
    client_send_bytes(&client, body, SIGNING_BODY_MAX);
    rig_read(lane, &asked);
    assert_int_equal(asked.request.body.len, SIGNING_BODY_MAX);
    assert_memory_equal(asked.request.body.data, body, SIGNING_BODY_MAX);
    free(body);
    rig_answer_json(&asked, "{}");
    asked_fini(&asked);
    assert_int_equal(client_read(&client, text), 200);
    fd_close(&client.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

struct refusal {
    const char *request;
    int status;
    const char *name;
    const char *detail;
    const char *extra;
};

/* Answered, and the connection can be used on. */
static const struct refusal mild[] = {
    {"GET /v2/health HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not-found", "there is no such path", ""},
    {"GET /v1/health/ HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not-found", "there is no such path", ""},
    {"GET /v1/h%65alth HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not-found", "there is no such path", ""},
    {"POST /v1/jar/.x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", 404, "not-found",
     "there is no such path", ""},
    {"DELETE /v1/jar/a HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method-not-allowed", "see Allow",
     "\r\nAllow: POST\r\n"},
    {"POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", 405, "method-not-allowed",
     "see Allow", "\r\nAllow: GET\r\n"},
    {"GET /v1/health? HTTP/1.1\r\nHost: x\r\n\r\n", 400, "malformed", "this path takes no query",
     ""},
    {"GET /v1/keys/a/certificate?kid=b HTTP/1.1\r\nHost: x\r\n\r\n", 400, "malformed",
     "the only query here is kid=", ""},
    {"GET /v1/keys/a/certificate?kid=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
     "&kid=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs HTTP/1.1\r\nHost: x\r\n\r\n",
     400, "malformed", "the only query here is kid=", ""},
    {"GET /v1/tls-signature/a HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method-not-allowed", "see Allow",
     "\r\nAllow: POST\r\n"},
    {"POST /v1/jar/a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", 400, "malformed",
     "this path takes no query", ""},
};

static void test_mild_refusals(void **state)
{
    (void)state;
    struct rig rig;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    struct client client = rig_caller(&rig, 1000, 8);
    for (size_t i = 0; i < COUNT_OF(mild); i++) {
        client_send(&client, mild[i].request);
        assert_int_equal(client_read(&client, text), mild[i].status);
        assert_problem(text, mild[i].name, mild[i].detail);
        assert_has(text, mild[i].extra);
        assert_lacks(text, "Connection: close");
    }
    fd_close(&client.fd);
    rig_stop(&rig);
}

/* Answered, and closed. */
static const struct refusal hard[] = {
    {"POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n"
     "\r\n2\r\n{}\r\n0\r\n\r\n",
     400, "malformed", "exclude each other", ""},
    {"POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400,
     "malformed", "more than one Content-Length", ""},
    {"POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, "malformed", "more than one Transfer-Encoding", ""},
    {"POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400, "malformed",
     "only Transfer-Encoding is chunked", ""},
    {"GET /v1/health HTTP/1.1\r\n\r\n", 400, "malformed", "exactly one Host", ""},
    {"GET /v1/health HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "malformed", "exactly one Host",
     ""},
    {"GET /v1/health HTTP/1.0\r\nHost: a\r\n\r\n", 400, "malformed", "only HTTP/1.1", ""},
    {"POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n{}", 400, "malformed",
     "not a token", ""},
    {"POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n"
     "Content-Length: 2\r\n\r\n{}",
     400, "malformed", "more than one Content-Type", ""},
    {"POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
     415, "unsupported-media-type", "Content-Encoding", ""},
    {"POST /v1/tls-signature/a HTTP/1.1\r\nHost: x\r\nQseal-Signature-Scheme: a\r\n"
     "Qseal-Signature-Scheme: b\r\nContent-Length: 2\r\n\r\n{}",
     400, "malformed", "more than one Qseal-Signature-Scheme", ""},
    {"POST /v1/tls-signature/a HTTP/1.1\r\nHost: x\r\nQseal-Key: b\r\nContent-Length: 2\r\n\r\n{}",
     400, "malformed", "Qseal-Key is not an RFC 7638 thumbprint", ""},
    {"GET /v1/health HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", 400, "malformed",
     "only POST has a body", ""},
    {"POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 413, "too-large",
     "Content-Length is over", ""},
    {"POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 65537\r\n\r\n",
     413, "too-large", "Content-Length is over", ""},
};

static void test_hard_refusals(void **state)
{
    (void)state;
    struct rig rig;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    for (size_t i = 0; i < COUNT_OF(hard); i++) {
        struct client client = rig_caller(&rig, 1000, 8);
        client_send(&client, hard[i].request);
        assert_int_equal(client_read(&client, text), hard[i].status);
        assert_problem(text, hard[i].name, hard[i].detail);
        assert_has(text, "Connection: close\r\n");
        client_expect_end(&client);
        fd_close(&client.fd);
        rig_expect_closed(&rig, client.number);
    }
    rig_stop(&rig);
}

/* A chunked body says its size only as it goes; the client sends it all and still gets the answer.
 */
static void test_chunked_body_over_the_limit(void **state)
{
    (void)state;
    struct rig rig;
    char text[RIG_TEXT_SIZE];
    char piece[1024];
    memset(piece, 'x', sizeof piece);
    rig_start(&rig, &usual);
    struct client client = rig_caller(&rig, 1000, 8);
    client_send(&client,
                "POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 200; i++) {
        client_send(&client, "400\r\n");
        client_send_bytes(&client, piece, sizeof piece);
        client_send(&client, "\r\n");
    }
    client_send(&client, "0\r\n\r\n");
    assert_int_equal(client_read(&client, text), 413);
    assert_problem(text, "too-large", "the body is over the limit");
    client_expect_end(&client);
    fd_close(&client.fd);
    rig_expect_closed(&rig, client.number);
    rig_stop(&rig);
}

static void test_interaction_id(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        const char *id;
        bool bad;
    } rows[] = {
        {"x-fapi-interaction-id: 93bac548-d2de-4546-b106-880a5018460d\r\n",
         "93bac548-d2de-4546-b106-880a5018460d", false},
        {"x-fapi-interaction-id: 93bac548-d2de-4546-b106-880a5018460dx\r\n",
         "93bac548-d2de-4546-b106-880a5018460d", true},
        {"x-fapi-interaction-id: a\r\nX-FAPI-interaction-id: a\r\n", "a", true},
        {"x-fapi-interaction-id: \r\n", "", true},
        {"", "", false},
    };
    struct rig rig;
    struct asked asked;
    char text[RIG_TEXT_SIZE];
    int lane = -1;
    rig_start(&rig, &usual);
    struct client client = rig_caller(&rig, 1000, 8);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(text, sizeof text, "GET /v1/keys HTTP/1.1\r\nHost: x\r\n%s\r\n",
                       rows[i].fields);
        client_send(&client, text);
        lane = lane < 0 ? rig_accept(&rig) : lane;
        rig_read(lane, &asked);
        assert_string_equal(asked.request.interaction_id, rows[i].id);
        assert_int_equal(asked.request.interaction_id_bad, rows[i].bad);
        rig_answer_json(&asked, "{}");
        asked_fini(&asked);
        assert_int_equal(client_read(&client, text), 200);
    }
    fd_close(&client.fd);
    fd_close(&lane);
    rig_stop(&rig);
}

static void test_slow_head_body_and_idle(void **state)
{
    (void)state;
    struct door_settings settings = usual;
    settings.head_ms = 200;
    settings.body_ms = 300;
    settings.idle_ms = 400;
    struct rig rig;
    rig_start(&rig, &settings);
    static const char *const starts[] = {
        "GET /v1/health HTTP/1.1\r\n",
        "POST /v1/jar/a HTTP/1.1\r\nHost: x\r\nContent-Length: 7000\r\n\r\n{",
        "",
    };
    const int64_t limits[] = {settings.head_ms, settings.body_ms, settings.idle_ms};
    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        int64_t began_ms = clock_monotonic_ms();
        struct client client = rig_caller(&rig, 1000, 8);
        client_send(&client, starts[i]);
        /* A byte now and then does not prolong it. */
        while (starts[i][0] != '\0' && !client_hears(&client, 30)) {
            client_send(&client, "x");
        }
        client_expect_end(&client);
        int64_t took_ms = clock_monotonic_ms() - began_ms;
        assert_true(took_ms >= limits[i] - 1);
        assert_true(took_ms < limits[i] + 2000);
        fd_close(&client.fd);
        rig_expect_closed(&rig, client.number);
    }
    rig_stop(&rig);
}

static void test_limit_per_user(void **state)
{
    (void)state;
    struct rig rig;
    struct asked asked;
    char text[RIG_TEXT_SIZE];
    rig_start(&rig, &usual);
    struct client first = rig_caller(&rig, 1000, 1);
    struct client second = rig_caller(&rig, 1000, 1);
    struct client other = rig_caller(&rig, 1001, 1);
    client_send(&first, jar);
    int lane = rig_accept(&rig);
    rig_read(lane, &asked);
    client_send(&second, jar);
    assert_int_equal(client_read(&second, text), 429);
    assert_problem(text, "limit-exceeded", "too many requests of this user at once");
    assert_has(text, "Retry-After: 1\r\n");

    struct asked others;
    client_send(&other, jar);
    int lane2 = rig_accept(&rig);
    rig_read(lane2, &others);
    rig_answer_json(&others, "{\"o\":1}");
    assert_int_equal(client_read(&other, text), 200);
    rig_answer_json(&asked, "{}");
    assert_int_equal(client_read(&first, text), 200);
    asked_fini(&asked);
    asked_fini(&others);

    client_send(&second, jar); /* and it counts down again */
    rig_read(lane, &asked);
    rig_answer_json(&asked, "{}");
    asked_fini(&asked);
    assert_int_equal(client_read(&second, text), 200);
    fd_close(&first.fd);
    fd_close(&second.fd);
    fd_close(&other.fd);
    fd_close(&lane);
    fd_close(&lane2);
    rig_stop(&rig);
}

static void test_connections_over_the_limit(void **state)
{
    (void)state;
    struct door_settings settings = usual;
    settings.connections = 1;
    struct rig rig;
    rig_start(&rig, &settings);
    struct client first = rig_caller(&rig, 1000, 8);
    struct client second = rig_caller(&rig, 1000, 8);
    client_expect_end(&second);
    rig_expect_closed(&rig, second.number);
    assert_false(client_hears(&first, 0));
    fd_close(&first.fd);
    fd_close(&second.fd);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_and_answer),
        cmocka_unit_test(test_a_role_and_its_fields),
        cmocka_unit_test(test_pieces_chunks_and_large_bodies),
        cmocka_unit_test(test_mild_refusals),
        cmocka_unit_test(test_hard_refusals),
        cmocka_unit_test(test_chunked_body_over_the_limit),
        cmocka_unit_test(test_interaction_id),
        cmocka_unit_test(test_slow_head_body_and_idle),
        cmocka_unit_test(test_limit_per_user),
        cmocka_unit_test(test_connections_over_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
