/* SPDX-License-Identifier: Apache-2.0
 * What certificates, tokens and reasons may not do to a terminal. */
#include "ctl/printable.h"

#include "check.h"
#include "jose/json.h"

static void expect(const char *text, const char *want)
{
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(1000);
    printable_put(&out, text);
    assert_string_equal(buffer_text(&out), want);
}

static void what_steers_is_shown(void **state)
{
    (void)state;
    expect("", "");
    expect("Müller Oy €😀 ελ", "Müller Oy €😀 ελ");
    expect("a\033[31mred\nb\r\tc\x7f", "a<U+001B>[31mred<U+000A>b<U+000D><U+0009>c<U+007F>");
    expect("\xc2\x9b"
           "31m",
           "<U+009B>31m"); /* CSI in one character */
    expect("a\xe2\x80\xae"
           "b\xe2\x81\xa6"
           "c\xe2\x80\xa8",
           "a<U+202E>b<U+2066>c<U+2028>");
    expect("a\xe2\x80\x8b"
           "b\xef\xbb\xbf"
           "c\xf3\xa0\x81\x81",
           "a<U+200B>b<U+FEFF>c<U+E0041>");
}

/* RFC 3629 §3 and §10: overlong forms, surrogates, what is cut off, and beyond the last one. */
static void what_is_no_utf8_is_a_question_mark(void **state)
{
    (void)state;
    expect("\xff", "?");
    expect("a\x80z", "a?z");
    expect("\xc0\x8a", "??");
    expect("\xe0\x80\x8a", "???");
    expect("\xed\xa0\x80", "???");
    expect("\xf4\x90\x80\x80", "????");
    expect("\xe2\x82", "??");
    expect("\xc3", "?");
}

static void all_strings_of_an_answer_are_made_so(void **state)
{
    (void)state;
    JSON_CLEANUP json_t *value =
        json_pack("{s:s, s:[{s:s}, s, i], s:s, s:{s:s}}", "subject", "CN=\033]0;x\a\n", "list",
                  "reason", "a\nb", "\r", 7, "pem", "a\n\033b\r\n", "inner", "pem", "\n");
    assert_non_null(value);
    assert_true(printable_make(value));
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(1000);
    json_put(&out, value);
    assert_string_equal(buffer_text(&out),
                        "{\"subject\":\"CN=<U+001B>]0;x<U+0007><U+000A>\","
                        "\"list\":[{\"reason\":\"a<U+000A>b\"},\"<U+000D>\",7],"
                        "\"pem\":\"a\\n<U+001B>b<U+000D>\\n\",\"inner\":{\"pem\":\"\\n\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_steers_is_shown),
        cmocka_unit_test(what_is_no_utf8_is_a_question_mark),
        cmocka_unit_test(all_strings_of_an_answer_are_made_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
