/* SPDX-License-Identifier: Apache-2.0
 * The register's page: what it counts, and that nothing in it becomes markup. */
#include "ctl/report_page.h"

#include "check.h"
#include "ctl/printable.h"
#include "jose/json.h"

#include <stdio.h>

enum { PAGE_MAX = 1024 * 1024 };

static const char register_text[] =
    "{\"schema\":\"qseal-register/"
    "1\",\"version\":\"1<2\",\"generated_at\":\"2026-11-21T09:30:00Z\","
    "\"keyring_generation\":7,\"config\":\"/etc/<b>\",\"loaded_at\":\"2026-11-21T09:00:00Z\","
    "\"roles\":[{\"name\":\"<i>\",\"purpose\":\"seal\",\"key\":\"p-256\",\"algs\":[\"ES256\"],"
    "\"tokens\":[\"a&b\"],\"certificate_required\":true,\"publish_before_use_s\":300,"
    "\"keep_after_use_s\":911,\"backup_required\":true,\"cryptoperiod_days\":730,"
    "\"stops_at_end\":true,\"callers\":[{\"name\":\"'engine'\",\"uid\":5,"
    "\"profiles\":[\"p<q\"]}]}],"
    "\"administrators\":[{\"uid\":1001,\"rights\":[\"auditor\"]},"
    "{\"gid\":2002,\"rights\":[\"approver\"]}],\"approval_required\":true,"
    "\"devices\":[{\"name\":\"a&b\",\"label\":\"<img src=x "
    "onerror=alert(1)>\",\"state\":\"ready\"}],"
    "\"keys\":["
    "{\"role\":\"r\",\"kid\":\"KID-FOUR\",\"state\":\"retired\",\"algs\":[],\"history\":[],"
    "\"certificate\":{\"not_after\":\"2026-10-21T09:30:00Z\"}},"
    "{\"role\":\"r\",\"kid\":\"KID-ONE\",\"state\":\"active\",\"bits\":256,\"algs\":[\"ES256\"],"
    "\"certificate\":{\"subject\":\"CN=<script>alert(1)</script>\\u001b[31m\\n\\u202e\\\" x='\","
    "\"issuer\":\"</dd></dl>\",\"not_before\":\"2026-01-01T00:00:00Z\","
    "\"not_after\":\"2026-12-31T00:00:00Z\",\"warnings\":[\"w<w\"],\"psd2_roles\":[\"PSP_AI\"]},"
    "\"history\":[{\"state\":\"active\",\"at\":\"2026-01-01T00:00:00Z\",\"by\":1001,"
    "\"reason\":\"<script>\\u0007\"},{\"state\":\"active\",\"at\":\"2026-01-02T00:00:00Z\","
    "\"by\":1001,\"reason\":\"<s>spare</s>\",\"replica_of\":\"hsm-<a>\"}]},"
    "{\"role\":\"r\",\"kid\":\"KID-TWO\",\"state\":\"published\",\"algs\":[],\"history\":[],"
    "\"purpose\":\"seal\","
    "\"backup\":{\"at\":\"2026-02-02T00:00:00Z\",\"by\":7,\"reason\":\"<card> 3\"},"
    "\"seen\":{\"at\":\"2026-02-03T00:00:00Z\",\"by\":8,\"where\":\"bank <b>/\"},"
    "\"schedule\":[{\"state\":\"active\",\"at\":\"2027-01-02T03:04:05Z\",\"by\":9,"
    "\"reason\":\"of <2027>\",\"made_at\":\"2026-11-01T00:00:00Z\"}],"
    "\"certificate\":{\"not_after\":\"2026-11-21T09:30:00Z\",\"not_before\":"
    "\"2026-01-01T00:00:00Z\"}},"
    "{\"role\":\"r\",\"kid\":\"KID-TREE\",\"state\":\"generated\",\"algs\":[],\"history\":[],"
    "\"certificate\":null}]}";

static json_t *make(void)
{
    json_t *report = NULL;
    struct reason why = {0};
    assert_done(json_parse_object(span_of_text(register_text), &report, &why), why);
    assert_true(printable_make(report));
    return report;
}

static void keys_are_counted(void **state)
{
    (void)state;
    JSON_CLEANUP json_t *report = make();
    struct report_summary summary;
    report_summarize(report, &summary);
    assert_int_equal(summary.keys, 4);
    assert_int_equal(summary.live, 3);
    assert_int_equal(summary.ending, 1);
    assert_int_equal(summary.ended, 1); /* it ends this second */
    assert_int_equal(summary.no_backup, 2);
    assert_int_equal(summary.warned, 1);
}

