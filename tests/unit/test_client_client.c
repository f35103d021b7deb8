/* SPDX-License-Identifier: Apache-2.0
 * libqseal against a service that is played: good answers, every kind of bad one, and none. */
#include "qseal/client.h"

#include "check.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, SHORT_MS = 80 };

/* The service: reads one request up to `want` bytes behind its head, sends `answer` piece by piece,
 * and then waits for the caller to go (or hangs up at once). */
static struct service {
    char folder[64];
    char socket[96];
    int listener;
    pthread_t thread;
    const char *answer;
    size_t answer_len;
    size_t piece; /* 0: all at once */
    bool hangs_up;
    bool stays; /* keeps the connection open after the answer */
    char request[4096];
} service;

static void read_request(int fd)
{
    size_t len = 0;
    memset(service.request, 0, sizeof(service.request));
    while (len < sizeof(service.request) - 1) {
        ssize_t got = recv(fd, service.request + len, sizeof(service.request) - 1 - len, 0);
        if (got <= 0) {
            return;
        }
        len += (size_t)got;
        const char *end = strstr(service.request, "\r\n\r\n");
        const char *length = strstr(service.request, "Content-Length: ");
        if (end != NULL && length != NULL &&
            len - (size_t)(end + 4 - service.request) >= strtoul(length + 16, NULL, 10)) {
            return;
        }
    }
}

static void *serve(void *unused)
{
    (void)unused;
    char byte;
    int fd = accept4(service.listener, NULL, NULL, SOCK_CLOEXEC);
    if (!service.hangs_up) {
        read_request(fd);
    }
    size_t piece = service.piece == 0 ? service.answer_len : service.piece;
    for (size_t at = 0; at < service.answer_len; at += piece) {
        size_t left = service.answer_len - at;
        (void)!send(fd, service.answer + at, left < piece ? left : piece, MSG_NOSIGNAL);
    }
    if (service.stays) {
        (void)!recv(fd, &byte, 1, 0);
    }
    (void)close(fd);
    return NULL;
}

static void start(const char *answer, size_t len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(service.folder, sizeof(service.folder), P_tmpdir "/qseal-client-XXXXXX");
    assert_non_null(mkdtemp(service.folder));
    (void)snprintf(service.socket, sizeof(service.socket), "%s/s", service.folder);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", service.socket);
    service.answer = answer;
    service.answer_len = len;
    service.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(service.listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(service.listener, 4), 0);
    assert_int_equal(pthread_create(&service.thread, NULL, serve, NULL), 0);
}

static void stop(void)
{
    assert_int_equal(pthread_join(service.thread, NULL), 0);
    (void)close(service.listener);
    (void)unlink(service.socket);
    assert_int_equal(rmdir(service.folder), 0);
}

static int reset(void **state)
{
    (void)state;
    service = (struct service){.listener = -1};
    return 0;
}

static enum qseal_result get(unsigned int timeout_ms, struct qseal_answer *answer)
{
    struct qseal_options options = {
        .size = sizeof(options), .socket = service.socket, .timeout_ms = timeout_ms};
    return qseal_request(&options, "GET", "/v1/health", NULL, 0, NULL, 0, answer);
}

/* One exchange, and what must come of it. */
static void expect(const char *text, enum qseal_result want, const char *why)
{
    struct qseal_answer answer;
    start(text, strlen(text));
    enum qseal_result result = get(PATIENCE_MS, &answer);
    if (result != want || strstr(answer.error, why) == NULL) {
        fail_msg("got %s \"%s\", want %s \"%s\"", qseal_result_name(result), answer.error,
                 qseal_result_name(want), why);
    }
    qseal_answer_free(&answer);
    stop();
}

static const char good[] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/x\r\n"
                           "Qseal-Request-Id: r7\r\nContent-Length: 5\r\n\r\nhe\0lo";

