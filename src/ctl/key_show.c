/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key show and adopt, and what people put on record of a key: backup-recorded, seen. */
#include "ctl/command.h"

#include "jose/json.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void print_changes(const char *title, const json_t *changes)
{
    size_t i;
    json_t *step;
    json_array_foreach (changes, i, step) {
        (void)printf("%s%s", i == 0 ? title : "", i == 0 ? "\n" : "");
        const char *reason = command_text(step, "reason");
        (void)printf("  %s  %-11s by uid %lld", command_text(step, "at"),
                     command_text(step, "state"), command_number(step, "by"));
        if (json_object_get(step, "approved_by") != NULL) {
            (void)printf(", approved by uid %lld", command_number(step, "approved_by"));
        }
        const char *token = command_text(step, "replica_of");
        (void)printf(
            "%s%s", token[0] == '\0' ? "" : ", here too, as a replica of the key in token ", token);
        (void)printf("%s%s\n", reason[0] == '\0' ? "" : ": ", reason);
    }
}

static void print_record(const json_t *key, const char *name, const char *text_name)
{
    const json_t *record = json_object_get(key, name);
    const char *text = command_text(record, text_name);
    if (record != NULL) {
        (void)printf("%-12s %s by uid %lld%s%s\n", name, command_text(record, "at"),
                     command_number(record, "by"), text[0] == '\0' ? "" : ": ", text);
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
    if (json_is_integer(json_object_get(in_token, "signatures"))) {
        (void)printf("  %lld signatures", command_number(in_token, "signatures"));
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
    print_record(key, "backup", "reason");
    print_record(key, "seen", "where");
    print_changes("history", json_object_get(key, "history"));
    print_changes("schedule", json_object_get(key, "schedule"));
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
    return command_do(line, CUSTODY_KEY_SHOW,
                      json_pack("{s:s, s:s*}", "key", line->words[0], "token", line->token),
                      print_keys);
}

static void print_adopted(const json_t *result)
{
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(result, "keys"), i, key) {
        (void)printf("%s: key %s in token %s is %s, a replica of that in token %s\n",
                     command_text(key, "role"), command_text(key, "kid"),
                     command_text(key, "token"), command_text(key, "state"),
                     command_text(key, "replica_of"));
        print_in_token(json_object_get(key, "in_token"));
    }
}

enum exit_code run_key_adopt(const struct command_line *line)
{
    if (line->token == NULL) {
        (void)fprintf(stderr, "usage: qsealctl key adopt KID --token NAME\n");
        return EXIT_USAGE;
    }
    return command_do(line, CUSTODY_KEY_ADOPT,
                      json_pack("{s:s, s:s, s:s*}", "key", line->words[0], "token", line->token,
                                "reason", line->reason),
                      print_adopted);
}

/* "seal: a backup of key K in token T is on record" */
static void print_recorded(const json_t *result, const char *before, const char *behind)
{
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(result, "keys"), i, key) {
        (void)printf("%s: %skey %s in token %s %s\n", command_text(key, "role"), before,
                     command_text(key, "kid"), command_text(key, "token"), behind);
    }
}

static void print_backed_up(const json_t *result)
{
    print_recorded(result, "a backup of ", "is on record");
}

enum exit_code run_key_backup_recorded(const struct command_line *line)
{
    return command_do(line, CUSTODY_KEY_BACKUP_RECORDED,
                      json_pack("{s:s, s:s*, s:s*}", "key", line->words[0], "token", line->token,
                                "reason", line->reason),
                      print_backed_up);
}

static void print_seen(const json_t *result)
{
    print_recorded(result, "", "was seen outside");
}

enum exit_code run_key_seen(const struct command_line *line)
{
    return command_do(line, CUSTODY_KEY_SEEN,
                      json_pack("{s:s, s:s*, s:s*}", "key", line->words[0], "token", line->token,
                                "where", line->where),
                      print_seen);
}
