/* SPDX-License-Identifier: Apache-2.0
 * qsealctl report: the register, put together from its pages. */
#include "ctl/command.h"
#include "ctl/printable.h"
#include "ctl/report_page.h"
#include "jose/json.h"

#include <stdio.h>

enum { PAGE_MAX = 512 * 1024 * 1024, TRIES = 5 };

/* Pages of one keyring and one configuration belong together. */
static bool same_generation(const json_t *a, const json_t *b)
{
    static const char *const members[] = {"keyring_generation", "generation"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (!json_equal(json_object_get(a, members[i]), json_object_get(b, members[i]))) {
            return false;
        }
    }
    return true;
}

/* Adds the pages behind the first one to it; *changed when something was changed meanwhile. */
static enum exit_code add_pages(const struct command_line *line, json_t *report, bool *changed)
{
    const char *next = json_string_value(json_object_get(report, "next"));
    while (next != NULL) {
        JSON_CLEANUP json_t *arguments = json_pack("{s:s}", "from", next);
        JSON_CLEANUP json_t *page = NULL;
        enum exit_code code = command_ask(line, CUSTODY_REPORT, arguments, &page);
        if (code != EXIT_DONE) {
            return code;
        }
        *changed = !same_generation(report, page);
        if (*changed) {
            return EXIT_DONE;
        }
        if (json_array_extend(json_object_get(report, "keys"), json_object_get(page, "keys")) !=
                0 ||
            json_object_set(report, "next", json_object_get(page, "next")) != 0) {
            return command_no_memory();
        }
        next = json_string_value(json_object_get(report, "next"));
    }
    return EXIT_DONE;
}

static enum exit_code collect(const struct command_line *line, json_t **report)
{
    JSON_CLEANUP json_t *none = json_object();
    for (int i = 0; i < TRIES; i++) {
        bool changed = false;
        json_clear_ref(report);
        enum exit_code code = command_ask(line, CUSTODY_REPORT, none, report);
        if (code == EXIT_DONE) {
            code = add_pages(line, *report, &changed);
        }
        if (code != EXIT_DONE || !changed) {
            (void)json_object_del(*report, "next");
            return code;
        }
    }
    struct reason why;
    return command_fail(refuse(&why, OUTCOME_UNAVAILABLE,
                               "keys or configuration change all the time: try again later"),
                        &why);
}

static void print_summary(const json_t *report)
{
    struct report_summary summary;
    report_summarize(report, &summary);
    (void)printf("register of %zu keys in %zu devices, made %s from keyring generation %lld\n",
                 summary.keys, json_array_size(json_object_get(report, "devices")),
                 command_text(report, "generated_at"),
                 command_number(report, "keyring_generation"));
    (void)printf("  in use or to be used                     %zu\n", summary.live);
    (void)printf("  their certificates end within %d days     %zu\n", REPORT_DAYS, summary.ending);
    (void)printf("  their certificates have ended            %zu\n", summary.ended);
    (void)printf("  their certificates should be looked at   %zu\n", summary.warned);
    (void)printf("  without a backup on record               %zu\n", summary.no_backup);
    (void)puts("all of it: --html for a page, --json for a program");
}

static enum exit_code print_page(const json_t *report)
{
    BUFFER_CLEANUP struct buffer page = BUFFER_INIT(PAGE_MAX);
    report_put_page(report, &page);
    if (!buffer_ok(&page)) {
        return command_no_memory();
    }
    (void)fwrite(page.data, 1, page.len, stdout);
    return EXIT_DONE;
}

enum exit_code run_report(const struct command_line *line)
{
    JSON_CLEANUP json_t *report = NULL;
    enum exit_code code = collect(line, &report);
    if (code != EXIT_DONE) {
        return code;
    }
    if (line->json) {
        command_print_json(report);
        return EXIT_DONE;
    }
    if (!printable_make(report)) {
        return command_no_memory();
    }
    if (line->html) {
        return print_page(report);
    }
    print_summary(report);
    return EXIT_DONE;
}