static void an_answer_is_whole(void **state)
{
    (void)state;
    static const size_t pieces[] = {0, 1, 7, 64};
    for (size_t i = 0; i < 4; i++) {
        struct qseal_answer answer;
        service.piece = pieces[i];
        service.stays = i % 2 == 0;
        start(good, sizeof(good) - 1);
        assert_int_equal(get(PATIENCE_MS, &answer), QSEAL_OK);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body_len, 5);
        assert_memory_equal(answer.body, "he\0lo", 6);
        assert_string_equal(answer.error, "");
        assert_int_equal(answer.header_count, 4);
        assert_string_equal(qseal_answer_header(&answer, "qseal-request-id"), "r7");
        assert_string_equal(qseal_answer_header(&answer, "Content-Type"), "text/x");
        assert_null(qseal_answer_header(&answer, "Date"));
        qseal_answer_free(&answer);
        qseal_answer_free(&answer);
        stop();
    }
    qseal_answer_free(NULL);
}

static void a_long_answer_is_whole(void **state)
{
    (void)state;
    enum { LONG = 1500000 };
    char *text = malloc(LONG + 128);
    int head = snprintf(text, 128, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LONG);
    struct qseal_answer answer;
    memset(text + head, 'x', LONG);
    start(text, (size_t)head + LONG);
    assert_int_equal(get(PATIENCE_MS, &answer), QSEAL_OK);
    assert_int_equal(answer.body_len, LONG);
    assert_int_equal(answer.body[LONG - 1], 'x');
    qseal_answer_free(&answer);
    stop();
    free(text);
}

