/* SPDX-License-Identifier: Apache-2.0
 * How each of the programs that stay begins: options, rights given up, signals. */
#ifndef QSEAL_ROLES_COMMON_PROGRAM_H
#define QSEAL_ROLES_COMMON_PROGRAM_H

#include "base/attributes.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    EXIT_USAGE = 2,
    EXIT_CONFIGURATION = 78 /* EX_CONFIG of sysexits.h: systemd need not try again */
};

struct program {
    const char *name;
    const char *help;
};

/* Ends a program's list of options. The letters h and V are those of this list, l is --log-level
 * LEVEL and v is --verbose where a program has them; all others are the program's own. */
#define PROGRAM_OPTIONS                                                                            \
    {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},                         \
    {                                                                                              \
        NULL, 0, NULL, 0                                                                           \
    }

/* The next of the program's own options, its argument in optarg; -1 behind the last one. Ends the
 * process for --help, --version and mistakes. */
int program_next_option(const struct program *program, int argc, char **argv,
                        const struct option *options);
/* Says what is wrong (NULL: that has been said), shows the help and ends the process. */
_Noreturn void program_misused(const struct program *program, const char *what);

/* Nothing can be gained by exec, no core holds a payload, nobody traces, files are for the owner
 * only, and a peer that is gone is an error of the write. All of it is tried; false with errno when
 * something fails. */
bool program_harden(void);

/* Blocks these signals, in the threads that are still to be made too, and returns the signalfd that
 * reads them, which does not block; -1 with errno. */
int program_watch_signals(const int *numbers, size_t n);

#endif
