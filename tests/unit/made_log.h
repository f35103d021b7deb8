/* SPDX-License-Identifier: Apache-2.0
 * An audit log made by the test itself, segment by segment in memory, and written to a folder when
 * it is ready: so that a test can also write what no service would. */
#ifndef QSEAL_TESTS_UNIT_MADE_LOG_H
#define QSEAL_TESTS_UNIT_MADE_LOG_H

#include "audit/checkpoint.h"
#include "audit/listing.h"
#include "audit/record.h"
#include "audit/verify.h"
#include "base/fd.h"
#include "base/file.h"
#include "folder.h"
#include "jose_support.h"

#include <stdarg.h>

enum { LOG_SEGMENTS_MAX = 8, LOG_SEGMENT_MAX = 64 * 1024 * 1024 };

#define LOG_CHAIN "0f8fad5b-d9cb-469f-a165-70867728950e"
#define LOG_KID "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

struct audit_log {
    EVP_PKEY *pkey;         /* of the checkpoints */
    struct public_key *key; /* its public half */
    struct buffer segments[LOG_SEGMENTS_MAX];
    size_t n_segments;
    uint64_t previous_bytes;
    uint64_t seq;   /* of the last record */
    uint64_t signs; /* records `sign` of LOG_KID in hsm-a */
    int64_t time_us;
    char prev[AUDIT_HASH_SIZE];
    struct buffer checkpoint; /* the last one, as a file */
};

static inline struct audit_log audit_log_make(void)
{
    struct audit_log log = {.time_us = 1795288066123456, .checkpoint = BUFFER_INIT(20000)};
    memcpy(log.prev, audit_no_hash, sizeof log.prev);
    log.pkey = make_pkey(KEY_P256);
    log.key = public_key_of(log.pkey);
    for (size_t i = 0; i < LOG_SEGMENTS_MAX; i++) {
        log.segments[i] = BUFFER_INIT(LOG_SEGMENT_MAX);
    }
    return log;
}

static inline void audit_log_free(struct audit_log *log)
{
    for (size_t i = 0; i < LOG_SEGMENTS_MAX; i++) {
        buffer_fini(&log->segments[i]);
    }
    buffer_fini(&log->checkpoint);
    public_key_free(log->key);
    EVP_PKEY_free(log->pkey);
}

static inline struct buffer *audit_log_last(struct audit_log *log)
{
    return &log->segments[log->n_segments - 1];
}

/* The next record, with these members: `,"a":1`. Returns its seq. */
PRINTF_LIKE(3, 4)
static inline uint64_t audit_log_put(struct audit_log *log, const char *kind, const char *format,
                                     ...)
{
    char members[AUDIT_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    assert_true(vsnprintf(members, sizeof members, format, arguments) < (int)sizeof members);
    va_end(arguments);
    struct buffer *out = audit_log_last(log);
    size_t begin = out->len;
    log->time_us += 1001;
    audit_line_begin(out, ++log->seq, log->prev, log->time_us, kind);
    buffer_put_format(out, "%s}\n", members);
    assert_true(buffer_ok(out));
    assert_true(sha256_text(span_part(buffer_span(out), begin, out->len), log->prev));
    return log->seq;
}

/* The next segment, with its first record. */
static inline void audit_log_segment_of(struct audit_log *log, const char *chain, const char *cause,
                                        uint64_t previous_bytes)
{
    log->n_segments++;
    assert_true(log->n_segments <= LOG_SEGMENTS_MAX);
    if (log->n_segments == 1) {
        audit_log_put(log, "segment",
                      ",\"segment\":1,\"version\":1,\"chain\":\"%s\",\"cause\":\"%s\"", chain,
                      cause);
        return;
    }
    audit_log_put(log, "segment",
                  ",\"segment\":%zu,\"version\":1,\"chain\":\"%s\",\"cause\":\"%s\","
                  "\"previous_bytes\":%llu",
                  log->n_segments, chain, cause, (unsigned long long)previous_bytes);
}

static inline void audit_log_segment(struct audit_log *log, const char *cause)
{
    uint64_t previous = log->n_segments == 0 ? 0 : audit_log_last(log)->len;
    audit_log_segment_of(log, LOG_CHAIN, cause, previous);
}

static inline void audit_log_end_of(struct audit_log *log, const char *cause)
{
    audit_log_put(log, "end", ",\"cause\":\"%s\"", cause);
}

static inline void audit_log_end(struct audit_log *log)
{
    audit_log_end_of(log, "size");
}

static inline uint64_t audit_log_sign(struct audit_log *log)
{
    log->signs++;
    return audit_log_put(
        log, "sign",
        ",\"request\":\"959b27f5-ab70-4161-9305-9a08da696c50\",\"uid\":1000,\"gid\":1000,"
        "\"pid\":4711,\"caller\":\"payments\",\"operation\":\"jar\",\"profile\":\"op\","
        "\"role\":\"seal\",\"kid\":\"" LOG_KID "\",\"alg\":\"PS256\",\"token\":\"hsm-a\","
        "\"payload_sha256\":\"%s\",\"input_sha256\":\"%s\",\"jti\":\"%llu\"",
        audit_no_hash, log->prev, (unsigned long long)log->seq);
}

static inline void audit_log_done(struct audit_log *log, uint64_t of)
{
    audit_log_put(log, "done", ",\"of\":%llu,\"outcome\":\"released\",\"us\":1234",
                  (unsigned long long)of);
}

/* A signature that was released. */
static inline void audit_log_signature(struct audit_log *log)
{
    audit_log_done(log, audit_log_sign(log));
}

/* The checkpoint of the last record, with its counts, as a file; then as a record. */
static inline struct checkpoint audit_log_note(const struct audit_log *log)
{
    struct checkpoint note = {.seq = log->seq, .time = log->time_us / 1000000};
    memcpy(note.chain, LOG_CHAIN, sizeof note.chain);
    memcpy(note.head, log->prev, sizeof note.head);
    return note;
}

static inline void audit_log_count(struct checkpoint *note, uint64_t count, int64_t since)
{
    struct checkpoint_use *use = &note->uses[note->n_uses++];
    *use =
        (struct checkpoint_use){.token = "hsm-a", .kid = LOG_KID, .count = count, .since = since};
}

static inline void audit_log_checkpoint_of(struct audit_log *log, const struct checkpoint *note)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_NOTE_MAX);
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_LINE_MAX);
    BUFFER_CLEANUP struct buffer spelled = BUFFER_INIT(2 * SIGNATURE_MAX);
    uint8_t signature[SIGNATURE_MAX];
    checkpoint_put(note, &text);
    size_t len = sign_with(log->pkey, ALG_ES256, -1, buffer_span(&text), signature);
    buffer_reset(&log->checkpoint);
    checkpoint_put_signed(buffer_span(&text), ALG_ES256, public_key_thumbprint(log->key),
                          span_of(signature, len), &log->checkpoint);
    base64url_encode(&spelled, span_of(signature, len));
    record_put_number(&members, "covers", (int64_t)note->seq);
    record_put_text(&members, "head", note->head);
    record_put_text(&members, "kid", public_key_thumbprint(log->key));
    record_put_text(&members, "alg", "ES256");
    record_put_long_text(&members, "note", buffer_span(&text));
    record_put_long_text(&members, "signature", buffer_span(&spelled));
    assert_true(buffer_ok(&members));
    audit_log_put(log, "checkpoint", "%s", buffer_text(&members));
}

