/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints of the audit log: the text that is signed, and the file that holds it with its
 * signature. */
#include "audit/checkpoint.h"

#include "base/base64url.h"
#include "base/name.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(CHECKPOINT_TOKEN_SIZE == (size_t)NAME_LEN_MAX + 1, "room for the name of any token");
static_assert(AUDIT_HASH_SIZE == (size_t)THUMBPRINT_SIZE, "a kid is a SHA-256 too");

static const char title[] = "qseal audit checkpoint v1";
static const char signature_word[] = "signature ";

enum { SHA256_LEN = 32 };

/* --- writing --- */

static int compare_uses(const struct checkpoint_use *a, const struct checkpoint_use *b)
{
    int order = strcmp(a->token, b->token);
    return order != 0 ? order : strcmp(a->kid, b->kid);
}

static int compare_for_sort(const void *a, const void *b)
{
    return compare_uses(a, b);
}

void checkpoint_sort(struct checkpoint *checkpoint)
{
    qsort(checkpoint->uses, checkpoint->n_uses, sizeof checkpoint->uses[0], compare_for_sort);
}

void checkpoint_put(const struct checkpoint *checkpoint, struct buffer *out)
{
    buffer_put_format(out, "%s\nchain %s\nsequence %llu\nhead %s\ntime %lld\n", title,
                      checkpoint->chain, (unsigned long long)checkpoint->seq, checkpoint->head,
                      (long long)checkpoint->time);
    for (size_t i = 0; i < checkpoint->n_uses; i++) {
        const struct checkpoint_use *use = &checkpoint->uses[i];
        buffer_put_format(out, "uses %s %s %llu %lld\n", use->token, use->kid,
                          (unsigned long long)use->count, (long long)use->since);
    }
}

void checkpoint_put_signed(struct span note, enum alg alg, const char *kid, struct span signature,
                           struct buffer *out)
{
    buffer_put_span(out, note);
    buffer_put_format(out, "\n%s%s %s ", signature_word, alg_name(alg), kid);
    base64url_encode(out, signature);
    buffer_put_text(out, "\n");
}

/* --- reading --- */

static bool take_text(struct span *rest, const char *text)
{
    size_t len = strlen(text);
    if (!span_equal(span_part(*rest, 0, len), span_of_text(text))) {
        return false;
    }
    *rest = span_part(*rest, len, rest->len);
    return true;
}

/* Up to `end`, which is taken with it; false when there is none. */
static bool take_until(struct span *rest, uint8_t end, struct span *out)
{
    size_t len = span_find(*rest, end);
    if (len == rest->len) {
        return false;
    }
    *out = span_part(*rest, 0, len);
    *rest = span_part(*rest, len + 1, rest->len);
    return true;
}

/* A line that begins with this word: what stands behind it. */
static bool take_line(struct span *rest, const char *word, struct span *value)
{
    return take_text(rest, word) && take_until(rest, '\n', value);
}

/* A number, and nothing behind it. */
static bool number_of(struct span text, uint64_t *out)
{
    return audit_take_number(&text, out) && text.len == 0;
}

static bool time_of(struct span text, int64_t *out)
{
    uint64_t value;
    if (!number_of(text, &value)) {
        return false;
    }
    *out = (int64_t)value;
    return true;
}

/* A SHA-256 in its one spelling. */
static bool hash_of(struct span text, char out[AUDIT_HASH_SIZE])
{
    uint8_t digest[SHA256_LEN + 1];
    struct buffer decoded = {.data = digest, .room = sizeof digest, .max = SHA256_LEN};
    if (text.len != AUDIT_HASH_LEN || !base64url_decode(&decoded, text)) {
        return false;
    }
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    return true;
}

/* As random_uuid() writes them: one spelling. */
static bool chain_of(struct span text, char out[UUID_TEXT_SIZE])
{
    if (!uuid_is_valid(text)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] >= 'A' && text.data[i] <= 'Z') {
            return false;
        }
    }
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    return true;
}

