/* SPDX-License-Identifier: Apache-2.0
 * What stands where on the timeline, and in which words. How it looks is in
 * tests/vectors/timeline. */
#include "ctl/timeline.h"

#include "check.h"
#include "jose/json.h"

#include <stdlib.h>

static json_t *parse(const char *text)
{
    json_t *json = NULL;
    struct reason why = {0};
    assert_done(json_parse_object(span_of_text(text), &json, &why), why);
    return json;
}

#define TIMES "\"now\":\"2026-11-21T09:30:00Z\",\"from\":\"2026-11-20T00:00:00Z\","
#define UNTIL "\"until\":\"2026-11-30T00:00:00Z\","

static const char two_keys[] =
    "{" TIMES UNTIL "\"keys\":["
    "{\"role\":\"seal\",\"token\":\"b\",\"kid\":\"K2\",\"purpose\":\"seal\",\"state\":"
    "\"published\","
    "\"spans\":[{\"state\":\"active\",\"from\":\"2026-11-22T00:00:00Z\",\"until\":null,"
    "\"planned\":true},{\"state\":\"published\",\"from\":\"2026-11-20T12:00:00Z\","
    "\"until\":\"2026-11-22T00:00:00Z\",\"planned\":false}],"
    "\"certificate\":{\"subject\":\"CN=x\",\"not_before\":\"2026-11-20T00:00:00Z\","
    "\"not_after\":\"2026-11-29T00:00:00Z\"},\"overdue\":\"late\"},"
    "{\"role\":\"seal\",\"token\":\"a\",\"kid\":\"K1\",\"purpose\":\"seal\",\"state\":\"active\","
    "\"spans\":[{\"state\":\"active\",\"from\":\"2026-11-01T00:00:00Z\",\"until\":null,"
    "\"planned\":false}]}]}";

static void an_answer_is_put_into_order(void **state)
{
    (void)state;
    JSON_CLEANUP json_t *answer = parse(two_keys);
    TIMELINE_CLEANUP struct timeline *timeline = NULL;
    struct reason why = {0};
    assert_done(timeline_read(answer, &timeline, &why), why);
    assert_int_equal(timeline->n_keys, 2);
    const struct timeline_key *first = &timeline->keys[0];
    const struct timeline_key *second = &timeline->keys[1];
    assert_string_equal(first->kid, "K1");
    assert_true(first->heads_role && !second->heads_role);
    assert_null(first->subject);
    assert_true(first->spans[0].is_open);
    assert_int_equal(first->spans[0].until, timeline->until);
    assert_int_equal(second->spans[0].state, KEY_PUBLISHED);
    assert_int_equal(second->spans[1].state, KEY_ACTIVE);
    assert_true(second->spans[1].planned);
    assert_string_equal(second->overdue, "late");
    assert_int_equal(timeline_states(timeline), 1U << KEY_PUBLISHED | 1U << KEY_ACTIVE);
}

static void changes_ahead_are_in_order(void **state)
{
    (void)state;
    JSON_CLEANUP json_t *answer = parse(two_keys);
    TIMELINE_CLEANUP struct timeline *timeline = NULL;
    struct reason why = {0};
    size_t n = 0;
    assert_done(timeline_read(answer, &timeline, &why), why);
    struct timeline_change *changes CLEANUP(timeline_changes_free) = timeline_changes(timeline, &n);
    assert_int_equal(n, 2);
    assert_string_equal(timeline_change_words(&changes[0]), "becomes active");
    assert_string_equal(timeline_change_words(&changes[1]), "reaches the end of its certificate");
    assert_string_equal(changes[1].key->kid, "K2");
    timeline->keys[1].state = KEY_DESTROYED; /* its certificate is of no interest then */
    free(changes);
    changes = timeline_changes(timeline, &n);
    assert_int_equal(n, 1);
}

/* A first key is made, shown and used in one second; and what is due now is still ahead. */
static void states_of_one_second_keep_their_order(void **state)
{
    (void)state;
    static const char text[] =
        "{" TIMES UNTIL
        "\"keys\":[{\"role\":\"r\",\"token\":\"t\",\"kid\":\"k\",\"state\":\"active\","
        "\"spans\":[{\"state\":\"active\",\"from\":\"2026-11-22T00:00:00Z\",\"until\":null},"
        "{\"state\":\"generated\",\"from\":\"2026-11-22T00:00:00Z\","
        "\"until\":\"2026-11-22T00:00:00Z\"},"
        "{\"state\":\"published\",\"from\":\"2026-11-21T09:30:00Z\",\"planned\":true,"
        "\"until\":\"2026-11-22T00:00:00Z\"}]}]}";
    JSON_CLEANUP json_t *answer = parse(text);
    TIMELINE_CLEANUP struct timeline *timeline = NULL;
    struct reason why = {0};
    size_t n = 0;
    assert_done(timeline_read(answer, &timeline, &why), why);
    assert_int_equal(timeline->keys[0].spans[1].state, KEY_GENERATED);
    assert_int_equal(timeline->keys[0].spans[2].state, KEY_ACTIVE);
    struct timeline_change *changes CLEANUP(timeline_changes_free) = timeline_changes(timeline, &n);
    assert_int_equal(n, 3);
    assert_int_equal(changes[0].to, KEY_PUBLISHED);
    assert_int_equal(changes[1].to, KEY_GENERATED);
    assert_int_equal(changes[2].to, KEY_ACTIVE);
}

