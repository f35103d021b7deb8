/* SPDX-License-Identifier: Apache-2.0
 * A key's history in the keyring's file: [{"state","at","by","reason"},…], oldest first; with
 * "wait_s" where it was published, and "keep_s" where it stopped signing, if there is a wait; and
 * with "replica_of", a token, where it came to be on this one. */
#include "keyring/store.h"

#include "base/name.h"
#include "base/utc.h"
#include "jose/json.h"

#include <string.h>

enum { N_MEMBERS = 4 /* of a change that nobody has approved */ };

bool store_uid(const struct json_flat *value, uint32_t *out)
{
    int64_t number;
    bool good = json_flat_integer(value, &number) && number >= 0 && number <= UINT32_MAX;
    *out = (uint32_t)number;
    return good;
}

enum outcome change_read(const struct json_flat *object, struct key_change *out, struct reason *why)
{
    struct span reason = json_flat_string(json_flat_member(object, "reason"));
    if (!key_state_from_name(json_flat_string(json_flat_member(object, "state")), &out->state)) {
        return refuse(why, OUTCOME_RULE, "\"state\" must be the name of a key state");
    }
    if (!utc_read(json_flat_string(json_flat_member(object, "at")), &out->at)) {
        return refuse(why, OUTCOME_RULE, "\"at\" must be a time like 2026-11-21T09:30:00Z");
    }
    if (!store_uid(json_flat_member(object, "by"), &out->by)) {
        return refuse(why, OUTCOME_RULE, "\"by\" must be a uid");
    }
    out->approved = json_flat_member(object, "approved_by") != NULL;
    if (out->approved && !store_uid(json_flat_member(object, "approved_by"), &out->approved_by)) {
        return refuse(why, OUTCOME_RULE, "\"approved_by\" must be a uid");
    }
    if (!json_flat_is_string(json_flat_member(object, "reason")) ||
        reason.len > KEYRING_REASON_MAX) {
        return refuse(why, OUTCOME_RULE, "\"reason\" must be a text of at most %d characters",
                      KEYRING_REASON_MAX);
    }
    memcpy(out->reason, reason.data, reason.len);
    out->reason[reason.len] = '\0';
    return OUTCOME_OK;
}

/* What the wait of this step is called; NULL: it has none. */
static const char *wait_name(enum key_state before, enum key_state to)
{
    bool stops = before == KEY_ACTIVE && (to == KEY_RETIRING || to == KEY_SUSPENDED);
    return to == KEY_PUBLISHED ? "wait_s" : stops ? "keep_s" : NULL;
}

static enum outcome read_replica_of(const struct json_flat *object, struct key_change *out,
                                    struct reason *why)
{
    const struct json_flat *token = json_flat_member(object, "replica_of");
    struct span name = json_flat_string(token);
    if (token == NULL) {
        return OUTCOME_OK;
    }
    if (!name_is_valid(name) || name.len >= sizeof out->replica_of) {
        return refuse(why, OUTCOME_RULE, "\"replica_of\" must be the name of a token");
    }
    memcpy(out->replica_of, name.data, name.len);
    return OUTCOME_OK;
}

static enum outcome read_wait(const struct json_flat *object, enum key_state before,
                              struct key_change *out, struct reason *why)
{
    const char *name = wait_name(before, out->state);
    const struct json_flat *wait = name == NULL ? NULL : json_flat_member(object, name);
    size_t n_more = (wait == NULL ? 0U : 1U) + (out->replica_of[0] == '\0' ? 0U : 1U);
    if (json_flat_size(object) != change_members(out) + n_more) {
        return refuse(why, OUTCOME_RULE,
                      "only state, at, by, approved_by and reason stand here, and perhaps "
                      "%s%sreplica_of",
                      name == NULL ? "" : name, name == NULL ? "" : " and ");
    }
    bool good =
        json_flat_integer(wait, &out->wait_s) && out->wait_s > 0 && out->wait_s <= KEYRING_WAIT_MAX;
    return wait == NULL || good
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "\"%s\" must be a number of seconds from 1 to %lld",
                        name, (long long)KEYRING_WAIT_MAX);
}

/* A key comes as generated; one of a keyring without histories came as active. */
static enum outcome take_change(const struct json_flat *object, struct key *out, struct reason *why)
{
    struct key_change change = {.state = KEY_GENERATED};
    enum outcome outcome = change_read(object, &change, why);
    if (outcome == OUTCOME_OK) {
        outcome = read_replica_of(object, &change, why);
    }
    if (outcome == OUTCOME_OK) {
        enum key_state before = out->n_history == 0 ? KEY_GENERATED : out->state;
        outcome = read_wait(object, before, &change, why);
    }
    if (outcome == OUTCOME_OK && out->n_history == 0 && change.state != KEY_GENERATED &&
        change.state != KEY_ACTIVE) {
        return refuse(why, OUTCOME_RULE, "the first state must be \"generated\" or \"active\"");
    }
    return outcome == OUTCOME_OK ? key_note(out, &change, why) : outcome;
}

enum outcome history_read(const struct json_flat *array, struct key *out, struct reason *why)
{
    if (!json_flat_is_array(array) || json_flat_size(array) == 0) {
        return refuse(why, OUTCOME_RULE, "\"history\" must be an array that is not empty");
    }
    struct reason inner = {0};
    const struct json_flat *object = json_flat_first(array);
    for (size_t i = 0; i < json_flat_size(array); i++, object = json_flat_next(object)) {
        enum outcome outcome = take_change(object, out, &inner);
        if (outcome != OUTCOME_OK) {
            return refuse(why, outcome, "\"history\"[%zu]: %.300s", i, inner.detail);
        }
    }
    return OUTCOME_OK;
}

size_t change_members(const struct key_change *change)
{
    return N_MEMBERS + (change->approved ? 1U : 0U);
}

void change_put(const struct key_change *change, struct buffer *out)
{
    char at[UTC_SIZE];
    buffer_put_format(out, "\"state\":\"%s\",\"at\":\"%s\",\"by\":%u,",
                      key_state_name(change->state), utc_text(change->at, at), change->by);
    if (change->approved) {
        buffer_put_format(out, "\"approved_by\":%u,", change->approved_by);
    }
    buffer_put_text(out, "\"reason\":");
    json_put_string(out, span_of_text(change->reason));
}

static void put_replica_of(const struct key_change *change, struct buffer *out)
{
    if (change->replica_of[0] != '\0') {
        buffer_put_format(out, ",\"replica_of\":\"%s\"", change->replica_of);
    }
}

static void put_wait(enum key_state before, const struct key_change *change, struct buffer *out)
{
    const char *name = wait_name(before, change->state);
    if (name != NULL && change->wait_s > 0) {
        buffer_put_format(out, ",\"%s\":%lld", name, (long long)change->wait_s);
    }
}

void history_put(const struct key *key, struct buffer *out)
{
    buffer_put_text(out, "[");
    for (size_t i = 0; i < key->n_history; i++) {
        buffer_put_text(out, i == 0 ? "{" : ",{");
        change_put(&key->history[i], out);
        put_wait(i == 0 ? KEY_GENERATED : key->history[i - 1].state, &key->history[i], out);
        put_replica_of(&key->history[i], out);
        buffer_put_text(out, "}");
    }
    buffer_put_text(out, "]");
}