static inline void audit_log_checkpoint(struct audit_log *log)
{
    struct checkpoint note = audit_log_note(log);
    audit_log_checkpoint_of(log, &note);
}

/* --- files --- */

static inline void audit_log_write_segment(const struct audit_log *log, const struct folder *folder,
                                           size_t number)
{
    char name[SEGMENT_NAME_SIZE];
    char path[128];
    folder_path(folder, audit_segment_name(number, name), path);
    assert_int_equal(file_replace(path, buffer_span(&log->segments[number - 1]), 0600), 0);
}

static inline struct folder audit_log_write(const struct audit_log *log)
{
    struct folder folder = folder_make();
    for (size_t i = 0; i < log->n_segments; i++) {
        audit_log_write_segment(log, &folder, i + 1);
    }
    return folder;
}

static inline enum audit_verdict audit_log_verify(const struct audit_log *log,
                                                  const struct folder *folder,
                                                  struct audit_report *report)
{
    const struct audit_verify_options options = {
        .folder = folder->path, .keys = (struct public_key *const *)&log->key, .n_keys = 1};
    return audit_verify(&options, report);
}

static inline void audit_check_problem(const struct audit_report *report, const char *file,
                                       uint64_t line, uint64_t seq, const char *what)
{
    const struct audit_problem *problem = &report->problem;
    if (strstr(problem->what, what) == NULL || strcmp(problem->file, file) != 0 ||
        problem->line != line || problem->seq != seq) {
        print_error("got %s:%llu, record %llu: %s\n", problem->file,
                    (unsigned long long)problem->line, (unsigned long long)problem->seq,
                    problem->what);
    }
    assert_non_null(strstr(problem->what, what));
    assert_string_equal(problem->file, file);
    assert_int_equal(problem->line, line);
    assert_int_equal(problem->seq, seq);
}

/* The log is bad, and this is why. Frees it. */
static inline void audit_log_expect_bad(struct audit_log *log, uint64_t segment, uint64_t line,
                                        uint64_t seq, const char *what)
{
    struct folder folder = audit_log_write(log);
    struct audit_report report;
    char name[SEGMENT_NAME_SIZE] = "";
    assert_int_equal(audit_log_verify(log, &folder, &report), AUDIT_BAD);
    audit_check_problem(&report, segment == 0 ? "" : audit_segment_name(segment, name), line, seq,
                        what);
    folder_remove(&folder);
    audit_log_free(log);
}

/* A good log of three segments: 1 to 8, 9 to 16, 17 to 22. */
static inline struct audit_log audit_log_small(void)
{
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    for (int i = 0; i < 2; i++) {
        audit_log_signature(&log);
        audit_log_put(&log, "refused",
                      ",\"uid\":1001,\"outcome\":\"not-granted\",\"detail\":\"no\"");
        audit_log_signature(&log);
        audit_log_checkpoint(&log);
        audit_log_end(&log);
        audit_log_segment(&log, "size");
    }
    audit_log_signature(&log);
    audit_log_signature(&log);
    audit_log_checkpoint(&log);
    return log;
}

#endif
