/* SPDX-License-Identifier: Apache-2.0
 * The text that a checkpoint of the audit log signs (docs/audit.md, "Checkpoints"). Writing and
 * reading are exact: what is read and written again is the same, byte for byte. */
#ifndef QSEAL_AUDIT_CHECKPOINT_H
#define QSEAL_AUDIT_CHECKPOINT_H

#include "audit/line.h"
#include "base/attributes.h"
#include "base/buffer.h"
#include "base/random.h"
#include "jose/public_key.h"
#include "model/alg.h"
#include "model/outcome.h"

enum {
    CHECKPOINT_TOKEN_SIZE = 64,
    CHECKPOINT_USES_MAX = 64,
    CHECKPOINT_NOTE_MAX = 16 * 1024, /* bytes */
    CHECKPOINT_FILE_MAX = CHECKPOINT_NOTE_MAX + 1024,
};

/* How many signatures a token's room has counted with a key. */
struct checkpoint_use {
    char token[CHECKPOINT_TOKEN_SIZE];
    char kid[AUDIT_HASH_SIZE];
    uint64_t count;
    int64_t since; /* wall seconds: when that room started */
};

struct checkpoint {
    char chain[UUID_TEXT_SIZE];
    uint64_t seq;
    char head[AUDIT_HASH_SIZE];
    int64_t time; /* wall seconds */
    struct checkpoint_use uses[CHECKPOINT_USES_MAX];
    size_t n_uses;
};

/* A note and its signature, as in the file `checkpoint`. */
struct checkpoint_signed {
    struct checkpoint checkpoint;
    struct span note; /* borrowed from what was read */
    enum alg alg;
    char kid[AUDIT_HASH_SIZE];
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len;
};

/* Sorts the uses as a note has them: by token, then by kid, in order of their bytes. */
void checkpoint_sort(struct checkpoint *checkpoint);
/* Appends the note. The uses must be in their order, and none there twice. */
void checkpoint_put(const struct checkpoint *checkpoint, struct buffer *out);
/* NULL, or what is wrong in words. */
const char *checkpoint_read(struct span note, struct checkpoint *out) MUST_USE;
/* Appends the text of the file: note, empty line, signature line. */
void checkpoint_put_signed(struct span note, enum alg alg, const char *kid, struct span signature,
                           struct buffer *out);
/* NULL, or what is wrong in words. Whether the signature is good is another question. */
const char *checkpoint_read_signed(struct span file, struct checkpoint_signed *out) MUST_USE;
/* Whether it names this key, and its signature over the note is this key's. */
bool checkpoint_verify(const struct checkpoint_signed *checkpoint,
                       const struct public_key *key) MUST_USE;

#endif
