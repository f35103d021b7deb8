/* SPDX-License-Identifier: Apache-2.0
 * A log of 1,000 records in three segments, sealed to its last record, and every way of changing it
 * a little: each single byte, each record removed, swapped, there twice, each end cut off. All of
 * it must be found. */
#include "audit/check.h"

#include "made_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { RECORDS = 1000, SEGMENTS = 3, CHECKPOINT_EVERY = 100 };

struct stand {
    struct audit_log log;
    struct folder folder;
    char checkpoint[128]; /* kept elsewhere: over the last record */
    struct folder elsewhere;
    size_t at[RECORDS + 1]; /* where each record begins in its segment, from 0 */
    size_t len[RECORDS];
    size_t segment[RECORDS];
};

static void put_checkpoint(struct audit_log *log)
{
    struct checkpoint note = audit_log_note(log);
    audit_log_count(&note, log->signs, 1795200000);
    audit_log_checkpoint_of(log, &note);
}

static void fill(struct audit_log *log)
{
    uint64_t sealed = 0;
    audit_log_segment(log, "begin");
    while (log->seq < RECORDS) {
        if (log->seq - sealed >= CHECKPOINT_EVERY) {
            sealed = log->seq;
            put_checkpoint(log);
        } else if (log->seq / 333 == log->n_segments) {
            audit_log_end(log);
            audit_log_segment(log, "size");
        } else if (log->seq % 7 == 0) {
            audit_log_put(log, "refused",
                          ",\"uid\":1001,\"gid\":1001,\"pid\":99,\"operation\":\"jar\","
                          "\"outcome\":\"rule-refused\",\"claim\":\"/aud\",\"detail\":\"no\"");
        } else if (log->seq % 2 == 0 && log->seq + 2 <= RECORDS) {
            audit_log_done(log, audit_log_sign(log));
        } else {
            audit_log_put(log, "policy", ",\"configuration_sha256\":\"%s\",\"generation\":%llu",
                          log->prev, (unsigned long long)log->seq);
        }
    }
}

static void find_records(struct stand *stand)
{
    size_t record = 0;
    for (size_t i = 0; i < SEGMENTS; i++) {
        struct span left = buffer_span(&stand->log.segments[i]);
        for (size_t at = 0; left.len > 0; record++) {
            size_t len = span_find(left, '\n') + 1;
            assert_true(record < RECORDS);
            stand->at[record] = at;
            stand->len[record] = len;
            stand->segment[record] = i;
            at += len;
            left = span_part(left, len, left.len);
        }
    }
    assert_int_equal(record, RECORDS);
}

static int set_up(void **state)
{
    struct stand *stand = calloc(1, sizeof *stand);
    assert_non_null(stand);
    stand->log = audit_log_make();
    fill(&stand->log);
    assert_int_equal(stand->log.n_segments, SEGMENTS);
    find_records(stand);
    struct audit_log sealed = stand->log; /* its record is not in the log any more */
    struct checkpoint note = audit_log_note(&sealed);
    size_t len = audit_log_last(&sealed)->len;
    audit_log_checkpoint_of(&sealed, &note);
    stand->log.checkpoint = sealed.checkpoint;
    stand->log.segments[SEGMENTS - 1] = sealed.segments[SEGMENTS - 1];
    buffer_cut(&stand->log.segments[SEGMENTS - 1], len);
    stand->folder = audit_log_write(&stand->log);
    stand->elsewhere = folder_make();
    folder_path(&stand->elsewhere, "kept", stand->checkpoint);
    assert_int_equal(file_replace(stand->checkpoint, buffer_span(&sealed.checkpoint), 0600), 0);
    *state = stand;
    return 0;
}

static int tear_down(void **state)
{
    struct stand *stand = *state;
    folder_remove(&stand->folder);
    folder_remove(&stand->elsewhere);
    audit_log_free(&stand->log);
    free(stand);
    return 0;
}

static enum audit_verdict verify(const struct stand *stand, struct audit_report *report)
{
    const struct audit_verify_options options = {
        .folder = stand->folder.path,
        .keys = (struct public_key *const *)&stand->log.key,
        .n_keys = 1,
        .checkpoint = stand->checkpoint,
    };
    return audit_verify(&options, report);
}

