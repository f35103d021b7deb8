/* SPDX-License-Identifier: Apache-2.0
 * The rules of the audit log: what holds for every record. */
#include "audit/check.h"

#include "audit/check_parts.h"
#include "audit/listing.h"
#include "base/base64url.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct audit_check *audit_check_new(void)
{
    struct audit_check *check = calloc(1, sizeof *check);
    if (check == NULL) {
        return NULL;
    }
    check->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    check->hashing = EVP_MD_CTX_new();
    if (check->sha256 == NULL || check->hashing == NULL ||
        EVP_DigestInit_ex(check->hashing, check->sha256, NULL) != 1) {
        audit_check_free(check);
        return NULL;
    }
    return check;
}

void audit_check_free(struct audit_check *check)
{
    if (check != NULL) {
        EVP_MD_CTX_free(check->hashing);
        EVP_MD_free(check->sha256);
        free(check);
    }
}

/* --- problems --- */

PRINTF_LIKE(2, 0)
static void put_problem(struct audit_problem *problem, const char *format, va_list arguments)
{
    (void)vsnprintf(problem->what, sizeof problem->what, format, arguments);
}

static void place_problem(struct audit_problem *problem, const struct audit_place *place)
{
    (void)audit_segment_name(place->segment, problem->file);
    problem->line = place->line;
    problem->seq = place->seq;
}

bool audit_check_fail(struct audit_check *check, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    place_problem(&check->report.problem, &check->place);
    put_problem(&check->report.problem, format, arguments);
    va_end(arguments);
    return false;
}

bool audit_check_fail_file(struct audit_check *check, const char *file, const char *format, ...)
{
    va_list arguments;
    struct audit_problem *problem = &check->report.problem;
    va_start(arguments, format);
    *problem = (struct audit_problem){0};
    (void)snprintf(problem->file, sizeof problem->file, "%s", file);
    put_problem(problem, format, arguments);
    va_end(arguments);
    return false;
}

void audit_check_explain(struct audit_check *check, struct span next)
{
    struct audit_line line;
    if (!check->prev_differs || audit_line_read(next, &line) != NULL ||
        line.seq != check->place.seq + 1) {
        return;
    }
    const struct audit_remembered *here =
        &check->remembered[check->place.seq % AUDIT_REMEMBERED_MAX];
    char hash[AUDIT_HASH_SIZE];
    audit_check_spell(here->digest, hash);
    if (span_is_text(line.prev, hash)) {
        unsigned long long behind = check->place.seq;
        check->place = check->previous;
        (void)audit_check_fail(check,
                               "was changed after record %llu was written, which bears another "
                               "hash of it as \"prev\" (record %llu is as record %llu has it)",
                               behind, behind, behind + 1);
    }
}

/* --- the chain --- */

void audit_check_spell(const uint8_t digest[AUDIT_DIGEST_LEN], char out[AUDIT_HASH_SIZE])
{
    struct buffer text = {.data = (uint8_t *)out, .room = AUDIT_HASH_SIZE, .max = AUDIT_HASH_LEN};
    base64url_encode(&text, span_of(digest, AUDIT_DIGEST_LEN));
    out[AUDIT_HASH_LEN] = '\0';
}

bool audit_check_remembers(const struct audit_check *check, uint64_t seq)
{
    return seq >= check->report.first_seq && seq <= check->place.seq &&
           check->place.seq - seq < AUDIT_REMEMBERED_MAX;
}

static bool remember(struct audit_check *check, struct span line)
{
    struct audit_remembered *here = &check->remembered[check->place.seq % AUDIT_REMEMBERED_MAX];
    here->done_pair = AUDIT_NO_PAIR;
    if (EVP_DigestInit_ex(check->hashing, NULL, NULL) != 1 ||
        EVP_DigestUpdate(check->hashing, line.data, line.len) != 1 ||
        EVP_DigestFinal_ex(check->hashing, here->digest, NULL) != 1) {
        return audit_check_fail(check, "libcrypto cannot make a SHA-256");
    }
    return true;
}

static bool check_seq(struct audit_check *check, uint64_t seq)
{
    unsigned long long want = check->previous.seq + 1;
    unsigned long long got = seq;
    if (check->report.records == 0) {
        if (seq != 1 && check->place.segment == 1) {
            return audit_check_fail(check, "has seq %llu; the first record of a log has 1", got);
        }
        return true;
    }
    if (got > want) {
        return audit_check_fail(
            check,
            "has seq %llu and must have %llu: records %llu to %llu are missing, "
            "or not in their order",
            got, want, want, got - 1);
    }
    if (got < want) {
        return audit_check_fail(check,
                                "has seq %llu and must have %llu: a record is there twice, or not "
                                "in its order",
                                got, want);
    }
    return true;
}

