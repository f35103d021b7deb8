/* SPDX-License-Identifier: Apache-2.0
 * Verifies an audit log in its folder. */
#include "audit/verify.h"

#include "audit/check.h"
#include "audit/reader.h"
#include "base/clock.h"
#include "base/file.h"
#include "jose/sha256.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { PROGRESS_RECORDS = 4096, PATIENCE_STEP_MS = 2 };

struct run {
    const struct audit_verify_options *options;
    struct audit_check *check;  /* owned */
    struct audit_reader reader; /* owned */
    uint8_t last[AUDIT_LINE_MAX];
    size_t last_len;
    bool is_unreadable;
    bool is_waiting; /* for the rest of a record, until then: */
    struct deadline patience;
};

static bool unreadable(struct run *run, const char *file, const char *what)
{
    run->is_unreadable = true;
    return audit_check_fail_file(run->check, file, "%s", what);
}

/* --- before the first record --- */

static bool expect(struct run *run, const char *path, const char *name, bool is_own)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    if (file_read(path, &text) == 0) {
        return audit_check_expect(run->check, name, buffer_span(&text), is_own);
    }
    if (is_own && errno == ENOENT) {
        return true;
    }
    return unreadable(run, name, strerror(errno));
}

/* Before the segments: what it covers is in the log already. */
static bool expect_checkpoints(struct run *run)
{
    const struct audit_verify_options *options = run->options;
    char own[PATH_MAX];
    if (snprintf(own, sizeof own, "%s/%s", options->folder, AUDIT_CHECKPOINT_FILE) >=
        (int)sizeof own) {
        return unreadable(run, options->folder, strerror(ENAMETOOLONG));
    }
    return expect(run, own, AUDIT_CHECKPOINT_FILE, true) &&
           (options->checkpoint == NULL ||
            expect(run, options->checkpoint, options->checkpoint, false));
}

static bool begin(struct run *run)
{
    if (!expect_checkpoints(run)) {
        return false;
    }
    switch (audit_reader_open(&run->reader, run->options->folder)) {
    case AUDIT_READ_FAULT:
        return unreadable(run, "", run->reader.why);
    case AUDIT_READ_MISSING:
        return audit_check_fail_file(run->check, "", "%s", run->reader.why);
    case AUDIT_READ_RECORD:
    case AUDIT_READ_CLOSED:
    case AUDIT_READ_END:
        break;
    }
    run->check->report.bytes = run->reader.segments.bytes;
    return true;
}

/* --- a record that is not remembered any more --- */

static bool find_hash(void *context, uint64_t seq, char out[AUDIT_HASH_SIZE])
{
    const struct run *run = context;
    AUDIT_READER_CLEANUP struct audit_reader reader;
    if (audit_reader_open(&reader, run->options->folder) != AUDIT_READ_END) {
        return false;
    }
    audit_reader_seek_record(&reader, seq);
    for (;;) {
        struct audit_line line;
        enum audit_read read = audit_reader_next(&reader);
        if (read == AUDIT_READ_CLOSED) {
            continue;
        }
        if (read != AUDIT_READ_RECORD || audit_line_read(reader.line, &line) != NULL) {
            return false;
        }
        if (line.seq >= seq) {
            return line.seq == seq && sha256_text(reader.line, out);
        }
    }
}

/* --- the records --- */

static bool take_record(struct run *run)
{
    struct audit_reader *reader = &run->reader;
    const struct audit_verify_options *options = run->options;
    memcpy(run->last, reader->line.data, reader->line.len);
    run->last_len = reader->line.len;
    run->is_waiting = false;
    if (!audit_check_line(run->check, reader->segment, reader->line_number, reader->line)) {
        enum audit_read behind = audit_reader_next(reader);
        if (behind == AUDIT_READ_CLOSED) {
            behind = audit_reader_next(reader);
        }
        if (behind == AUDIT_READ_RECORD) {
            audit_check_explain(run->check, reader->line);
        }
        return false;
    }
    if (options->progress != NULL && run->check->report.records % PROGRESS_RECORDS == 0) {
        struct audit_progress progress = {audit_reader_done(reader), reader->segments.bytes,
                                          run->check->report.records};
        options->progress(options->context, &progress);
    }
    return true;
}

/* Half a record may be one that is written this moment. */
static bool may_become_whole(struct run *run, const struct audit_tail *tail)
{
    if (tail->is_nul) {
        return false;
    }
    if (!run->is_waiting) {
        run->is_waiting = true;
        run->patience = deadline_in_ms(run->options->patience_ms);
    }
    if (deadline_passed(run->patience)) {
        return false;
    }
    (void)poll(NULL, 0, PATIENCE_STEP_MS);
    return true;
}

/* Of a segment; of the log when none follows. */
static bool take_end(struct run *run, bool has_next, bool *is_over)
{
    struct audit_tail tail;
    if (audit_reader_tail(&run->reader, &tail) != 0) {
        return unreadable(run, run->options->folder, strerror(errno));
    }
    if (!has_next && may_become_whole(run, &tail)) {
        return true;
    }
    const struct audit_segment_end end = {
        .segment = run->reader.segment,
        .records_end = run->reader.offset,
        .size = run->reader.offset + tail.len,
        .is_nul = tail.is_nul,
        .torn_bytes = tail.torn_bytes,
        .has_next = has_next,
    };
    *is_over = !has_next;
    return audit_check_segment_end(run->check, &end);
}

static bool read_all(struct run *run)
{
    bool is_over = false;
    bool is_good = true;
    while (is_good && !is_over) {
        switch (audit_reader_next(&run->reader)) {
        case AUDIT_READ_RECORD:
            is_good = take_record(run);
            break;
        case AUDIT_READ_CLOSED:
            is_good = take_end(run, true, &is_over);
            break;
        case AUDIT_READ_END:
            is_good = take_end(run, false, &is_over);
            break;
        case AUDIT_READ_MISSING:
            is_good = audit_check_fail_file(run->check, "", "%s", run->reader.why);
            break;
        case AUDIT_READ_FAULT:
            is_good = unreadable(run, "", run->reader.why);
            break;
        }
    }
    return is_good && audit_check_end(run->check, span_of(run->last, run->last_len));
}

enum audit_verdict audit_verify(const struct audit_verify_options *options,
                                struct audit_report *report)
{
    struct run run = {.options = options, .reader = {.folder = -1, .fd = -1}};
    *report = (struct audit_report){.verdict = AUDIT_UNREADABLE};
    run.check = audit_check_new();
    if (run.check == NULL) {
        (void)snprintf(report->problem.what, sizeof report->problem.what, "out of memory");
        return report->verdict;
    }
    run.check->keys = options->keys;
    run.check->n_keys = options->n_keys;
    run.check->is_partial = options->is_partial;
    run.check->find_hash = find_hash;
    run.check->find_context = &run;
    bool is_good = begin(&run) && read_all(&run);
    *report = run.check->report;
    if (!is_good) {
        report->verdict = run.is_unreadable ? AUDIT_UNREADABLE : AUDIT_BAD;
    }
    audit_reader_close(&run.reader);
    audit_check_free(run.check);
    return report->verdict;
}
