/* SPDX-License-Identifier: Apache-2.0
 * What every room runs with, and what of the configuration waits for a restart of which unit. */
#include "custody/report.h"
#include "jose/json.h"
#include "policy/config_mark.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { UNIT_SIZE = 128, TEXT_MAX = 8192 };
static_assert((int)TOKEN_MARKS_MAX == (int)CONFIG_MARKS_MAX, "a tokend can say all its marks");

static void put_text(struct buffer *out, const char *name, const char *value)
{
    buffer_put_format(out, ",\"%s\":", name);
    json_put_string(out, span_of_text(value));
}

static void begin(struct buffer *out, const char *room, const char *unit, const char *state)
{
    buffer_put_text(out, "{\"room\":");
    json_put_string(out, span_of_text(room));
    put_text(out, "unit", unit);
    put_text(out, "state", state);
}

/* Of a room that is heard of. */
static void put_run(struct buffer *out, const char *version, int64_t started)
{
    put_text(out, "version", version);
    buffer_put_text(out, ",");
    report_time(out, "started", started);
}

/* "restart":[…]: the values in the file that the room does not run with. */
static void put_restart(struct buffer *out, const struct config *config,
                        const struct config_token *token, const struct config_marks *runs,
                        const char *version)
{
    const char *between = "";
    struct config_marks now;
    config_marks(config, token, &now);
    buffer_put_text(out, ",\"restart\":[");
    if (strcmp(version, QSEAL_VERSION) != 0 || runs->n != now.n) {
        json_put_string(out, span_of_text("version: " QSEAL_VERSION));
        between = ",";
    }
    for (size_t i = 0; i < now.n && runs->n == now.n; i++) {
        if (runs->values[i] == now.values[i]) {
            continue;
        }
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(TEXT_MAX);
        config_mark_text(config, token, i, &text);
        buffer_put_text(out, between);
        json_put_string(out, buffer_span(&text));
        between = ",";
    }
    buffer_put_text(out, "]");
}

static void put_tokend(struct buffer *out, const struct config *config,
                       const struct config_token *token, struct watch *watch)
{
    char room[UNIT_SIZE];
    char unit[UNIT_SIZE];
    struct token_status status;
    enum token_state state = watch_state(watch, token->name, &status);
    (void)snprintf(room, sizeof room, "tokend %s", token->name);
    (void)snprintf(unit, sizeof unit, "qseal-tokend@%s", token->name);
    begin(out, room, unit, token_state_name(state));
    if (status.version[0] != '\0') {
        struct config_marks runs = {.n = status.n_marks};
        memcpy(runs.values, status.marks, sizeof runs.values);
        put_run(out, status.version, status.started);
        put_restart(out, config, token, &runs, status.version);
    } else {
        put_text(out, "detail", status.detail); /* nobody says what it runs with */
    }
    buffer_put_text(out, "}");
}

static void put_front(struct buffer *out, const struct door_front *front)
{
    begin(out, "httpd", "qseal-httpd", front == NULL ? "absent" : "connected");
    if (front != NULL) {
        put_run(out, front->version, front->started);
        buffer_put_text(out, ",\"restart\":[");
        if (strcmp(front->version, QSEAL_VERSION) != 0) {
            json_put_string(out, span_of_text("version: " QSEAL_VERSION));
        }
        buffer_put_text(out, "]");
    } else {
        put_text(out, "detail", "it is not connected");
    }
    buffer_put_text(out, "}");
}

void report_rooms(struct buffer *out, const struct view *view, struct watch *watch,
                  const struct door_front *front, const struct custody_start *start)
{
    const struct config *config = view->policy->config;
    buffer_put_text(out, "\"rooms\":[");
    begin(out, "qseald", "qseald", "ready");
    put_run(out, QSEAL_VERSION, start->at);
    buffer_put_format(out, ",\"generation\":%llu,\"keyring_generation\":%llu",
                      (unsigned long long)view->policy->generation,
                      (unsigned long long)view->keyring->generation);
    put_restart(out, config, NULL, &start->marks, QSEAL_VERSION);
    buffer_put_text(out, "},");
    put_front(out, front);
    for (size_t i = 0; i < config->n_tokens; i++) {
        buffer_put_text(out, ",");
        put_tokend(out, config, &config->tokens[i], watch);
    }
    buffer_put_text(out, "]");
}

void report_dropped(struct buffer *out, const struct config *before, const struct config *now)
{
    const char *between = "";
    buffer_put_text(out, "\"stop\":[");
    for (size_t i = 0; i < before->n_tokens; i++) {
        if (config_token(now, before->tokens[i].name) == NULL) {
            buffer_put_format(out, "%s\"qseal-tokend@%s\"", between, before->tokens[i].name);
            between = ",";
        }
    }
    buffer_put_text(out, "]");
}
