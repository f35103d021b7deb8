/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit verify: reads the log's folder; no service is asked. */
#include "ctl/audit.h"

#include "base/utc.h"
#include "ctl/printable.h"
#include "jose/json.h"

#include <stdio.h>

static const char *verdict_name(enum audit_verdict verdict)
{
    switch (verdict) {
    case AUDIT_GOOD:
        return "good";
    case AUDIT_CHAINED:
        return "chain-only";
    case AUDIT_BAD:
        return "bad";
    case AUDIT_UNREADABLE:
        return "unreadable";
    }
    return "";
}

static enum exit_code exit_code_of(enum audit_verdict verdict)
{
    switch (verdict) {
    case AUDIT_GOOD:
    case AUDIT_CHAINED:
        return EXIT_DONE;
    case AUDIT_BAD:
        return EXIT_NOT_VERIFIED;
    case AUDIT_UNREADABLE:
        return EXIT_UNAVAILABLE;
    }
    return EXIT_UNAVAILABLE;
}

/* --- for programs --- */

static json_t *kinds_of(const struct audit_report *report)
{
    json_t *kinds = json_object();
    for (unsigned int i = 0; i < AUDIT_KINDS; i++) {
        (void)json_object_set_new(kinds, audit_kind_name((enum audit_kind)i),
                                  json_integer((json_int_t)report->kinds[i]));
    }
    return kinds;
}

static json_t *problem_of(const struct audit_problem *problem)
{
    if (problem->what[0] == '\0') {
        return json_null();
    }
    if (problem->line == 0) {
        return json_pack("{s:s, s:n, s:n, s:s}", "file", problem->file, "line", "seq", "detail",
                         problem->what);
    }
    return json_pack("{s:s, s:I, s:I, s:s}", "file", problem->file, "line",
                     (json_int_t)problem->line, "seq", (json_int_t)problem->seq, "detail",
                     problem->what);
}

static json_t *record_of(uint64_t seq, int64_t seconds)
{
    char text[UTC_SIZE];
    return seq == 0
               ? json_null()
               : json_pack("{s:I, s:s}", "seq", (json_int_t)seq, "time", utc_text(seconds, text));
}

static json_t *checkpoints_of(const struct audit_report *report)
{
    return json_pack("{s:I, s:I}", "good", (json_int_t)report->checkpoints_good, "unknown_key",
                     (json_int_t)report->checkpoints_unknown);
}

static json_t *seq_of(uint64_t seq)
{
    return seq == 0 ? json_null() : json_integer((json_int_t)seq);
}

/* What has no memory is not put; print_json finds that. */
static void put_number(json_t *result, const char *name, uint64_t number)
{
    (void)json_object_set_new(result, name, json_integer((json_int_t)number));
}

static void put_extent(json_t *result, const struct audit_report *report)
{
    (void)json_object_set_new(result, "chain", json_string(report->chain));
    put_number(result, "segments", report->segments);
    put_number(result, "bytes", report->bytes);
    put_number(result, "records", report->records);
    (void)json_object_set_new(result, "kinds", kinds_of(report));
    (void)json_object_set_new(result, "first",
                              record_of(report->first_seq, report->first_time_us / AUDIT_US));
    (void)json_object_set_new(result, "last",
                              record_of(report->last_seq, report->last_time_us / AUDIT_US));
}

static void put_seal(json_t *result, const struct audit_report *report)
{
    (void)json_object_set_new(result, "checkpoints", checkpoints_of(report));
    (void)json_object_set_new(result, "sealed", record_of(report->sealed_seq, report->sealed_time));
    put_number(result, "not_sealed", report->not_sealed);
}

static void put_notes(json_t *result, const struct audit_report *report)
{
    put_number(result, "signs_without_done", report->signs_open);
    put_number(result, "unacknowledged_bytes", report->unacknowledged);
    put_number(result, "counts_renewed", report->counts_renewed);
    put_number(result, "not_compared", report->not_compared);
    (void)json_object_set_new(result, "removal", seq_of(report->removal_seq));
    (void)json_object_set_new(result, "checkpoint_elsewhere",
                              json_boolean(report->checkpoint_elsewhere));
    (void)json_object_set_new(result, "checkpoint_before", json_boolean(report->checkpoint_before));
}

static enum exit_code print_json(const struct audit_report *report)
{
    enum { MEMBERS = 19 };
    JSON_CLEANUP json_t *result = json_object();
    (void)json_object_set_new(result, "verdict", json_string(verdict_name(report->verdict)));
    (void)json_object_set_new(result, "problem", problem_of(&report->problem));
    put_extent(result, report);
    put_seal(result, report);
    put_notes(result, report);
    if (json_object_size(result) != MEMBERS) {
        return command_no_memory();
    }
    command_print_json(result);
    return exit_code_of(report->verdict);
}

/* --- for people --- */

static unsigned long long wide(uint64_t number)
{
    return number;
}