static void as_it_is_it_is_good(void **state)
{
    const struct stand *stand = *state;
    struct audit_report report;
    if (verify(stand, &report) != AUDIT_GOOD) {
        fail_msg("record %llu: %s", (unsigned long long)report.problem.seq, report.problem.what);
    }
    assert_int_equal(report.records, RECORDS);
    assert_int_equal(report.segments, SEGMENTS);
    assert_int_equal(report.checkpoints_good, RECORDS / CHECKPOINT_EVERY - 1);
    assert_int_equal(report.not_sealed, 0);
}

/* --- each byte, from a copy of the check as it stands before the record --- */

static void copy_check(struct audit_check *to, const struct audit_check *from)
{
    memcpy(to, from, offsetof(struct audit_check, pairs));
    memcpy(to->pairs, from->pairs, from->n_pairs * sizeof from->pairs[0]);
    memcpy(to->open, from->open, from->n_open * sizeof from->open[0]);
    memcpy(to->remembered, from->remembered, (from->place.seq + 1) * sizeof from->remembered[0]);
}

/* From a line on to the end of the log, which is in memory. */
static bool check_from(struct audit_check *check, const struct audit_log *log, size_t segment,
                       size_t at, uint64_t number)
{
    struct span last = {0};
    for (; segment < log->n_segments; segment++, at = 0, number = 0) {
        struct span all = buffer_span(&log->segments[segment]);
        struct span left = span_part(all, at, all.len);
        size_t len = span_find(left, '\n') + 1;
        while (len <= left.len && left.data[0] != '\0') {
            last = span_part(left, 0, len);
            left = span_part(left, len, left.len);
            len = span_find(left, '\n') + 1;
            if (!audit_check_line(check, segment + 1, ++number, last)) {
                audit_check_explain(check, span_part(left, 0, len));
                return false;
            }
        }
        bool is_nul = true;
        for (size_t i = 0; i < left.len; i++) {
            is_nul = is_nul && left.data[i] == '\0';
        }
        const struct audit_segment_end end = {.segment = segment + 1,
                                              .records_end = all.len - left.len,
                                              .size = all.len,
                                              .is_nul = is_nul,
                                              .has_next = segment + 1 < log->n_segments};
        if (!audit_check_segment_end(check, &end)) {
            return false;
        }
    }
    return audit_check_end(check, last);
}

struct tally {
    size_t changes;
    size_t missed;
    size_t named; /* with the very record that was changed */
};

static void change_byte(const struct stand *stand, const struct audit_check *before,
                        struct audit_check *work, size_t record, size_t offset, uint8_t value,
                        struct tally *tally)
{
    size_t segment = stand->segment[record];
    uint8_t *byte = &stand->log.segments[segment].data[stand->at[record] + offset];
    uint8_t kept = *byte;
    if (value == kept) {
        return;
    }
    *byte = value;
    copy_check(work, before);
    /* The segment's lines up to here have been counted by the check itself. */
    uint64_t line = before->place.segment == segment + 1 ? before->place.line : 0;
    tally->changes++;
    if (check_from(work, &stand->log, segment, stand->at[record], line)) {
        print_error("record %zu, byte %zu: 0x%02x for 0x%02x was not found\n", record + 1, offset,
                    value, kept);
        tally->missed++;
    }
    tally->named += work->report.problem.seq == record + 1 ? 1 : 0;
    *byte = kept;
}

static void change_record(const struct stand *stand, const struct audit_check *before,
                          struct audit_check *work, size_t record, struct tally *tally)
{
    for (size_t offset = 0; offset < stand->len[record]; offset++) {
        size_t segment = stand->segment[record];
        uint8_t is = stand->log.segments[segment].data[stand->at[record] + offset];
        const uint8_t values[] = {is ^ 1, is ^ 0x20, is ^ 0x80, '\n', '\0'};
        for (size_t i = 0; i < sizeof values; i++) {
            change_byte(stand, before, work, record, offset, values[i], tally);
        }
    }
}

