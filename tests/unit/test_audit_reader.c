/* SPDX-License-Identifier: Apache-2.0
 * The lines of a log over its segments, and beside who writes it. */
#include "audit/reader.h"

#include "made_log.h"

#include <fcntl.h>

static const uint8_t zero[1000];

/* Reads records up to something else, and counts them. */
static enum audit_read read_on(struct audit_reader *reader, size_t *records)
{
    enum audit_read read = audit_reader_next(reader);
    for (*records = 0; read == AUDIT_READ_RECORD; read = audit_reader_next(reader)) {
        ++*records;
    }
    return read;
}

static void the_lines_come_in_order(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    AUDIT_READER_CLEANUP struct audit_reader reader;
    assert_int_equal(audit_reader_open(&reader, folder.path), AUDIT_READ_END);
    assert_int_equal(reader.segments.count, 3);
    struct audit_tail tail;
    for (uint64_t seq = 1; seq <= 22; seq++) {
        struct audit_line line;
        assert_int_equal(audit_reader_next(&reader), AUDIT_READ_RECORD);
        assert_null(audit_line_read(reader.line, &line));
        assert_int_equal(line.seq, seq);
        assert_int_equal(reader.segment, (seq - 1) / 8 + 1);
        assert_int_equal(reader.line_number, (seq - 1) % 8 + 1);
        if (seq % 8 == 0) {
            assert_int_equal(audit_reader_next(&reader), AUDIT_READ_CLOSED);
            assert_int_equal(reader.offset, log.segments[seq / 8 - 1].len);
            assert_int_equal(audit_reader_tail(&reader, &tail), 0);
            assert_int_equal(tail.len, 0);
        }
    }
    assert_int_equal(audit_reader_next(&reader), AUDIT_READ_END);
    assert_int_equal(audit_reader_next(&reader), AUDIT_READ_END);
    assert_int_equal(audit_reader_done(&reader), reader.segments.bytes);
    audit_reader_seek(&reader, 2);
    assert_int_equal(audit_reader_next(&reader), AUDIT_READ_RECORD);
    assert_int_equal(reader.segment, 2);
    assert_int_equal(reader.line_number, 1);
    static const uint64_t begins[][2] = {{1, 1},   {8, 1},   {9, 9}, {16, 9},
                                         {17, 17}, {99, 17}, {0, 1}};
    for (size_t i = 0; i < COUNT_OF(begins); i++) {
        struct audit_line line;
        audit_reader_seek_record(&reader, begins[i][0]);
        assert_int_equal(audit_reader_next(&reader), AUDIT_READ_RECORD);
        assert_null(audit_line_read(reader.line, &line));
        assert_int_equal(line.seq, begins[i][1]);
    }
    folder_remove(&folder);
    audit_log_free(&log);
}

/* More than is read at once, in lines of all lengths. */
static void a_long_segment_is_read_in_parts(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    for (int i = 0; i < 1500; i++) {
        audit_log_put(&log, "policy", ",\"x\":\"%0*d\"", 1 + i * 10, i);
    }
    struct folder folder = audit_log_write(&log);
    AUDIT_READER_CLEANUP struct audit_reader reader;
    size_t records;
    assert_int_equal(audit_reader_open(&reader, folder.path), AUDIT_READ_END);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    assert_int_equal(records, 1501);
    assert_int_equal(reader.offset, log.segments[0].len);
    folder_remove(&folder);
    audit_log_free(&log);
}

static void a_segment_holds_up_to_where_the_next_says(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_signature(&log);
    size_t holds = log.segments[0].len;
    audit_log_signature(&log);
    audit_log_segment_of(&log, LOG_CHAIN, "fault", holds);
    struct folder folder = audit_log_write(&log);
    AUDIT_READER_CLEANUP struct audit_reader reader;
    size_t records;
    struct audit_tail tail;
    assert_int_equal(audit_reader_open(&reader, folder.path), AUDIT_READ_END);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_CLOSED);
    assert_int_equal(records, 3);
    assert_int_equal(reader.offset, holds);
    assert_int_equal(audit_reader_tail(&reader, &tail), 0);
    assert_int_equal(tail.len, log.segments[0].len - holds);
    assert_false(tail.is_nul);
    folder_remove(&folder);
    audit_log_free(&log);
}

