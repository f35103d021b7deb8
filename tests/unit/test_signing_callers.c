/* SPDX-License-Identifier: Apache-2.0
 * Connection numbers and limits per uid. */
#include "signing/callers.h"

#include "base/clock.h"
#include "check.h"

#include <poll.h>

enum { PATIENCE_MS = 10000 };

static const struct caller flow = {.uid = 1001, .gid = 1001, .pid = 7};
static const struct caller other = {.uid = 1002, .gid = 1002, .pid = 8};

static struct config_caller limits_of(uid_t uid)
{
    static char name[] = "flow";
    return (struct config_caller){
        .name = name, .uid = uid, .burst = 1, .in_flight = 2, .connections = 2};
}

static void a_number_stands_for_its_caller_until_it_is_closed(void **state)
{
    (void)state;
    struct callers *callers = callers_new(4);
    struct config_caller limits = limits_of(flow.uid);
    struct reason why = {0};
    struct caller found;
    uint64_t number = 0;
    assert_done(callers_connect(callers, &flow, &limits, &number, &why), why);
    assert_true(number != 0);
    assert_true(callers_find(callers, number, &found));
    assert_int_equal(found.uid, flow.uid);
    assert_int_equal(found.pid, flow.pid);
    callers_disconnect(callers, number);
    assert_false(callers_find(callers, number, &found));
    callers_disconnect(callers, number);
    assert_int_equal(callers_connected(callers), 0);
    callers_free(callers);
}

static void an_old_number_never_means_a_new_caller(void **state)
{
    (void)state;
    struct callers *callers = callers_new(1);
    struct config_caller limits = limits_of(flow.uid);
    struct config_caller others = limits_of(other.uid);
    struct reason why = {0};
    struct caller found;
    uint64_t first = 0;
    uint64_t second = 0;
    assert_done(callers_connect(callers, &flow, &limits, &first, &why), why);
    callers_disconnect(callers, first);
    assert_done(callers_connect(callers, &other, &others, &second, &why), why);
    assert_true(first != second);
    assert_false(callers_find(callers, first, &found));
    assert_false(callers_find(callers, second + 1, &found));
    assert_false(callers_find(callers, 0, &found));
    assert_false(callers_find(callers, UINT64_MAX, &found));
    callers_free(callers);
}

static void connections_are_limited_per_uid_and_in_all(void **state)
{
    (void)state;
    struct callers *callers = callers_new(3);
    struct config_caller limits = limits_of(flow.uid);
    struct config_caller others = limits_of(other.uid);
    struct reason why = {0};
    uint64_t numbers[3];
    uint64_t number = 0;
    assert_done(callers_connect(callers, &flow, &limits, &numbers[0], &why), why);
    assert_done(callers_connect(callers, &flow, &limits, &numbers[1], &why), why);
    assert_refused(callers_connect(callers, &flow, &limits, &number, &why), OUTCOME_LIMIT, why,
                   "uid 1001 already has 2 connections");
    assert_done(callers_connect(callers, &other, &others, &numbers[2], &why), why);
    assert_refused(callers_connect(callers, &other, &others, &number, &why), OUTCOME_LIMIT, why,
                   "all 3 connections are in use");
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        callers_disconnect(callers, numbers[i]);
    }
    assert_int_equal(callers_connected(callers), 0);
    assert_done(callers_connect(callers, &flow, &limits, &number, &why), why);
    callers_free(callers);
}

static void a_stranger_gets_few_connections(void **state)
{
    (void)state;
    struct callers *callers = callers_new(100);
    struct reason why = {0};
    uint64_t number = 0;
    for (int i = 0; i < 4; i++) {
        assert_done(callers_connect(callers, &other, NULL, &number, &why), why);
    }
    assert_refused(callers_connect(callers, &other, NULL, &number, &why), OUTCOME_LIMIT, why,
                   "already has 4 connections");
    callers_free(callers);
}

