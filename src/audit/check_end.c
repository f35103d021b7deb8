/* SPDX-License-Identifier: Apache-2.0
 * The ends: of a segment, and both of the log. */
#include "audit/check_parts.h"

#include "audit/listing.h"
#include "jose/json.h"

/* --- of a segment --- */

/* No record that a later one holds can end so, but what was never whole can. All the rest is held
 * all the same. */
static void note_torn(struct audit_check *check, const struct audit_segment_end *end)
{
    char name[SEGMENT_NAME_SIZE];
    struct audit_problem kept = check->report.problem;
    (void)audit_check_fail_file(check, audit_segment_name(end->segment, name),
                                "ends in %llu bytes that never were a whole record (written when "
                                "the log failed, or being written while the copy was made); "
                                "nothing else is wrong",
                                (unsigned long long)end->torn_bytes);
    check->torn = check->report.problem;
    check->report.problem = kept;
}

static bool check_tail(struct audit_check *check, const struct audit_segment_end *end)
{
    if (end->size == end->records_end || end->is_nul) {
        return true;
    }
    if (end->torn_bytes > 0) {
        note_torn(check, end);
        return true;
    }
    bool is_here = check->place.segment == end->segment;
    check->place = (struct audit_place){.segment = end->segment,
                                        .line = is_here ? check->place.line + 1 : 1,
                                        .seq = check->place.seq + 1};
    return audit_check_fail(check,
                            "is not whole: behind the last line end are %llu bytes that are "
                            "neither a record nor NUL bytes alone",
                            (unsigned long long)(end->size - end->records_end));
}

/* What is behind the records of a segment that another one follows is judged by that one's first
 * record; a service may have ended before it wrote that. */
bool audit_check_segment_end(struct audit_check *check, const struct audit_segment_end *end)
{
    bool is_empty = check->place.segment != end->segment;
    check->report.segments++;
    if (!end->has_next &&
        ((is_empty && !check_tail(check, &check->last_end)) || !check_tail(check, end))) {
        return false;
    }
    check->last_end = *end;
    check->was_stopped = check->is_stopped;
    check->is_ended = false;
    check->is_stopped = false;
    return true;
}

/* --- the first of the log --- */

/* Of the segment before the first one, and so of all before it: the oldest go first. */
void audit_check_retention(struct audit_check *check, const struct audit_line *line)
{
    uint64_t segment;
    uint64_t last;
    if (check->removal_seq == 0 && audit_line_number(line, "segment", &segment) &&
        audit_line_number(line, "last", &last) && segment + 1 == check->first_segment &&
        last + 1 == check->report.first_seq) {
        check->removal_seq = check->place.seq;
    }
}

/* Where a key is given it must be sealed, or who cuts the log would only have to write it. */
static bool is_removal_good(const struct audit_check *check)
{
    return check->removal_seq > 0 &&
           (check->n_keys == 0 || check->removal_seq <= check->report.sealed_seq);
}

static bool check_beginning(struct audit_check *check)
{
    struct audit_report *report = &check->report;
    char name[SEGMENT_NAME_SIZE];
    unsigned long long first = report->first_seq;
    report->removal_seq = is_removal_good(check) ? check->removal_seq : 0;
    if (check->first_segment == 1 || check->is_partial || report->removal_seq > 0) {
        return true;
    }
    (void)audit_segment_name(check->first_segment, name);
    if (check->removal_seq > 0) {
        return audit_check_fail_file(
            check, name,
            "the log begins at record %llu, and record %llu, which says that what was before it "
            "was removed, is not sealed: qsealctl audit checkpoint seals it",
            first, (unsigned long long)check->removal_seq);
    }
    return audit_check_fail_file(
        check, name,
        "the log begins at record %llu, and no record of the kind retention says that the %llu "
        "records before it were removed; to verify a part of a log say --partial",
        first, first - 1);
}

/* --- the last of the log --- */

/* No later record holds the last one, so at least its form must be right. */
static bool check_last(struct audit_check *check, struct span last)
{
    json_t *object = NULL;
    struct reason why = {0};
    if (json_parse_object(last, &object, &why) != OUTCOME_OK) {
        return audit_check_fail(check, "is not a record: %.300s", why.detail);
    }
    json_decref(object);
    return true;
}

static bool check_reached(struct audit_check *check, const struct audit_expected *expected)
{
    const struct audit_report *report = &check->report;
    unsigned long long seq = expected->seq;
    bool is_before = expected->seq < report->first_seq;
    if (!is_before && expected->seq <= report->last_seq) {
        return true;
    }
    if (is_before && report->removal_seq > 0) {
        check->report.checkpoint_elsewhere = true;
        check->report.checkpoint_before = true;
        return true;
    }
    if (expected->may_be_elsewhere && check->is_partial) {
        check->report.checkpoint_elsewhere = true;
        return true;
    }
    if (is_before) {
        return audit_check_fail_file(check, expected->file,
                                     "covers record %llu, and the log begins at %llu: that record "
                                     "is not here",
                                     seq, (unsigned long long)report->first_seq);
    }
    return audit_check_fail_file(check, expected->file,
                                 "covers record %llu, and the log ends at %llu: it was cut, or set "
                                 "back; records %llu to %llu are missing",
                                 seq, (unsigned long long)report->last_seq,
                                 (unsigned long long)report->last_seq + 1, seq);
}

static bool check_sealed(struct audit_check *check)
{
    struct audit_report *report = &check->report;
    report->not_sealed =
        report->sealed_seq >= report->last_seq ? 0 : report->last_seq - report->sealed_seq;
    if (report->sealed_seq < report->first_seq) {
        report->not_sealed = report->records;
    }
    if (check->unknown_key.what[0] != '\0') {
        report->problem = check->unknown_key;
        return false;
    }
    if (check->n_keys > 0 && report->sealed_seq == 0 && !check->is_partial) {
        return audit_check_fail_file(check, "",
                                     "no checkpoint covers a record of this log: nothing is sealed "
                                     "under the given key; qsealctl audit checkpoint makes one");
    }
    return true;
}

bool audit_check_end(struct audit_check *check, struct span last)
{
    struct audit_report *report = &check->report;
    report->verdict = AUDIT_BAD;
    report->signs_open += check->n_open;
    for (size_t i = 0; i < check->n_open; i++) {
        report->signs_open -= check->open[i].pair == AUDIT_COMMAND ? 1 : 0;
    }
    if (report->records == 0) {
        return audit_check_fail_file(check, "", "there is no record in the log");
    }
    if (!check_last(check, last) || !check_beginning(check)) {
        return false;
    }
    for (size_t i = 0; i < check->n_expected; i++) {
        if (!check_reached(check, &check->expected[i])) {
            return false;
        }
    }
    if (!check_sealed(check)) {
        return false;
    }
    if (check->torn.what[0] != '\0') {
        report->problem = check->torn;
        return false;
    }
    report->verdict = check->n_keys > 0 ? AUDIT_GOOD : AUDIT_CHAINED;
    return true;
}