static void another_form_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "{" TIMES "\"keys\":[]}",
        "{" TIMES UNTIL "\"keys\":{}}",
        "{" TIMES "\"until\":\"2026-11-20T00:00:00Z\",\"keys\":[]}",
        "{" TIMES "\"until\":\"2026-11-31T00:00:00Z\",\"keys\":[]}",
        "{" TIMES UNTIL "\"keys\":[{\"state\":\"young\",\"spans\":[]}]}",
        "{" TIMES UNTIL "\"keys\":[{\"state\":\"active\"}]}",
        "{" TIMES UNTIL "\"keys\":[{\"state\":\"active\",\"spans\":[{\"state\":\"active\"}]}]}",
        "{" TIMES UNTIL "\"keys\":[{\"state\":\"active\",\"spans\":[],\"certificate\":{}}]}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        JSON_CLEANUP json_t *answer = parse(texts[i]);
        struct timeline *timeline = NULL;
        struct reason why = {0};
        assert_refused(timeline_read(answer, &timeline, &why), OUTCOME_INTERNAL, why,
                       "qseald answered in an unknown form");
        assert_null(timeline);
    }
}

static void times_have_their_places(void **state)
{
    (void)state;
    const struct timeline timeline = {.from = 1000, .until = 2000};
    assert_int_equal(timeline_place(&timeline, INT64_MIN, 100), 0);
    assert_int_equal(timeline_place(&timeline, 1000, 100), 0);
    assert_int_equal(timeline_place(&timeline, 1009, 100), 0);
    assert_int_equal(timeline_place(&timeline, 1010, 100), 1);
    assert_int_equal(timeline_place(&timeline, 1999, 100), 99);
    assert_int_equal(timeline_place(&timeline, INT64_MAX, 100), 100);
}

static void expect_ticks(int64_t from, int64_t length, size_t most, const char *want)
{
    struct timeline timeline = {.from = from, .until = from + length};
    struct timeline_tick ticks[TIMELINE_TICKS_MAX];
    char got[400] = "";
    size_t n = timeline_ticks(&timeline, most, ticks);
    assert_true(n <= most);
    for (size_t i = 0; i < n; i++) {
        assert_true(ticks[i].at >= from && ticks[i].at <= from + length);
        (void)strcat(got, i == 0 ? "" : ",");
        (void)strcat(got, ticks[i].label);
    }
    assert_string_equal(got, want);
}

static void the_axis_has_round_dates(void **state)
{
    (void)state;
    enum { START = 1795253400 /* 2026-11-21T09:30:00Z, a Saturday */, DAY = 86400 };
    expect_ticks(START, 4 * 60, 5, "09:30,09:31,09:32,09:33,09:34");
    expect_ticks(START, 3600, 5, "09:30,09:45,10:00,10:15,10:30");
    expect_ticks(START, DAY, 5, "12:00,18:00,22 Nov,06:00");
    expect_ticks(START, 4 * DAY, 5, "22 Nov,23 Nov,24 Nov,25 Nov");
    expect_ticks(START, 30 * DAY, 6, "23 Nov,30 Nov,7 Dec,14 Dec,21 Dec");
    expect_ticks(START, 120 * DAY, 5, "Dec,2027,Feb,Mar");
    expect_ticks(START, 700 * DAY, 6, "2027,Jul,2028,Jul");
    expect_ticks(START, 3650 * (int64_t)DAY, 6, "2028,2030,2032,2034,2036");
    expect_ticks(START, 365000 * (int64_t)DAY, 12,
                 "2100,2200,2300,2400,2500,2600,2700,2800,2900,3000");
    expect_ticks(START, DAY, 0, "");
}

static void times_are_said_in_words(void **state)
{
    (void)state;
    char out[TIMELINE_WORDS_SIZE];
    char range[TIMELINE_RANGE_SIZE];
    const struct timeline day = {.from = 1795253400, .until = 1795253400 + 86400};
    const struct timeline year = {.from = 1795253400, .until = 1795253400 + 365 * 86400};
    assert_string_equal(timeline_when(1795253400, out), "21 Nov 2026 09:30");
    assert_string_equal(timeline_day(1795253400, out), "21 Nov 2026");
    assert_string_equal(timeline_range(&day, range),
                        "Keys from 21 Nov 2026 09:30 to 22 Nov 2026 09:30");
    assert_string_equal(timeline_range(&year, range), "Keys from 21 Nov 2026 to 21 Nov 2027");
    static const struct {
        int64_t seconds;
        const char *want;
    } rows[] = {{0, "now"},
                {1, "in 1 second"},
                {60, "in 1 minute"},
                {7199, "in 119 minutes"},
                {7200, "in 2 hours"},
                {2 * 86400, "in 2 days"},
                {700 * 86400, "in 700 days"},
                {800 * 86400, "in 2 years"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(timeline_distance(rows[i].seconds, out), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_put_into_order),
        cmocka_unit_test(changes_ahead_are_in_order),
        cmocka_unit_test(states_of_one_second_keep_their_order),
        cmocka_unit_test(another_form_is_refused),
        cmocka_unit_test(times_have_their_places),
        cmocka_unit_test(the_axis_has_round_dates),
        cmocka_unit_test(times_are_said_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