static bool use_of(struct span line, struct checkpoint_use *out)
{
    struct span token;
    struct span kid;
    struct span count;
    if (!take_until(&line, ' ', &token) || !name_is_valid(token) || !take_until(&line, ' ', &kid) ||
        !hash_of(kid, out->kid) || !take_until(&line, ' ', &count)) {
        return false;
    }
    memcpy(out->token, token.data, token.len);
    out->token[token.len] = '\0';
    return number_of(count, &out->count) && time_of(line, &out->since);
}

static const char *read_uses(struct span rest, struct checkpoint *out)
{
    struct span line;
    while (rest.len > 0) {
        if (!take_line(&rest, "uses ", &line)) {
            return "behind the time is something else than whole lines of uses";
        }
        if (out->n_uses == CHECKPOINT_USES_MAX) {
            return "more lines of uses than a checkpoint has";
        }
        struct checkpoint_use *use = &out->uses[out->n_uses];
        if (!use_of(line, use)) {
            return "a line of uses is not TOKEN KID COUNT SINCE";
        }
        if (out->n_uses > 0 && compare_uses(use - 1, use) >= 0) {
            return "the lines of uses are not in order, or one is there twice";
        }
        out->n_uses++;
    }
    return NULL;
}

const char *checkpoint_read(struct span note, struct checkpoint *out)
{
    struct span rest = note;
    struct span value;
    *out = (struct checkpoint){0};
    if (note.len > CHECKPOINT_NOTE_MAX) {
        return "longer than a checkpoint";
    }
    if (!take_line(&rest, title, &value) || value.len > 0) {
        return "its first line is not \"qseal audit checkpoint v1\"";
    }
    if (!take_line(&rest, "chain ", &value) || !chain_of(value, out->chain)) {
        return "no chain: a UUID in lower case";
    }
    if (!take_line(&rest, "sequence ", &value) || !number_of(value, &out->seq) || out->seq == 0) {
        return "no sequence: a number from 1 on";
    }
    if (!take_line(&rest, "head ", &value) || !hash_of(value, out->head)) {
        return "no head: a SHA-256 in base64url";
    }
    if (!take_line(&rest, "time ", &value) || !time_of(value, &out->time)) {
        return "no time: seconds since 1970";
    }
    return read_uses(rest, out);
}

static const char *read_signature(struct span line, struct checkpoint_signed *out)
{
    uint8_t bytes[SIGNATURE_MAX + 1];
    struct buffer decoded = {.data = bytes, .room = sizeof bytes, .max = SIGNATURE_MAX};
    struct span alg;
    struct span kid;
    if (!take_until(&line, ' ', &alg) || !take_until(&line, ' ', &kid)) {
        return "the signature line is not: signature ALG KID SIGNATURE";
    }
    if (!alg_from_name(alg, &out->alg)) {
        return "the signature line names no algorithm that qseal knows";
    }
    if (!hash_of(kid, out->kid)) {
        return "the signature line names no key: a SHA-256 in base64url";
    }
    if (line.len == 0 || !base64url_decode(&decoded, line)) {
        return "the signature is not base64url of 1 to 512 bytes";
    }
    static_assert(SIGNATURE_MAX == 512, "as the sentence says");
    memcpy(out->signature, bytes, decoded.len);
    out->signature_len = decoded.len;
    return NULL;
}

const char *checkpoint_read_signed(struct span file, struct checkpoint_signed *out)
{
    struct span rest = file;
    struct span line = {0};
    *out = (struct checkpoint_signed){0};
    while (rest.len > 0 && rest.data[0] != '\n' && take_until(&rest, '\n', &line)) {
    }
    out->note = span_part(file, 0, file.len - rest.len);
    const char *fault = checkpoint_read(out->note, &out->checkpoint);
    if (fault != NULL) {
        return fault;
    }
    if (!take_text(&rest, "\n")) {
        return "no empty line behind the note";
    }
    if (!take_line(&rest, signature_word, &line)) {
        return "no whole signature line behind the note";
    }
    if (rest.len > 0) {
        return "something behind the signature line";
    }
    return read_signature(line, out);
}

bool checkpoint_verify(const struct checkpoint_signed *checkpoint, const struct public_key *key)
{
    return strcmp(checkpoint->kid, public_key_thumbprint(key)) == 0 &&
           public_key_verify(key, checkpoint->alg, checkpoint->note,
                             span_of(checkpoint->signature, checkpoint->signature_len));
}