static void the_request_is_as_documented(void **state)
{
    (void)state;
    struct qseal_answer answer;
    struct qseal_options options = {.size = sizeof(options)};
    struct qseal_header header = {"Content-Type", "application/json"};
    start(good, sizeof(good) - 1);
    options.socket = service.socket;
    assert_int_equal(qseal_request(&options, "POST", "/v1/jar/x", &header, 1, "{}", 2, &answer),
                     QSEAL_OK);
    qseal_answer_free(&answer);
    stop();
    assert_string_equal(service.request,
                        "POST /v1/jar/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

static void a_tls_content_is_sent_as_documented(void **state)
{
    (void)state;
    struct qseal_answer answer;
    struct qseal_options options = {.size = sizeof(options)};
    struct qseal_tls_content content = {
        .role = "transport", .scheme = "ed25519", .key = "abc", .content = "xyz", .content_len = 3};
    start(good, sizeof(good) - 1);
    options.socket = service.socket;
    assert_int_equal(qseal_tls_sign(&options, &content, &answer), QSEAL_OK);
    qseal_answer_free(&answer);
    stop();
    assert_string_equal(
        service.request,
        "POST /v1/tls-signature/transport HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        "Content-Type: application/octet-stream\r\nQseal-Signature-Scheme: ed25519\r\n"
        "Qseal-Key: abc\r\nContent-Length: 3\r\n\r\nxyz");
    start(good, sizeof(good) - 1);
    options.socket = service.socket;
    content.is_transcript = 1;
    content.key = NULL;
    assert_int_equal(qseal_tls_sign(&options, &content, &answer), QSEAL_OK);
    qseal_answer_free(&answer);
    stop();
    assert_non_null(strstr(service.request, "Type: application/vnd.qseal.tls-transcript\r\n"));
    assert_null(strstr(service.request, "Qseal-Key"));
}

static void refusals_carry_the_services_words(void **state)
{
    (void)state;
    expect("HTTP/1.1 403 X\r\nContent-Type: application/problem+json\r\nContent-Length: 45\r\n\r\n"
           "{\"status\":403,\"detail\":\"not \\\"granted\\\" \\u2014 x\"}",
           QSEAL_PROTOCOL, "longer than");
    expect("HTTP/1.1 403 X\r\nContent-Type: application/problem+json\r\nContent-Length: 50\r\n\r\n"
           "{\"status\":403,\"detail\":\"not \\\"granted\\\" \\u2014 x\"}",
           QSEAL_REFUSED, "not \"granted\" \xe2\x80\x94 x");
    expect("HTTP/1.1 404 X\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>",
           QSEAL_REFUSED, "the service answered with HTTP status 404");
    expect(
        "HTTP/1.1 500 X\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}",
        QSEAL_REFUSED, "HTTP status 500");
    expect("HTTP/1.1 301 X\r\nContent-Length: 0\r\n\r\n", QSEAL_REFUSED, "HTTP status 301");
}

static void bad_answers_are_refused(void **state)
{
    (void)state;
    expect("SSH-2.0-x\r\n\r\n", QSEAL_PROTOCOL, "not HTTP/1.1");
    expect("HTTP/1.1 200 OK\r\nContent-Le", QSEAL_PROTOCOL, "ends within its head");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", QSEAL_PROTOCOL,
           "ends within its body");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc", QSEAL_PROTOCOL, "longer than");
    expect("HTTP/1.1 200 OK\r\n\r\nabc", QSEAL_PROTOCOL, "exactly one Content-Length");
    expect("", QSEAL_UNREACHABLE, "closed the connection without an answer");
}

static void an_endless_head_is_refused(void **state)
{
    (void)state;
    enum { LONG = 20000 };
    struct qseal_answer answer;
    char *text = malloc(LONG);
    memset(text, 'x', LONG);
    start(text, LONG);
    assert_int_equal(get(PATIENCE_MS, &answer), QSEAL_PROTOCOL);
    assert_non_null(strstr(answer.error, "head is too long"));
    qseal_answer_free(&answer);
    stop();
    free(text);
}

static void a_silent_service_times_out(void **state)
{
    (void)state;
    struct qseal_answer answer;
    char want[160];
    service.stays = true;
    start("HTTP/1.1 200 OK\r\n", 17);
    assert_int_equal(get(SHORT_MS, &answer), QSEAL_TIMEOUT);
    (void)snprintf(want, sizeof(want), "the service at %s did not answer within %d ms",
                   service.socket, SHORT_MS);
    assert_string_equal(answer.error, want);
    qseal_answer_free(&answer);
    stop();
}

static void an_early_refusal_is_read(void **state)
{
    (void)state;
    enum { LONG = 1000000 };
    static const char text[] = "HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n";
    struct qseal_answer answer;
    struct qseal_options options = {.size = sizeof(options)};
    char *body = calloc(1, LONG);
    service.hangs_up = true;
    service.stays = true;
    start(text, sizeof(text) - 1);
    options.socket = service.socket;
    enum qseal_result result = qseal_request(&options, "POST", "/x", NULL, 0, body, LONG, &answer);
    assert_int_equal(result, QSEAL_REFUSED);
    assert_int_equal(answer.status, 413);
    qseal_answer_free(&answer);
    stop();
    free(body);
}

static void a_missing_service_is_named(void **state)
{
    (void)state;
    struct qseal_answer answer;
    struct qseal_options options = {.size = sizeof(options), .socket = "/nowhere/qseal.sock"};
    assert_int_equal(qseal_request(&options, "GET", "/", NULL, 0, NULL, 0, &answer),
                     QSEAL_UNREACHABLE);
    assert_string_equal(answer.error, "cannot connect to the service at /nowhere/qseal.sock: "
                                      "No such file or directory");
    assert_int_equal(answer.status, 0);
    qseal_answer_free(&answer);
}

static void expect_invalid(const struct qseal_options *options, const char *method,
                           const char *path, const struct qseal_header *headers, size_t count,
                           size_t body_len, const char *why)
{
    struct qseal_answer answer;
    assert_int_equal(qseal_request(options, method, path, headers, count, NULL, body_len, &answer),
                     QSEAL_INVALID);
    assert_string_equal(answer.error, why);
    qseal_answer_free(&answer);
}

static void wrong_arguments_are_refused_unsent(void **state)
{
    (void)state;
    static const char malformed[] = "method, path or headers are malformed";
    char socket[109];
    char big[9000];
    memset(socket, '/', sizeof(socket) - 1);
    memset(big, 'x', sizeof(big) - 1);
    socket[108] = big[sizeof(big) - 1] = '\0';
    struct qseal_header headers[17] = {{"A", "b"}};
    struct qseal_options options = {.size = sizeof(options)};
    options.socket = socket;
    expect_invalid(&options, "GET", "/", NULL, 0, 0,
                   "the socket's path is empty or over 107 bytes");
    options.socket = "";
    expect_invalid(&options, "GET", "/", NULL, 0, 0,
                   "the socket's path is empty or over 107 bytes");
    options.socket = "/nowhere/x";
    options.timeout_ms = 600001;
    expect_invalid(&options, "GET", "/", NULL, 0, 0, "a timeout is at most 600000 ms");
    options.timeout_ms = 0;
    expect_invalid(&options, "G T", "/", NULL, 0, 0, malformed);
    expect_invalid(&options, "HEAD", "/", NULL, 0, 0, malformed);
    expect_invalid(&options, "GET", "x", NULL, 0, 0, malformed);
    expect_invalid(&options, "GET", "/a b", NULL, 0, 0, malformed);
    expect_invalid(&options, "GET", "/\r\nX: y", NULL, 0, 0, malformed);
    expect_invalid(&options, "GET", "/", headers, 17, 0, malformed);
    headers[0].value = "b\r\nC: d";
    expect_invalid(&options, "GET", "/", headers, 1, 0, malformed);
    headers[0] = (struct qseal_header){"A:", "b"};
    expect_invalid(&options, "GET", "/", headers, 1, 0, malformed);
    headers[0] = (struct qseal_header){"A", NULL};
    expect_invalid(&options, "GET", "/", headers, 1, 0, malformed);
    headers[0].value = big;
    expect_invalid(&options, "GET", "/", headers, 1, 0, "path and headers are over 8192 bytes");
    expect_invalid(&options, "GET", "/", NULL, 0, 1, "the body is over 1048576 bytes");
    options.size = 0;
    expect_invalid(&options, "GET", "/", NULL, 0, 0, "the size of the options is not set");
}

static void a_role_is_a_name(void **state)
{
    (void)state;
    static const char *const roles[] = {
        NULL,   "",      "a/b",
        "a b",  "..%2f", "a?b",
        "Seal", ".a",    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        struct qseal_answer answer;
        struct qseal_tls_content content = {.role = roles[i], .scheme = "ed25519"};
        assert_int_equal(qseal_tls_sign(NULL, &content, &answer), QSEAL_INVALID);
        assert_string_equal(answer.error, "this is no name of a role");
    }
}

static void results_have_names(void **state)
{
    (void)state;
    assert_string_equal(qseal_result_name(QSEAL_OK), "ok");
    assert_string_equal(qseal_result_name(QSEAL_MEMORY), "memory");
    assert_string_equal(qseal_result_name((enum qseal_result)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_answer_is_whole, reset),
        cmocka_unit_test_setup(a_long_answer_is_whole, reset),
        cmocka_unit_test_setup(the_request_is_as_documented, reset),
        cmocka_unit_test_setup(a_tls_content_is_sent_as_documented, reset),
        cmocka_unit_test_setup(refusals_carry_the_services_words, reset),
        cmocka_unit_test_setup(bad_answers_are_refused, reset),
        cmocka_unit_test_setup(an_endless_head_is_refused, reset),
        cmocka_unit_test_setup(a_silent_service_times_out, reset),
        cmocka_unit_test_setup(an_early_refusal_is_read, reset),
        cmocka_unit_test_setup(a_missing_service_is_named, reset),
        cmocka_unit_test_setup(wrong_arguments_are_refused_unsent, reset),
        cmocka_unit_test_setup(a_role_is_a_name, reset),
        cmocka_unit_test_setup(results_have_names, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
