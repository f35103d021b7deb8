/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key publish, activate, retire, suspend, resume, compromised, destroy. */
#include "ctl/command.h"

#include "jose/json.h"

#include <stdio.h>
#include <string.h>

static json_t *arguments_of(const struct command_line *line)
{
    return json_pack("{s:s, s:s*, s:s*}", "key", line->words[0], "token", line->token, "reason",
                     line->reason);
}

void command_print_dropped(const json_t *key)
{
    size_t i;
    json_t *step;
    json_array_foreach (json_object_get(key, "dropped"), i, step) {
        (void)printf("  no longer scheduled: %s at %s\n", command_text(step, "state"),
                     command_text(step, "at"));
    }
}

void command_print_changed(const json_t *result)
{
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(result, "keys"), i, key) {
        (void)printf("%s: key %s in token %s is %s\n", command_text(key, "role"),
                     command_text(key, "kid"), command_text(key, "token"),
                     command_text(key, "state"));
        command_print_dropped(key);
    }
}

static enum exit_code change(const struct command_line *line, enum custody_verb verb)
{
    return command_do(line, verb, arguments_of(line), command_print_changed);
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
