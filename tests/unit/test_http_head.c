/* SPDX-License-Identifier: Apache-2.0
 * Request heads: what passes, and each refusal with its reason. */
#include "http/head.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { BODY_MAX = 1000 };

/* Judges fields given as "name:value" lines. */
static enum outcome judge(const char *version, const char *fields, const char **detail)
{
    struct head head = {0};
    while (*fields != '\0') {
        struct span line = span_part(span_of_text(fields), 0, strcspn(fields, "\n"));
        size_t colon = span_find(line, ':');
        head_field(&head, span_part(line, 0, colon), span_part(line, colon + 1, line.len));
        fields += line.len + (fields[line.len] == '\n' ? 1 : 0);
    }
    *detail = "";
    return head_judge(&head, version, BODY_MAX, detail);
}

static void test_good_heads(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "Host:x",
        "hOST:",
        "Host:x\ncontent-length:0",
        "Host:x\nContent-Length:1000",
        "Host:x\nContent-Length:0001000",
        "Host:x\nTransfer-Encoding:Chunked",
        "Host:x\nContent-Type:application/json\nX-Other:1\nX-Other:2",
        "Host:x\nx-fapi-interaction-id:a\nx-fapi-interaction-id:b", /* qseald's affair */
        "Host:x\nQseal-Signature-Scheme:ed25519",
        "Host:x\nqseal-signature-scheme:", /* as absent */
        "Host:x\nQSEAL-KEY:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *detail;
        assert_int_equal(judge("HTTP/1.1", rows[i], &detail), OUTCOME_OK);
    }
}

static void test_refused_heads(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *fields;
        enum outcome outcome;
        const char *detail;
    } rows[] = {
        {"HTTP/1.0", "Host:x", OUTCOME_MALFORMED, "only HTTP/1.1"},
        {"HTTP/1.2", "Host:x", OUTCOME_MALFORMED, "only HTTP/1.1"},
        {"", "Host:x", OUTCOME_MALFORMED, "only HTTP/1.1"},
        {"HTTP/1.1", "", OUTCOME_MALFORMED, "exactly one Host"},
        {"HTTP/1.1", "Host:x\nHost:x", OUTCOME_MALFORMED, "exactly one Host"},
        {"HTTP/1.1", "Host:x\nContent-Length :1", OUTCOME_MALFORMED, "not a token"},
        {"HTTP/1.1", "Host:x\n:1", OUTCOME_MALFORMED, "not a token"},
        {"HTTP/1.1", "Host:x\nCont\x01:1", OUTCOME_MALFORMED, "not a token"},
        {"HTTP/1.1", "Host:x\n\xc3\xa4:1", OUTCOME_MALFORMED, "not a token"},
        {"HTTP/1.1", "Host:x\nContent-Length:1\nContent-Length:1", OUTCOME_MALFORMED,
         "more than one Content-Length"},
        {"HTTP/1.1", "Host:x\nContent-Length:1\nTransfer-Encoding:chunked", OUTCOME_MALFORMED,
         "exclude each other"},
        {"HTTP/1.1", "Host:x\nTransfer-Encoding:chunked\nTransfer-Encoding:chunked",
         OUTCOME_MALFORMED, "more than one Transfer-Encoding"},
        {"HTTP/1.1", "Host:x\nTransfer-Encoding:gzip, chunked", OUTCOME_MALFORMED,
         "only Transfer-Encoding is chunked"},
        {"HTTP/1.1", "Host:x\nTransfer-Encoding:identity", OUTCOME_MALFORMED,
         "only Transfer-Encoding is chunked"},
        {"HTTP/1.1", "Host:x\nContent-Length:", OUTCOME_MALFORMED, "not a plain number"},
        {"HTTP/1.1", "Host:x\nContent-Length:+1", OUTCOME_MALFORMED, "not a plain number"},
        {"HTTP/1.1", "Host:x\nContent-Length:-1", OUTCOME_MALFORMED, "not a plain number"},
        {"HTTP/1.1", "Host:x\nContent-Length:1, 1", OUTCOME_MALFORMED, "not a plain number"},
        {"HTTP/1.1", "Host:x\nContent-Length:0x1", OUTCOME_MALFORMED, "not a plain number"},
        {"HTTP/1.1", "Host:x\nContent-Length:99999999999999999999", OUTCOME_MALFORMED,
         "not a plain number"},
        {"HTTP/1.1", "Host:x\nContent-Type:a/b\ncontent-type:a/b", OUTCOME_MALFORMED,
         "more than one Content-Type"},
        {"HTTP/1.1", "Host:x\nContent-Encoding:gzip", OUTCOME_MEDIA_TYPE, "Content-Encoding"},
        {"HTTP/1.1", "Host:x\nContent-Length:1001", OUTCOME_TOO_LARGE, "over the limit"},
        {"HTTP/1.1", "Host:x\nQseal-Signature-Scheme:a\nqseal-signature-scheme:a",
         OUTCOME_MALFORMED, "more than one Qseal-Signature-Scheme"},
        {"HTTP/1.1", "Host:x\nQseal-Signature-Scheme:a\tb", OUTCOME_MALFORMED,
         "not the name of a SignatureScheme"},
        {"HTTP/1.1", "Host:x\nQseal-Signature-Scheme:\xc3\xa4", OUTCOME_MALFORMED,
         "not the name of a SignatureScheme"},
        {"HTTP/1.1",
         "Host:x\nQseal-Signature-Scheme:"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         OUTCOME_MALFORMED, "not the name of a SignatureScheme"},
        {"HTTP/1.1",
         "Host:x\nQseal-Key:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs\n"
         "Qseal-Key:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
         OUTCOME_MALFORMED, "more than one Qseal-Key"},
        {"HTTP/1.1", "Host:x\nQseal-Key:", OUTCOME_MALFORMED, "not an RFC 7638 thumbprint"},
        {"HTTP/1.1", "Host:x\nQseal-Key:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X",
         OUTCOME_MALFORMED, "not an RFC 7638 thumbprint"},
        {"HTTP/1.1", "Host:x\nQseal-Key:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X=",
         OUTCOME_MALFORMED, "not an RFC 7638 thumbprint"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *detail;
        assert_int_equal(judge(rows[i].version, rows[i].fields, &detail), rows[i].outcome);
        assert_non_null(strstr(detail, rows[i].detail));
    }
}

static void test_long_content_type(void **state)
{
    (void)state;
    char fields[256];
    const char *detail;
    (void)snprintf(fields, sizeof fields, "Host:x\nContent-Type:%0127d", 0);
    assert_int_equal(judge("HTTP/1.1", fields, &detail), OUTCOME_OK);
    (void)snprintf(fields, sizeof fields, "Host:x\nContent-Type:%0128d", 0);
    assert_int_equal(judge("HTTP/1.1", fields, &detail), OUTCOME_MALFORMED);
    assert_non_null(strstr(detail, "over 127 bytes"));
}

static void test_has_body(void **state)
{
    (void)state;
    struct head head = {0};
    assert_false(head_has_body(&head));
    head_field(&head, span_of_text("Content-Length"), span_of_text("0"));
    assert_false(head_has_body(&head));
    struct head chunked = {0};
    head_field(&chunked, span_of_text("Transfer-Encoding"), span_of_text("chunked"));
    assert_true(head_has_body(&chunked));
    struct head sized = {0};
    head_field(&sized, span_of_text("Content-Length"), span_of_text("3"));
    assert_true(head_has_body(&sized));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_heads),
        cmocka_unit_test(test_refused_heads),
        cmocka_unit_test(test_long_content_type),
        cmocka_unit_test(test_has_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
