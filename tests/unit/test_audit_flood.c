/* SPDX-License-Identifier: Apache-2.0
 * Counting refusals: whatever comes, each is a record of its own or in one count, once. */
#include "audit/flood.h"

#include "check.h"

#include <stdio.h>

static struct flood_kind kind_of(uid_t uid, const char *operation, enum outcome outcome)
{
    struct flood_kind kind = {.caller = {.uid = uid, .gid = 1, .pid = 2}, .outcome = outcome};
    (void)snprintf(kind.operation, sizeof kind.operation, "%s", operation);
    (void)snprintf(kind.caller_name, sizeof kind.caller_name, "engine");
    return kind;
}

/* How many of `n` are records of their own. */
static unsigned int offer(struct flood *flood, struct flood_kind kind, int64_t second,
                          unsigned int n)
{
    unsigned int allowed = 0;
    for (unsigned int i = 0; i < n; i++) {
        allowed += flood_allows(flood, &kind, second) ? 1 : 0;
    }
    return allowed;
}

static void so_many_of_a_kind_are_records_in_a_second(void **state)
{
    (void)state;
    struct flood flood = {0};
    struct flood_kind out;
    const struct flood_kind kind = kind_of(1, "jar", OUTCOME_RULE);
    assert_int_equal(offer(&flood, kind, 10, FLOOD_FREE), FLOOD_FREE);
    assert_false(flood_take(&flood, 11, &out)); /* all are on record */
    assert_int_equal(offer(&flood, kind, 11, FLOOD_FREE + 1), FLOOD_FREE);
    assert_false(flood_take(&flood, 11, &out)); /* its second is not over */
    assert_true(flood_take(&flood, 12, &out));
    assert_int_equal(out.counted, 1);
    assert_int_equal(out.caller.uid, 1);
    assert_int_equal(out.outcome, OUTCOME_RULE);
    assert_string_equal(out.operation, "jar");
    assert_string_equal(out.caller_name, "engine");
    assert_false(flood_take(&flood, 12, &out));
    assert_int_equal(offer(&flood, kind, 12, 3), 3); /* and it begins anew */
}

/* Until its count is taken a kind has no new free ones: there is one count, and it is exact. */
static void a_count_that_is_not_taken_goes_on(void **state)
{
    (void)state;
    struct flood flood = {0};
    struct flood_kind out;
    const struct flood_kind kind = kind_of(1, "jar", OUTCOME_RULE);
    assert_int_equal(offer(&flood, kind, 10, 60), FLOOD_FREE);
    assert_int_equal(offer(&flood, kind, 12, 60), 0);
    assert_int_equal(offer(&flood, kind, 13, 1), 0);
    assert_true(flood_take(&flood, 14, &out));
    assert_int_equal(out.counted, 60 - FLOOD_FREE + 60 + 1);
    assert_int_equal(offer(&flood, kind, 14, 60), FLOOD_FREE);
}

static void uid_operation_and_reason_make_a_kind(void **state)
{
    (void)state;
    struct flood flood = {0};
    const struct flood_kind kinds[] = {
        kind_of(1, "jar", OUTCOME_RULE), kind_of(2, "jar", OUTCOME_RULE),
        kind_of(1, "dpop", OUTCOME_RULE), kind_of(1, "jar", OUTCOME_LIMIT)};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        assert_int_equal(offer(&flood, kinds[i], 10, 51), FLOOD_FREE);
    }
    struct flood_kind other = kinds[0]; /* another process, another group: the same kind */
    other.caller.pid = 99;
    other.caller.gid = 98;
    assert_int_equal(offer(&flood, other, 10, 1), 0);
    struct flood_kind out;
    assert_true(flood_take(&flood, 11, &out));
    assert_int_equal(out.counted, 2);
    assert_int_equal(out.caller.pid, 99); /* the last one */
}

