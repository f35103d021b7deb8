/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit key. */
#include "ctl/command.h"

#include "jose/json.h"

#include <stdio.h>

/* On stderr which key each is: stdout is for a file. */
static void print_public_keys(const json_t *result)
{
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(result, "keys"), i, key) {
        (void)fputs(command_text(key, "pem"), stdout);
        (void)fprintf(stderr, "qsealctl: key %s of role %s in token %s, %s\n",
                      command_text(key, "kid"), command_text(key, "role"),
                      command_text(key, "token"), command_text(key, "state"));
    }
}

enum exit_code run_audit_key(const struct command_line *line)
{
    if (line->all && line->n_words > 0) {
        (void)fprintf(stderr, "usage: qsealctl audit key [KID | --all]\n");
        return EXIT_USAGE;
    }
    return command_do(line, CUSTODY_AUDIT_KEY,
                      json_pack("{s:s*, s:s*}", "key", line->n_words > 0 ? line->words[0] : NULL,
                                "all", line->all ? "yes" : NULL),
                      print_public_keys);
}
