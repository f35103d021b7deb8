/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit export: the segments of a period in a folder of their own, with the sums of the
 * files. Whole segments are taken, so that the part can be verified as the log can. */
#include "ctl/audit.h"

#include "audit/checkpoint.h"
#include "base/buffer.h"
#include "base/fd.h"

#include <openssl/evp.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    COPY_SIZE = 256 * 1024,
    FOLDER_MODE = 0700,
    FILE_MODE = 0600,
    SUM_LEN = 32,
    SUMS_MAX = 1 << 26
};

static const char sums_name[] = "SHA256SUMS";

struct export
{
    const char *from;
    const char *to;
    int from_fd; /* owned, as is the next */
    int to_fd;
    int64_t since_us;
    int64_t until_us;
    uint64_t first; /* segments that cover the period; 0: none */
    uint64_t last;
    uint64_t last_len; /* bytes of the last one's records */
    struct buffer sums;
    struct audit_bar bar;
    uint64_t records;
};

static enum exit_code fail(const char *path, const char *what)
{
    (void)fprintf(stderr, "qsealctl: %s: %s\n", path, what);
    return EXIT_UNAVAILABLE;
}

/* --- which segments --- */

/* A segment is taken when one of its records is in the period, and with it all between two that
 * are: the clock may have been set back. */
static void take_line(struct export *export, const struct audit_reader *reader,
                      const struct audit_line *line)
{
    if (line->time_us >= export->since_us && line->time_us < export->until_us) {
        export->first = export->first == 0 ? reader->segment : export->first;
        export->last = reader->segment;
    }
    if (export->last == reader->segment) {
        export->last_len = reader->offset;
    }
    if (++export->records % 4096 == 0) {
        struct audit_progress progress = {audit_reader_done(reader), reader->segments.bytes,
                                          export->records};
        audit_bar_show(&export->bar, &progress);
    }
}

static enum exit_code find_segments(struct export *export)
{
    AUDIT_READER_CLEANUP struct audit_reader reader;
    enum audit_read read = audit_reader_open(&reader, export->from);
    if (read != AUDIT_READ_END) {
        return audit_say_ended(&reader, read);
    }
    while ((read = audit_reader_next(&reader)) == AUDIT_READ_RECORD || read == AUDIT_READ_CLOSED) {
        struct audit_line line;
        const char *fault = read == AUDIT_READ_CLOSED ? NULL : audit_line_read(reader.line, &line);
        if (fault != NULL) {
            audit_say_no_record(&reader, fault);
            return EXIT_NOT_VERIFIED;
        }
        if (read == AUDIT_READ_RECORD) {
            take_line(export, &reader, &line);
        }
    }
    if (read != AUDIT_READ_END) {
        return audit_say_ended(&reader, read);
    }
    if (export->first == 0) {
        (void)fprintf(stderr, "qsealctl: no record of the log is in that time\n");
        return EXIT_REFUSED;
    }
    return EXIT_DONE;
}

/* --- copying --- */

static bool write_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.data, bytes.len);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        bytes = span_part(bytes, put < 0 ? 0 : (size_t)put, bytes.len);
    }
    return true;
}

/* At most `len` bytes, and their SHA-256. */
static bool copy_bytes(int from, int to, uint64_t len, EVP_MD_CTX *sum)
{
    static uint8_t chunk[COPY_SIZE];
    while (len > 0) {
        ssize_t got = read(from, chunk, len < COPY_SIZE ? (size_t)len : (size_t)COPY_SIZE);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0;
        }
        if (!write_all(to, span_of(chunk, (size_t)got)) ||
            EVP_DigestUpdate(sum, chunk, (size_t)got) != 1) {
            return false;
        }
        len -= (uint64_t)got;
    }
    return true;
}