/* As a service writes: over NUL bytes, in pieces, and then the next segment. */
static void what_is_written_meanwhile_is_read(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    size_t begin = log.segments[0].len;
    audit_log_signature(&log);
    size_t end = log.segments[0].len;
    audit_log_segment(&log, "size");
    struct folder folder = folder_make();
    char path[128];
    folder_path(&folder, "audit-0000000001.jsonl", path);
    FD_CLEANUP int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const uint8_t *data = log.segments[0].data;
    assert_int_equal(pwrite(fd, data, begin, 0), begin);
    assert_int_equal(ftruncate(fd, (off_t)end + 1000), 0);

    AUDIT_READER_CLEANUP struct audit_reader reader;
    size_t records;
    struct audit_tail tail;
    assert_int_equal(audit_reader_open(&reader, folder.path), AUDIT_READ_END);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    assert_int_equal(records, 1);
    assert_int_equal(audit_reader_tail(&reader, &tail), 0);
    assert_true(tail.is_nul);
    assert_int_equal(tail.len, end + 1000 - begin);
    /* half a record */
    assert_int_equal(pwrite(fd, data + begin, 100, (off_t)begin), 100);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    assert_int_equal(records, 0);
    assert_int_equal(audit_reader_tail(&reader, &tail), 0);
    assert_false(tail.is_nul);
    /* both, and the segment is closed */
    assert_int_equal(pwrite(fd, data + begin, end - begin, (off_t)begin), end - begin);
    assert_int_equal(ftruncate(fd, (off_t)end), 0);
    audit_log_write_segment(&log, &folder, 2);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_CLOSED);
    assert_int_equal(records, 2);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    assert_int_equal(records, 1);
    assert_int_equal(reader.segment, 2);
    folder_remove(&folder);
    audit_log_free(&log);
}

static void what_was_read_and_never_held_is_said(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    size_t holds = log.segments[0].len;
    audit_log_signature(&log);
    struct folder folder = audit_log_write(&log);
    AUDIT_READER_CLEANUP struct audit_reader reader;
    size_t records;
    assert_int_equal(audit_reader_open(&reader, folder.path), AUDIT_READ_END);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    audit_log_segment_of(&log, LOG_CHAIN, "fault", holds);
    audit_log_write_segment(&log, &folder, 2);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_FAULT);
    assert_non_null(
        strstr(reader.why, "audit-0000000001.jsonl: writing it failed while it was read"));
    folder_remove(&folder);
    audit_log_free(&log);
}

static void a_gap_is_said(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    char path[128];
    folder_path(&folder, "audit-0000000002.jsonl", path);
    assert_int_equal(unlink(path), 0);
    AUDIT_READER_CLEANUP struct audit_reader reader;
    size_t records;
    assert_int_equal(audit_reader_open(&reader, folder.path), AUDIT_READ_END);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_MISSING);
    assert_int_equal(records, 8);
    assert_string_equal(reader.why, "audit-0000000002.jsonl is missing; the next one there is "
                                    "audit-0000000003.jsonl");
    folder_remove(&folder);
    audit_log_free(&log);
}

/* A crash before its first record, while it is read: the file is removed, and made anew. */
static void a_segment_that_is_made_anew_is_read(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_signature(&log);
    struct folder folder = audit_log_write(&log);
    char path[128];
    char torn[128];
    folder_path(&folder, "audit-0000000002.jsonl", path);
    folder_path(&folder, "audit-0000000002.torn", torn);
    assert_int_equal(file_replace(path, span_of(zero, sizeof zero), 0600), 0);
    AUDIT_READER_CLEANUP struct audit_reader reader;
    size_t records;
    assert_int_equal(audit_reader_open(&reader, folder.path), AUDIT_READ_END);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_CLOSED);
    assert_int_equal(records, 3);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    assert_int_equal(rename(path, torn), 0);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    assert_int_equal(records, 0);
    audit_log_segment(&log, "start");
    audit_log_signature(&log);
    audit_log_write_segment(&log, &folder, 2);
    audit_log_segment(&log, "size"); /* there before it was looked at again */
    audit_log_write_segment(&log, &folder, 3);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_CLOSED);
    assert_int_equal(records, 3);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    assert_int_equal(records, 1);
    folder_remove(&folder);
    audit_log_free(&log);
}

