/* SPDX-License-Identifier: Apache-2.0
 * The timeline of keys and certificates: what stands where, before anybody draws it. Made of the
 * answer to CUSTODY_ROTATION_LOOKAHEAD alone; no clock, no terminal. Times are wall seconds. */
#ifndef QSEAL_CTL_TIMELINE_H
#define QSEAL_CTL_TIMELINE_H

#include "base/attributes.h"
#include "model/key_state.h"
#include "model/outcome.h"

#include <jansson.h>

enum { TIMELINE_TICKS_MAX = 64, TIMELINE_WORDS_SIZE = 32, TIMELINE_RANGE_SIZE = 96 };

struct timeline_span {
    enum key_state state;
    int64_t from;
    int64_t until; /* the timeline's end, if it has none */
    bool planned;  /* by a person or a rule; it has not happened */
    bool is_open;  /* goes on beyond the timeline, as far as is known */
};

struct timeline_key {
    const char *role;
    const char *token;
    const char *kid;
    const char *purpose;
    enum key_state state;
    struct timeline_span *spans; /* owned, in order of time */
    size_t n_spans;
    const char *subject; /* of its certificate; NULL: it has none, and no dates of one */
    int64_t not_before;
    int64_t not_after;
    const char *overdue; /* what should have been done by now, or NULL */
    bool heads_role;     /* the first one of its role */
};

/* All texts are borrowed from the answer. */
struct timeline {
    int64_t now;
    int64_t from;
    int64_t until;             /* later than `from` */
    struct timeline_key *keys; /* owned; those of a role together, in order of token and time */
    size_t n_keys;
};

/* What will happen to a key. */
struct timeline_change {
    int64_t at;
    const struct timeline_key *key;
    enum key_state to;
    bool certificate_ends; /* this, and no change of state */
};

struct timeline_tick {
    int64_t at;
    char label[TIMELINE_WORDS_SIZE];
};

/* *out is owned by the caller, and `answer` must outlive it. OUTCOME_INTERNAL when the answer has
 * another form. */
enum outcome timeline_read(const json_t *answer, struct timeline **out,
                           struct reason *why) MUST_USE;
/* Accepts NULL. */
void timeline_free(struct timeline *timeline);

/* Where a time is on a line of that length: from 0 to `width`, which is where times are that lie
 * outside. */
int timeline_place(const struct timeline *timeline, int64_t at, int width);
/* Round dates and hours, at most `most` (and TIMELINE_TICKS_MAX), in order. */
size_t timeline_ticks(const struct timeline *timeline, size_t most,
                      struct timeline_tick out[TIMELINE_TICKS_MAX]);
/* Of a destroyed key the certificate is of no interest any more. */
bool timeline_shows_certificate(const struct timeline_key *key);
/* The states that are in it, as a set of 1U << enum key_state. */
unsigned int timeline_states(const struct timeline *timeline);
/* What lies ahead within the timeline, in order of time; owned by the caller. NULL and none when
 * memory is short. */
struct timeline_change *timeline_changes(const struct timeline *timeline, size_t *n) MUST_USE;

/* "28 Nov 2026 09:30". */
const char *timeline_when(int64_t at, char out[TIMELINE_WORDS_SIZE]);
/* "28 Nov 2026". */
const char *timeline_day(int64_t at, char out[TIMELINE_WORDS_SIZE]);
/* "Keys from 23 Aug 2026 to 18 Aug 2027". */
const char *timeline_range(const struct timeline *timeline, char out[TIMELINE_RANGE_SIZE]);
/* "in 7 days", "in 5 minutes", "now". */
const char *timeline_distance(int64_t seconds, char out[TIMELINE_WORDS_SIZE]);
/* "becomes active", "reaches the end of its certificate". */
const char *timeline_change_words(const struct timeline_change *change);

void timeline_free_ref(struct timeline **timeline);
void timeline_changes_free(struct timeline_change **changes);
#define TIMELINE_CLEANUP CLEANUP(timeline_free_ref)

#endif
