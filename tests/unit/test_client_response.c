/* SPDX-License-Identifier: Apache-2.0
 * Heads of answers: what is read, and each thing that is refused, with its reason. */
#include "client/response.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

static bool read(const char *text, struct response *out, char **kept, const char **why)
{
    size_t len = strlen(text);
    *kept = malloc(len);
    memcpy(*kept, text, len);
    return response_read(*kept, len, out, why);
}

static void a_head_is_read(void **state)
{
    (void)state;
    struct response response;
    char *kept;
    const char *why;
    assert_true(read("HTTP/1.1 200 OK\r\nConnection:close\r\nX-a: \t b c \t\r\nEmpty:\r\n"
                     "content-length: 12\r\n\r\n",
                     &response, &kept, &why));
    assert_int_equal(response.status, 200);
    assert_int_equal(response.body_len, 12);
    assert_int_equal(response.header_count, 4);
    assert_string_equal(response.headers[0].name, "Connection");
    assert_string_equal(response.headers[0].value, "close");
    assert_string_equal(response.headers[1].value, "b c");
    assert_string_equal(response.headers[2].value, "");
    free(kept);
    assert_true(read("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", &response, &kept, &why));
    free(kept);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const char not_http[] = "the answer is not HTTP/1.1";
    static const char field[] = "the answer has a malformed header field";
    static const char number[] = "the answer's Content-Length is no number or too large";
    static const char one[] = "the answer has not exactly one Content-Length";
    static const struct {
        const char *head;
        const char *why;
    } rows[] = {
        {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", not_http},
        {"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n", not_http},
        {"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", not_http},
        {"HTTP/1.1 2000\r\nContent-Length: 0\r\n\r\n", not_http},
        {"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", not_http},
        {"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", not_http},
        {"HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n", not_http},
        {"SSH-2.0-x\r\n\r\n", not_http},
        {"\r\n\r\n", not_http},
        {"HTTP/1.1 200 O\nK\r\nContent-Length: 0\r\n\r\n", not_http},
        {"HTTP/1.1 200 OK\r\nA: b\rc\r\nContent-Length: 0\r\n\r\n", not_http},
        {"HTTP/1.1 200 OK\r\nA: b\x01\r\nContent-Length: 0\r\n\r\n", not_http},
        {"HTTP/1.1 200 OK\r\nA: b\x7f\r\nContent-Length: 0\r\n\r\n", not_http},
        {"HTTP/1.1 200 OK\r\nA b\r\nContent-Length: 0\r\n\r\n", field},
        {"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n", field},
        {"HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 0\r\n\r\n", field},
        {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", field},
        {"HTTP/1.1 200 OK\r\n\r\n", one},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", one},
        {"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", number},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", number},
        {"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", number},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1,1\r\n\r\n", number},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n", number},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2097153\r\n\r\n", number},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", number},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
         "the answer has a transfer coding"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct response response;
        char *kept;
        const char *why = "";
        if (read(rows[i].head, &response, &kept, &why)) {
            fail_msg("taken: %s", rows[i].head);
        }
        assert_string_equal(why, rows[i].why);
        free(kept);
    }
}

static void header_fields_are_counted(void **state)
{
    (void)state;
    char head[RESPONSE_MAX_HEADERS * 8 + 64] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    struct response response;
    char *kept;
    const char *why;
    for (int i = 0; i < RESPONSE_MAX_HEADERS; i++) {
        (void)snprintf(head + strlen(head), 8, "A: b\r\n");
    }
    (void)snprintf(head + strlen(head), 8, "\r\n");
    assert_false(read(head, &response, &kept, &why));
    assert_string_equal(why, "the answer has too many header fields");
    free(kept);
}

static void the_end_of_the_head_is_an_empty_line(void **state)
{
    (void)state;
    static const char text[] = "a\r\n\r\nb";
    assert_int_equal(response_head_end(text, 6), 5);
    assert_int_equal(response_head_end(text, 5), 5);
    assert_int_equal(response_head_end(text, 4), 0);
    assert_int_equal(response_head_end("a\n\nb", 4), 0);
    assert_int_equal(response_head_end("", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_read),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(header_fields_are_counted),
        cmocka_unit_test(the_end_of_the_head_is_an_empty_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
