/* SPDX-License-Identifier: Apache-2.0
 * The first record of a segment, which says how the one before ended. */
#include "audit/check_parts.h"

#include <stdio.h>
#include <string.h>

static bool is_cause(struct span text)
{
    static const char *const causes[] = {"begin", "size", "age", "start", "fault"};
    for (size_t i = 0; i < COUNT_OF(causes); i++) {
        if (span_is_text(text, causes[i])) {
            return true;
        }
    }
    return false;
}

static bool check_chain(struct audit_check *check, struct span chain)
{
    struct audit_report *report = &check->report;
    if (report->chain[0] == '\0') {
        memcpy(report->chain, chain.data, UUID_TEXT_LEN);
    } else if (!span_is_text(chain, report->chain)) {
        return audit_check_fail(check, "is of the chain %.36s, and the log is of %s",
                                (const char *)chain.data, report->chain);
    }
    for (size_t i = 0; i < check->n_expected; i++) {
        const struct audit_expected *expected = &check->expected[i];
        if (strcmp(expected->chain, report->chain) != 0) {
            return audit_check_fail_file(check, expected->file,
                                         "is of the chain %s, and this log is of %s: another log, "
                                         "or one that was begun anew",
                                         expected->chain, report->chain);
        }
    }
    return true;
}

/* Where the segment before holds, and what is behind that. */
static bool check_before(struct audit_check *check, const struct audit_line *line, bool is_fault)
{
    const struct audit_segment_end *end = &check->last_end;
    uint64_t previous;
    if (!audit_line_number(line, "previous_bytes", &previous)) {
        return audit_check_fail(check, "has no number \"previous_bytes\"");
    }
    if (check->report.segments == 0) {
        return true; /* the segment before is not here */
    }
    if (previous != end->records_end) {
        return audit_check_fail(check,
                                "has \"previous_bytes\" %llu, and the records of the segment "
                                "before end at %llu",
                                (unsigned long long)previous, (unsigned long long)end->records_end);
    }
    uint64_t behind = end->size > previous ? end->size - previous : 0;
    if (behind > 0 && !is_fault) {
        return audit_check_fail(check,
                                "has \"previous_bytes\" %llu, and the segment before has %llu "
                                "bytes: that is only so where the cause is fault",
                                (unsigned long long)previous, (unsigned long long)end->size);
    }
    check->report.unacknowledged += behind;
    return true;
}

static bool check_cause(struct audit_check *check, const struct audit_line *line)
{
    struct span cause;
    if (!audit_line_text(line, "cause", &cause) || !is_cause(cause)) {
        return audit_check_fail(check, "has no \"cause\" of begin, size, age, start and fault");
    }
    bool is_first = check->place.seq == 1;
    if (span_is_text(cause, "begin") != is_first) {
        return audit_check_fail(check, is_first ? "is the first of a log, whose \"cause\" is begin"
                                                : "has the \"cause\" begin and is not the first "
                                                  "of a log");
    }
    bool is_fault = span_is_text(cause, "fault");
    if (!is_first && !check_before(check, line, is_fault)) {
        return false;
    }
    /* A crash may have lost a segment behind an end that was not that of a service: nothing in it
     * was on the disk, and tokens have counted it. */
    if (is_fault || (span_is_text(cause, "start") && !check->was_stopped)) {
        audit_check_renew_counts(check, line->time_us);
    }
    return true;
}

bool audit_check_header(struct audit_check *check, const struct audit_line *line)
{
    uint64_t number;
    uint64_t version;
    struct span chain;
    if (!audit_line_number(line, "segment", &number) || number != check->place.segment) {
        return audit_check_fail(check, "does not bear the number of its file, %llu",
                                (unsigned long long)check->place.segment);
    }
    if (!audit_line_number(line, "version", &version) || version != AUDIT_VERSION) {
        return audit_check_fail(check, "has not the \"version\" %d, which is the one that is known",
                                AUDIT_VERSION);
    }
    if (!audit_line_text(line, "chain", &chain) || !uuid_is_valid(chain)) {
        return audit_check_fail(check, "has no \"chain\", a UUID");
    }
    return check_chain(check, chain) && check_cause(check, line);
}
