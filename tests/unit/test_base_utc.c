/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utc.h"
#include "check.h"

static void times_become_text(void **state)
{
    (void)state;
    char text[UTC_SIZE];
    assert_string_equal(utc_text(0, text), "1970-01-01T00:00:00Z");
    assert_string_equal(utc_text(1792575000, text), "2026-10-21T09:30:00Z");
    assert_string_equal(utc_text(253402300799, text), "9999-12-31T23:59:59Z");
}

static void a_year_of_five_digits_has_no_text(void **state)
{
    (void)state;
    char text[UTC_SIZE];
    assert_string_equal(utc_text(253402300800, text), "");
    assert_string_equal(utc_text(INT64_MAX, text), "");
}

static void text_becomes_a_time(void **state)
{
    (void)state;
    int64_t at = -1;
    assert_true(utc_read(span_of_text("2026-10-21T09:30:00Z"), &at));
    assert_int_equal(at, 1792575000);
    assert_true(utc_read(span_of_text("2028-02-29T00:00:00Z"), &at));
}

static void other_forms_and_times_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "2026-10-21",
        "2026-10-21T09:30:00",
        "2026-10-21T09:30:00+",
        "2026-10-21 09:30:00Z",
        "2026-10-21T09:30:00z",
        "2026-02-30T00:00:00Z",
        "2026-10-21T24:30:00Z",
        "2026-10-21T09:30:60Z",
        "2026-1-21T009:30:00Z",
        "2026-10-21T09:30:00ZZ",
        "2026-00-21T09:30:00Z",
        "2026-13-21T09:30:00Z",
        "2026-10-00T09:30:00Z",
        "2026-10-32T09:30:00Z",
        "2026-11-31T09:30:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-10-21T09:60:00Z",
        "2026-10-21T0a:30:00Z",
        "2026-10-21T-1:30:00Z",
        "2026-10-21T09:30: 0Z",
        "+026-10-21T09:30:00Z",
        "0999-12-31T23:59:59Z", /* has no text, see utc_text() */
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        int64_t at;
        assert_false(utc_read(span_of_text(wrong[i]), &at));
    }
}

/* A moment of every day from the first year with four digits to the last. */
static void what_is_written_is_read(void **state)
{
    (void)state;
    enum { STEP = 86400 + 3607 };
    static const int64_t first = INT64_C(-30610224000); /* 1000-01-01 */
    static const int64_t last = INT64_C(253402300799);
    for (int64_t at = first; at <= last; at += STEP) {
        char text[UTC_SIZE];
        int64_t got = 0;
        assert_true(utc_read(span_of_text(utc_text(at, text)), &got));
        assert_int_equal(got, at);
    }
}

static void times_count_from_now_on(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t at;
    } rows[] = {
        {"+0s", 1000},   {"+90s", 1090},
        {"+15m", 1900},  {"+12h", 44200},
        {"+3d", 260200}, {"+999999999s", 1000000999},
        {"+007s", 1007}, {"1970-01-01T00:00:09Z", 9},
    };
    static const char *const wrong[] = {"",
                                        "+",
                                        "+s",
                                        "s",
                                        "+1",
                                        "90s",
                                        "-90s",
                                        "+-1s",
                                        "+ 1s",
                                        "+1 s",
                                        "+1w",
                                        "+1S",
                                        "+1s ",
                                        "+1.s",
                                        "+0x1s",
                                        "+1000000000s",
                                        "+1970-01-01T00:00:09Z"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t at = -1;
        assert_true(utc_read_from(span_of_text(rows[i].text), 1000, &at));
        assert_int_equal(at, rows[i].at);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        int64_t at;
        assert_false(utc_read_from(span_of_text(wrong[i]), 1000, &at));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_become_text),
        cmocka_unit_test(a_year_of_five_digits_has_no_text),
        cmocka_unit_test(text_becomes_a_time),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(other_forms_and_times_that_do_not_exist_are_refused),
        cmocka_unit_test(times_count_from_now_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
