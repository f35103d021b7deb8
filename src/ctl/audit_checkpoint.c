/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit checkpoint. */
#include "ctl/command.h"

#include <stdio.h>

static void print_head(const json_t *result)
{
    (void)printf("sealed up to record %lld of chain %s\nhead %s\n",
                 command_number(result, "covers"), command_text(result, "chain"),
                 command_text(result, "head"));
}

enum exit_code run_audit_checkpoint(const struct command_line *line)
{
    return command_do(line, CUSTODY_AUDIT_CHECKPOINT, json_object(), print_head);
}
