/* SPDX-License-Identifier: Apache-2.0
 * One request and its answer. */
#include "qseal/client.h"

#include "base/clock.h"
#include "base/name.h"
#include "client/door.h"
#include "client/problem.h"
#include "client/response.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MAX_HEADERS = 16, MAX_REQUEST_HEAD = 8 * 1024 };

/* The answer's memory: what `headers` and `body` point into. */
struct memory {
    struct response response;
    char *body; /* owned, one byte longer than announced */
    size_t len; /* bytes of head and, with them, the first ones of the body */
    char head[RESPONSE_MAX_HEAD];
};

struct call {
    const char *socket;
    unsigned int timeout_ms;
    struct deadline deadline;
    struct qseal_answer *answer;
};

static enum qseal_result fail(struct qseal_answer *answer, enum qseal_result result,
                              const char *format, ...) PRINTF_LIKE(3, 4);

static enum qseal_result fail(struct qseal_answer *answer, enum qseal_result result,
                              const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(answer->error, sizeof(answer->error), format, list);
    va_end(list);
    return result;
}

/* What errno says of the connection. */
static enum qseal_result fail_errno(const struct call *call, const char *what)
{
    int why = errno;
    if (why == ETIMEDOUT) {
        return fail(call->answer, QSEAL_TIMEOUT, "the service at %s did not answer within %u ms",
                    call->socket, call->timeout_ms);
    }
    const char *text = strerrordesc_np(why);
    return fail(call->answer, QSEAL_UNREACHABLE, "%s %s: %s", what, call->socket,
                text == NULL ? "unknown error" : text);
}

/* Nothing that could end a line or a field. */
static bool is_plain(const char *text, bool blanks)
{
    if (text == NULL || *text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < (blanks ? ' ' : '!') || *text > '~') {
            return false;
        }
    }
    return true;
}

static bool headers_are_plain(const struct qseal_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_plain(headers[i].name, false) || strchr(headers[i].name, ':') != NULL ||
            !is_plain(headers[i].value, true)) {
            return false;
        }
    }
    return true;
}

static enum qseal_result check_call(const struct qseal_options *options, struct call *call)
{
    call->socket = QSEAL_DEFAULT_SOCKET;
    call->timeout_ms = QSEAL_DEFAULT_TIMEOUT_MS;
    if (options != NULL && options->size < sizeof(*options)) {
        return fail(call->answer, QSEAL_INVALID, "the size of the options is not set");
    }
    if (options != NULL && options->socket != NULL) {
        call->socket = options->socket;
    }
    if (options != NULL && options->timeout_ms != 0) {
        call->timeout_ms = options->timeout_ms;
    }
    if (call->socket[0] == '\0' || strlen(call->socket) > QSEAL_MAX_SOCKET_PATH) {
        return fail(call->answer, QSEAL_INVALID, "the socket's path is empty or over %u bytes",
                    QSEAL_MAX_SOCKET_PATH);
    }
    if (call->timeout_ms > QSEAL_MAX_TIMEOUT_MS) {
        return fail(call->answer, QSEAL_INVALID, "a timeout is at most %u ms",
                    QSEAL_MAX_TIMEOUT_MS);
    }
    call->deadline = deadline_in_ms(call->timeout_ms);
    return QSEAL_OK;
}

static void put(char *out, size_t *len, const char *format, ...) PRINTF_LIKE(3, 4);

/* Appends; *len goes beyond MAX_REQUEST_HEAD when it does not fit. */
static void put(char *out, size_t *len, const char *format, ...)
{
    if (*len >= MAX_REQUEST_HEAD) {
        return;
    }
    va_list list;
    va_start(list, format);
    int more = vsnprintf(out + *len, MAX_REQUEST_HEAD - *len, format, list);
    va_end(list);
    *len = more < 0 ? MAX_REQUEST_HEAD : *len + (size_t)more;
}

/* Reads some bytes; the end of the stream is a failure, wherever it comes. */
static enum qseal_result receive_some(const struct call *call, int fd, void *at, size_t room,
                                      size_t *got)
{
    ssize_t count = door_receive(fd, at, room, call->deadline);
    if (count < 0) {
        return fail_errno(call, "the connection broke to the service at");
    }
    *got = (size_t)count;
    return QSEAL_OK;
}

static enum qseal_result receive_head(const struct call *call, int fd, struct memory *memory)
{
    size_t end;
    while ((end = response_head_end(memory->head, memory->len)) == 0) {
        size_t got = 0;
        if (memory->len == sizeof(memory->head)) {
            return fail(call->answer, QSEAL_PROTOCOL, "the answer's head is too long");
        }
        enum qseal_result result = receive_some(call, fd, memory->head + memory->len,
                                                sizeof(memory->head) - memory->len, &got);
        if (result != QSEAL_OK) {
            return result;
        }
        if (got == 0 && memory->len == 0) {
            return fail(call->answer, QSEAL_UNREACHABLE,
                        "the service at %s closed the connection without an answer", call->socket);
        }
        if (got == 0) {
            return fail(call->answer, QSEAL_PROTOCOL, "the answer ends within its head");
        }
        memory->len += got;
    }
    const char *why;
    if (!response_read(memory->head, end, &memory->response, &why)) {
        return fail(call->answer, QSEAL_PROTOCOL, "%s", why);
    }
    return QSEAL_OK;
}

