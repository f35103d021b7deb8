/* SPDX-License-Identifier: Apache-2.0
 * Metrics, family by family: each family stands together, behind its HELP and TYPE. */
#include "ctl/prometheus.h"

#include "base/utc.h"
#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

enum { LABELS_MAX = 4 };

struct label {
    const char *name;
    const char *value;
};

struct sample {
    struct label labels[LABELS_MAX]; /* up to the one without a name */
    long long value;
};

static void put_family(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_put_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* In a label's value backslash, quote and line feed are escaped. */
static void put_escaped(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            buffer_put_text(out, "\\n");
            continue;
        }
        if (*text == '\\' || *text == '"') {
            buffer_put_u8(out, '\\');
        }
        buffer_put_u8(out, (uint8_t)*text);
    }
}

static void put_sample(struct buffer *out, const char *name, const struct sample *sample)
{
    buffer_put_text(out, name);
    for (size_t i = 0; i < LABELS_MAX && sample->labels[i].name != NULL; i++) {
        buffer_put_format(out, "%s%s=\"", i == 0 ? "{" : ",", sample->labels[i].name);
        put_escaped(out, sample->labels[i].value);
        buffer_put_u8(out, '"');
    }
    buffer_put_format(out, "%s %lld\n", sample->labels[0].name == NULL ? "" : "}", sample->value);
}

static void put_gauge(struct buffer *out, const char *name, const char *help, long long value)
{
    const struct sample sample = {.value = value};
    put_family(out, name, "gauge", help);
    put_sample(out, name, &sample);
}

static void put_counter(struct buffer *out, const char *name, const char *help, long long value)
{
    const struct sample sample = {.value = value};
    put_family(out, name, "counter", help);
    put_sample(out, name, &sample);
}

/* A time as seconds since 1970; 0 when it is none. */
static long long time_of(const json_t *object, const char *member)
{
    int64_t seconds = 0;
    return utc_read(span_of_text(command_text(object, member)), &seconds) ? seconds : 0;
}

/* One sample for each state that is possible, 1 for the one that is. */
static void put_states(struct buffer *out, const char *name, const char *token,
                       const char *const states[], size_t n, const char *now)
{
    for (size_t i = 0; i < n; i++) {
        struct sample sample = {.labels = {{"token", token}, {"state", states[i]}},
                                .value = strcmp(states[i], now) == 0};
        if (token == NULL) {
            sample.labels[0] = sample.labels[1];
            sample.labels[1] = (struct label){NULL, NULL};
        }
        put_sample(out, name, &sample);
    }
}

static void put_schedule(struct buffer *out, const json_t *schedule)
{
    put_gauge(out, "qseal_schedule_overdue",
              "Scheduled steps of keys whose time has come, and that are not taken.",
              (long long)json_array_size(json_object_get(schedule, "overdue")));
    put_gauge(out, "qseal_schedule_paused",
              "Whether scheduled steps wait, since the clock is not believed.",
              json_is_true(json_object_get(schedule, "paused")));
}

static void put_audit(struct buffer *out, const json_t *status)
{
    const json_t *log = json_object_get(status, "audit_log");
    put_gauge(out, "qseal_audit_ok",
              "Whether the audit log is written; nothing is signed while it has failed.",
              strcmp(command_text(status, "audit"), "ok") == 0);
    put_gauge(out, "qseal_audit_records", "Records on the disk, since the chain began.",
              command_number(log, "records"));
    put_gauge(out, "qseal_audit_sealed_records", "How many of them the last checkpoint covers.",
              command_number(log, "sealed"));
    put_counter(out, "qseal_audit_faults_total", "How often the log has failed since the start.",
                command_number(log, "faults"));
    put_gauge(out, "qseal_audit_unrecorded",
              "Refusals and completions without a record, since the log has failed.",
              command_number(log, "unrecorded"));
    put_gauge(out, "qseal_audit_checkpoint_timestamp_seconds",
              "When the last checkpoint was signed, since 1970; 0: none since the start.",
              time_of(log, "checkpoint_at"));
}

