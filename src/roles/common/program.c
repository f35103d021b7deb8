/* SPDX-License-Identifier: Apache-2.0
 * What every program does first. */
#include "roles/common/program.h"

#include "base/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

static bool set_level(const char *name)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            log_set_level((enum log_level)i);
            return true;
        }
    }
    return false;
}

void program_misused(const struct program *program, const char *what)
{
    if (what != NULL) {
        (void)fprintf(stderr, "%s: %s\n", program->name, what);
    }
    (void)fputs(program->help, stderr);
    exit(EXIT_USAGE);
}

int program_next_option(const struct program *program, int argc, char **argv,
                        const struct option *options)
{
    for (;;) {
        int option = getopt_long(argc, argv, "", options, NULL);
        switch (option) {
        case 'h':
            (void)fputs(program->help, stdout);
            exit(EXIT_SUCCESS);
        case 'V':
            (void)printf("%s " QSEAL_VERSION "\n", program->name);
            exit(EXIT_SUCCESS);
        case 'l':
            if (!set_level(optarg)) {
                program_misused(program, NULL);
            }
            break;
        case 'v':
            log_set_level(LOG_LEVEL_DEBUG);
            break;
        case '?': /* getopt has said what is wrong */
            program_misused(program, NULL);
        default:
            return option;
        }
    }
}

bool program_harden(void)
{
    struct rlimit none = {0, 0};
    (void)umask(0077);
    bool good = setrlimit(RLIMIT_CORE, &none) == 0;
    good = prctl(PR_SET_DUMPABLE, 0) == 0 && good;
    good = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && good;
    return signal(SIGPIPE, SIG_IGN) != SIG_ERR && good;
}

int program_watch_signals(const int *numbers, size_t n)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < n; i++) {
        (void)sigaddset(&set, numbers[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return -1;
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
