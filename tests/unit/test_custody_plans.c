/* SPDX-License-Identifier: Apache-2.0
 * The file of plans: what is kept, found, dropped, and what a damaged one gets. */
#include "custody/plans.h"

#include "base/file.h"
#include "check.h"
#include "folder.h"
#include "jose/json.h"

#include <sys/stat.h>

enum { MADE = 1795253400 };

static struct plan plan_number(unsigned int n, int64_t expires)
{
    struct reason why = {0};
    struct plan plan;
    JSON_CLEANUP json_t *arguments = json_pack("{s:i}", "n", (int)n);
    JSON_CLEANUP json_t *effect = json_pack("{s:[]}", "keys");
    assert_done(plan_make(&plan, "key publish", arguments, effect, 7, MADE, expires, &why), why);
    return plan;
}

static void add(struct plans *plans, unsigned int n, int64_t expires)
{
    struct reason why = {0};
    struct plan plan = plan_number(n, expires);
    assert_done(plans_add(plans, &plan, &why), why);
    assert_null(plan.body);
}

static void what_is_saved_is_loaded(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    struct reason why = {0};
    PLANS_CLEANUP struct plans plans = {.n = 0};
    PLANS_CLEANUP struct plans loaded;
    folder_path(&folder, "plans.json", path);
    assert_done(plans_load(path, &loaded, &why), why); /* no file */
    assert_int_equal(loaded.n, 0);
    for (unsigned int i = 0; i < PLANS_MAX; i++) {
        add(&plans, i, MADE + 10);
    }
    assert_done(plans_save(&plans, path, &why), why);
    assert_done(plans_load(path, &loaded, &why), why);
    assert_int_equal(loaded.n, PLANS_MAX);
    for (size_t i = 0; i < PLANS_MAX; i++) {
        assert_string_equal(loaded.list[i].digest, plans.list[i].digest);
        assert_true(json_equal(loaded.list[i].body, plans.list[i].body));
    }
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_mode & 0777, 0640);
    assert_int_equal(folder_count(&folder), 1);
    folder_remove(&folder);
}

static void there_are_at_most_so_many_and_each_once(void **state)
{
    (void)state;
    struct reason why = {0};
    PLANS_CLEANUP struct plans plans = {.n = 0};
    for (unsigned int i = 0; i < PLANS_MAX; i++) {
        add(&plans, i, MADE + 10);
    }
    add(&plans, 3, MADE + 10); /* is there */
    assert_int_equal(plans.n, PLANS_MAX);
    PLAN_CLEANUP struct plan more = plan_number(PLANS_MAX, MADE + 10);
    assert_refused(plans_add(&plans, &more, &why), OUTCOME_RULE, why,
                   "32 plans wait already: approve or withdraw one (qsealctl plan list)");
    assert_non_null(more.body);
}

static void plans_are_dropped_by_name_and_by_time(void **state)
{
    (void)state;
    PLANS_CLEANUP struct plans plans = {.n = 0};
    add(&plans, 0, MADE + 10);
    add(&plans, 1, MADE + 20);
    add(&plans, 2, MADE + 10);
    add(&plans, 3, MADE + 30);
    plans_drop_expired(&plans, MADE + 9);
    assert_int_equal(plans.n, 4);
    plans_drop_expired(&plans, MADE + 10);
    assert_int_equal(plans.n, 2);
    assert_int_equal(plans.list[0].expires, MADE + 20);
    plans_drop(&plans, "no such digest");
    assert_int_equal(plans.n, 2);
    char digest[PLAN_DIGEST_SIZE];
    memcpy(digest, plans.list[0].digest, sizeof digest);
    plans_drop(&plans, digest);
    assert_int_equal(plans.n, 1);
    assert_int_equal(plans.list[0].expires, MADE + 30);
}

static void a_plan_is_found_by_the_first_sixteen_characters(void **state)
{
    (void)state;
    struct reason why = {0};
    const struct plan *found = NULL;
    char prefix[PLAN_DIGEST_SIZE] = "";
    PLANS_CLEANUP struct plans plans = {.n = 0};
    add(&plans, 0, MADE + 10);
    add(&plans, 1, MADE + 10);
    memcpy(prefix, plans.list[1].digest, PLAN_PREFIX_MIN);
    assert_done(plans_find(&plans, prefix, &found, &why), why);
    assert_ptr_equal(found, &plans.list[1]);
    assert_done(plans_find(&plans, plans.list[0].digest, &found, &why), why);
    assert_ptr_equal(found, &plans.list[0]);
    prefix[PLAN_PREFIX_MIN - 1] = '\0';
    assert_refused(plans_find(&plans, prefix, &found, &why), OUTCOME_NOT_FOUND, why,
                   "by its digest, or the first 16 or more characters of it");
    assert_refused(plans_find(&plans, "0123456789abcdefg", &found, &why), OUTCOME_NOT_FOUND, why,
                   "there is no plan of this digest (qsealctl plan list)");
    /* No two begin alike in this world: it is made so. */
    memcpy(plans.list[0].digest, plans.list[1].digest, 40);
    plans.list[0].digest[40] = plans.list[1].digest[40] == '0' ? '1' : '0';
    memcpy(prefix, plans.list[1].digest, 40);
    assert_refused(plans_find(&plans, prefix, &found, &why), OUTCOME_RULE, why,
                   "more than one plan's digest begins so: say more");
    assert_null(found);
    memcpy(prefix, plans.list[1].digest, 41);
    assert_done(plans_find(&plans, prefix, &found, &why), why);
    assert_ptr_equal(found, &plans.list[1]);
}

