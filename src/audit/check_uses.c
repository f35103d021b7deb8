/* SPDX-License-Identifier: Apache-2.0
 * Signatures: what is asked for and what becomes of it, and what the tokens have counted of it.
 *
 * A record `sign` is written before the checkpoint's record, whatever the token signs of it
 * meanwhile; a record `done` after the token has counted. So of what a token has counted since an
 * earlier checkpoint, nothing was done before the record that one covers, and all has its `sign`
 * before the record of the later one. */
#include "audit/check_parts.h"

#include "base/utc.h"

#include <string.h>

/* --- what is in flight --- */

/* The older half goes: moving them one by one would cost more than all the rest. */
static void forget_open(struct audit_check *check)
{
    size_t dropped = check->n_open / 2;
    for (size_t i = 0; i < dropped; i++) {
        check->report.signs_open += check->open[i].pair == AUDIT_COMMAND ? 0 : 1;
    }
    check->forgotten_open = check->open[dropped - 1].seq;
    check->n_open -= dropped;
    memmove(check->open, check->open + dropped, check->n_open * sizeof check->open[0]);
}

static void add_open(struct audit_check *check, uint16_t pair)
{
    if (check->n_open == AUDIT_OPEN_MAX) {
        forget_open(check);
    }
    check->open[check->n_open++] = (struct audit_open){.seq = check->place.seq, .pair = pair};
}

/* Its position, n_open when it is not there. */
static size_t find_open(const struct audit_check *check, uint64_t seq)
{
    size_t low = 0;
    size_t high = check->n_open;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (check->open[middle].seq < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < check->n_open && check->open[low].seq == seq ? low : check->n_open;
}

bool audit_check_sign(struct audit_check *check, const struct audit_line *line)
{
    struct span token;
    struct span kid;
    if (!audit_line_text(line, "token", &token) || !audit_line_text(line, "kid", &kid)) {
        return audit_check_fail(check, "is of the kind sign and has no \"token\" and \"kid\"");
    }
    uint16_t pair = audit_check_pair(check, token, kid);
    if (pair != AUDIT_NO_PAIR) {
        check->pairs[pair].signs++;
    }
    add_open(check, pair);
    return true;
}

void audit_check_command(struct audit_check *check)
{
    add_open(check, AUDIT_COMMAND);
}

bool audit_check_done(struct audit_check *check, const struct audit_line *line)
{
    uint64_t of;
    struct span outcome;
    if (!audit_line_number(line, "of", &of) || !audit_line_text(line, "outcome", &outcome)) {
        return audit_check_fail(check, "is of the kind done and has no \"of\" and \"outcome\"");
    }
    size_t at = find_open(check, of);
    if (at == check->n_open) {
        return of < check->report.first_seq || of <= check->forgotten_open ||
               audit_check_fail(check,
                                "is the done of record %llu, which is no sign, admin or keyring "
                                "that waits for one",
                                (unsigned long long)of);
    }
    uint16_t pair = check->open[at].pair;
    if (pair < AUDIT_PAIRS_MAX) {
        check->pairs[pair].done++;
        check->remembered[check->place.seq % AUDIT_REMEMBERED_MAX].done_pair = pair;
    }
    check->n_open--;
    memmove(check->open + at, check->open + at + 1, (check->n_open - at) * sizeof check->open[0]);
    return true;
}

/* --- what is counted --- */

static bool is_pair(const struct audit_pair *pair, struct span token, struct span kid)
{
    return span_is_text(kid, pair->kid) && span_is_text(token, pair->token);
}

uint16_t audit_check_pair(struct audit_check *check, struct span token, struct span kid)
{
    for (size_t i = 0; i < check->n_pairs; i++) {
        if (is_pair(&check->pairs[i], token, kid)) {
            return (uint16_t)i;
        }
    }
    if (check->n_pairs == AUDIT_PAIRS_MAX || token.len >= CHECKPOINT_TOKEN_SIZE ||
        kid.len >= AUDIT_HASH_SIZE) {
        check->report.not_compared++;
        return AUDIT_NO_PAIR;
    }
    struct audit_pair *pair = &check->pairs[check->n_pairs];
    *pair = (struct audit_pair){0};
    memcpy(pair->token, token.data, token.len);
    memcpy(pair->kid, kid.data, kid.len);
    return (uint16_t)check->n_pairs++;
}

void audit_check_renew_counts(struct audit_check *check, int64_t time_us)
{
    check->renewed_us = time_us;
    for (size_t i = 0; i < check->n_pairs; i++) {
        check->report.counts_renewed += check->pairs[i].is_counted ? 1 : 0;
        check->pairs[i].is_counted = false;
    }
}

/* How many signatures of a pair were done when the record `seq` was written; 0 when that is not
 * known, which only permits more. */
static uint64_t done_by(const struct audit_check *check, uint16_t pair, uint64_t seq)
{
    uint64_t done = check->pairs[pair].done;
    if (!audit_check_remembers(check, seq)) {
        return 0;
    }
    for (uint64_t later = seq + 1; later < check->place.seq; later++) {
        done -= check->remembered[later % AUDIT_REMEMBERED_MAX].done_pair == pair ? 1 : 0;
    }
    return done;
}

/* The room, which counts from 0. One that begins anew within a second has the same `since`. */
static bool has_begun_anew(const struct audit_pair *pair, const struct checkpoint_use *use)
{
    return pair->since != use->since || use->count < pair->last_count;
}

static bool check_use(struct audit_check *check, const struct checkpoint_use *use, uint64_t covers)
{
    char since[UTC_SIZE];
    uint16_t number = audit_check_pair(check, span_of_text(use->token), span_of_text(use->kid));
    if (number == AUDIT_NO_PAIR) {
        return true;
    }
    struct audit_pair *pair = &check->pairs[number];
    uint64_t done = done_by(check, number, covers);
    if (!pair->is_counted) {
        pair->base_count = use->count;
        pair->base_done = done;
    } else if (has_begun_anew(pair, use)) {
        pair->base_count = 0;
        pair->base_done = pair->last_done;
    }
    uint64_t most = pair->base_count + (pair->signs - pair->base_done);
    if (use->count > most) {
        return audit_check_fail(check,
                                "counts %llu signatures of key %s in token %s since %s, and the "
                                "log has %llu at most: %llu of them have no record",
                                (unsigned long long)use->count, use->kid, use->token,
                                utc_text(use->since, since), (unsigned long long)most,
                                (unsigned long long)(use->count - most));
    }
    pair->is_counted = true;
    pair->since = use->since;
    pair->last_count = use->count;
    pair->last_done = done;
    return true;
}

/* By the times in the log. Until then a token may count what was asked for before, and what it has
 * counted at a checkpoint is nothing to begin with. */
static bool is_settled(const struct audit_check *check)
{
    return check->renewed_us == 0 ||
           check->report.last_time_us - check->renewed_us >= AUDIT_SETTLED_US;
}

bool audit_check_uses(struct audit_check *check, const struct checkpoint *note)
{
    if (!is_settled(check)) {
        return true;
    }
    for (size_t i = 0; i < note->n_uses; i++) {
        if (!check_use(check, &note->uses[i], note->seq)) {
            return false;
        }
    }
    return true;
}