static void put_service(struct buffer *out, const json_t *status)
{
    static const char *const health[] = {"ready", "degraded", "unready"};
    const json_t *reload = json_object_get(status, "reload");
    const struct sample info = {.labels = {{"version", command_text(status, "version")}},
                                .value = 1};
    put_family(out, "qseal_info", "gauge", "The version that runs.");
    put_sample(out, "qseal_info", &info);
    put_family(out, "qseal_health", "gauge", "1 for what GET /v1/health says.");
    put_states(out, "qseal_health", NULL, health, COUNT_OF(health), command_text(status, "status"));
    put_gauge(out, "qseal_httpd_connected", "Whether callers are accepted.",
              strcmp(command_text(status, "httpd"), "connected") == 0);
    put_gauge(out, "qseal_clock_trusted",
              "Whether the clock is believed; nothing is signed while it is not.",
              json_is_true(json_object_get(json_object_get(status, "clock"), "trusted")));
    put_audit(out, status);
    put_schedule(out, json_object_get(status, "schedule"));
    put_gauge(out, "qseal_config_generation", "Configurations read since the start.",
              command_number(status, "generation"));
    put_gauge(out, "qseal_config_loaded_seconds",
              "When the configuration in force was read, since 1970.",
              time_of(status, "loaded_at"));
    put_gauge(out, "qseal_reload_refused",
              "Whether the last reload was refused; the old configuration is in force then.",
              json_is_true(json_object_get(reload, "refused")));
    put_gauge(out, "qseal_keyring_generation", "Changes of the keyring.",
              command_number(status, "keyring_generation"));
}

/* A number of each token or caller. */
struct number_row {
    const char *name;
    const char *type;
    const char *help;
    const char *member;
};

static void put_tokens(struct buffer *out, const json_t *tokens)
{
    static const char *const states[] = {"ready", "absent", "locked", "down"};
    static const struct number_row rows[] = {
        {"qseal_token_sessions", "gauge", "PKCS#11 sessions of the token's room.", "sessions"},
        {"qseal_token_signatures_total", "counter",
         "Signatures since the start of the token's room.", "signatures"},
    };
    size_t at;
    json_t *token;
    put_family(out, "qseal_token_state", "gauge", "1 for the state of the token.");
    json_array_foreach (tokens, at, token) {
        put_states(out, "qseal_token_state", command_text(token, "name"), states, COUNT_OF(states),
                   command_text(token, "state"));
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        put_family(out, rows[i].name, rows[i].type, rows[i].help);
        json_array_foreach (tokens, at, token) {
            const struct sample sample = {.labels = {{"token", command_text(token, "name")}},
                                          .value = command_number(token, rows[i].member)};
            put_sample(out, rows[i].name, &sample);
        }
    }
}

static void put_callers(struct buffer *out, const json_t *callers)
{
    static const struct number_row rows[] = {
        {"qseal_caller_connections", "gauge", "Open connections of the caller.", "connections"},
        {"qseal_caller_in_flight", "gauge", "Requests under way.", "in_flight"},
        {"qseal_caller_requests_total", "counter", "Requests since the start.", "asked"},
        {"qseal_caller_signatures_total", "counter", "Signatures since the start.", "signed"},
        {"qseal_caller_refusals_total", "counter", "Requests refused since the start.", "refused"},
    };
    size_t at;
    json_t *caller;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        put_family(out, rows[i].name, rows[i].type, rows[i].help);
        json_array_foreach (callers, at, caller) {
            char uid[32];
            (void)snprintf(uid, sizeof uid, "%lld", command_number(caller, "uid"));
            const struct sample sample = {
                .labels = {{"caller", command_text(caller, "name")}, {"uid", uid}},
                .value = command_number(caller, rows[i].member)};
            put_sample(out, rows[i].name, &sample);
        }
    }
}

static struct sample sample_of_key(const json_t *key, const char *label, const char *value)
{
    return (struct sample){.labels = {{"role", command_text(key, "role")},
                                      {"token", command_text(key, "token")},
                                      {"kid", command_text(key, "kid")},
                                      {label, value}}};
}

static void put_keys(struct buffer *out, const json_t *keys)
{
    size_t at;
    json_t *key;
    put_family(out, "qseal_key_state", "gauge", "1 for the state of the key.");
    json_array_foreach (keys, at, key) {
        struct sample sample = sample_of_key(key, "state", command_text(key, "state"));
        sample.value = 1;
        put_sample(out, "qseal_key_state", &sample);
    }
    put_family(out, "qseal_key_end_seconds", "gauge",
               "When the key's certificate or cryptoperiod ends, since 1970.");
    json_array_foreach (keys, at, key) {
        const json_t *ends = json_object_get(key, "ends");
        const char *what;
        json_t *end;
        json_object_foreach ((json_t *)ends, what, end) {
            struct sample sample = sample_of_key(key, "what", what);
            sample.value = time_of(ends, what);
            put_sample(out, "qseal_key_end_seconds", &sample);
        }
    }
}

void prometheus_put(struct buffer *out, const json_t *status, const json_t *keys)
{
    put_gauge(out, "qseal_up", "Whether qseald answers.", status != NULL);
    if (status == NULL) {
        return;
    }
    put_service(out, status);
    put_tokens(out, json_object_get(status, "tokens"));
    put_callers(out, json_object_get(status, "callers"));
    put_keys(out, json_object_get(keys, "keys"));
}
