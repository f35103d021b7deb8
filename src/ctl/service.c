/* SPDX-License-Identifier: Apache-2.0
 * qsealctl status, reload, jwks, clock confirm. */
#include "ctl/command.h"
#include "ctl/prometheus.h"

#include "jose/json.h"

#include <stdio.h>
#include <string.h>

enum { METRICS_MAX = 16 * 1024 * 1024 };

void command_print_token(const json_t *token)
{
    (void)printf("token %s: %s%s%s\n", command_text(token, "name"), command_text(token, "state"),
                 command_text(token, "detail")[0] == '\0' ? "" : " - ",
                 command_text(token, "detail"));
    if (command_text(token, "serial")[0] != '\0') {
        (void)printf("  label %s, serial %s, %s, %s\n", command_text(token, "label"),
                     command_text(token, "serial"), command_text(token, "model"),
                     command_text(token, "module"));
        (void)printf("  %lld sessions, %lld signatures since its start at %s\n",
                     command_number(token, "sessions"), command_number(token, "signatures"),
                     command_text(token, "started"));
    }
}

static void print_tokens(const json_t *status)
{
    size_t i;
    json_t *token;
    json_array_foreach (json_object_get(status, "tokens"), i, token) {
        command_print_token(token);
    }
}

static void print_callers(const json_t *status)
{
    size_t i;
    json_t *caller;
    json_array_foreach (json_object_get(status, "callers"), i, caller) {
        const char *name = command_text(caller, "name");
        (void)printf("caller %s (uid %lld): %lld connections, %lld in flight, %lld asked, %lld "
                     "signed, %lld refused\n",
                     name[0] == '\0' ? "not configured" : name, command_number(caller, "uid"),
                     command_number(caller, "connections"), command_number(caller, "in_flight"),
                     command_number(caller, "asked"), command_number(caller, "signed"),
                     command_number(caller, "refused"));
    }
}

static void print_reload(const json_t *status)
{
    const json_t *reload = json_object_get(status, "reload");
    if (!json_is_object(reload)) {
        return;
    }
    if (json_is_true(json_object_get(reload, "refused"))) {
        (void)printf("reload at %s was REFUSED, the old configuration is in force: %s\n",
                     command_text(reload, "at"), command_text(reload, "detail"));
        return;
    }
    (void)printf("reload at %s: done\n", command_text(reload, "at"));
}

static void print_clock(const json_t *status)
{
    const json_t *clock = json_object_get(status, "clock");
    if (!json_is_true(json_object_get(clock, "trusted"))) {
        (void)printf(
            "CLOCK NOT CONFIRMED, nothing is signed: it jumped from %s to %s; if that is the "
            "right time, run: qsealctl clock confirm\n",
            command_text(clock, "from"), command_text(clock, "to"));
    }
}

static void print_warnings(const json_t *status)
{
    size_t i;
    json_t *warning;
    json_array_foreach (json_object_get(status, "warnings"), i, warning) {
        if (strcmp(command_text(warning, "what"), "audit") == 0) {
            (void)printf("WARNING %s\n", command_text(warning, "detail"));
            continue;
        }
        (void)printf("WARNING key %s of role %s in token %s: %s\n", command_text(warning, "kid"),
                     command_text(warning, "role"), command_text(warning, "token"),
                     command_text(warning, "detail"));
    }
}

/* The faults are among the warnings. */
static void print_audit(const json_t *status)
{
    const json_t *log = json_object_get(status, "audit_log");
    const char *state = command_text(status, "audit");
    if (!json_is_object(log)) {
        (void)printf("audit log: %s\n", state);
        return;
    }
    (void)printf("audit log: %s since %s, segment %lld, %lld records", state,
                 command_text(log, "since"), command_number(log, "segment"),
                 command_number(log, "records"));
    (void)printf(", sealed up to %lld%s%s\n", command_number(log, "sealed"),
                 command_text(log, "checkpoint_at")[0] == '\0' ? "" : " at ",
                 command_text(log, "checkpoint_at"));
    if (command_number(log, "faults") > 0) {
        (void)printf("  %lld faults since the start, %lld refusals and completions not recorded\n",
                     command_number(log, "faults"), command_number(log, "unrecorded"));
    }
    if (command_text(log, "checkpoint_detail")[0] != '\0') {
        (void)printf("  no checkpoint is made: %s\n", command_text(log, "checkpoint_detail"));
    }
}

