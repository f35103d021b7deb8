/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key generate, list, csr, import-certificate, reference. */
#include "ctl/command.h"

#include "jose/json.h"

#include <stdio.h>

enum { FILE_MAX = 64 * 1024 };

enum exit_code run_key_generate(const struct command_line *line)
{
    JSON_CLEANUP json_t *arguments =
        json_pack("{s:s, s:s*}", "role", line->words[0], "token", line->token);
    JSON_CLEANUP json_t *result = NULL;
    enum exit_code code = command_ask(line, CUSTODY_KEY_GENERATE, arguments, &result);
    if (code != EXIT_DONE) {
        return code;
    }
    if (line->json) {
        command_print_json(result);
        return EXIT_DONE;
    }
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(result, "keys"), i, key) {
        (void)printf("%s: key %s generated in token %s, %s\n", command_text(key, "role"),
                     command_text(key, "kid"), command_text(key, "token"),
                     command_text(key, "state"));
    }
    return EXIT_DONE;
}

static void print_key(const json_t *key)
{
    const char *not_after = command_text(key, "not_after");
    (void)printf("%-16s %-12s %-9s %-9s %-8s ", command_text(key, "role"),
                 command_text(key, "token"), command_text(key, "purpose"),
                 command_text(key, "type"), command_text(key, "state"));
    size_t i;
    json_t *alg;
    json_array_foreach (json_object_get(key, "algs"), i, alg) {
        (void)printf("%s%s", i == 0 ? "" : ",", json_string_value(alg));
    }
    (void)printf("  %s  %s  %s%s\n", command_text(key, "kid"), command_text(key, "created"),
                 not_after[0] == '\0' ? "no certificate" : "certificate until ", not_after);
}

enum exit_code run_key_list(const struct command_line *line)
{
    JSON_CLEANUP json_t *result = NULL;
    enum exit_code code = command_ask(line, CUSTODY_KEY_LIST, NULL, &result);
    if (code != EXIT_DONE) {
        return code;
    }
    if (line->json) {
        command_print_json(result);
        return EXIT_DONE;
    }
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(result, "keys"), i, key) {
        print_key(key);
    }
    return EXIT_DONE;
}

/* For verbs whose answer is a text to be kept in a file. */
static enum exit_code ask_for_pem(const struct command_line *line, enum custody_verb verb,
                                  const json_t *arguments)
{
    JSON_CLEANUP json_t *result = NULL;
    enum exit_code code = command_ask(line, verb, arguments, &result);
    if (code == EXIT_DONE && line->json) {
        command_print_json(result);
    } else if (code == EXIT_DONE) {
        (void)fputs(command_text(result, "pem"), stdout);
    }
    return code;
}

/* An argument that is no UTF-8 makes no JSON. */
static enum exit_code usage_of_text(void)
{
    (void)fprintf(stderr, "qsealctl: arguments must be UTF-8\n");
    return EXIT_USAGE;
}

enum exit_code run_key_reference(const struct command_line *line)
{
    JSON_CLEANUP json_t *arguments = json_pack("{s:s, s:s*, s:s*}", "role", line->words[0], "token",
                                               line->token, "socket", line->callers);
    return arguments == NULL ? usage_of_text()
                             : ask_for_pem(line, CUSTODY_KEY_REFERENCE, arguments);
}

enum exit_code run_key_csr(const struct command_line *line)
{
    JSON_CLEANUP json_t *arguments = json_pack("{s:s, s:s*, s:s*}", "role", line->words[0], "token",
                                               line->token, "subject", line->subject);
    return arguments == NULL ? usage_of_text() : ask_for_pem(line, CUSTODY_KEY_CSR, arguments);
}

static void print_imported(const json_t *result)
{
    (void)printf("%s: certificate for key %s in token %s\n", command_text(result, "role"),
                 command_text(result, "kid"), command_text(result, "token"));
    static const char *const members[] = {"subject", "issuer", "serial", "not_before", "not_after"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        (void)printf("  %-10s %s\n", members[i], command_text(result, members[i]));
    }
}

enum exit_code run_key_import(const struct command_line *line)
{
    if (line->file == NULL) {
        (void)fprintf(stderr, "usage: qsealctl key import-certificate ROLE --file CHAIN.pem\n");
        return EXIT_USAGE;
    }
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(FILE_MAX);
    enum outcome outcome = command_read_text(line->file, &chain, &why);
    if (outcome != OUTCOME_OK) {
        return command_fail(outcome, &why);
    }
    JSON_CLEANUP json_t *arguments = json_pack("{s:s, s:s*, s:s}", "role", line->words[0], "token",
                                               line->token, "chain", buffer_text(&chain));
    JSON_CLEANUP json_t *result = NULL;
    if (arguments == NULL) {
        return usage_of_text();
    }
    enum exit_code code = command_ask(line, CUSTODY_KEY_IMPORT, arguments, &result);
    if (code == EXIT_DONE && line->json) {
        command_print_json(result);
    } else if (code == EXIT_DONE) {
        print_imported(result);
    }
    return code;
}