static void strangers_write_no_markup(void **state)
{
    (void)state;
    static const char *const shown[] = {
        "KID-ONE",
        "KID-TWO",
        "KID-TREE",
        "KID-FOUR",
        "CN=&lt;script&gt;alert(1)&lt;/script&gt;&lt;U+001B&gt;[31m&lt;U+000A&gt;",
        "&lt;U+202E&gt;&quot; x=&#39;",
        "&lt;/dd&gt;&lt;/dl&gt;",
        "&lt;img src=x onerror=alert(1)&gt;",
        "&lt;script&gt;&lt;U+0007&gt;",
        "a replica of the key in token hsm-&lt;a&gt;: &lt;s&gt;spare&lt;/s&gt;</td>",
        "a&amp;b",
        "2026-12-31 00:00:00",
        "00:00:00 <span class=\"alert\">to 2026-11-21 09:30:00: it has ended</span></dd>",
        "<dt>PSD2 roles</dt><dd>PSP_AI</dd>",
        "<dt>To be looked at</dt><dd>w&lt;w</dd>",
        "<dt>Certificate</dt><dd>none</dd>",
        "<dt>Backup</dt><dd>2026-02-02 00:00:00 by uid 7: &lt;card&gt; 3</dd>",
        "<dt>Backup</dt><dd>none on record</dd>",
        "<dt>Seen outside</dt><dd>2026-02-03 00:00:00 by uid 8: bank &lt;b&gt;/</dd>",
        "<caption>Scheduled</caption>",
        "2027-01-02 03:04:05",
        "of &lt;2027&gt;",
        "gid 2002",
        "asked for by one person and approved by another",
        "<dt>Backup before use</dt><dd>required</dd>",
        "<dt>Seen outside before use</dt><dd>optional</dd>",
        "<dt>Cryptoperiod</dt><dd>730 days (0: none); past its end a key signs nothing</dd>",
    };
    static const char *const hidden[] = {"<script", "<img", "<i>", "<b>/", "\033", "\a", "w<w"};
    JSON_CLEANUP json_t *report = make();
    BUFFER_CLEANUP struct buffer page = BUFFER_INIT(PAGE_MAX);
    report_put_page(report, &page);
    assert_true(buffer_ok(&page));
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        if (strstr(buffer_text(&page), shown[i]) == NULL) {
            fail_msg("not in the page: %s", shown[i]);
        }
    }
    for (size_t i = 0; i < COUNT_OF(hidden); i++) {
        if (strstr(buffer_text(&page), hidden[i]) != NULL) {
            fail_msg("in the page: %s", hidden[i]);
        }
    }
}

/* Where it is told of the key, behind `from`. */
static const char *told_of(const char *from, const char *kid)
{
    char code[64];
    (void)snprintf(code, sizeof code, "<code>%s</code>", kid);
    const char *at = strstr(from, code);
    if (at == NULL) {
        fail_msg("not told of: %s", kid);
    }
    return at;
}

/* What ended with the key's retirement alarms nobody. */
static void keys_in_use_come_first(void **state)
{
    (void)state;
    JSON_CLEANUP json_t *report = make();
    BUFFER_CLEANUP struct buffer page = BUFFER_INIT(PAGE_MAX);
    report_put_page(report, &page);
    const char *keys = strstr(buffer_text(&page), "<h2>Keys</h2>");
    assert_non_null(keys);
    const char *one = told_of(keys, "KID-ONE");
    const char *two = told_of(one, "KID-TWO");
    const char *retired = told_of(told_of(two, "KID-TREE"), "KID-FOUR");
    assert_ptr_equal(told_of(keys, "KID-FOUR"), retired);
    assert_ptr_equal(told_of(buffer_text(&page), "KID-FOUR"), retired);
    assert_true(told_of(told_of(buffer_text(&page), "KID-ONE"), "KID-TWO") < keys);
    static const char ended[] = ": it has ended</span>";
    const char *first = strstr(keys, ended);
    assert_true(first != NULL && first > two);
    assert_null(strstr(first + 1, ended));
}

/* A register of another version, or damaged: a page with little in it. */
static void what_is_missing_does_not_matter(void **state)
{
    (void)state;
    JSON_CLEANUP json_t *report = json_object();
    BUFFER_CLEANUP struct buffer page = BUFFER_INIT(PAGE_MAX);
    report_put_page(report, &page);
    assert_true(buffer_ok(&page));
    assert_non_null(strstr(buffer_text(&page), "</html>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_counted),
        cmocka_unit_test(strangers_write_no_markup),
        cmocka_unit_test(keys_in_use_come_first),
        cmocka_unit_test(what_is_missing_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
