/* SPDX-License-Identifier: Apache-2.0
 * How anything in qseal ends: one closed list, the same in C, in frames and at the HTTP door, and
 * the reason beside it.
 *
 * A refusal is a value: the function returns an outcome and fills a struct reason, which names the
 * rule in words and, when a claim broke it, the claim as a JSON pointer (RFC 6901). Neither ever
 * holds the value that was refused. */
#ifndef QSEAL_MODEL_OUTCOME_H
#define QSEAL_MODEL_OUTCOME_H

#include "base/attributes.h"

#include <stdbool.h>

enum outcome {
    OUTCOME_OK,
    OUTCOME_MALFORMED,         /* not one strict JSON object, or a bad header */
    OUTCOME_NOT_GRANTED,       /* the caller or administrator may not */
    OUTCOME_NOT_FOUND,         /* no such profile, role, key or path */
    OUTCOME_METHOD,            /* the path exists, the method does not */
    OUTCOME_TOO_LARGE,         /* the body is over the limit */
    OUTCOME_MEDIA_TYPE,        /* Content-Type is not what the door takes */
    OUTCOME_RULE,              /* a rule of the profile, or of custody, refuses */
    OUTCOME_LIMIT,             /* over the caller's rate, connections or requests in flight */
    OUTCOME_TOKEN_UNAVAILABLE, /* no token that holds the key is up */
    OUTCOME_NO_KEY,            /* the role has no active key */
    OUTCOME_UNAVAILABLE,       /* the service is starting, draining or has lost a room */
    OUTCOME_DEADLINE,          /* the time for an answer is over */
    OUTCOME_VERIFY,            /* the token's signature does not verify: never released */
    OUTCOME_SHAPE,             /* tokend: bytes that a key of this purpose does not sign */
    OUTCOME_KEY_MISMATCH, /* tokend: the key under this id is not the pinned one, or is too free */
    OUTCOME_PIN,          /* tokend: the PIN was refused; a person must look */
    OUTCOME_CLOCK,        /* the clock has jumped; a person must confirm it */
    OUTCOME_AUDIT,        /* the audit log cannot be written: nothing is done without a record */
    OUTCOME_INTERNAL,     /* a fault of ours, in the log */
};
enum { OUTCOME_COUNT = OUTCOME_INTERNAL + 1 };

/* The name behind "urn:qseal:problem:", e.g. "rule-refused". */
const char *outcome_name(enum outcome outcome);
/* A short human title (RFC 9457 §3.1.3). */
const char *outcome_title(enum outcome outcome);
/* HTTP status code. */
int outcome_status(enum outcome outcome);
/* Seconds to say in Retry-After, 0 for none. */
int outcome_retry_after_s(enum outcome outcome);
/* Whether a number from a frame is in the list. */
bool outcome_is_known(unsigned int number);

enum { REASON_CLAIM_SIZE = 256, REASON_DETAIL_SIZE = 512 };

struct reason {
    char claim[REASON_CLAIM_SIZE];   /* JSON pointer, or "" */
    char detail[REASON_DETAIL_SIZE]; /* a sentence for the person who reads the answer, or "" */
};

/* Writes the detail (and clears the claim), and returns the outcome: `return refuse(why,
 * OUTCOME_RULE, "…");` */
enum outcome refuse(struct reason *why, enum outcome outcome, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The same for a claim. */
enum outcome refuse_claim(struct reason *why, enum outcome outcome, const char *pointer,
                          const char *format, ...) PRINTF_LIKE(4, 5);

#endif
