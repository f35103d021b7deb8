/* SPDX-License-Identifier: Apache-2.0
 * qsealctl: noun, verb, and what stands behind them, looked up in a table. */
#include "ctl/command.h"
#include "jose/json.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char default_socket[] = "/run/qseal-admin/admin.sock";
static const char default_config[] = "/etc/qseal/qseal.yaml";

static const struct command commands[] = {
    {"status", "", "", "what runs, which tokens are up, who is connected", 0, 0, run_status},
    {"key", "generate", "ROLE", "make a key pair for a role in its tokens (or the one of --token)",
     1, 1, run_key_generate},
    {"key", "list", "", "all keys, with kid, algorithms, state and certificate", 0, 0,
     run_key_list},
    {"key", "csr", "ROLE", "a certificate request, signed by the role's key in its token", 1, 1,
     run_key_csr},
    {"key", "import-certificate", "ROLE", "keep the certificates of --file beside the role's key",
     1, 1, run_key_import},
    {"key", "reference", "ROLE", "what a program is given in place of a transport key", 1, 1,
     run_key_reference},
    {"jwks", "", "", "the JWK Set as it is published", 0, 0, run_jwks},
    {"token", "list", "", "the tokens and what they can do", 0, 0, run_token_list},
    {"token", "unlock", "TOKEN", "allow one more login after the PIN was refused", 1, 1,
     run_token_unlock},
    {"config", "check", "[FILE]", "read configuration, templates and profiles as qseald would", 0,
     1, run_config_check},
    {"reload", "", "", "make qseald read configuration, profiles and keyring anew", 0, 0,
     run_reload},
};

static void print_help(FILE *to)
{
    (void)fputs("usage: qsealctl [--socket PATH] [--json] NOUN [VERB] …\n\n", to);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s%s%s%s", commands[i].noun,
                       commands[i].verb[0] == '\0' ? "" : " ", commands[i].verb,
                       commands[i].words[0] == '\0' ? "" : " ", commands[i].words);
        (void)fprintf(to, "  %-27s %s\n", left, commands[i].what);
    }
    (void)fputs(
        "\n"
        "  --socket PATH  admin door (default $QSEAL_ADMIN_SOCKET, else "
        "/run/qseal-admin/admin.sock)\n"
        "  --config FILE  for config check (default /etc/qseal/qseal.yaml)\n"
        "  --token NAME   for key …: on this token only\n"
        "  --subject NAME for key csr, like /C=MY/O=Bank/CN=name (default /CN=ROLE)\n"
        "  --file FILE    for key import-certificate: PEM, the key's own certificate first\n"
        "  --callers PATH for key reference: the socket it names (default: the configured "
        "one)\n"
        "  --json         machine-readable output\n"
        "  --help, --version\n"
        "\n"
        "Exit status: 0 done, 1 refused by a rule, 2 usage, 3 not permitted, 4 service or "
        "token unavailable,\n"
        "5 verification failed. See qsealctl(1).\n",
        to);
}

static const struct command *find_command(char **words, int n_words, int *used)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        bool alone = commands[i].verb[0] == '\0';
        *used = alone ? 1 : 2;
        if (n_words >= *used && strcmp(words[0], commands[i].noun) == 0 &&
            (alone || strcmp(words[1], commands[i].verb) == 0)) {
            return &commands[i];
        }
    }
    return NULL;
}

/* Where the value of this option goes; NULL when it has none. */
static const char **text_option(struct command_line *line, int option)
{
    switch (option) {
    case 's':
        return &line->socket;
    case 'c':
        return &line->config;
    case 't':
        return &line->token;
    case 'S':
        return &line->subject;
    case 'f':
        return &line->file;
    case 'C':
        return &line->callers;
    default:
        return NULL;
    }
}

/* Ends the process for --help, --version and mistakes. */
static void parse_options(int argc, char **argv, struct command_line *line)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'}, {"config", required_argument, NULL, 'c'},
        {"token", required_argument, NULL, 't'},  {"subject", required_argument, NULL, 'S'},
        {"file", required_argument, NULL, 'f'},   {"callers", required_argument, NULL, 'C'},
        {"json", no_argument, NULL, 'j'},         {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        const char **text = text_option(line, option);
        if (text != NULL) {
            *text = optarg;
        } else if (option == 'j') {
            line->json = true;
        } else if (option == 'h') {
            print_help(stdout);
            exit(EXIT_DONE);
        } else if (option == 'V') {
            (void)puts("qsealctl " QSEAL_VERSION);
            exit(EXIT_DONE);
        } else {
            exit(EXIT_USAGE); /* getopt has said what is wrong */
        }
    }
}

int main(int argc, char **argv)
{
    const char *from_environment = getenv("QSEAL_ADMIN_SOCKET");
    struct command_line line = {
        .socket = from_environment == NULL ? default_socket : from_environment,
        .config = default_config,
    };
    json_prepare();
    parse_options(argc, argv, &line);
    if (optind == argc) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    int used = 0;
    const struct command *command = find_command(argv + optind, argc - optind, &used);
    if (command == NULL) {
        (void)fprintf(stderr, "qsealctl: no such command; qsealctl --help lists them\n");
        return EXIT_USAGE;
    }
    line.words = argv + optind + used;
    line.n_words = argc - optind - used;
    if (line.n_words < command->min_words || line.n_words > command->max_words) {
        (void)fprintf(stderr, "usage: qsealctl %s %s %s\n", command->noun, command->verb,
                      command->words);
        return EXIT_USAGE;
    }
    return (int)command->run(&line);
}
