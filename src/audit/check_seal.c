/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints: those in the log, and those that were kept in a file. */
#include "audit/check_parts.h"

#include "audit/listing.h"
#include "base/base64url.h"

#include <stdio.h>
#include <string.h>

/* NULL when no such key was given. */
static const struct public_key *find_key(const struct audit_check *check, const char *kid)
{
    for (size_t i = 0; i < check->n_keys; i++) {
        if (strcmp(public_key_thumbprint(check->keys[i]), kid) == 0) {
            return check->keys[i];
        }
    }
    return NULL;
}

void audit_check_seal(struct audit_check *check, uint64_t seq, int64_t time)
{
    if (seq >= check->report.sealed_seq) {
        check->report.sealed_seq = seq;
        check->report.sealed_time = time;
    }
}

/* The key is another one: the rest is checked all the same, and only the end is bad. */
static void note_unknown(struct audit_check *check, const char *file, const char *kid)
{
    struct audit_problem kept = check->report.problem;
    check->report.checkpoints_unknown++;
    if (check->n_keys == 0 || check->unknown_key.what[0] != '\0') {
        return;
    }
    static const char text[] = "is signed by key %s, which was not given: give its public key with "
                               "--key, if it is one of yours";
    if (file != NULL) {
        (void)audit_check_fail_file(check, file, text, kid);
    } else {
        (void)audit_check_fail(check, text, kid);
    }
    check->unknown_key = check->report.problem;
    check->report.problem = kept;
}

enum seal_outcome { SEAL_UNKNOWN, SEAL_GOOD, SEAL_BAD };

static enum seal_outcome judge(const struct audit_check *check,
                               const struct checkpoint_signed *checkpoint)
{
    const struct public_key *key = find_key(check, checkpoint->kid);
    if (key == NULL) {
        return SEAL_UNKNOWN;
    }
    return checkpoint_verify(checkpoint, key) ? SEAL_GOOD : SEAL_BAD;
}

/* --- in a file --- */

bool audit_check_expect(struct audit_check *check, const char *file, struct span text,
                        bool may_be_elsewhere)
{
    struct checkpoint_signed read;
    const char *fault = checkpoint_read_signed(text, &read);
    if (fault != NULL) {
        return audit_check_fail_file(check, file, "is not a signed checkpoint: %s", fault);
    }
    enum seal_outcome outcome = judge(check, &read);
    if (outcome == SEAL_BAD) {
        return audit_check_fail_file(check, file, "its signature is not good under key %s",
                                     read.kid);
    }
    if (outcome == SEAL_UNKNOWN) {
        note_unknown(check, file, read.kid);
    }
    struct audit_expected *expected = &check->expected[check->n_expected++];
    (void)snprintf(expected->file, sizeof expected->file, "%s", file);
    memcpy(expected->chain, read.checkpoint.chain, sizeof expected->chain);
    memcpy(expected->head, read.checkpoint.head, sizeof expected->head);
    expected->seq = read.checkpoint.seq;
    expected->time = read.checkpoint.time;
    expected->is_good = outcome == SEAL_GOOD;
    expected->may_be_elsewhere = may_be_elsewhere;
    return true;
}

/* --- in the log --- */

/* The only escape that a note needs is that of the line end: as the service writes it, and as other
 * writers of JSON do. */
static size_t line_end_at(struct span text)
{
    static const char *const spellings[] = {"\\u000a", "\\n"};
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        size_t len = strlen(spellings[i]);
        if (span_is_text(span_part(text, 0, len), spellings[i])) {
            return len;
        }
    }
    return 0;
}

static bool unescape(struct span text, struct buffer *out)
{
    while (text.len > 0) {
        size_t plain = span_find(text, '\\');
        buffer_put_span(out, span_part(text, 0, plain));
        text = span_part(text, plain, text.len);
        if (text.len > 0) {
            size_t len = line_end_at(text);
            if (len == 0) {
                return false;
            }
            buffer_put_u8(out, '\n');
            text = span_part(text, len, text.len);
        }
    }
    return buffer_ok(out);
}