/* A start writes the last segment anew, as far as it holds: who has read it goes on. */
static void a_segment_that_is_written_anew_is_read_on(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_signature(&log);
    struct folder folder = audit_log_write(&log);
    char path[128];
    folder_path(&folder, "audit-0000000001.jsonl", path);
    AUDIT_READER_CLEANUP struct audit_reader reader;
    size_t records;
    assert_int_equal(audit_reader_open(&reader, folder.path), AUDIT_READ_END);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    assert_int_equal(file_replace(path, buffer_span(&log.segments[0]), 0600), 0);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    assert_int_equal(records, 0);
    audit_log_signature(&log);
    assert_int_equal(file_replace(path, buffer_span(&log.segments[0]), 0600), 0);
    audit_log_segment(&log, "start");
    audit_log_write_segment(&log, &folder, 2);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_CLOSED);
    assert_int_equal(records, 2);
    assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
    assert_int_equal(records, 1);
    folder_remove(&folder);
    audit_log_free(&log);
}

/* Its first batch could be read, and not be synced: the next attempt takes its number. Who went on
 * in the file that is gone would read nothing any more. */
static void a_segment_that_was_taken_back_is_said(void **state)
{
    (void)state;
    for (int shorter = 0; shorter < 2; shorter++) {
        struct audit_log log = audit_log_make();
        audit_log_segment(&log, "begin");
        struct folder folder = audit_log_write(&log);
        char path[128];
        folder_path(&folder, "audit-0000000001.jsonl", path);
        AUDIT_READER_CLEANUP struct audit_reader reader;
        size_t records;
        assert_int_equal(audit_reader_open(&reader, folder.path), AUDIT_READ_END);
        assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
        assert_int_equal(records, 1);
        log.segments[0].data[log.segments[0].len - 4] ^= 1;
        assert_int_equal(
            file_replace(path, shorter == 1 ? span_of(zero, 10) : buffer_span(&log.segments[0]),
                         0600),
            0);
        assert_int_equal(read_on(&reader, &records), AUDIT_READ_FAULT);
        assert_int_equal(records, 0);
        assert_non_null(
            strstr(reader.why, "audit-0000000001.jsonl: writing it failed while it was read"));
        folder_remove(&folder);
        audit_log_free(&log);
    }
}

/* A line that has no end, and one that begins with a NUL, are none; nothing behind them is. */
static void what_has_no_end_is_no_line(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct audit_log log = audit_log_make();
        audit_log_segment(&log, "begin");
        size_t end = log.segments[0].len;
        if (i == 0) {
            buffer_put(&log.segments[0], "\0{}\n", 4);
        } else if (i == 1) {
            buffer_put_text(&log.segments[0], "{}");
            buffer_put(&log.segments[0], zero, sizeof zero);
        } else {
            uint8_t *long_one = buffer_extend(&log.segments[0], AUDIT_LINE_MAX + 1);
            memset(long_one, 'x', AUDIT_LINE_MAX);
            long_one[AUDIT_LINE_MAX] = '\n';
        }
        struct folder folder = audit_log_write(&log);
        AUDIT_READER_CLEANUP struct audit_reader reader;
        struct audit_tail tail;
        size_t records;
        assert_int_equal(audit_reader_open(&reader, folder.path), AUDIT_READ_END);
        assert_int_equal(read_on(&reader, &records), AUDIT_READ_END);
        assert_int_equal(records, 1);
        assert_int_equal(reader.offset, end);
        assert_int_equal(audit_reader_tail(&reader, &tail), 0);
        assert_false(tail.is_nul);
        folder_remove(&folder);
        audit_log_free(&log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lines_come_in_order),
        cmocka_unit_test(a_long_segment_is_read_in_parts),
        cmocka_unit_test(a_segment_holds_up_to_where_the_next_says),
        cmocka_unit_test(what_is_written_meanwhile_is_read),
        cmocka_unit_test(what_was_read_and_never_held_is_said),
        cmocka_unit_test(a_gap_is_said),
        cmocka_unit_test(a_segment_that_is_made_anew_is_read),
        cmocka_unit_test(a_segment_that_is_written_anew_is_read_on),
        cmocka_unit_test(a_segment_that_was_taken_back_is_said),
        cmocka_unit_test(what_has_no_end_is_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
