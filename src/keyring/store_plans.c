/* SPDX-License-Identifier: Apache-2.0
 * Of one key in the keyring's file: what is on record, {"at","by","reason"} or "where", and what is
 * to come, as in the history with "made_at". */
#include "keyring/store.h"

#include "base/utc.h"
#include "jose/json.h"

#include <assert.h>
#include <string.h>

enum { N_RECORD_MEMBERS = 3, N_STEP_MEMBERS = 5 };

static const struct {
    const char *name;
    const char *text;
} records[] = {
    [KEY_PROOF_BACKUP] = {"backup", "reason"},
    [KEY_PROOF_SEEN] = {"seen", "where"},
};
static_assert(COUNT_OF(records) == KEY_PROOF_COUNT, "names for every record");

static enum outcome read_at(const struct json_flat *object, const char *name, int64_t *out,
                            struct reason *why)
{
    return utc_read(json_flat_string(json_flat_member(object, name)), out)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "\"%s\" must be a time like 2026-11-21T09:30:00Z", name);
}

static enum outcome read_record(const struct json_flat *object, const char *text_name,
                                struct key_record *out, struct reason *why)
{
    struct span text = json_flat_string(json_flat_member(object, text_name));
    enum outcome outcome = read_at(object, "at", &out->at, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (!store_uid(json_flat_member(object, "by"), &out->by)) {
        return refuse(why, OUTCOME_RULE, "\"by\" must be a uid");
    }
    if (!json_flat_is_string(json_flat_member(object, text_name)) ||
        text.len > KEYRING_REASON_MAX) {
        return refuse(why, OUTCOME_RULE, "\"%s\" must be a text of at most %d characters",
                      text_name, KEYRING_REASON_MAX);
    }
    if (json_flat_size(object) != N_RECORD_MEMBERS) {
        return refuse(why, OUTCOME_RULE, "only at, by and %s stand here", text_name);
    }
    memcpy(out->text, text.data, text.len);
    out->recorded = true;
    return change_check_text(out->text, why);
}

static enum outcome read_step(const struct json_flat *object, struct key *out, struct reason *why)
{
    struct key_planned step = {.made_at = 0};
    enum outcome outcome = change_read(object, &step.change, why);
    if (outcome == OUTCOME_OK) {
        outcome = read_at(object, "made_at", &step.made_at, why);
    }
    if (outcome == OUTCOME_OK && json_flat_size(object) != change_members(&step.change) + 1) {
        outcome = refuse(why, OUTCOME_RULE,
                         "only state, at, by, approved_by, reason and made_at stand here");
    }
    return outcome == OUTCOME_OK ? schedule_append(out, &step, why) : outcome;
}

static enum outcome read_schedule(const struct json_flat *array, struct key *out,
                                  struct reason *why)
{
    if (!json_flat_is_array(array) || json_flat_size(array) == 0) {
        return refuse(why, OUTCOME_RULE, "\"schedule\" must be an array that is not empty");
    }
    const struct json_flat *object = json_flat_first(array);
    for (size_t i = 0; i < json_flat_size(array); i++, object = json_flat_next(object)) {
        struct reason inner = {0};
        enum outcome outcome = read_step(object, out, &inner);
        if (outcome != OUTCOME_OK) {
            return refuse(why, outcome, "\"schedule\"[%zu]: %.300s", i, inner.detail);
        }
    }
    return OUTCOME_OK;
}

enum outcome plans_read(const struct json_flat *object, struct key *out, struct reason *why)
{
    for (size_t i = 0; i < KEY_PROOF_COUNT; i++) {
        const struct json_flat *record = json_flat_member(object, records[i].name);
        struct reason inner = {0};
        enum outcome outcome = record == NULL
                                   ? OUTCOME_OK
                                   : read_record(record, records[i].text, &out->proofs[i], &inner);
        if (outcome != OUTCOME_OK) {
            return refuse(why, outcome, "\"%s\": %.300s", records[i].name, inner.detail);
        }
    }
    const struct json_flat *schedule = json_flat_member(object, "schedule");
    return schedule == NULL ? OUTCOME_OK : read_schedule(schedule, out, why);
}

size_t plans_members(const struct key *key)
{
    size_t n = key->n_schedule == 0 ? 0 : 1;
    for (size_t i = 0; i < KEY_PROOF_COUNT; i++) {
        n += key->proofs[i].recorded ? 1 : 0;
    }
    return n;
}

void key_put_schedule(const struct key *key, struct buffer *out)
{
    if (key->n_schedule == 0) {
        return;
    }
    buffer_put_text(out, ",\"schedule\":[");
    for (size_t i = 0; i < key->n_schedule; i++) {
        char made_at[UTC_SIZE];
        buffer_put_text(out, i == 0 ? "{" : ",{");
        change_put(&key->schedule[i].change, out);
        buffer_put_format(out, ",\"made_at\":\"%s\"}", utc_text(key->schedule[i].made_at, made_at));
    }
    buffer_put_text(out, "]");
}

void key_put_records(const struct key *key, struct buffer *out)
{
    for (size_t i = 0; i < KEY_PROOF_COUNT; i++) {
        const struct key_record *record = &key->proofs[i];
        char at[UTC_SIZE];
        if (record->recorded) {
            buffer_put_format(out, ",\"%s\":{\"at\":\"%s\",\"by\":%u,\"%s\":", records[i].name,
                              utc_text(record->at, at), record->by, records[i].text);
            json_put_string(out, span_of_text(record->text));
            buffer_put_text(out, "}");
        }
    }
}
