/* SPDX-License-Identifier: Apache-2.0
 * Retention by a clock that may be wrong at boot. */
#include "signing/checkpointer.h"

#include "audit_log_support.h"
#include "custody_support.h"

#include <stdatomic.h>

enum { RUNS = 4, YEARS = 10 * 366 * 86400 };

#define AUDIT_ROLE "  - {name: audit, purpose: audit, key: p-256, tokens: [hsm-a]}\n"

static _Atomic int64_t wall_ahead; /* seconds, of what the clock should say */

int64_t __real_clock_wall_s(void);
int64_t __wrap_clock_wall_s(void);

int64_t __wrap_clock_wall_s(void)
{
    return __real_clock_wall_s() + atomic_load(&wall_ahead);
}

/* A log of several runs, one segment each. The second one began long ago. */
static struct audit *make_log(const struct folder *folder)
{
    char path[128];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(LOG_MAX);
    for (int i = 1; i < RUNS; i++) {
        struct audit *audit = open_log(folder, BIG);
        must_append(audit, "x");
        audit_close(audit);
    }
    read_segment(folder, 2, &text);
    const char *time = strstr(buffer_text(&text), "\"time\":\"");
    assert_non_null(time);
    memcpy(text.data + (time - (const char *)text.data) + strlen("\"time\":\""), "2020", 4);
    folder_path(folder, "audit-0000000002.jsonl", path);
    assert_int_equal(file_replace(path, buffer_span(&text), 0600), 0);
    return open_log(folder, BIG);
}

static struct instance *make_instance(void)
{
    struct instance *instance = calloc(1, sizeof *instance);
    assert_non_null(instance);
    instance_init(instance, "[\"*\"]", "[operator, custodian]");
    instance->roles_more = AUDIT_ROLE;
    instance->audit_more = ", retention_days: 1";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    make_key(instance, "{\"role\":\"audit\"}");
    return instance;
}

/* And what is removed after it. */
static void seal(struct instance *instance, struct audit *audit)
{
    struct reason why = {0};
    struct audit_head head;
    struct checkpointer *checkpointer =
        checkpointer_new(instance->views, instance->watch, audit, &why);
    assert_non_null(checkpointer);
    assert_done(audit_seal(audit, deadline_in_ms(WAIT_MS), &head, &why), why);
    checkpointer_free(checkpointer);
}

static bool is_there(const struct folder *folder, uint64_t number)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(LOG_MAX);
    read_segment(folder, number, &text);
    return text.len > 0;
}

static void expect_left(int64_t ahead, uint64_t first)
{
    struct folder folder = folder_make();
    struct audit *audit = make_log(&folder);
    atomic_store(&wall_ahead, ahead);
    struct instance *instance = make_instance();
    seal(instance, audit);
    for (uint64_t number = 1; number <= RUNS; number++) {
        assert_int_equal(is_there(&folder, number), number >= first);
    }
    transport_instance_free(instance);
    audit_close(audit);
    folder_remove(&folder);
    atomic_store(&wall_ahead, 0);
}

/* Segment 1: it ended before the next one began. */
static void what_is_old_is_removed(void **state)
{
    (void)state;
    expect_left(0, 2);
}

/* By it all but the last are over their age, and sealed. */
static void a_clock_that_is_ahead_makes_nothing_old(void **state)
{
    (void)state;
    expect_left(YEARS, 2);
}

static void a_clock_that_is_behind_removes_nothing(void **state)
{
    (void)state;
    expect_left(-(int64_t)YEARS, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_old_is_removed),
        cmocka_unit_test(a_clock_that_is_ahead_makes_nothing_old),
        cmocka_unit_test(a_clock_that_is_behind_removes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
