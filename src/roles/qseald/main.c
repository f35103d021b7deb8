/* SPDX-License-Identifier: Apache-2.0
 * qseald: policy, profiles, keyring; the trusted core between qseal-httpd and the tokens. */
#include "base/log.h"
#include "base/memory.h"
#include "jose/json.h"
#include "roles/common/program.h"
#include "roles/qseald/room.h"

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { STOP_WITHIN_S = 15 };

static const char default_config[] = "/etc/qseal/qseal.yaml";

static const char help[] =
    "usage: qseald [--config FILE] [--log-level error|warning|info|debug]\n"
    "\n"
    "The policy service of qseal. It answers qseal-httpd, asks qseal-tokend, and serves qsealctl.\n"
    "\n"
    "  --config FILE      configuration (default /etc/qseal/qseal.yaml)\n"
    "  --log-level LEVEL  what is written to standard error (default info)\n"
    "  --help, --version\n"
    "\n"
    "SIGHUP reads configuration and profiles anew; SIGTERM finishes what is in flight and ends.\n"
    "See qseald(8) and qseal.yaml(5).\n";

static const struct program program = {.name = "qseald", .help = help};

/* Ends the process for --help, --version and mistakes. */
static const char *parse_arguments(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"log-level", required_argument, NULL, 'l'},
        PROGRAM_OPTIONS,
    };
    const char *config = default_config;
    while (program_next_option(&program, argc, argv, options) != -1) {
        config = optarg;
    }
    if (optind != argc) {
        program_misused(&program, NULL);
    }
    return config;
}

/* What is in flight has had its time; a token that still makes a key is not waited for. */
static void leave_now(int signal_number)
{
    (void)signal_number;
    _exit(EXIT_SUCCESS);
}

/* Half of what systemd allows between two signs of life, in ms; -1 when it wants none. */
static int watchdog_ms(void)
{
    uint64_t us = 0;
    return sd_watchdog_enabled(0, &us) > 0 ? (int)(us / 2000) : -1;
}

static void live(struct room *room, int signals)
{
    for (;;) {
        struct pollfd wait = {.fd = signals, .events = POLLIN};
        int ready = poll(&wait, 1, watchdog_ms());
        if (ready == 0) {
            (void)sd_notify(0, "WATCHDOG=1");
            continue;
        }
        struct signalfd_siginfo got;
        if (ready < 0 || read(signals, &got, sizeof got) != sizeof got) {
            continue;
        }
        if (got.ssi_signo != SIGHUP) {
            return;
        }
        (void)sd_notify(0, "RELOADING=1");
        room_reload(room);
        (void)sd_notify(0, "READY=1");
    }
}

int main(int argc, char **argv)
{
    static const int watched[] = {SIGTERM, SIGINT, SIGHUP};
    const char *config = parse_arguments(argc, argv);
    struct reason why = {0};
    (void)program_harden();
    memory_prepare();
    json_prepare();
    int signals = program_watch_signals(watched, COUNT_OF(watched));
    struct room *room = NULL;
    enum outcome outcome = room_start(config, &room, &why);
    if (outcome != OUTCOME_OK) {
        log_error("%s", why.detail);
        return outcome == OUTCOME_RULE ? EXIT_CONFIGURATION : EXIT_FAILURE;
    }
    log_info("qseald " QSEAL_VERSION " is ready");
    (void)sd_notify(0, "READY=1");
    live(room, signals);
    log_info("finishing what is in flight");
    (void)sd_notify(0, "STOPPING=1");
    (void)signal(SIGALRM, leave_now);
    (void)alarm(STOP_WITHIN_S);
    room_stop(room);
    log_info("done");
    return EXIT_SUCCESS;
}
