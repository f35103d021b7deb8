/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key generate, key list. */
#include "ctl/command.h"

#include "jose/json.h"

#include <stdio.h>

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
    (void)printf("%-16s %-12s %-9s %-8s ", command_text(key, "role"), command_text(key, "token"),
                 command_text(key, "type"), command_text(key, "state"));
    size_t i;
    json_t *alg;
    json_array_foreach (json_object_get(key, "algs"), i, alg) {
        (void)printf("%s%s", i == 0 ? "" : ",", json_string_value(alg));
    }
    (void)printf("  %s  %s\n", command_text(key, "kid"), command_text(key, "created"));
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
