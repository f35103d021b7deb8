/* SPDX-License-Identifier: Apache-2.0
 * qseal-tokend: one PKCS#11 module, one token, its PIN. It signs what has the right shape with the
 * key that is pinned, and knows nothing else.
 *
 * It never leaves by exit(3) once the module is loaded: modules crash in exit handlers and while
 * other threads are inside them. */
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "policy/config.h"
#include "policy/config_mark.h"
#include "roles/common/program.h"
#include "roles/tokend/door.h"
#include "roles/tokend/keeper.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { BACKLOG = 256, SOCKET_MODE = 0660 };

static const char default_config[] = "/etc/qseal/qseal.yaml";

static const char help[] =
    "usage: qseal-tokend --token NAME [--config FILE] [--log-level error|warning|info|debug]\n"
    "\n"
    "Keeps one PKCS#11 token open for qseald and signs with its keys.\n"
    "\n"
    "  --token NAME       the token, as named under `tokens:` in the configuration\n"
    "  --config FILE      configuration (default /etc/qseal/qseal.yaml)\n"
    "  --log-level LEVEL  what is written to standard error (default info)\n"
    "  --help, --version\n"
    "\n"
    "The PIN comes from the pin-source of the token's URI: file:/path, /path, or credential:NAME\n"
    "for a systemd credential (LoadCredential=); a PIN that the token refused is not tried again\n"
    "before `qsealctl token unlock NAME`. With `pin: typed` that command asks a person for it "
    "after\n"
    "each start.\n"
    "\n"
    "Exit status: 0 after SIGTERM; 70 when the module hangs or fails for good and 75 when the\n"
    "token stays absent, both meant to be restarted; 78 when the configuration is wrong.\n"
    "See qseal-tokend(8) and qseal.yaml(5).\n";

static const struct program program = {.name = "qseal-tokend", .help = help};

struct arguments {
    const char *config;
    const char *token;
};

/* Ends the process for --help, --version and mistakes. No module is loaded yet. */
static struct arguments parse_arguments(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"token", required_argument, NULL, 't'},
        {"log-level", required_argument, NULL, 'l'},
        PROGRAM_OPTIONS,
    };
    struct arguments arguments = {.config = default_config};
    int option;
    while ((option = program_next_option(&program, argc, argv, options)) != -1) {
        *(option == 't' ? &arguments.token : &arguments.config) = optarg;
    }
    if (optind != argc || arguments.token == NULL) {
        program_misused(&program, NULL);
    }
    return arguments;
}

static enum mechanism_choice choice_of(enum mechanism_mode mode)
{
    switch (mode) {
    case MECHANISMS_AUTO:
        return MECHANISM_AUTO;
    case MECHANISMS_PREHASH:
        return MECHANISM_PREHASH;
    case MECHANISMS_TOKEN_HASH:
        return MECHANISM_TOKEN_HASH;
    }
    return MECHANISM_AUTO;
}

static struct room_options room_options_of(const struct config *config,
                                           const struct config_token *token)
{
    struct config_marks marks;
    struct room_options options = {
        .name = token->name,
        .module = token->module,
        .uri = token->uri,
        .pin_typed = token->pin_typed,
        .state = token->state,
        .sessions = token->sessions,
        .deadline_ms = token->deadline_ms,
        .mechanisms = choice_of(token->mechanisms),
        .session_copy = token->session_copy,
    };
    config_marks(config, token, &marks);
    memcpy(options.marks, marks.values, sizeof options.marks);
    options.n_marks = marks.n;
    return options;
}

/* The socket that systemd made, or our own. */
static enum outcome listen_at(const char *path, int *out, struct reason *why)
{
    int n = sd_listen_fds(1);
    if (n == 1 && sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) > 0) {
        *out = SD_LISTEN_FDS_START;
        return OUTCOME_OK;
    }
    if (n > 0) {
        return refuse(why, OUTCOME_RULE,
                      "socket activation gave %d descriptors, wanted one unix stream listener", n);
    }
    *out = fd_listen_unix(path, SOCKET_MODE, BACKLOG);
    return *out >= 0 ? OUTCOME_OK
                     : refuse(why, OUTCOME_RULE, "socket %s: %s", path, strerror(errno));
}

static enum outcome open_room(const struct arguments *arguments, struct config **config,
                              struct room *room, int *listener, struct reason *why)
{
    enum outcome outcome = config_load(arguments->config, config, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct config_token *token = config_token(*config, arguments->token);
    if (token == NULL) {
        return refuse(why, OUTCOME_RULE, "%s has no token %s", arguments->config, arguments->token);
    }
    const struct room_options options = room_options_of(*config, token);
    outcome = room_init(room, &options, why);
    return outcome == OUTCOME_OK ? listen_at(token->socket, listener, why) : outcome;
}

/* Until SIGTERM (0) or until the room is given up. */
static int live(const struct keeper *keeper, int signals)
{
    struct pollfd waits[] = {
        {.fd = signals, .events = POLLIN},
        {.fd = keeper_given_up_fd(keeper), .events = POLLIN},
    };
    while (poll(waits, COUNT_OF(waits), -1) < 0 && errno == EINTR) {
    }
    return waits[1].revents != 0 ? KEEPER_EXIT_HUNG : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const int watched[] = {SIGTERM, SIGINT};
    (void)program_harden();
    /* SoftHSM and others bring libcrypto: a system configuration that activates our own provider,
     * or a PKCS#11 one, would come back into this process and wait for itself. */
    (void)setenv("OPENSSL_CONF", "/dev/null", 1);
    memory_prepare();
    struct arguments arguments = parse_arguments(argc, argv);
    int signals = program_watch_signals(watched, COUNT_OF(watched));
    struct config *config = NULL;
    struct room room;
    struct reason why = {0};
    int listener = -1;
    if (open_room(&arguments, &config, &room, &listener, &why) != OUTCOME_OK) {
        log_error("%s", why.detail);
        _exit(EXIT_CONFIGURATION);
    }
    struct serve *door = door_open(&room, listener, &config->qseald_uid, &why);
    struct keeper *keeper = door == NULL ? NULL : keeper_start(&room, &why);
    if (keeper == NULL) {
        log_error("%s", why.detail);
        _exit(KEEPER_EXIT_HUNG);
    }
    int status = live(keeper, signals);
    log_info("token %s: finishing what is in flight", arguments.token);
    (void)sd_notify(0, "STOPPING=1");
    serve_stop(door);
    _exit(status);
}