static void strangers_share_few_connections_and_leave_no_trace(void **state)
{
    (void)state;
    struct callers *callers = callers_new(100);
    struct config_caller limits = limits_of(flow.uid);
    struct reason why = {0};
    struct caller_use rows[64];
    uint64_t numbers[16];
    uint64_t number = 0;
    for (uid_t i = 0; i < COUNT_OF(numbers); i++) {
        struct caller stranger = {.uid = 5000 + i};
        assert_done(callers_connect(callers, &stranger, NULL, &numbers[i], &why), why);
    }
    struct caller late = {.uid = 6000};
    assert_refused(callers_connect(callers, &late, NULL, &number, &why), OUTCOME_LIMIT, why,
                   "no callers already have 16 connections");
    assert_done(callers_connect(callers, &flow, &limits, &number, &why), why);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        callers_disconnect(callers, numbers[i]);
    }
    for (uid_t i = 0; i < 1000; i++) {
        struct caller stranger = {.uid = 7000 + i};
        assert_done(callers_connect(callers, &stranger, NULL, &number, &why), why);
        callers_disconnect(callers, number);
    }
    assert_true(callers_list(callers, rows, COUNT_OF(rows)) <= 18);
    callers_free(callers);
}

static void requests_in_flight_are_limited(void **state)
{
    (void)state;
    struct callers *callers = callers_new(4);
    struct config_caller limits = limits_of(flow.uid);
    struct config_caller others = limits_of(other.uid);
    struct reason why = {0};
    assert_done(callers_enter(callers, &limits, &why), why);
    assert_done(callers_enter(callers, &limits, &why), why);
    assert_refused(callers_enter(callers, &limits, &why), OUTCOME_LIMIT, why,
                   "already has 2 requests in flight");
    assert_done(callers_enter(callers, &others, &why), why);
    assert_int_equal(callers_in_flight(callers), 3);
    callers_leave(callers, flow.uid, true, false);
    assert_done(callers_enter(callers, &limits, &why), why);
    callers_leave(callers, flow.uid, false, true);
    callers_leave(callers, flow.uid, true, false);
    callers_leave(callers, other.uid, true, false);
    assert_int_equal(callers_in_flight(callers), 0);

    struct caller_use rows[4];
    assert_int_equal(callers_list(callers, rows, COUNT_OF(rows)), 2);
    assert_int_equal(rows[0].uid, flow.uid);
    assert_int_equal(rows[0].signed_count, 2);
    assert_int_equal(rows[0].refused, 2);
    callers_free(callers);
}

static void the_rate_is_limited_and_comes_back_with_time(void **state)
{
    (void)state;
    struct callers *callers = callers_new(4);
    struct config_caller limits = limits_of(flow.uid);
    struct reason why = {0};
    limits.in_flight = 1000;
    limits.rate = 1;
    limits.burst = 3;
    for (int i = 0; i < 3; i++) {
        assert_done(callers_enter(callers, &limits, &why), why);
    }
    assert_refused(callers_enter(callers, &limits, &why), OUTCOME_LIMIT, why,
                   "over its rate of 1 requests per second");
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    enum outcome outcome = OUTCOME_LIMIT;
    while (outcome == OUTCOME_LIMIT && !deadline_passed(end)) {
        (void)poll(NULL, 0, 1);
        outcome = callers_enter(callers, &limits, &why);
    }
    assert_int_equal(outcome, OUTCOME_OK);
    callers_free(callers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_stands_for_its_caller_until_it_is_closed),
        cmocka_unit_test(an_old_number_never_means_a_new_caller),
        cmocka_unit_test(connections_are_limited_per_uid_and_in_all),
        cmocka_unit_test(a_stranger_gets_few_connections),
        cmocka_unit_test(strangers_share_few_connections_and_leave_no_trace),
        cmocka_unit_test(requests_in_flight_are_limited),
        cmocka_unit_test(the_rate_is_limited_and_comes_back_with_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
