/* SPDX-License-Identifier: Apache-2.0
 * qsealctl rotation lookahead: the life of each key, as it was and as it is scheduled, for those
 * who draw it. */
#include "base/clock.h"
#include "custody/rotation.h"
#include "jose/json.h"
#include "pki/certificate.h"

#include <stdlib.h>
#include <string.h>

enum { DAYS = 400, DAY_S = 86400 };

static void put_span(struct buffer *out, enum key_state state, int64_t from, const int64_t *until,
                     bool planned)
{
    buffer_put_format(out, "{\"state\":\"%s\",", key_state_name(state));
    report_time(out, "from", from);
    buffer_put_text(out, ",");
    if (until != NULL) {
        report_time(out, "until", *until);
    } else {
        buffer_put_text(out, "\"until\":null");
    }
    buffer_put_format(out, ",\"planned\":%s}", planned ? "true" : "false");
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* What is overdue begins now at the earliest. */
static void put_spans(struct buffer *out, const struct key *key, int64_t now)
{
    buffer_put_text(out, ",\"spans\":[");
    for (size_t i = 0; i < key->n_history; i++) {
        int64_t until = 0;
        const int64_t *end = NULL;
        if (i + 1 < key->n_history) {
            until = key->history[i + 1].at;
            end = &until;
        } else if (key->n_schedule > 0) {
            until = later(now, key->schedule[0].change.at);
            end = &until;
        }
        buffer_put_text(out, i == 0 ? "" : ",");
        put_span(out, key->history[i].state, key->history[i].at, end, false);
    }
    for (size_t i = 0; i < key->n_schedule; i++) {
        int64_t until = 0;
        const int64_t *end = NULL;
        if (i + 1 < key->n_schedule) {
            until = later(now, key->schedule[i + 1].change.at);
            end = &until;
        }
        buffer_put_text(out, ",");
        put_span(out, key->schedule[i].change.state, later(now, key->schedule[i].change.at), end,
                 true);
    }
    buffer_put_text(out, "]");
}

static void put_certificate(struct buffer *out, const struct key *key)
{
    struct certificate_facts facts;
    if (key->chain_pem == NULL || !certificate_facts(span_of_text(key->chain_pem), &facts)) {
        return;
    }
    buffer_put_text(out, ",\"certificate\":{\"subject\":");
    json_put_string(out, span_of_text(facts.subject));
    buffer_put_text(out, ",");
    report_time(out, "not_before", facts.not_before);
    buffer_put_text(out, ",");
    report_time(out, "not_after", facts.not_after);
    buffer_put_text(out, "}");
}

static void put_key(struct act *act, const struct key *key, int64_t now)
{
    struct buffer *out = act->result;
    buffer_put_format(out,
                      "{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\",\"purpose\":\"%s\","
                      "\"state\":\"%s\"",
                      key->role, key->token, public_key_thumbprint(key->public_key),
                      purpose_name(key->purpose), key_state_name(key->state));
    put_spans(out, key, now);
    put_certificate(out, key);
    key_put_records(key, out);
    pthread_mutex_lock(&act->custody->report);
    const struct overdue *late = clock_overdue_of(&act->custody->clock, key);
    if (late != NULL) {
        buffer_put_text(out, ",\"overdue\":");
        json_put_string(out, span_of_text(late->detail));
    }
    pthread_mutex_unlock(&act->custody->report);
    buffer_put_text(out, "}");
}

static enum outcome read_days(const struct act *act, int64_t *out, struct reason *why)
{
    const char *text = act_argument(act, "days");
    *out = DAYS;
    if (text == NULL) {
        return OUTCOME_OK;
    }
    size_t digits = strspn(text, "0123456789");
    *out = digits > 0 && digits <= 4 && text[digits] == '\0' ? strtol(text, NULL, 10) : 0;
    return *out >= 1 && *out <= ROTATION_DAYS_MAX
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "\"days\" must be a number, 1 to %d", ROTATION_DAYS_MAX);
}

/* Whether something of the key's life is after `from`; what is gone stays gone. */
static bool is_shown(const struct key *key, const char *role, int64_t from)
{
    return (role == NULL || strcmp(key->role, role) == 0) &&
           (key->state != KEY_DESTROYED || key_since(key) >= from);
}

enum outcome act_rotation_lookahead(struct act *act, struct reason *why)
{
    static const char *const names[] = {"role", "days", NULL};
    const struct keyring *keyring = act->view->keyring;
    const char *role = act_argument(act, "role");
    int64_t days = 0;
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome == OUTCOME_OK) {
        outcome = read_days(act, &days, why);
    }
    if (outcome == OUTCOME_OK && role != NULL &&
        config_role(act->view->policy->config, role) == NULL) {
        return refuse(why, OUTCOME_NOT_FOUND, "the configuration has no such role");
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    int64_t now = clock_wall_s();
    int64_t back = now - days * DAY_S;
    int64_t from = now;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        from = is_shown(key, role, back) && key->history[0].at < from ? key->history[0].at : from;
    }
    buffer_put_text(act->result, "{");
    report_time(act->result, "now", now);
    buffer_put_text(act->result, ",");
    report_time(act->result, "from", later(from, back));
    buffer_put_text(act->result, ",");
    report_time(act->result, "until", now + days * DAY_S);
    buffer_put_text(act->result, ",\"keys\":[");
    for (size_t i = 0, n = 0; i < keyring->n_keys; i++) {
        if (is_shown(&keyring->keys[i], role, back)) {
            buffer_put_text(act->result, n++ == 0 ? "" : ",");
            put_key(act, &keyring->keys[i], now);
        }
    }
    buffer_put_text(act->result, "]}");
    return OUTCOME_OK;
}
