/* SPDX-License-Identifier: Apache-2.0
 * Patterns: anchored, and refused when they could be expensive. */
#include "policy_support.h"

#include "policy/pattern.h"

static void check_match(const char *pattern_as_text, const char *text, bool wanted)
{
    struct pattern *pattern = NULL;
    const char *wrong = pattern_compile(pattern_as_text, &pattern);
    if (wrong != NULL) {
        fail_msg("%s: %s", pattern_as_text, wrong);
    }
    assert_string_equal(pattern_text(pattern), pattern_as_text);
    if (pattern_matches(pattern, text) != wanted) {
        fail_msg("%s against %s", pattern_as_text, text);
    }
    pattern_free(pattern);
}

static void test_the_whole_text_matches_or_none(void **state)
{
    (void)state;
    check_match("a", "a", true);
    check_match("a", "ab", false);
    check_match("a", "ba", false);
    check_match("a|b", "b", true);
    check_match("a|b", "bx", false);
    check_match("a", "a\n", false);
    check_match("[a-c]{2,3}", "abc", true);
    check_match("[a-c]{2,3}", "abca", false);
    check_match("[a-c]{2,}", "abca", true);
    check_match("([a-c]+d)+", "abdcd", true);
    check_match("https://[!\"$->@-~]+", "https://a.example/b", true);
    check_match("https://[!\"$->@-~]+", "https://a.example/b?c", false);
    check_match("https://[!\"$->@-~]+", "https://a.example/b\nc", false);
    check_match("a\\.b", "a.b", true);
    check_match("a\\.b", "axb", false);
}

/* "[…]+" takes a table instead of the matcher: the same answers. */
static void test_sets(void **state)
{
    (void)state;
    check_match("[A-Za-z0-9_-]+", "aZ09_-", true);
    check_match("[A-Za-z0-9_-]+", "", false);
    check_match("[A-Za-z0-9_-]+", "a.b", false);
    check_match("[A-Za-z0-9_-]+", "a ", false);
    check_match("[!-~]+", "!~", true);
    check_match("[!-~]+", "a\xc3\xa4", false);
    check_match("[0-9]+", "12", true);
    check_match("[0-9]+", "1a", false);
    check_match("[a]+[b]", "ab", true);
    check_match("[a]+[b]", "a", false);
}

static void check_refused(const char *text, const char *wanted)
{
    struct pattern *pattern = NULL;
    const char *wrong = pattern_compile(text, &pattern);
    assert_null(pattern);
    if (wrong == NULL || strstr(wrong, wanted) == NULL) {
        fail_msg("%s: got \"%s\", want \"%s\"", text, wrong == NULL ? "no refusal" : wrong, wanted);
    }
}

static void test_expensive_ones_are_refused(void **state)
{
    (void)state;
    check_refused("(a)\\1", "no back-references");
    check_refused("\\w", "no back-references");
    check_refused("a\\", "no back-references");
    check_refused("a{4097}", "count is too large");
    check_refused("((a{100}){100}){100}", "expand to too much");
    check_refused("a{2000}b{2000}c{2000}", "expand to too much");
    /* The matcher's "a+" is "aa*", its "a{2,}" is "aaa*". */
    check_refused("(((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+", "expand to too much");
    check_refused("((((((((a{2,}){2,}){2,}){2,}){2,}){2,}){2,}){2,}", "expand to too much");
    check_refused("a++", "behind a repetition");
    check_refused("a+?", "behind a repetition");
    check_refused("a{1,2}{3}", "behind a repetition");
    check_refused("(((((((((((((((((a)))))))))))))))))", "nested too deeply");
    char text[300];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    check_refused(text, "longer than 256");
}

static void test_broken_ones_are_refused(void **state)
{
    (void)state;
    check_refused("(a", "a group is not closed");
    check_refused("a)", "closed that was not opened");
    check_refused("[a", "a bracket is not closed");
    check_refused("*a", "behind nothing");
    check_refused("a{x}", "is not a number");
    check_refused("a{1", "is not a number");
    check_refused("[[.a.]]", "unknown to JSON Schema");
    check_refused("[[:digit:]]+", "unknown to JSON Schema");
    check_refused("[[=a=]]", "unknown to JSON Schema");
    check_refused("[]a]", "a bracket holds nothing");
    check_refused("[^]a]", "a bracket holds nothing");
    check_refused("[\\d]", "no backslash");
    check_refused("[z-a]", "not a POSIX");
    check_refused("a{3,2}", "not a POSIX");
    check_refused("\xc3\xa4", "printable ASCII");
}

static void test_free_accepts_null(void **state)
{
    (void)state;
    pattern_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_whole_text_matches_or_none),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_expensive_ones_are_refused),
        cmocka_unit_test(test_broken_ones_are_refused),
        cmocka_unit_test(test_free_accepts_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
