/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key show, publish, activate, retire, suspend, resume, compromised, destroy. */
#include "ctl/command.h"

#include "jose/json.h"

#include <stdio.h>
#include <string.h>

static json_t *arguments_of(const struct command_line *line)
{
    return json_pack("{s:s, s:s*, s:s*}", "key", line->words[0], "token", line->token, "reason",
                     line->reason);
}

static void print_changed(const json_t *result)
{
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(result, "keys"), i, key) {
        (void)printf("%s: key %s in token %s is %s\n", command_text(key, "role"),
                     command_text(key, "kid"), command_text(key, "token"),
                     command_text(key, "state"));
    }
}

static enum exit_code change(const struct command_line *line, enum custody_verb verb)
{
    return command_do(line, verb, arguments_of(line), print_changed);
}

enum exit_code run_key_publish(const struct command_line *line)
{
    return change(line, CUSTODY_KEY_PUBLISH);
}

enum exit_code run_key_activate(const struct command_line *line)
{
    return change(line, CUSTODY_KEY_ACTIVATE);
}

enum exit_code run_key_retire(const struct command_line *line)
{
    return change(line, CUSTODY_KEY_RETIRE);
}

enum exit_code run_key_suspend(const struct command_line *line)
{
    return change(line, CUSTODY_KEY_SUSPEND);
}

enum exit_code run_key_resume(const struct command_line *line)
{
    return change(line, CUSTODY_KEY_RESUME);
}

enum exit_code run_key_compromised(const struct command_line *line)
{
    return change(line, CUSTODY_KEY_COMPROMISED);
}

enum exit_code run_key_destroy(const struct command_line *line)
{
    return change(line, CUSTODY_KEY_DESTROY);
}

static void print_history(const json_t *history)
{
    size_t i;
    json_t *step;
    json_array_foreach (history, i, step) {
        const char *reason = command_text(step, "reason");
        (void)printf("  %s  %-11s by uid %lld%s%s\n", command_text(step, "at"),
                     command_text(step, "state"),
                     (long long)json_integer_value(json_object_get(step, "by")),
                     reason[0] == '\0' ? "" : ": ", reason);
    }
}

static void print_attributes(const json_t *attributes)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)attributes, name, value) {
        (void)printf("  %-24s %s\n", name,
                     json_is_null(value)   ? "none"
                     : json_is_true(value) ? "true"
                                           : "false");
    }
}

static void print_mechanisms(const json_t *names)
{
    size_t i;
    json_t *name;
    (void)printf("  %-24s", "CKA_ALLOWED_MECHANISMS");
    json_array_foreach (names, i, name) {
        (void)printf(" %s", json_string_value(name));
    }
    (void)puts(json_is_array(names) ? "" : " none");
}

static void print_in_token(const json_t *in_token)
{
    const json_t *signatures = json_object_get(in_token, "signatures");
    if (!json_is_object(in_token)) {
        return; /* destroyed */
    }
    if (strcmp(command_text(in_token, "outcome"), "ok") != 0) {
        (void)printf("in token     unknown: %s\n", command_text(in_token, "detail"));
        return;
    }
    (void)printf("in token     now%s\n", json_is_true(json_object_get(in_token, "is_pinned"))
                                             ? ""
                                             : ": NOT THE PINNED PUBLIC KEY");
    (void)printf("  %-24s %s\n", "CKA_LABEL", command_text(in_token, "label"));
    print_attributes(json_object_get(in_token, "attributes"));
    print_mechanisms(json_object_get(in_token, "allowed_mechanisms"));
    if (json_is_integer(signatures)) {
        (void)printf("  %lld signatures", (long long)json_integer_value(signatures));
    } else {
        (void)printf("  signatures not counted");
    }
    (void)printf(" since %s, the start of its room\n", command_text(in_token, "counted_since"));
}

static void print_key(const json_t *key)
{
    static const char *const members[] = {
        "kid",    "role",        "token",   "purpose", "type",   "state",      "since",
        "key_id", "spki_sha256", "subject", "issuer",  "serial", "not_before", "not_after"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const char *text = command_text(key, members[i]);
        if (text[0] != '\0') {
            (void)printf("%-12s %s\n", members[i], text);
        }
    }
    const char *until = command_text(json_object_get(key, "ends"), "cryptoperiod");
    if (until[0] != '\0') {
        (void)printf("%-12s %s\n", "cryptoperiod", until);
    }
    size_t i;
    json_t *alg;
    (void)printf("%-12s", "algs");
    json_array_foreach (json_object_get(key, "algs"), i, alg) {
        (void)printf(" %s", json_string_value(alg));
    }
    (void)putchar('\n');
    print_in_token(json_object_get(key, "in_token"));
    (void)puts("history");
    print_history(json_object_get(key, "history"));
}

static void print_keys(const json_t *result)
{
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(result, "keys"), i, key) {
        (void)fputs(i == 0 ? "" : "\n", stdout);
        print_key(key);
    }
}

enum exit_code run_key_show(const struct command_line *line)
{
    return command_do(line, CUSTODY_KEY_SHOW, arguments_of(line), print_keys);
}