static void each_changed_byte_is_found(void **state)
{
    const struct stand *stand = *state;
    struct audit_check *before = audit_check_new();
    struct audit_check *work = calloc(1, sizeof *work);
    struct tally tally = {0};
    assert_non_null(before);
    assert_non_null(work);
    before->keys = (struct public_key *const *)&stand->log.key;
    before->n_keys = 1;
    assert_true(audit_check_expect(before, "kept", buffer_span(&stand->log.checkpoint), false));
    for (size_t record = 0; record < RECORDS; record++) {
        size_t segment = stand->segment[record];
        struct span all = buffer_span(&stand->log.segments[segment]);
        change_record(stand, before, work, record, &tally);
        uint64_t line = before->place.segment == segment + 1 ? before->place.line : 0;
        assert_true(audit_check_line(before, segment + 1, line + 1,
                                     span_part(all, stand->at[record], stand->len[record])));
        if (stand->at[record] + stand->len[record] == all.len && segment + 1 < SEGMENTS) {
            const struct audit_segment_end end = {
                .segment = segment + 1, .records_end = all.len, .size = all.len, .has_next = true};
            assert_true(audit_check_segment_end(before, &end));
        }
    }
    print_message("%zu single bytes changed, %zu not found; %zu name that record\n", tally.changes,
                  tally.missed, tally.named);
    assert_int_equal(tally.missed, 0);
    assert_true(tally.changes > (size_t)RECORDS * 300 * 4);
    /* A line end that is gone, or a new one, may be laid to a neighbour. */
    assert_true(tally.changes - tally.named < tally.changes / 100);
    free(work);
    audit_check_free(before);
}

/* --- in files --- */