static void print_room(const json_t *room)
{
    size_t i;
    json_t *value;
    const char *name = command_text(room, "room");
    if (command_text(room, "version")[0] == '\0') {
        (void)printf(
            "%s: %s, nobody says what it runs with%s%s\n", name, command_text(room, "state"),
            command_text(room, "detail")[0] == '\0' ? "" : ": ", command_text(room, "detail"));
        return;
    }
    (void)printf("%s: %s, version %s, since %s\n", name, command_text(room, "state"),
                 command_text(room, "version"), command_text(room, "started"));
    json_array_foreach (json_object_get(room, "restart"), i, value) {
        (void)printf("  restart %s to take the new %s\n", command_text(room, "unit"),
                     json_string_value(value));
    }
}

static void print_rooms(const json_t *result)
{
    size_t i;
    json_t *room;
    json_array_foreach (json_object_get(result, "rooms"), i, room) {
        print_room(room);
    }
}

static void print_schedule(const json_t *schedule)
{
    size_t i;
    json_t *row;
    json_array_foreach (json_object_get(schedule, "overdue"), i, row) {
        (void)printf("OVERDUE: %s key %s in token %s should be %s since %s: %s\n",
                     command_text(row, "role"), command_text(row, "kid"),
                     command_text(row, "token"), command_text(row, "state"),
                     command_text(row, "at"), command_text(row, "detail"));
    }
    json_array_foreach (json_object_get(schedule, "probes"), i, row) {
        (void)printf("probe file of role %s: %s\n", command_text(row, "role"),
                     command_text(row, "detail"));
    }
}

static void print_status(const json_t *status)
{
    (void)printf("qseal %s: %s\n", command_text(status, "version"), command_text(status, "status"));
    (void)printf("configuration %s, generation %lld, loaded at %s\n",
                 command_text(status, "config"), command_number(status, "generation"),
                 command_text(status, "loaded_at"));
    print_reload(status);
    (void)printf("%lld profiles, %lld keys (keyring generation %lld), httpd %s\n",
                 command_number(status, "profiles"), command_number(status, "keys"),
                 command_number(status, "keyring_generation"), command_text(status, "httpd"));
    print_audit(status);
    print_clock(status);
    print_warnings(status);
    print_schedule(json_object_get(status, "schedule"));
    print_rooms(status);
    print_tokens(status);
    print_callers(status);
}

/* A service that does not answer is a metric, too; one that may not be asked is none. */
static enum exit_code print_prometheus(const struct command_line *line)
{
    JSON_CLEANUP json_t *none = json_object();
    JSON_CLEANUP json_t *status = NULL;
    JSON_CLEANUP json_t *keys = NULL;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(METRICS_MAX);
    enum exit_code code = command_ask(line, CUSTODY_STATUS, none, &status);
    if (code == EXIT_DONE) {
        code = command_ask(line, CUSTODY_KEY_LIST, none, &keys);
    }
    if (code != EXIT_DONE && code != EXIT_UNAVAILABLE) {
        return code;
    }
    prometheus_put(&text, code == EXIT_DONE ? status : NULL, keys);
    if (!buffer_ok(&text)) {
        return command_no_memory();
    }
    (void)fputs(buffer_text(&text), stdout);
    return code;
}

enum exit_code run_status(const struct command_line *line)
{
    if (line->prometheus) {
        return print_prometheus(line);
    }
    return command_do(line, CUSTODY_STATUS, json_object(), print_status);
}

static void print_generation(const json_t *result)
{
    (void)printf("generation %lld is in force, keyring generation %lld\n",
                 command_number(result, "generation"),
                 command_number(result, "keyring_generation"));
    print_rooms(result);
    size_t i;
    json_t *unit;
    json_array_foreach (json_object_get(result, "stop"), i, unit) {
        (void)printf("stop %s: the configuration no longer has its token\n",
                     json_string_value(unit));
    }
}

enum exit_code run_reload(const struct command_line *line)
{
    return command_do(line, CUSTODY_RELOAD, json_object(), print_generation);
}

enum exit_code run_jwks(const struct command_line *line)
{
    return command_do(line, CUSTODY_JWKS, json_object(), command_print_json);
}

static void print_confirmed(const json_t *result)
{
    (void)printf("the clock's jump from %s to %s (%lld s) is accepted; signatures go on\n",
                 command_text(result, "from"), command_text(result, "to"),
                 command_number(result, "seconds"));
}

enum exit_code run_clock_confirm(const struct command_line *line)
{
    return command_do(line, CUSTODY_CLOCK_CONFIRM, json_object(), print_confirmed);
}
