/* SPDX-License-Identifier: Apache-2.0
 * The reader of the audit log, and its rules, on whatever is in a folder: the input is cut into
 * segments at each byte 0xff. The first byte says whether the log may be a part, and whether each
 * record gets the hash of the one before, so that the rules behind the chain are reached, too. What
 * is found to be whole is read by the reader to the same end; a second look says the same. */
#include "audit/reader.h"
#include "audit/verify.h"
#include "base/buffer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) ((condition) ? (void)0 : abort())

enum { SEGMENTS_MAX = 8, IS_PARTIAL = 1, IS_CHAINED = 2 };

static char folder[64];

static void remove_folder(void)
{
    (void)rmdir(folder);
}

static void path_of(uint64_t number, char out[128])
{
    char name[SEGMENT_NAME_SIZE];
    (void)snprintf(out, 128, "%s/%s", folder, audit_segment_name(number, name));
}

static void chain(struct buffer *input)
{
    char hash[AUDIT_HASH_SIZE];
    memcpy(hash, audit_no_hash, sizeof hash);
    for (size_t at = 0; at < input->len;) {
        struct audit_line line;
        struct span left = span_part(buffer_span(input), at, input->len);
        struct span text = span_part(left, 0, span_find(left, '\n') + 1);
        if (audit_line_read(text, &line) == NULL) {
            memcpy(input->data + (line.prev.data - input->data), hash, AUDIT_HASH_LEN);
            MUST(sha256_text(text, hash));
        }
        at += left.data[0] == 0xff ? 1 : text.len;
    }
}

/* Number of segments. */
static uint64_t write_segments(struct span input)
{
    uint64_t n = 0;
    while (n < SEGMENTS_MAX) {
        char path[128];
        size_t len = span_find(input, 0xff);
        path_of(++n, path);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        MUST(fd >= 0 && write(fd, input.data, len) == (ssize_t)len);
        (void)close(fd);
        if (len == input.len) {
            break;
        }
        input = span_part(input, len + 1, input.len);
    }
    return n;
}

static uint64_t count_records(void)
{
    AUDIT_READER_CLEANUP struct audit_reader reader;
    uint64_t records = 0;
    MUST(audit_reader_open(&reader, folder) == AUDIT_READ_END);
    for (;;) {
        enum audit_read read = audit_reader_next(&reader);
        if (read == AUDIT_READ_RECORD) {
            MUST(reader.line.len > 0 && reader.line.len <= AUDIT_LINE_MAX);
            MUST(reader.line.data[reader.line.len - 1] == '\n');
            records++;
        } else if (read != AUDIT_READ_CLOSED) {
            MUST(read == AUDIT_READ_END);
            return records;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct audit_report report;
    struct audit_report again;
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof folder, "%s/qseal-fuzz-XXXXXX", P_tmpdir);
        MUST(mkdtemp(folder) != NULL);
        MUST(atexit(remove_folder) == 0);
    }
    if (size == 0) {
        return 0;
    }
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(size);
    buffer_put(&input, data + 1, size - 1);
    if ((data[0] & IS_CHAINED) != 0) {
        chain(&input);
    }
    uint64_t n = write_segments(buffer_span(&input));
    const struct audit_verify_options options = {.folder = folder,
                                                 .is_partial = (data[0] & IS_PARTIAL) != 0};
    enum audit_verdict verdict = audit_verify(&options, &report);
    MUST(verdict == AUDIT_CHAINED || verdict == AUDIT_BAD);
    MUST((verdict == AUDIT_BAD) == (report.problem.what[0] != '\0'));
    MUST(audit_verify(&options, &again) == verdict && again.records == report.records);
    MUST(strcmp(again.problem.what, report.problem.what) == 0);
    uint64_t records = count_records();
    if (verdict == AUDIT_CHAINED) {
        MUST(report.segments == n && report.records == records && report.sealed_seq == 0);
        MUST(report.last_seq - report.first_seq + 1 == records);
    }
    while (n > 0) {
        char path[128];
        path_of(n--, path);
        (void)unlink(path);
    }
    return 0;
}