static int open_segment(const struct stand *stand, size_t segment)
{
    char name[SEGMENT_NAME_SIZE];
    char path[128];
    folder_path(&stand->folder, audit_segment_name(segment + 1, name), path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void write_segment(const struct stand *stand, size_t segment, struct span text)
{
    FD_CLEANUP int fd = open_segment(stand, segment);
    assert_int_equal(ftruncate(fd, (off_t)text.len), 0);
    assert_int_equal(pwrite(fd, text.data, text.len, 0), text.len);
}

static void restore(const struct stand *stand, size_t segment)
{
    write_segment(stand, segment, buffer_span(&stand->log.segments[segment]));
}

static void expect_found(const struct stand *stand, const char *what, size_t record,
                         struct tally *tally)
{
    struct audit_report report;
    tally->changes++;
    if (verify(stand, &report) != AUDIT_BAD) {
        print_error("%s, record %zu: not found\n", what, record + 1);
        tally->missed++;
    }
    uint64_t named = report.problem.seq;
    tally->named += named >= record + 1 && named <= record + 2 ? 1 : 0;
}

static void say(const char *what, const struct tally *tally)
{
    print_message("%zu %s, %zu not found\n", tally->changes, what, tally->missed);
    assert_int_equal(tally->missed, 0);
}

/* The same as above, of some bytes, on the way that a verification goes. */
static void changed_bytes_are_found_in_files(void **state)
{
    const struct stand *stand = *state;
    struct tally tally = {0};
    for (size_t record = 0; record < RECORDS; record++) {
        size_t segment = stand->segment[record];
        FD_CLEANUP int fd = open_segment(stand, segment);
        for (size_t offset = record % 211; offset < stand->len[record]; offset += 211) {
            off_t at = (off_t)(stand->at[record] + offset);
            uint8_t is = stand->log.segments[segment].data[at];
            uint8_t changed = is ^ 1;
            assert_int_equal(pwrite(fd, &changed, 1, at), 1);
            expect_found(stand, "a byte", record, &tally);
            assert_int_equal(pwrite(fd, &is, 1, at), 1);
        }
    }
    assert_int_equal(tally.named, tally.changes);
    say("bytes changed in files", &tally);
}

/* The segment with the record's bytes taken out, and these put in. */
static void put_instead(const struct stand *stand, size_t record, size_t taken, struct span in)
{
    size_t segment = stand->segment[record];
    struct span all = buffer_span(&stand->log.segments[segment]);
    BUFFER_CLEANUP struct buffer made = BUFFER_INIT(LOG_SEGMENT_MAX);
    buffer_put_span(&made, span_part(all, 0, stand->at[record]));
    buffer_put_span(&made, in);
    buffer_put_span(&made, span_part(all, stand->at[record] + taken, all.len));
    write_segment(stand, segment, buffer_span(&made));
}

static struct span record_of(const struct stand *stand, size_t record)
{
    return span_part(buffer_span(&stand->log.segments[stand->segment[record]]), stand->at[record],
                     stand->len[record]);
}

static void each_removed_record_is_found(void **state)
{
    const struct stand *stand = *state;
    struct tally tally = {0};
    for (size_t record = 0; record < RECORDS; record++) {
        put_instead(stand, record, stand->len[record], (struct span){0});
        expect_found(stand, "removed", record, &tally);
        restore(stand, stand->segment[record]);
    }
    say("records removed", &tally);
}

static void each_swap_is_found(void **state)
{
    const struct stand *stand = *state;
    struct tally tally = {0};
    BUFFER_CLEANUP struct buffer both = BUFFER_INIT(2 * AUDIT_LINE_MAX);
    for (size_t record = 0; record + 1 < RECORDS; record++) {
        if (stand->segment[record] != stand->segment[record + 1]) {
            continue;
        }
        buffer_reset(&both);
        buffer_put_span(&both, record_of(stand, record + 1));
        buffer_put_span(&both, record_of(stand, record));
        put_instead(stand, record, both.len, buffer_span(&both));
        expect_found(stand, "swapped", record, &tally);
        restore(stand, stand->segment[record]);
    }
    say("neighbours swapped", &tally);
}

static void each_record_that_is_there_twice_is_found(void **state)
{
    const struct stand *stand = *state;
    struct tally tally = {0};
    for (size_t record = 0; record < RECORDS; record++) {
        put_instead(stand, record, 0, record_of(stand, record));
        expect_found(stand, "twice", record, &tally);
        restore(stand, stand->segment[record]);
    }
    say("records put in twice", &tally);
}

/* The end of the log: what is behind is gone, the later segments too. */
static void each_end_that_is_cut_off_is_found(void **state)
{
    const struct stand *stand = *state;
    struct tally tally = {0};
    for (size_t record = RECORDS; record-- > 0;) {
        size_t segment = stand->segment[record];
        const size_t cuts[] = {stand->len[record] - 1, stand->len[record] / 2, 1, 0};
        struct span all = buffer_span(&stand->log.segments[segment]);
        if (segment + 1 < SEGMENTS && stand->segment[record + 1] != segment) {
            char name[SEGMENT_NAME_SIZE];
            char path[128];
            folder_path(&stand->folder, audit_segment_name(segment + 2, name), path);
            assert_int_equal(unlink(path), 0);
            expect_found(stand, "cut", record, &tally);
        }
        for (size_t i = 0; i < COUNT_OF(cuts); i++) {
            write_segment(stand, segment, span_part(all, 0, stand->at[record] + cuts[i]));
            expect_found(stand, "cut", record, &tally);
        }
    }
    for (size_t segment = 0; segment < SEGMENTS; segment++) {
        restore(stand, segment);
    }
    say("ends cut off", &tally);
}

/* The end of a segment that others follow. */
static void each_cut_segment_is_found(void **state)
{
    const struct stand *stand = *state;
    struct tally tally = {0};
    for (size_t record = 0; record < RECORDS; record++) {
        size_t segment = stand->segment[record];
        struct span all = buffer_span(&stand->log.segments[segment]);
        const size_t cuts[] = {0, stand->len[record] / 2};
        for (size_t i = 0; i < COUNT_OF(cuts); i++) {
            write_segment(stand, segment, span_part(all, 0, stand->at[record] + cuts[i]));
            expect_found(stand, "cut segment", record, &tally);
        }
        restore(stand, segment);
    }
    say("segments cut", &tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_is_it_is_good),
        cmocka_unit_test(each_changed_byte_is_found),
        cmocka_unit_test(changed_bytes_are_found_in_files),
        cmocka_unit_test(each_removed_record_is_found),
        cmocka_unit_test(each_swap_is_found),
        cmocka_unit_test(each_record_that_is_there_twice_is_found),
        cmocka_unit_test(each_end_that_is_cut_off_is_found),
        cmocka_unit_test(each_cut_segment_is_found),
        cmocka_unit_test(as_it_is_it_is_good), /* all was put back */
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