static bool read_signature(const struct audit_line *line, struct checkpoint_signed *out)
{
    struct span alg;
    struct span kid;
    struct span signature;
    BUFFER_CLEANUP struct buffer bytes = BUFFER_INIT(SIGNATURE_MAX);
    if (!audit_line_text(line, "alg", &alg) || !alg_from_name(alg, &out->alg) ||
        !audit_line_text(line, "kid", &kid) || kid.len != AUDIT_HASH_LEN ||
        !audit_line_text(line, "signature", &signature) || !base64url_decode(&bytes, signature) ||
        bytes.len == 0) {
        return false;
    }
    memcpy(out->kid, kid.data, kid.len);
    memcpy(out->signature, bytes.data, bytes.len);
    out->signature_len = bytes.len;
    return true;
}

/* `note` keeps the text that the checkpoint borrows. */
static bool read_record(struct audit_check *check, const struct audit_line *line,
                        struct buffer *note, struct checkpoint_signed *out)
{
    struct span escaped;
    uint64_t covers;
    struct span head;
    if (!audit_line_text(line, "note", &escaped) || !unescape(escaped, note)) {
        return audit_check_fail(check, "is of the kind checkpoint and has no \"note\"");
    }
    const char *fault = checkpoint_read(buffer_span(note), &out->checkpoint);
    if (fault != NULL) {
        return audit_check_fail(check, "its \"note\" is none: %s", fault);
    }
    if (!audit_line_number(line, "covers", &covers) || covers != out->checkpoint.seq ||
        !audit_line_text(line, "head", &head) || !span_is_text(head, out->checkpoint.head)) {
        return audit_check_fail(check, "says in \"covers\" and \"head\" something else than in its "
                                       "\"note\"");
    }
    if (!read_signature(line, out)) {
        return audit_check_fail(check,
                                "has no \"alg\", \"kid\" and \"signature\" that can be read");
    }
    out->note = buffer_span(note);
    return true;
}

/* Of a record before the checkpoint's. */
static bool hash_of(const struct audit_check *check, uint64_t seq, char out[AUDIT_HASH_SIZE])
{
    if (audit_check_remembers(check, seq)) {
        audit_check_spell(check->remembered[seq % AUDIT_REMEMBERED_MAX].digest, out);
        return true;
    }
    return check->find_hash != NULL && check->find_hash(check->find_context, seq, out);
}

static bool check_head(struct audit_check *check, const struct checkpoint *note)
{
    char hash[AUDIT_HASH_SIZE];
    unsigned long long seq = note->seq;
    if (strcmp(note->chain, check->report.chain) != 0) {
        return audit_check_fail(check, "is a checkpoint of the chain %s, and the log is of %s",
                                note->chain, check->report.chain);
    }
    if (note->seq >= check->place.seq) {
        return audit_check_fail(check, "covers record %llu, which is not before it", seq);
    }
    if (note->seq < check->report.first_seq) {
        return true; /* a part of a log, and its beginning is not here */
    }
    if (!hash_of(check, note->seq, hash)) {
        return audit_check_fail(check, "covers record %llu, which cannot be read again", seq);
    }
    if (strcmp(note->head, hash) != 0) {
        return audit_check_fail(check,
                                "covers record %llu with the hash %s, and that record has %s: the "
                                "log was rewritten before this checkpoint",
                                seq, note->head, hash);
    }
    return true;
}

bool audit_check_checkpoint(struct audit_check *check, const struct audit_line *line)
{
    struct checkpoint_signed read = {0};
    BUFFER_CLEANUP struct buffer note = BUFFER_INIT(CHECKPOINT_NOTE_MAX);
    if (!read_record(check, line, &note, &read)) {
        return false;
    }
    enum seal_outcome outcome = judge(check, &read);
    if (outcome == SEAL_BAD) {
        return audit_check_fail(check, "its signature is not good under key %s", read.kid);
    }
    if (!check_head(check, &read.checkpoint)) {
        return false;
    }
    if (outcome == SEAL_UNKNOWN) {
        note_unknown(check, NULL, read.kid);
    } else if (read.checkpoint.seq >= check->report.first_seq) {
        check->report.checkpoints_good++;
        audit_check_seal(check, read.checkpoint.seq, read.checkpoint.time);
    }
    return audit_check_uses(check, &read.checkpoint);
}