static bool copy_summed(struct export *export, int from, int to, const char *name, uint64_t len)
{
    uint8_t digest[SUM_LEN];
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    bool is_good = sum != NULL && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1 &&
                   copy_bytes(from, to, len, sum) && EVP_DigestFinal_ex(sum, digest, NULL) == 1 &&
                   fsync(to) == 0;
    EVP_MD_CTX_free(sum);
    for (size_t i = 0; is_good && i < SUM_LEN; i++) {
        buffer_put_format(&export->sums, "%02x", digest[i]);
    }
    buffer_put_format(&export->sums, "  %s\n", name); /* as sha256sum(1) */
    return is_good;
}

static enum exit_code copy_file(struct export *export, const char *name, uint64_t len)
{
    FD_CLEANUP int from = openat(export->from_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0) {
        return fail(name, strerror(errno));
    }
    FD_CLEANUP int to =
        openat(export->to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (to < 0 || !copy_summed(export, from, to, name, len)) {
        return fail(name, strerror(errno));
    }
    return EXIT_DONE;
}

/* Of the last one its records alone: what is behind them is judged by the segment after it, which
 * is not in this part. */
static enum exit_code copy_segments(struct export *export)
{
    enum exit_code code = EXIT_DONE;
    for (uint64_t segment = export->first; code == EXIT_DONE && segment <= export->last;
         segment++) {
        char name[SEGMENT_NAME_SIZE];
        code = copy_file(export, audit_segment_name(segment, name),
                         segment == export->last ? export->last_len : UINT64_MAX);
    }
    return code;
}

static enum exit_code write_sums(struct export *export)
{
    FD_CLEANUP int fd =
        openat(export->to_fd, sums_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (!buffer_ok(&export->sums)) {
        return command_no_memory();
    }
    bool is_good = fd >= 0 && write_all(fd, buffer_span(&export->sums)) && fsync(fd) == 0 &&
                   fsync(export->to_fd) == 0;
    return is_good ? EXIT_DONE : fail(sums_name, strerror(errno));
}

static enum exit_code open_folders(struct export *export)
{
    export->from_fd = open(export->from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (export->from_fd < 0) {
        return fail(export->from, strerror(errno));
    }
    if (mkdir(export->to, FOLDER_MODE) != 0) {
        if (errno != EEXIST) {
            return fail(export->to, strerror(errno));
        }
        (void)fail(export->to, "is there already; a new folder is made, nothing is written over");
        return EXIT_REFUSED;
    }
    export->to_fd = open(export->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return export->to_fd < 0 ? fail(export->to, strerror(errno)) : EXIT_DONE;
}

static enum exit_code copy_all(struct export *export)
{
    enum exit_code code = open_folders(export);
    bool has_checkpoint = faccessat(export->from_fd, AUDIT_CHECKPOINT_FILE, R_OK, 0) == 0;
    if (code == EXIT_DONE && has_checkpoint) {
        code = copy_file(export, AUDIT_CHECKPOINT_FILE, CHECKPOINT_FILE_MAX);
    }
    if (code == EXIT_DONE) {
        code = copy_segments(export);
    }
    return code == EXIT_DONE ? write_sums(export) : code;
}

enum exit_code run_audit_export(const struct command_line *line)
{
    struct export export = {.from = audit_folder(line),
                            .to = line->audit.to,
                            .from_fd = -1,
                            .to_fd = -1,
                            .sums = BUFFER_INIT(SUMS_MAX),
                            .bar = audit_bar_begin(line)};
    if (export.to == NULL) {
        (void)fprintf(stderr, "qsealctl: --to is missing: the folder that is made\n");
        return EXIT_USAGE;
    }
    enum exit_code code = audit_period(line, &export.since_us, &export.until_us);
    if (code == EXIT_DONE) {
        code = find_segments(&export);
        audit_bar_end(&export.bar);
    }
    if (code == EXIT_DONE) {
        code = copy_all(&export);
    }
    if (code == EXIT_DONE) {
        (void)printf("segments %llu to %llu of %s are in %s; qsealctl audit verify --partial %s\n",
                     (unsigned long long)export.first, (unsigned long long)export.last, export.from,
                     export.to, export.to);
    }
    fd_close(&export.from_fd);
    fd_close(&export.to_fd);
    buffer_fini(&export.sums);
    return code;
}
