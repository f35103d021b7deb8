/* SPDX-License-Identifier: Apache-2.0
 * Records as lines: what is written is read, and nothing else is. */
#include "audit/line.h"
#include "check.h"

#define ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define HEAD                                                                                       \
    "{\"seq\":1,\"prev\":\"" ZERO "\",\"time\":\"2026-11-21T19:07:46.123456Z\",\"kind\":\"sign\""

static void what_is_written_is_read(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(AUDIT_LINE_MAX);
    char prev[AUDIT_HASH_SIZE];
    assert_true(sha256_text(span_of_text("abc\n"), prev));
    audit_line_begin(&text, 42, prev, 1795288066000007, "done");
    buffer_put_text(&text, ",\"of\":41}\n");
    struct audit_line line;
    assert_null(audit_line_read(buffer_span(&text), &line));
    assert_int_equal(line.seq, 42);
    assert_true(span_is_text(line.prev, prev));
    assert_int_equal(line.time_us, 1795288066000007);
    assert_true(span_is_text(line.kind, "done"));
    assert_true(span_is_text(line.rest, ",\"of\":41"));
}

/* As a shell computes it: openssl dgst -sha256 over the line with its LF. */
static void the_hash_is_over_the_line_with_its_end(void **state)
{
    (void)state;
    char hash[AUDIT_HASH_SIZE];
    assert_true(sha256_text(span_of_text("abc\n"), hash));
    assert_string_equal(hash, "7eqv8_F3StKIhnN3DG1kCX45G8Ni19b7NJgt3w79GMs");
}

static void what_is_not_a_record_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"", "no line end"},
        {HEAD "}", "no line end"},
        {"{\"sequ\":1}\n", "no seq"},
        {"{\"seq\":01,\"prev\":\"" ZERO "\"}\n", "no seq"},
        {"{\"seq\":0,\"prev\":\"" ZERO "\"}\n", "no seq"},
        {"{\"seq\":9999999999999999999,\"prev\":\"" ZERO "\"}\n", "no seq"},
        {"{ \"seq\":1}\n", "no seq"},
        {"{\"seq\":1,\"prev\":\"AAAA\"}\n", "no time"},
        {"{\"seq\":1}\n", "no prev"},
        {"{\"seq\":1,\"prev\":\"" ZERO "\",\"time\":\"2026-11-21T19:07:46Z\"}\n", "no time"},
        {"{\"seq\":1,\"prev\":\"" ZERO
         "\",\"time\":\"2026-13-21T19:07:46.123456Z\",\"kind\":\"x\"}\n",
         "no time"},
        {"{\"seq\":1,\"prev\":\"" ZERO
         "\",\"time\":\"2026-11-21T19:07:46.12345xZ\",\"kind\":\"x\"}\n",
         "no time"},
        {"{\"seq\":1,\"prev\":\"" ZERO
         "\",\"time\":\"2026-11-21T19:07:46.123456Z\",\"kind\":\"\"}\n",
         "no kind"},
        {HEAD "\n", "no end"},
        {HEAD ",\"a\":\"\t\"}\n", "a character that records do not have"},
        {HEAD ",\"a\":\"\x80\"}\n", "a character that records do not have"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct audit_line line;
        assert_string_equal(audit_line_read(span_of_text(rows[i].text), &line), rows[i].why);
    }
    static uint8_t long_one[AUDIT_LINE_MAX + 1];
    struct audit_line line;
    assert_string_equal(audit_line_read(span_of(long_one, sizeof long_one), &line),
                        "longer than a record");
}

static void members_are_found_at_the_top_only(void **state)
{
    (void)state;
    struct audit_line line;
    struct span text;
    uint64_t number;
    assert_null(audit_line_read(
        span_of_text(HEAD ",\"of\":7,\"x\":{\"kid\":\"no\",\"y\":[\"}\",{}]},\"detail\":\"a \\\" "
                          "\\\\\",\"kid\":\"yes\",\"neg\":-1,\"f\":1.5}\n"),
        &line));
    assert_true(audit_line_number(&line, "of", &number));
    assert_int_equal(number, 7);
    assert_true(audit_line_text(&line, "kid", &text));
    assert_true(span_is_text(text, "yes"));
    assert_true(audit_line_text(&line, "detail", &text));
    assert_true(span_is_text(text, "a \\\" \\\\"));
    assert_false(audit_line_text(&line, "y", &text));
    assert_false(audit_line_text(&line, "of", &text));
    assert_false(audit_line_text(&line, "x", &text));
    assert_true(audit_line_value(&line, "x", &text));
    assert_true(span_is_text(text, "{\"kid\":\"no\",\"y\":[\"}\",{}]}"));
    assert_true(audit_line_value(&line, "neg", &text));
    assert_true(span_is_text(text, "-1"));
    assert_false(audit_line_value(&line, "y", &text));
    assert_false(audit_line_number(&line, "kid", &number));
    assert_false(audit_line_number(&line, "neg", &number));
    assert_false(audit_line_number(&line, "f", &number));
    assert_false(audit_line_text(&line, "seq", &text));
}

/* A hostile line must not be read past its end. */
static void members_of_broken_text_are_not_found(void **state)
{
    (void)state;
    static const char *const rests[] = {
        ",\"a", ",\"a\"", ",\"a\":",       ",\"a\":\"", ",\"a\":\"\\", ",\"b\":{,\"a\":1",
        ",",    "x",      ",\"b\":\"\\\"}"};
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        struct audit_line line = {.rest = span_of_text(rests[i])};
        struct span text;
        uint64_t number;
        assert_false(audit_line_text(&line, "a", &text));
        assert_false(audit_line_number(&line, "a", &number));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_hash_is_over_the_line_with_its_end),
        cmocka_unit_test(what_is_not_a_record_is_refused),
        cmocka_unit_test(members_are_found_at_the_top_only),
        cmocka_unit_test(members_of_broken_text_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