/* They are borrowed from a connection that may be gone when the count is told. */
static void groups_are_not_kept(void **state)
{
    (void)state;
    struct flood flood = {0};
    struct caller_groups groups = {.n = 0};
    struct flood_kind out;
    struct flood_kind kind = kind_of(1, "jar", OUTCOME_RULE);
    kind.caller.groups = &groups;
    assert_int_equal(offer(&flood, kind, 10, 51), FLOOD_FREE);
    assert_true(flood_take(&flood, 11, &out));
    assert_null(out.caller.groups);
}

/* With more kinds than places nothing is lost: those without one are all recorded. */
static void more_kinds_than_places_are_recorded(void **state)
{
    (void)state;
    struct flood flood = {0};
    struct flood_kind out;
    for (uid_t uid = 0; uid < FLOOD_KINDS; uid++) {
        assert_int_equal(offer(&flood, kind_of(uid, "jar", OUTCOME_RULE), 10, 51), FLOOD_FREE);
    }
    const struct flood_kind late = kind_of(FLOOD_KINDS, "jar", OUTCOME_RULE);
    assert_int_equal(offer(&flood, late, 10, 200), 200);
    assert_int_equal(offer(&flood, late, 11, 200), 200); /* the counts still wait */
    bool seen[FLOOD_KINDS] = {false};
    for (size_t i = 0; i < FLOOD_KINDS; i++) {
        assert_true(flood_take(&flood, 11, &out));
        assert_int_equal(out.counted, 1);
        assert_true(out.caller.uid < FLOOD_KINDS && !seen[out.caller.uid]);
        seen[out.caller.uid] = true;
    }
    assert_false(flood_take(&flood, INT64_MAX, &out));
    assert_int_equal(offer(&flood, late, 12, 200), FLOOD_FREE);
}

/* A place whose second is over, and of which there is nothing to tell, is the next one's. */
static void places_are_free_again(void **state)
{
    (void)state;
    struct flood flood = {0};
    struct flood_kind out;
    for (uid_t uid = 0; uid < FLOOD_KINDS; uid++) {
        assert_int_equal(offer(&flood, kind_of(uid, "jar", OUTCOME_RULE), 10, 1), 1);
    }
    const struct flood_kind late = kind_of(FLOOD_KINDS, "jar", OUTCOME_RULE);
    assert_int_equal(offer(&flood, late, 10, 51), 51); /* not in that second */
    assert_int_equal(offer(&flood, late, 11, 51), FLOOD_FREE);
    assert_true(flood_take(&flood, 12, &out));
    assert_int_equal(out.caller.uid, FLOOD_KINDS);
    assert_int_equal(out.counted, 1);
}

/* Many kinds over many seconds, taken now and then, as the log's thread does. */
static void every_one_is_counted_once(void **state)
{
    (void)state;
    struct flood flood = {0};
    struct flood_kind out;
    uint64_t offered = 0;
    uint64_t recorded = 0;
    for (int64_t second = 1; second < 40; second++) {
        for (uid_t i = 0; i < 200; i++) {
            unsigned int n = (unsigned int)(i * 7 + (uid_t)second * 13) % 120;
            offered += n;
            recorded += offer(&flood, kind_of(i, "jar", OUTCOME_RULE), second, n);
        }
        while (second % 3 == 0 && flood_take(&flood, second, &out)) {
            recorded += out.counted;
        }
    }
    while (flood_take(&flood, INT64_MAX, &out)) {
        recorded += out.counted;
    }
    assert_int_equal(recorded, offered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_of_a_kind_are_records_in_a_second),
        cmocka_unit_test(a_count_that_is_not_taken_goes_on),
        cmocka_unit_test(uid_operation_and_reason_make_a_kind),
        cmocka_unit_test(groups_are_not_kept),
        cmocka_unit_test(more_kinds_than_places_are_recorded),
        cmocka_unit_test(places_are_free_again),
        cmocka_unit_test(every_one_is_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
