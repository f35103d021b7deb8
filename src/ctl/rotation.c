/* SPDX-License-Identifier: Apache-2.0
 * qsealctl rotation plan, apply, cancel. */
#include "ctl/command.h"

#include "jose/json.h"

#include <stdio.h>

static json_t *arguments_of(const struct command_line *line)
{
    return json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "role", line->words[0], "token", line->token,
                     "publish_at", line->publish_at, "activate_at", line->activate_at, "reason",
                     line->reason);
}

void command_print_steps(const json_t *rotation)
{
    size_t i;
    json_t *row;
    json_array_foreach (json_object_get(rotation, "steps"), i, row) {
        (void)printf("%s  %-12s %s  %s\n", command_text(row, "at"), command_text(row, "token"),
                     command_text(row, "kid"), command_text(row, "state"));
    }
    json_array_foreach (json_object_get(rotation, "warnings"), i, row) {
        (void)printf("warning: %s\n", json_string_value(row));
    }
}

static void print_plan(const json_t *result)
{
    command_print_steps(result);
    (void)printf("nothing is scheduled yet; to do so:\n  %s\n", command_text(result, "command"));
}

enum exit_code run_rotation_plan(const struct command_line *line)
{
    return command_do(line, CUSTODY_ROTATION_PLAN, arguments_of(line), print_plan);
}

static void print_applied(const json_t *result)
{
    command_print_steps(result);
    (void)printf("scheduled; qsealctl rotation cancel %s drops it\n", command_text(result, "role"));
}

enum exit_code run_rotation_apply(const struct command_line *line)
{
    return command_do(line, CUSTODY_ROTATION_APPLY, arguments_of(line), print_applied);
}

enum exit_code run_rotation_cancel(const struct command_line *line)
{
    return command_do(line, CUSTODY_ROTATION_CANCEL,
                      json_pack("{s:s, s:s*}", "role", line->words[0], "token", line->token),
                      command_print_changed);
}