/* One file with three plans, and one change to it. */
static void a_damaged_file_is_refused_whole(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    struct reason why = {0};
    PLANS_CLEANUP struct plans plans = {.n = 0};
    BUFFER_CLEANUP struct buffer good = BUFFER_INIT(65536);
    folder_path(&folder, "plans.json", path);
    for (unsigned int i = 0; i < 3; i++) {
        add(&plans, i, MADE + 10);
    }
    assert_done(plans_save(&plans, path, &why), why);
    assert_int_equal(file_read(path, &good), 0);
    static const struct {
        const char *from, *to, *fragment;
    } rows[] = {
        {"\"n\":1", "\"n\":4", "plans[1]: \"digest\" is not that of the plan"},
        {"\"n\":1", "\"n\":0", "plans[1]: \"digest\" is not that of the plan"},
        {"\"by\":7", "\"by\":8", "plans[0]: \"digest\" is not that of the plan"},
        {"\"by\":7", "\"by\":-7", "plans[0]: \"by\" must be a uid"},
        {"09:30:10Z", "09:30:60Z", "plans[0]: \"made\" and \"expires\" must be times"},
        {"\"digest\":\"", "\"digest\":\"0", "plans[0]: \"digest\" must be 64 characters of hex"},
        {"\"digest\"", "\"digesT\"", "plans[0]: \"digest\" must be 64 characters of hex"},
        {"\"verb\"", "\"more\":1,\"verb\"", "plans[0]: only verb, arguments, effect"},
        {"\"format\":1", "\"format\":2", "\"format\" must be 1, and \"plans\" an array"},
        {"\"format\":1", "\"format\":1,\"x\":0", "\"format\" must be 1, and \"plans\" an array"},
        {"\"plans\"", "\"plan\"", "\"format\" must be 1, and \"plans\" an array"},
        {"\n]}", "\n]", "line "},
        {"\n]}", "\n]}x", "line "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        PLANS_CLEANUP struct plans loaded;
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(65536);
        const char *all = buffer_text(&good);
        const char *at = strstr(all, rows[i].from);
        assert_non_null(at);
        buffer_put(&text, all, (size_t)(at - all));
        buffer_put_format(&text, "%s%s", rows[i].to, at + strlen(rows[i].from));
        assert_int_equal(file_replace(path, buffer_span(&text), 0600), 0);
        assert_refused(plans_load(path, &loaded, &why), OUTCOME_RULE, why, rows[i].fragment);
        assert_non_null(strstr(why.detail, "plans.json: "));
        assert_non_null(strstr(why.detail, "keys sign on, but no plan is made or approved until"));
        assert_int_equal(loaded.n, 0);
    }
    folder_remove(&folder);
}

static void the_same_plan_twice_or_one_too_many_is_damage(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(65536);
    folder_path(&folder, "plans.json", path);
    buffer_put_text(&text, "{\"format\":1,\"plans\":[");
    for (unsigned int i = 0; i <= PLANS_MAX; i++) {
        PLAN_CLEANUP struct plan plan = plan_number(i, MADE + 10);
        JSON_CLEANUP json_t *shown = plan_shown(&plan);
        buffer_put_text(&text, i == 0 ? "" : ",");
        json_put(&text, shown);
    }
    buffer_put_text(&text, "]}");
    PLANS_CLEANUP struct plans loaded;
    assert_int_equal(file_replace(path, buffer_span(&text), 0600), 0);
    assert_refused(plans_load(path, &loaded, &why), OUTCOME_RULE, why, "plans[32]: 32 plans wait");
    PLAN_CLEANUP struct plan plan = plan_number(0, MADE + 10);
    JSON_CLEANUP json_t *shown = plan_shown(&plan);
    buffer_reset(&text);
    buffer_put_text(&text, "{\"format\":1,\"plans\":[");
    json_put(&text, shown);
    buffer_put_text(&text, ",");
    json_put(&text, shown);
    buffer_put_text(&text, "]}");
    assert_int_equal(file_replace(path, buffer_span(&text), 0600), 0);
    assert_refused(plans_load(path, &loaded, &why), OUTCOME_RULE, why,
                   "plans[1]: the same plan stands there twice");
    folder_remove(&folder);
}

static void a_file_that_cannot_be_read_or_written_says_so(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct reason why = {0};
    PLANS_CLEANUP struct plans plans = {.n = 0};
    PLANS_CLEANUP struct plans loaded;
    assert_refused(plans_load(folder.path, &loaded, &why), OUTCOME_RULE, why, "Is a directory");
    char path[128];
    folder_path(&folder, "nowhere/plans.json", path);
    assert_refused(plans_save(&plans, path, &why), OUTCOME_RULE, why,
                   "plans.json: No such file or directory");
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_loaded),
        cmocka_unit_test(there_are_at_most_so_many_and_each_once),
        cmocka_unit_test(plans_are_dropped_by_name_and_by_time),
        cmocka_unit_test(a_plan_is_found_by_the_first_sixteen_characters),
        cmocka_unit_test(a_damaged_file_is_refused_whole),
        cmocka_unit_test(the_same_plan_twice_or_one_too_many_is_damage),
        cmocka_unit_test(a_file_that_cannot_be_read_or_written_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