static enum qseal_result receive_body(const struct call *call, int fd, struct memory *memory)
{
    size_t want = memory->response.body_len;
    size_t have = memory->len - memory->response.head_len;
    if (have <= want) {
        memory->body = malloc(want + 1);
        if (memory->body == NULL) {
            return fail(call->answer, QSEAL_MEMORY, "out of memory");
        }
        memcpy(memory->body, memory->head + memory->response.head_len, have);
    }
    while (have < want) {
        size_t got = 0;
        enum qseal_result result =
            receive_some(call, fd, memory->body + have, want + 1 - have, &got);
        if (result != QSEAL_OK) {
            return result;
        }
        if (got == 0) {
            return fail(call->answer, QSEAL_PROTOCOL, "the answer ends within its body");
        }
        have += got;
    }
    if (have > want) {
        return fail(call->answer, QSEAL_PROTOCOL, "the answer is longer than its Content-Length");
    }
    memory->body[want] = '\0';
    return QSEAL_OK;
}

static enum qseal_result receive(const struct call *call, int fd)
{
    struct memory *memory = malloc(sizeof(*memory));
    if (memory == NULL) {
        return fail(call->answer, QSEAL_MEMORY, "out of memory");
    }
    memory->body = NULL;
    memory->len = 0;
    call->answer->memory = memory;
    enum qseal_result result = receive_head(call, fd, memory);
    return result != QSEAL_OK ? result : receive_body(call, fd, memory);
}

static enum qseal_result judge(struct qseal_answer *answer)
{
    const struct memory *memory = answer->memory;
    const struct response *response = &memory->response;
    answer->status = response->status;
    answer->headers = response->headers;
    answer->header_count = response->header_count;
    answer->body = (unsigned char *)memory->body;
    answer->body_len = response->body_len;
    if (response->status < 300) {
        return QSEAL_OK;
    }
    const char *type = qseal_answer_header(answer, "Content-Type");
    bool problem = type != NULL && strncasecmp(type, "application/problem+json", 24) == 0;
    if (!problem || !problem_detail(span_of(answer->body, answer->body_len), answer->error,
                                    sizeof(answer->error))) {
        return fail(answer, QSEAL_REFUSED, "the service answered with HTTP status %u",
                    response->status);
    }
    return QSEAL_REFUSED;
}

static enum qseal_result exchange(const struct call *call, struct span head, struct span body)
{
    int fd = door_connect(call->socket, call->deadline);
    if (fd < 0) {
        return fail_errno(call, "cannot connect to the service at");
    }
    enum qseal_result result = QSEAL_OK;
    if (!door_send(fd, head, body, call->deadline)) {
        result = fail_errno(call, "cannot send to the service at");
    } else {
        result = receive(call, fd);
    }
    (void)close(fd);
    return result == QSEAL_OK ? judge(call->answer) : result;
}

enum qseal_result qseal_request(const struct qseal_options *options, const char *method,
                                const char *path, const struct qseal_header *headers,
                                size_t header_count, const void *body, size_t body_len,
                                struct qseal_answer *answer)
{
    *answer = (struct qseal_answer){.status = 0};
    struct call call = {.answer = answer};
    enum qseal_result result = check_call(options, &call);
    if (result != QSEAL_OK) {
        return result;
    }
    if (!is_plain(method, false) || strcmp(method, "HEAD") == 0 || !is_plain(path, false) ||
        path[0] != '/' || header_count > MAX_HEADERS || !headers_are_plain(headers, header_count)) {
        return fail(answer, QSEAL_INVALID, "method, path or headers are malformed");
    }
    if (body_len > QSEAL_MAX_REQUEST || (body == NULL && body_len > 0)) {
        return fail(answer, QSEAL_INVALID, "the body is over %u bytes", QSEAL_MAX_REQUEST);
    }
    char head[MAX_REQUEST_HEAD];
    size_t len = 0;
    put(head, &len, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method, path);
    for (size_t i = 0; i < header_count; i++) {
        put(head, &len, "%s: %s\r\n", headers[i].name, headers[i].value);
    }
    put(head, &len, "Content-Length: %zu\r\n\r\n", body_len);
    if (len >= sizeof(head)) {
        return fail(answer, QSEAL_INVALID, "path and headers are over %d bytes", MAX_REQUEST_HEAD);
    }
    return exchange(&call, span_of(head, len), span_of(body, body_len));
}

enum qseal_result qseal_tls_sign(const struct qseal_options *options,
                                 const struct qseal_tls_content *content,
                                 struct qseal_answer *answer)
{
    char path[128];
    struct qseal_header headers[3] = {{"Content-Type", content->is_transcript != 0
                                                           ? "application/vnd.qseal.tls-transcript"
                                                           : "application/octet-stream"},
                                      {"Qseal-Signature-Scheme", content->scheme},
                                      {"Qseal-Key", content->key}};
    *answer = (struct qseal_answer){.status = 0};
    if (!name_is_valid(span_of_text(content->role))) {
        return fail(answer, QSEAL_INVALID, "this is no name of a role");
    }
    (void)snprintf(path, sizeof(path), "/v1/tls-signature/%s", content->role);
    return qseal_request(options, "POST", path, headers, content->key == NULL ? 2 : 3,
                         content->content, content->content_len, answer);
}

const char *qseal_answer_header(const struct qseal_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        if (strcasecmp(answer->headers[i].name, name) == 0) {
            return answer->headers[i].value;
        }
    }
    return NULL;
}

void qseal_answer_free(struct qseal_answer *answer)
{
    if (answer != NULL) {
        struct memory *memory = answer->memory;
        if (memory != NULL) {
            free(memory->body);
        }
        free(memory);
        *answer = (struct qseal_answer){.status = 0};
    }
}

const char *qseal_result_name(enum qseal_result result)
{
    static const char *const names[] = {"ok",       "unreachable", "timeout", "refused",
                                        "protocol", "invalid",     "memory"};
    return (size_t)result < COUNT_OF(names) ? names[result] : "unknown";
}