static void print_seal(const struct audit_report *report)
{
    char time[UTC_SIZE];
    if (report->verdict == AUDIT_CHAINED) {
        (void)printf("NOTHING IS SEALED: no --key was given, and %llu checkpoints were not held "
                     "against one; who could write this folder could have written all of it\n",
                     wide(report->checkpoints_unknown));
        return;
    }
    if (report->sealed_seq == 0) {
        (void)printf("CHAINED ONLY, NOTHING IN IT IS SEALED: no checkpoint covers a record of this "
                     "part; who could write this folder could have written all of it\n");
        return;
    }
    (void)printf("sealed up to record %llu by a checkpoint of %s; %llu checkpoints in the log, all "
                 "good\n",
                 wide(report->sealed_seq), utc_text(report->sealed_time, time),
                 wide(report->checkpoints_good));
    if (report->not_sealed > 0) {
        (void)printf("the %llu records after it are chained, and not sealed yet\n",
                     wide(report->not_sealed));
    }
}

/* What is no fault, and somebody may want to know. */
static void print_notes(const struct audit_report *report)
{
    if (report->signs_open > 0) {
        (void)printf("%llu signatures have no completion: in flight, or cut off by a crash\n",
                     wide(report->signs_open));
    }
    if (report->unacknowledged > 0) {
        (void)printf("%llu bytes behind segments that a fault ended were never acknowledged\n",
                     wide(report->unacknowledged));
    }
    if (report->counts_renewed > 0) {
        (void)printf("%llu counts of tokens were taken up anew, after a crash or a fault\n",
                     wide(report->counts_renewed));
    }
    if (report->not_compared > 0) {
        (void)printf("%llu signatures were not held against counts: too many keys\n",
                     wide(report->not_compared));
    }
    if (report->removal_seq > 0) {
        (void)printf("the %llu records before were removed after their time, says record %llu\n",
                     wide(report->first_seq) - 1, wide(report->removal_seq));
    }
    if (report->checkpoint_before) {
        (void)printf("what a checkpoint's file covers is elsewhere, before what is kept\n");
    } else if (report->checkpoint_elsewhere) {
        (void)printf("the file checkpoint is about a record that is not in this part\n");
    }
}

static void print_good(const struct audit_report *report, const char *folder)
{
    char first[UTC_SIZE];
    char last[UTC_SIZE];
    bool is_sealed = report->verdict == AUDIT_GOOD && report->sealed_seq > 0;
    (void)printf("%s: %s\n", folder,
                 is_sealed ? "good" : "the chain is whole, and no more is known");
    (void)printf("chain %s, %llu segments, records %llu to %llu, %s to %s\n", report->chain,
                 wide(report->segments), wide(report->first_seq), wide(report->last_seq),
                 utc_text(report->first_time_us / AUDIT_US, first),
                 utc_text(report->last_time_us / AUDIT_US, last));
    (void)printf("%llu signatures asked for, %llu completions, %llu refusals, %llu commands\n",
                 wide(report->kinds[AUDIT_KIND_SIGN]), wide(report->kinds[AUDIT_KIND_DONE]),
                 wide(report->kinds[AUDIT_KIND_REFUSED]), wide(report->kinds[AUDIT_KIND_ADMIN]));
    print_seal(report);
    print_notes(report);
}

/* FILE:LINE, as compilers and editors know it. Names of files may be a stranger's. */
static void say_problem(const struct audit_problem *problem)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(16 * AUDIT_WHAT_SIZE);
    printable_put(&text, problem->file);
    if (problem->line > 0) {
        buffer_put_format(&text, ":%llu: record %llu ", wide(problem->line), wide(problem->seq));
    } else if (problem->file[0] != '\0') {
        buffer_put_text(&text, ": ");
    }
    printable_put(&text, problem->what);
    (void)fprintf(stderr, "qsealctl: %s\n", buffer_text(&text));
}

enum exit_code run_audit_verify(const struct command_line *line)
{
    struct audit_keys keys;
    struct audit_report report;
    enum exit_code code = audit_keys_read(line, &keys);
    if (code == EXIT_DONE) {
        enum { PATIENCE_MS = 1000 };
        struct audit_bar bar = audit_bar_begin(line);
        const struct audit_verify_options options = {
            .folder = audit_folder(line),
            .keys = keys.keys,
            .n_keys = keys.n,
            .checkpoint = line->audit.checkpoint,
            .is_partial = line->audit.partial,
            .patience_ms = PATIENCE_MS,
            .progress = audit_bar_show,
            .context = &bar,
        };
        code = exit_code_of(audit_verify(&options, &report));
        audit_bar_end(&bar);
        if (line->json) {
            code = print_json(&report);
        } else if (code == EXIT_DONE) {
            print_good(&report, options.folder);
        } else {
            say_problem(&report.problem);
        }
    }
    audit_keys_free(&keys);
    return code;
}
