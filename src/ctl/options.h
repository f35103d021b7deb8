/* SPDX-License-Identifier: Apache-2.0
 * The command line of qsealctl. */
#ifndef QSEAL_CTL_OPTIONS_H
#define QSEAL_CTL_OPTIONS_H

#include "ctl/command.h"

#include <stdio.h>

enum options_outcome {
    OPTIONS_COMMAND, /* its words are in line->words */
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_LIST,    /* for completions: not in the help */
    OPTIONS_MISTAKE, /* said on stderr */
};

/* Options may stand anywhere. A key's thumbprint, or its first 8 characters, is a word even when it
 * begins with '-', as one in 64 does (two of them only when it is whole). Reorders argv, which
 * *line borrows from; line->request is the caller's to free. */
enum options_outcome options_read(int argc, char **argv, struct command_line *line) MUST_USE;

/* A line for each option: "--json", "--file=", "--profile=plain,psd2-qseal,…". */
void options_print(FILE *to);

#endif
