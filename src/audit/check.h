/* SPDX-License-Identifier: Apache-2.0
 * The rules of the audit log (docs/audit.md), record by record. Files and folders are read by
 * audit/verify.h; nothing is read here, and what is remembered does not grow with the log.
 *
 * The first rule that is broken ends the check: the report's problem says which record, what is
 * wrong, and what would be right. */
#ifndef QSEAL_AUDIT_CHECK_H
#define QSEAL_AUDIT_CHECK_H

#include "audit/checkpoint.h"
#include "audit/line.h"
#include "audit/report.h"
#include "base/attributes.h"
#include "jose/public_key.h"

#include <openssl/evp.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    AUDIT_REMEMBERED_MAX = 64 * 1024, /* records whose hashes are known; a power of 2 */
    AUDIT_OPEN_MAX = 64 * 1024,       /* signatures and commands in flight */
    AUDIT_PAIRS_MAX = 1024,           /* of tokens and keys */
    AUDIT_EXPECTED_MAX = 2,
    AUDIT_SETTLED_US = 60 * 1000 * 1000, /* no token works longer on a signature */
    AUDIT_DIGEST_LEN = 32,
    AUDIT_NO_PAIR = UINT16_MAX, /* none, or one too many */
    AUDIT_COMMAND = UINT16_MAX - 1,
};

/* A token and a key in it: how many signatures the log has, and the token has counted. */
struct audit_pair {
    char token[CHECKPOINT_TOKEN_SIZE];
    char kid[AUDIT_HASH_SIZE];
    uint64_t signs;  /* records `sign` */
    uint64_t done;   /* those of them that have their `done` */
    bool is_counted; /* by a checkpoint; what follows is about that */
    int64_t since;
    uint64_t base_count; /* when counting began ... */
    uint64_t base_done;  /* ... and what of the records was in that count for sure */
    uint64_t last_count;
    uint64_t last_done;
};

struct audit_remembered {
    uint8_t digest[AUDIT_DIGEST_LEN];
    uint16_t done_pair; /* of a `done`: whose signature is done, or AUDIT_NO_PAIR */
};

struct audit_open {
    uint64_t seq;
    uint16_t pair; /* or AUDIT_COMMAND */
};

/* A checkpoint that was kept in a file: the log must have that record. */
struct audit_expected {
    char file[AUDIT_FILE_SIZE];
    char chain[UUID_TEXT_SIZE];
    uint64_t seq;
    char head[AUDIT_HASH_SIZE];
    int64_t time;
    bool is_good;          /* signed by a given key */
    bool may_be_elsewhere; /* behind or before this part of a log */
};

struct audit_place {
    uint64_t segment;
    uint64_t line;
    uint64_t seq;
};

/* How a segment ends. */
struct audit_segment_end {
    uint64_t segment;
    uint64_t records_end; /* where its whole lines end, in bytes */
    uint64_t size;
    uint64_t torn_bytes; /* of half a record, if that and NUL bytes are all behind them; else 0 */
    bool is_nul;         /* what is behind them is NUL bytes alone */
    bool has_next;       /* another segment follows */
};

/* Looks up the hash of a record that is not remembered any more. */
typedef bool audit_find_hash(void *context, uint64_t seq, char out[AUDIT_HASH_SIZE]);

struct audit_check {
    struct audit_report report;
    /* Borrowed. */
    struct public_key *const *keys;
    size_t n_keys;
    audit_find_hash *find_hash;
    void *find_context;
    bool is_partial; /* the log may begin anywhere, without a record that says why */
    struct audit_expected expected[AUDIT_EXPECTED_MAX];
    size_t n_expected;
    /* Owned. */
    EVP_MD *sha256;
    EVP_MD_CTX *hashing;

    uint64_t first_segment;            /* that has a record */
    uint64_t removal_seq;              /* of the record that tells what was before it, or 0 */
    struct audit_place place;          /* of the record that is checked */
    struct audit_place previous;       /* of the one before */
    char head[AUDIT_HASH_SIZE];        /* hash of the one before */
    bool prev_differs;                 /* the problem is that two records do not fit each other */
    bool is_ended;                     /* the segment has its record `end` */
    bool is_stopped;                   /* since the service stopped in order */
    bool was_stopped;                  /* so was the one before */
    struct audit_segment_end last_end; /* of the segment before */
    int64_t renewed_us;                /* when counting began anew, or 0; since 1970 */
    uint64_t forgotten_open;           /* the highest seq that was dropped from `open` */
    struct audit_problem torn;         /* half a record at the end, when nothing else is wrong */
    struct audit_problem unknown_key;  /* at the first checkpoint of a key that was not given */
    size_t n_pairs;
    size_t n_open;
    struct audit_pair pairs[AUDIT_PAIRS_MAX];
    struct audit_open open[AUDIT_OPEN_MAX];                   /* in order of seq */
    struct audit_remembered remembered[AUDIT_REMEMBERED_MAX]; /* at seq % its size */
};

/* Owned by the caller; NULL when there is no memory or no SHA-256. */
struct audit_check *audit_check_new(void) MUST_USE;
/* Accepts NULL. */
void audit_check_free(struct audit_check *check);

/* All of these: false when a rule is broken. */

/* A checkpoint file, before the first record. Its text is only borrowed for the call. */
bool audit_check_expect(struct audit_check *check, const char *file, struct span text,
                        bool may_be_elsewhere) MUST_USE;
/* The next line of the log, with its LF: line `number` of a segment. */
bool audit_check_line(struct audit_check *check, uint64_t segment, uint64_t number,
                      struct span line) MUST_USE;
/* The segment has no further line. */
bool audit_check_segment_end(struct audit_check *check,
                             const struct audit_segment_end *end) MUST_USE;
/* The log has no further segment; `last` is its last line. Sets the verdict. */
bool audit_check_end(struct audit_check *check, struct span last) MUST_USE;

/* After a broken rule: where two records do not fit each other, the one behind them, if there is
 * one (else an empty span), says which of them was changed. */
void audit_check_explain(struct audit_check *check, struct span next);
/* Notes a problem at the place of the record that is checked. Returns false. */
bool audit_check_fail(struct audit_check *check, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same about a file, and no line of it. */
bool audit_check_fail_file(struct audit_check *check, const char *file, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
