/* SPDX-License-Identifier: Apache-2.0
 * Answer headers and httpd's own problems. */
#include "http/answer.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_media_types(void **state)
{
    (void)state;
    assert_null(answer_media_type(MEDIA_NONE));
    assert_string_equal(answer_media_type(MEDIA_JSON), "application/json");
    assert_string_equal(answer_media_type(MEDIA_JWK_SET), "application/jwk-set+json");
    assert_string_equal(answer_media_type(MEDIA_PROBLEM), "application/problem+json");
    assert_string_equal(answer_media_type(MEDIA_OCTETS), "application/octet-stream");
    assert_string_equal(answer_media_type(MEDIA_PEM_CHAIN), "application/pem-certificate-chain");
    assert_string_equal(answer_media_type(MEDIA_PEM), "application/x-pem-file");
}

static void test_cache_control(void **state)
{
    (void)state;
    char text[CACHE_CONTROL_SIZE];
    answer_cache_control(0, text);
    assert_string_equal(text, "no-store");
    answer_cache_control(1, text);
    assert_string_equal(text, "max-age=1");
    answer_cache_control(UINT32_MAX, text);
    assert_string_equal(text, "max-age=4294967295");
}

static void test_problem(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(1024);
    answer_put_problem(&out, OUTCOME_LIMIT, "too much", "the-id");
    assert_string_equal(buffer_text(&out), "{\"type\":\"urn:qseal:problem:limit-exceeded\","
                                           "\"title\":\"Over the caller's limit\",\"status\":429,"
                                           "\"detail\":\"too much\",\"request_id\":\"the-id\"}");
}

/* No name and no title needs escaping in JSON. */
static void test_texts_need_no_escape(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < OUTCOME_COUNT; i++) {
        assert_null(strpbrk(outcome_name((enum outcome)i), "\"\\"));
        assert_null(strpbrk(outcome_title((enum outcome)i), "\"\\"));
    }
}

static void test_closing_answer(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(4096);
    BUFFER_CLEANUP struct buffer body = BUFFER_INIT(1024);
    char length[64];
    answer_put_problem(&body, OUTCOME_TOO_LARGE, "no", "the-id");
    answer_put_closing(&out, OUTCOME_TOO_LARGE, "no", "the-id", "the-date");
    const char *text = buffer_text(&out);
    assert_memory_equal(text, "HTTP/1.1 413 Content Too Large\r\nDate: the-date\r\n", 48);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(text, "\r\nQseal-Request-Id: the-id\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Type: application/problem+json\r\n"));
    (void)snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", body.len);
    assert_non_null(strstr(text, length));
    assert_string_equal(strstr(text, "\r\n\r\n") + 4, buffer_text(&body));
    assert_null(strstr(text, "Retry-After"));

    buffer_reset(&out);
    answer_put_closing(&out, OUTCOME_LIMIT, "no", "the-id", "the-date");
    text = buffer_text(&out);
    assert_memory_equal(text, "HTTP/1.1 429 Too Many Requests\r\n", 32);
    assert_non_null(strstr(text, "\r\nRetry-After: 1\r\n\r\n{"));
}

static void test_date(void **state)
{
    (void)state;
    char text[HTTP_DATE_SIZE];
    answer_date(784111777, text); /* the example of RFC 9110 §5.6.7 */
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_media_types),    cmocka_unit_test(test_cache_control),
        cmocka_unit_test(test_problem),        cmocka_unit_test(test_texts_need_no_escape),
        cmocka_unit_test(test_closing_answer), cmocka_unit_test(test_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
