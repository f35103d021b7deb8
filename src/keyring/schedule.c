/* SPDX-License-Identifier: Apache-2.0
 * What is on record of keys, and what is to come for them. */
#include "keyring/store.h"

#include <stdlib.h>
#include <string.h>

/* What needs more than the time to have come. */
static bool is_for_the_clock(enum key_state state)
{
    return state != KEY_GENERATED && state != KEY_CERTIFIED && state != KEY_DESTROYED;
}

enum outcome schedule_append(struct key *key, const struct key_planned *step, struct reason *why)
{
    const struct key_planned *last =
        key->n_schedule == 0 ? NULL : &key->schedule[key->n_schedule - 1];
    enum outcome outcome = change_check_text(step->change.reason, why);
    if (outcome == OUTCOME_OK && !is_for_the_clock(step->change.state)) {
        return refuse(why, OUTCOME_RULE, "the clock makes no key %s",
                      key_state_name(step->change.state));
    }
    if (outcome == OUTCOME_OK) {
        outcome = key_state_check(last == NULL ? key->state : last->change.state,
                                  step->change.state, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (last != NULL && step->change.at < last->change.at) {
        return refuse(why, OUTCOME_RULE, "the steps of a key are scheduled in the order of time");
    }
    if (key->n_schedule == KEYRING_SCHEDULE_MAX) {
        return refuse(why, OUTCOME_RULE, "at most %d steps of a key are scheduled",
                      KEYRING_SCHEDULE_MAX);
    }
    struct key_planned *schedule =
        reallocarray(key->schedule, key->n_schedule + 1, sizeof *schedule);
    if (schedule == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    key->schedule = schedule;
    key->schedule[key->n_schedule++] = *step;
    return OUTCOME_OK;
}

/* Whether the steps from this one on can still be taken. A key that a person has stopped goes on
 * when a person says so. */
static bool is_possible(const struct key *key, size_t from)
{
    enum key_state state = key->state;
    if (state == KEY_SUSPENDED || state == KEY_COMPROMISED) {
        return false;
    }
    for (size_t i = from; i < key->n_schedule; i++) {
        struct reason why;
        if (key_state_check(state, key->schedule[i].change.state, &why) != OUTCOME_OK) {
            return false;
        }
        state = key->schedule[i].change.state;
    }
    return true;
}

static void drop_first(struct key *key, size_t n)
{
    key->n_schedule -= n;
    if (key->n_schedule == 0) {
        free(key->schedule);
        key->schedule = NULL;
    } else if (n > 0) {
        memmove(key->schedule, key->schedule + n, key->n_schedule * sizeof *key->schedule);
    }
}

static bool has_successor(const struct keyring *keyring, const struct key *key)
{
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *other = &keyring->keys[i];
        if (strcmp(other->role, key->role) != 0 || strcmp(other->token, key->token) != 0) {
            continue;
        }
        for (size_t j = 0; j < other->n_schedule; j++) {
            if (other->schedule[j].change.state == KEY_ACTIVE) {
                return true;
            }
        }
    }
    return false;
}

void schedule_trim(struct keyring *keyring, const struct keyring_step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct key *key = &keyring->keys[steps[i].index];
        size_t done = 0;
        while (done < key->n_schedule && !is_possible(key, done)) {
            done++;
        }
        drop_first(key, done);
    }
    for (size_t i = 0; i < keyring->n_keys; i++) {
        struct key *key = &keyring->keys[i];
        if (key->n_schedule > 0 && key->schedule[0].change.state == KEY_RETIRING &&
            !has_successor(keyring, key)) {
            drop_first(key, key->n_schedule);
        }
    }
}

static enum outcome no_such_key(size_t index, struct reason *why)
{
    return refuse(why, OUTCOME_INTERNAL, "no key %zu in the keyring", index);
}

enum outcome keyring_set_record(const struct keyring *keyring, const size_t *indexes, size_t n,
                                enum key_proof proof, const struct key_record *record,
                                struct keyring **out, struct reason *why)
{
    struct keyring *copy = NULL;
    *out = NULL;
    enum outcome outcome = change_check_text(record->text, why);
    if (outcome == OUTCOME_OK) {
        outcome = keyring_copy(keyring, &copy, why);
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < n; i++) {
        if (indexes[i] >= copy->n_keys) {
            outcome = no_such_key(indexes[i], why);
            break;
        }
        copy->keys[indexes[i]].proofs[proof] = *record;
        copy->keys[indexes[i]].proofs[proof].recorded = true;
    }
    if (outcome != OUTCOME_OK) {
        keyring_free(copy);
        return outcome;
    }
    *out = copy;
    return OUTCOME_OK;
}

static enum outcome set_schedule(struct keyring *keyring, const struct keyring_schedule *schedule,
                                 struct reason *why)
{
    if (schedule->index >= keyring->n_keys) {
        return no_such_key(schedule->index, why);
    }
    struct key *key = &keyring->keys[schedule->index];
    enum outcome outcome = OUTCOME_OK;
    free(key->schedule);
    key->schedule = NULL;
    key->n_schedule = 0;
    for (size_t i = 0; outcome == OUTCOME_OK && i < schedule->n; i++) {
        outcome = schedule_append(key, &schedule->steps[i], why);
    }
    return outcome;
}

enum outcome keyring_set_schedules(const struct keyring *keyring,
                                   const struct keyring_schedule *schedules, size_t n,
                                   struct keyring **out, struct reason *why)
{
    struct keyring *copy = NULL;
    *out = NULL;
    enum outcome outcome = keyring_copy(keyring, &copy, why);
    for (size_t i = 0; outcome == OUTCOME_OK && i < n; i++) {
        outcome = set_schedule(copy, &schedules[i], why);
    }
    if (outcome != OUTCOME_OK) {
        keyring_free(copy);
        return outcome;
    }
    *out = copy;
    return OUTCOME_OK;
}
