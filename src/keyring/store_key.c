/* SPDX-License-Identifier: Apache-2.0
 * One key of the keyring's file. */
#include "keyring/store.h"

#include "base/base64url.h"
#include "base/name.h"
#include "base/utc.h"
#include "jose/json.h"

#include <stdlib.h>
#include <string.h>

enum { N_MEMBERS = 9, SPKI_MAX = 1024 };

static enum outcome read_name(const struct json_flat *object, const char *member, char *out,
                              size_t size, struct reason *why)
{
    struct span name = json_flat_string(json_flat_member(object, member));
    if (!name_is_valid(name) || name.len >= size) {
        return refuse(why, OUTCOME_RULE,
                      "\"%s\" must be a name: 1 to 63 of a-z 0-9 - _ . without a dot in front",
                      member);
    }
    memcpy(out, name.data, name.len);
    out[name.len] = '\0';
    return OUTCOME_OK;
}

static enum outcome read_names(const struct json_flat *object, struct key *out, struct reason *why)
{
    enum outcome outcome = read_name(object, "role", out->role, sizeof out->role, why);
    if (outcome == OUTCOME_OK) {
        outcome = read_name(object, "token", out->token, sizeof out->token, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (!purpose_from_name(json_flat_string(json_flat_member(object, "purpose")), &out->purpose)) {
        return refuse(why, OUTCOME_RULE,
                      "\"purpose\" must be \"seal\", \"transport\" or \"audit\"");
    }
    return OUTCOME_OK;
}

static enum outcome read_public_key(const struct json_flat *object, struct key *out,
                                    struct reason *why)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(SPKI_MAX);
    if (!base64url_decode(&der, json_flat_string(json_flat_member(object, "spki"))) ||
        der.len == 0) {
        return refuse(why, OUTCOME_RULE, "\"spki\" must be base64url of 1 to %d bytes", SPKI_MAX);
    }
    struct reason inner;
    enum outcome outcome = public_key_from_spki(buffer_span(&der), &out->public_key, &inner);
    return outcome == OUTCOME_OK ? outcome : refuse(why, outcome, "\"spki\": %.400s", inner.detail);
}

static enum outcome read_algs(const struct json_flat *object, struct key *out, struct reason *why)
{
    const struct json_flat *algs = json_flat_member(object, "algs");
    enum key_type type = public_key_type(out->public_key);
    if (!json_flat_is_array(algs) || json_flat_size(algs) == 0) {
        return refuse(why, OUTCOME_RULE, "\"algs\" must be an array that is not empty");
    }
    const struct json_flat *name = json_flat_first(algs);
    for (size_t i = 0; i < json_flat_size(algs); i++, name = json_flat_next(name)) {
        enum alg alg;
        struct span text = json_flat_string(name);
        if (!alg_from_name(text, &alg) || !purpose_alg_fits_key(out->purpose, alg, type)) {
            return refuse(why, OUTCOME_RULE, "\"algs\"[%zu] is no algorithm of a key of type %s", i,
                          key_type_name(type));
        }
        if ((out->algs & 1U << alg) != 0) {
            return refuse(why, OUTCOME_RULE, "\"algs\" names %s twice", alg_name(alg));
        }
        out->algs |= 1U << alg;
    }
    return OUTCOME_OK;
}

static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_to_id(struct span text, uint8_t id[KEYRING_ID_LEN])
{
    if (text.len != (size_t)KEYRING_ID_LEN * 2) {
        return false;
    }
    for (size_t i = 0; i < KEYRING_ID_LEN; i++) {
        int high = nibble(text.data[2 * i]);
        int low = nibble(text.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        id[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum outcome read_origin(const struct json_flat *object, struct key *out, struct reason *why)
{
    if (!hex_to_id(json_flat_string(json_flat_member(object, "key_id")), out->key_id)) {
        return refuse(why, OUTCOME_RULE, "\"key_id\" must be %d lower-case hex digits",
                      KEYRING_ID_LEN * 2);
    }
    if (!utc_read(json_flat_string(json_flat_member(object, "created")), &out->created)) {
        return refuse(why, OUTCOME_RULE, "\"created\" must be a time like 2026-11-21T09:30:00Z");
    }
    if (!store_uid(json_flat_member(object, "created_by"), &out->created_by)) {
        return refuse(why, OUTCOME_RULE, "\"created_by\" must be a uid");
    }
    return OUTCOME_OK;
}

/* "state" stands beside the history for people who read the file; the two must agree. */
static enum outcome read_state(const struct json_flat *object, int format, struct key *out,
                               struct reason *why)
{
    enum key_state state = KEY_ACTIVE;
    bool known = key_state_from_name(json_flat_string(json_flat_member(object, "state")), &state);
    if (format == FORMAT_ACTIVE_ONLY) {
        const struct key_change made = {
            .state = KEY_ACTIVE, .at = out->created, .by = out->created_by};
        return known && state == KEY_ACTIVE
                   ? key_note(out, &made, why)
                   : refuse(why, OUTCOME_RULE, "\"state\" must be \"active\" in format 1");
    }
    if (!known) {
        return refuse(why, OUTCOME_RULE, "\"state\" must be the name of a key state");
    }
    enum outcome outcome = history_read(json_flat_member(object, "history"), out, why);
    if (outcome == OUTCOME_OK && out->state != state) {
        return refuse(why, OUTCOME_RULE, "\"state\" must be %s, as \"history\" ends",
                      key_state_name(out->state));
    }
    if (outcome == OUTCOME_OK &&
        (out->history[0].at != out->created || out->history[0].by != out->created_by)) {
        return refuse(why, OUTCOME_RULE,
                      "\"created\" and \"created_by\" must be as \"history\" begins");
    }
    return outcome;
}

static enum outcome read_chain(const struct json_flat *object, struct key *out, struct reason *why)
{
    const struct json_flat *chain = json_flat_member(object, "chain_pem");
    if (chain == NULL) {
        return OUTCOME_OK;
    }
    struct span pem = json_flat_string(chain);
    enum outcome outcome = chain_check(pem, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    out->chain_pem = malloc(pem.len + 1);
    if (out->chain_pem == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    memcpy(out->chain_pem, pem.data, pem.len);
    out->chain_pem[pem.len] = '\0';
    return OUTCOME_OK;
}

static enum outcome read_members(const struct json_flat *object, int format, struct key *out,
                                 struct reason *why)
{
    enum outcome outcome = read_names(object, out, why);
    if (outcome == OUTCOME_OK) {
        outcome = read_origin(object, out, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = read_state(object, format, out, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = read_public_key(object, out, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = read_algs(object, out, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = read_chain(object, out, why);
    }
    return outcome == OUTCOME_OK && format != FORMAT_ACTIVE_ONLY ? plans_read(object, out, why)
                                                                 : outcome;
}

enum outcome key_read(const struct json_flat *object, int format, struct key *out,
                      struct reason *why)
{
    *out = (struct key){0};
    if (!json_flat_is_object(object)) {
        return refuse(why, OUTCOME_RULE, "must be an object");
    }
    enum outcome outcome = read_members(object, format, out, why);
    /* Each that must be there was found, so one more is one too many. */
    size_t n_members = N_MEMBERS + (out->chain_pem == NULL ? 0U : 1U) +
                       (format == FORMAT_ACTIVE_ONLY ? 0U : 1U) + plans_members(out);
    if (outcome == OUTCOME_OK && json_flat_size(object) != n_members) {
        outcome = refuse(why, OUTCOME_RULE,
                         "only role, token, purpose, state, algs, key_id, created, created_by, "
                         "spki, chain_pem, and (from format 2 on) history, backup, seen and "
                         "schedule stand here");
    }
    if (outcome != OUTCOME_OK) {
        key_fini(out);
    }
    return outcome;
}

void key_put(const struct key *key, struct buffer *out)
{
    char created[UTC_SIZE];
    buffer_put_format(out, "{\"role\":\"%s\",\"token\":\"%s\",\"purpose\":\"%s\",\"state\":\"%s\"",
                      key->role, key->token, purpose_name(key->purpose),
                      key_state_name(key->state));
    buffer_put_text(out, ",\"algs\":");
    alg_put_set(out, key->algs);
    buffer_put_text(out, ",\"key_id\":\"");
    for (size_t i = 0; i < KEYRING_ID_LEN; i++) {
        buffer_put_format(out, "%02x", key->key_id[i]);
    }
    buffer_put_format(out, "\",\"created\":\"%s\",\"created_by\":%u,\"spki\":\"",
                      utc_text(key->created, created), key->created_by);
    base64url_encode(out, public_key_spki(key->public_key));
    buffer_put_text(out, "\"");
    if (key->chain_pem != NULL) {
        buffer_put_text(out, ",\"chain_pem\":");
        json_put_string(out, span_of_text(key->chain_pem));
    }
    buffer_put_text(out, ",\"history\":");
    history_put(key, out);
    key_put_records(key, out);
    key_put_schedule(key, out);
    buffer_put_text(out, "}");
}