static bool check_prev(struct audit_check *check, struct span prev)
{
    if (check->report.records == 0) {
        bool is_first = check->place.seq == 1;
        return is_first == span_is_text(prev, audit_no_hash) ||
               audit_check_fail(check, is_first
                                           ? "has a \"prev\"; the first record of a log has 43 "
                                             "times A there"
                                           : "has no \"prev\", and is not the first of a log");
    }
    if (span_is_text(prev, check->head)) {
        return true;
    }
    (void)audit_check_fail(check,
                           "does not fit record %llu: that one's hash is %s, and \"prev\" is "
                           "%.43s; one of the two was changed",
                           (unsigned long long)check->previous.seq, check->head,
                           (const char *)prev.data);
    check->prev_differs = true;
    return false;
}

static bool check_expected(struct audit_check *check)
{
    for (size_t i = 0; i < check->n_expected; i++) {
        const struct audit_expected *expected = &check->expected[i];
        if (expected->seq != check->place.seq) {
            continue;
        }
        if (strcmp(expected->head, check->head) != 0) {
            return audit_check_fail(check,
                                    "is not the record that %.200s was made of: its hash is %s and "
                                    "must be %s; this log was rewritten",
                                    expected->file, check->head, expected->head);
        }
        if (expected->is_good) {
            audit_check_seal(check, expected->seq, expected->time);
        }
    }
    return true;
}

static void take_end(struct audit_check *check, const struct audit_line *line)
{
    struct span cause;
    check->is_ended = true;
    check->is_stopped = audit_line_text(line, "cause", &cause) && span_is_text(cause, "stop");
}

static bool check_kind(struct audit_check *check, const struct audit_line *line,
                       enum audit_kind kind)
{
    switch (kind) {
    case AUDIT_KIND_SEGMENT:
        return audit_check_header(check, line);
    case AUDIT_KIND_SIGN:
        return audit_check_sign(check, line);
    case AUDIT_KIND_ADMIN:
    case AUDIT_KIND_KEYRING:
        audit_check_command(check);
        return true;
    case AUDIT_KIND_DONE:
        return audit_check_done(check, line);
    case AUDIT_KIND_CHECKPOINT:
        return audit_check_checkpoint(check, line);
    case AUDIT_KIND_END:
        take_end(check, line);
        return true;
    case AUDIT_KIND_RETENTION:
        audit_check_retention(check, line);
        return true;
    case AUDIT_KIND_REFUSED:
    case AUDIT_KIND_START:
    case AUDIT_KIND_POLICY:
    case AUDIT_KIND_REPAIR:
    case AUDIT_KIND_OTHER:
        return true;
    }
    return true;
}

static bool check_position(struct audit_check *check, enum audit_kind kind)
{
    bool is_first = check->place.line == 1;
    if (is_first != (kind == AUDIT_KIND_SEGMENT)) {
        return audit_check_fail(check, is_first
                                           ? "is the first of its file and must be of the kind "
                                             "segment"
                                           : "is of the kind segment and not the first of its "
                                             "file");
    }
    if (check->is_ended) {
        return audit_check_fail(check, "stands behind the record of the kind end");
    }
    return true;
}

static void count(struct audit_check *check, const struct audit_line *line, enum audit_kind kind)
{
    struct audit_report *report = &check->report;
    if (report->records == 0) {
        check->first_segment = check->place.segment;
        report->first_seq = line->seq;
        report->first_time_us = line->time_us;
    }
    if (line->time_us < check->renewed_us) { /* the clock was set back */
        check->renewed_us = line->time_us;
    }
    report->records++;
    report->kinds[kind]++;
    report->last_seq = line->seq;
    report->last_time_us = line->time_us;
}

bool audit_check_line(struct audit_check *check, uint64_t segment, uint64_t number,
                      struct span line)
{
    struct audit_line read;
    check->previous = check->place;
    check->place = (struct audit_place){segment, number, check->previous.seq + 1};
    const char *fault = audit_line_read(line, &read);
    if (fault != NULL) {
        return audit_check_fail(check, "is not a record: %s", fault);
    }
    enum audit_kind kind = audit_kind_of(read.kind);
    if (!check_position(check, kind) || !check_seq(check, read.seq)) {
        return false;
    }
    check->place.seq = read.seq;
    if (!remember(check, line) || !check_prev(check, read.prev)) {
        return false;
    }
    audit_check_spell(check->remembered[read.seq % AUDIT_REMEMBERED_MAX].digest, check->head);
    count(check, &read, kind);
    return check_expected(check) && check_kind(check, &read, kind);
}
