/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: what a change would do now, resolved, as a JSON value of texts and
 * numbers: {"keys":[…]}, one entry per key. It comes out of the same function that then does it,
 * and holds nothing that time alone changes. What makes doing it twice different from doing it once
 * must be in it. */
#ifndef QSEAL_CUSTODY_EFFECT_H
#define QSEAL_CUSTODY_EFFECT_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "keyring/keyring.h"

#include <jansson.h>

/* NULL: out of memory. Owned by the caller. */
json_t *effect_new(void) MUST_USE;
/* Appends an entry, which is taken over. *effect becomes NULL when memory is short, or was. */
void effect_put(json_t **effect, json_t *entry);
/* {"role","token","kid","from","to","changes"}; the last is how often it has changed so far, since
 * a key may be in one state twice. */
json_t *effect_of_key(const struct key *key, enum key_state to) MUST_USE;
/* The same as an entry. */
void effect_put_key(json_t **effect, const struct key *key, enum key_state to);

/* An entry for a key that stays in its state, and whose schedule becomes this one:
 * "schedule_before" and "schedule", each a list of texts "STATE at TIME". */
void effect_put_schedule(json_t **effect, const struct key *key,
                         const struct keyring_schedule *schedule);

/* Whether both have one text, byte for byte; otherwise appends the first thing that differs:
 * keys/0/from was "published" and is "active". */
bool effect_is_same(const json_t *was, const json_t *is, struct buffer *difference) MUST_USE;

#endif
