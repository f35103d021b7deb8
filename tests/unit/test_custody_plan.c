/* SPDX-License-Identifier: Apache-2.0
 * One plan and the digest that people compare. */
#include "check.h"
#include "custody/plans_read.h"
#include "jose/json.h"

#include <stdlib.h>

enum { MADE = 1795253400, EXPIRES = MADE + 86400 }; /* 2026-11-21T09:30:00Z */

static json_t *value(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static struct plan make(const char *verb, const char *arguments, const char *effect, uint32_t by)
{
    struct reason why = {0};
    struct plan plan;
    JSON_CLEANUP json_t *given = value(arguments);
    JSON_CLEANUP json_t *will = value(effect);
    assert_done(plan_make(&plan, verb, given, will, by, MADE, EXPIRES, &why), why);
    return plan;
}

/* printf '%s' '{"arguments":{"key":"seal"},"by":71001,"effect":{"keys":[]},"expires":
 * "2026-11-22T09:30:00Z","made":"2026-11-21T09:30:00Z","verb":"key publish"}' | sha256sum */
static void the_digest_is_over_sorted_compact_text(void **state)
{
    (void)state;
    PLAN_CLEANUP struct plan plan =
        make("key publish", "{\"key\":\"seal\"}", "{\"keys\":[]}", 71001);
    assert_string_equal(plan.digest,
                        "b64ca979bf29a37c5cc9e51381af67e9910c9d88399f6f5ff3f042d5dbcd7cc1");
    assert_string_equal(plan.verb, "key publish");
    assert_int_equal(plan.by, 71001);
    assert_int_equal(plan.made, MADE);
    assert_int_equal(plan.expires, EXPIRES);
    JSON_CLEANUP json_t *shown = plan_shown(&plan);
    assert_string_equal(json_string_value(json_object_get(shown, "digest")), plan.digest);
    assert_null(json_object_get(plan.body, "digest"));
}

static void the_order_of_members_is_nothing_and_all_else_is_something(void **state)
{
    (void)state;
    PLAN_CLEANUP struct plan one =
        make("key publish", "{\"key\":\"seal\",\"reason\":\"r\"}", "{\"keys\":[{\"a\":1}]}", 7);
    PLAN_CLEANUP struct plan same =
        make("key publish", "{\"reason\":\"r\",\"key\":\"seal\"}", "{\"keys\":[{\"a\":1}]}", 7);
    assert_string_equal(one.digest, same.digest);
    static const struct {
        const char *verb, *arguments, *effect;
        uint32_t by;
    } others[] = {
        {"key retire", "{\"key\":\"seal\",\"reason\":\"r\"}", "{\"keys\":[{\"a\":1}]}", 7},
        {"key publish", "{\"key\":\"seal\",\"reason\":\"s\"}", "{\"keys\":[{\"a\":1}]}", 7},
        {"key publish", "{\"key\":\"seal\",\"reason\":\"r\"}", "{\"keys\":[{\"a\":2}]}", 7},
        {"key publish", "{\"key\":\"seal\",\"reason\":\"r\"}", "{\"keys\":[{\"a\":1}]}", 8},
    };
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        PLAN_CLEANUP struct plan other =
            make(others[i].verb, others[i].arguments, others[i].effect, others[i].by);
        assert_string_not_equal(one.digest, other.digest);
    }
}

static void reading_is_strict(void **state)
{
    (void)state;
#define TIMES "\"made\":\"2026-11-21T09:30:00Z\",\"expires\":\"2026-11-22T09:30:00Z\""
    static const struct {
        const char *text;
        const char *fragment;
    } rows[] = {
        {"{\"verb\":7,\"arguments\":{},\"effect\":{},\"by\":1," TIMES "}", "\"verb\" must be"},
        {"{\"verb\":\"v\",\"arguments\":[],\"effect\":{},\"by\":1," TIMES "}",
         "\"arguments\" and \"effect\" objects"},
        {"{\"verb\":\"v\",\"arguments\":{},\"by\":1," TIMES "}",
         "\"arguments\" and \"effect\" objects"},
        {"{\"verb\":\"v\",\"arguments\":{},\"effect\":{},\"by\":-1," TIMES "}",
         "\"by\" must be a uid"},
        {"{\"verb\":\"v\",\"arguments\":{},\"effect\":{},\"by\":4294967296," TIMES "}",
         "\"by\" must be a uid"},
        {"{\"verb\":\"v\",\"arguments\":{},\"effect\":{},\"by\":\"1\"," TIMES "}",
         "\"by\" must be a uid"},
        {"{\"verb\":\"v\",\"arguments\":{},\"effect\":{},\"by\":1,\"made\":\"now\"}",
         "\"made\" and \"expires\" must be times like 2026-11-21T09:30:00Z"},
        {"{\"verb\":\"v\",\"arguments\":{},\"effect\":{},\"by\":1,\"x\":1," TIMES "}",
         "only verb, arguments, effect, by, made and expires stand in a plan"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plan plan;
        struct reason why = {0};
        JSON_CLEANUP json_t *body = value(rows[i].text);
        assert_refused(plan_read(body, &plan, &why), OUTCOME_RULE, why, rows[i].fragment);
        assert_null(plan.body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_over_sorted_compact_text),
        cmocka_unit_test(the_order_of_members_is_nothing_and_all_else_is_something),
        cmocka_unit_test(reading_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
