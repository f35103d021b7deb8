/* SPDX-License-Identifier: Apache-2.0
 * qsealctl: noun, verb, and what stands behind them, looked up in a table. */
#include "ctl/command.h"
#include "jose/json.h"
#include "pki/request_profile.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options of key csr: OPTION_REQUEST + enum request_value. */
enum { OPTION_PROFILE = 256, OPTION_REQUEST, OPTIONS_MAX = 64 };

static const char default_socket[] = "/run/qseal-admin/admin.sock";
static const char default_config[] = "/etc/qseal/qseal.yaml";

static const struct command commands[] = {
    {"status", "", "", "what runs, which tokens are up, who is connected", 0, 0, run_status},
    {"key", "generate", "ROLE",
     "make a key pair for a role in each token that has none, else one more in each; the first\n"
     "                              is active at once, if the role needs no certificate",
     1, 1, run_key_generate},
    {"key", "list", "", "all keys, with kid, algorithms, state and certificate", 0, 0,
     run_key_list},
    {"key", "show", "KID|ROLE", "all about a key, and its history", 1, 1, run_key_show},
    {"key", "publish", "KID|ROLE", "show a key to verifiers; it does not sign yet", 1, 1,
     run_key_publish},
    {"key", "activate", "KID|ROLE", "let a published key sign, and its predecessor retire", 1, 1,
     run_key_activate},
    {"key", "retire", "KID|ROLE", "show a retiring key no more", 1, 1, run_key_retire},
    {"key", "suspend", "KID", "stop a key, until it is resumed", 1, 1, run_key_suspend},
    {"key", "resume", "KID", "let a suspended key go on; one that was active is published", 1, 1,
     run_key_resume},
    {"key", "compromised", "KID", "never use a key again", 1, 1, run_key_compromised},
    {"key", "destroy", "KID", "destroy a key in its token; its record stays", 1, 1,
     run_key_destroy},
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
        "  --reason TEXT  for the key's history, at most 200 characters\n"
        "  --subject NAME for key csr, like /C=MY/O=Bank/CN=name (default /CN=ROLE)\n"
        "  --profile P    for key csr: plain, psd2-qseal, psd2-qwac, obseal, obwac, br-seal, "
        "br-cac\n"
        "                 (their values: --organization-identifier, --role, --nca-name, --nca-id, "
        "--dns, …)\n"
        "  --file FILE    for key import-certificate: PEM, in any order\n"
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
    case 'r':
        return &line->reason;
    case 'C':
        return &line->callers;
    default:
        return NULL;
    }
}

/* The options in `fixed` up to its row of zeros, and those of key csr. */
static void list_options(const struct option fixed[], struct option out[OPTIONS_MAX])
{
    size_t n = 0;
    for (; fixed[n].name != NULL; n++) {
        out[n] = fixed[n];
    }
    for (unsigned int value = REQUEST_ORGANIZATION; value < REQUEST_VALUES; value++) {
        out[n++] = (struct option){request_value_option((enum request_value)value),
                                   required_argument, NULL, OPTION_REQUEST + (int)value};
    }
    out[n] = (struct option){"profile", required_argument, NULL, OPTION_PROFILE};
}

static void take_request(struct command_line *line, int option, const char *text)
{
    if (option == OPTION_PROFILE) {
        command_take_request(line, "profile", false, text);
        return;
    }
    enum request_value value = (enum request_value)(option - OPTION_REQUEST);
    command_take_request(line, request_value_member(value), request_value_is_list(value), text);
}

/* Ends the process for --help, --version and mistakes. */
static void parse_options(int argc, char **argv, struct command_line *line)
{
    static const struct option fixed[] = {
        {"socket", required_argument, NULL, 's'},
        {"config", required_argument, NULL, 'c'},
        {"token", required_argument, NULL, 't'},
        {"subject", required_argument, NULL, 'S'},
        {"file", required_argument, NULL, 'f'},
        {"callers", required_argument, NULL, 'C'},
        {"reason", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    struct option options[OPTIONS_MAX] = {0};
    list_options(fixed, options);
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        const char **text = text_option(line, option);
        if (text != NULL) {
            *text = optarg;
        } else if (option >= OPTION_PROFILE) {
            take_request(line, option, optarg);
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
    enum exit_code code = command->run(&line);
    json_clear_ref(&line.request);
    return (int)code;
}
