/* SPDX-License-Identifier: Apache-2.0
 * qsealctl: noun, verb, and what stands behind them, looked up in a table. */
#include "ctl/options.h"

#include "jose/json.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
    {"status", "", "", "what runs, which tokens are up, who is connected, which keys end", 0, 0,
     run_status},
    {"key", "generate", "ROLE",
     "make a key pair for a role in each token that has none, else one more in each; the first\n"
     "                              is active at once, if the role needs no certificate",
     1, 1, run_key_generate},
    {"key", "adopt", "KID", "enter a replica of a key that was put onto token --token", 1, 1,
     run_key_adopt},
    {"key", "csr", "ROLE", "a certificate request, signed by the role's key in its token", 1, 1,
     run_key_csr},
    {"key", "import-certificate", "ROLE", "keep the certificates of --file beside the role's key",
     1, 1, run_key_import},
    {"key", "list", "", "all keys, with kid, algorithms, state and certificate", 0, 0,
     run_key_list},
    {"key", "show", "KID|ROLE", "all about a key, as its token shows it too, and its history", 1, 1,
     run_key_show},
    {"key", "reference", "ROLE", "what a program is given in place of a transport key", 1, 1,
     run_key_reference},
    {"key", "backup-recorded", "KID|ROLE", "put on record that a backup of a key exists", 1, 1,
     run_key_backup_recorded},
    {"key", "publish", "KID|ROLE", "show a key to verifiers; it does not sign yet", 1, 1,
     run_key_publish},
    {"key", "seen", "KID|ROLE", "put on record that a published key is visible outside", 1, 1,
     run_key_seen},
    {"key", "activate", "KID|ROLE", "let a published key sign, and its predecessor retire", 1, 1,
     run_key_activate},
    {"key", "retire", "KID|ROLE", "show a retiring key no more", 1, 1, run_key_retire},
    {"key", "destroy", "KID", "destroy a key in its token; its record stays", 1, 1,
     run_key_destroy},
    {"key", "suspend", "KID", "stop a key, until it is resumed", 1, 1, run_key_suspend},
    {"key", "resume", "KID", "let a suspended key go on; one that was active is published", 1, 1,
     run_key_resume},
    {"key", "compromised", "KID", "never use a key again", 1, 1, run_key_compromised},
    {"rotation", "plan", "ROLE",
     "when the keys that wait would take the place of the active ones, and how to apply it", 1, 1,
     run_rotation_plan},
    {"rotation", "apply", "ROLE", "schedule that", 1, 1, run_rotation_apply},
    {"rotation", "cancel", "ROLE", "drop what is scheduled", 1, 1, run_rotation_cancel},
    {"rotation", "lookahead", "[ROLE]", "the life of each key, as it was and as it is scheduled", 0,
     1, run_rotation_lookahead},
    {"plan", "list", "", "changes of keys that wait for a second person", 0, 0, run_plan_list},
    {"plan", "show", "DIGEST", "all that a plan says", 1, 1, run_plan_show},
    {"key", "approve", "DIGEST", "as a second person: do what was planned", 1, 1, run_key_approve},
    {"plan", "withdraw", "DIGEST", "drop a plan", 1, 1, run_plan_withdraw},
    {"jwks", "", "", "the JWK Set as it is published", 0, 0, run_jwks},
    {"token", "list", "", "the tokens, what they can do and what is odd about them", 0, 0,
     run_token_list},
    {"token", "unlock", "TOKEN",
     "allow one more login after the PIN was refused; asks for the PIN where it is typed, on the\n"
     "                              terminal, or takes one line from a standard input that is none",
     1, 1, run_token_unlock},
    {"clock", "confirm", "", "the clock is right after its jump: sign again", 0, 0,
     run_clock_confirm},
    {"report", "", "", "the register of keys, certificates and devices, for an auditor", 0, 0,
     run_report},
    {"audit", "key", "[KID]", "the public key that checkpoints are verified with, as PEM", 0, 1,
     run_audit_key},
    {"audit", "checkpoint", "", "have the audit log sealed now, up to this command", 0, 0,
     run_audit_checkpoint},
    {"audit", "verify", "[FOLDER]",
     "whether the audit log is whole, and sealed under the keys of --key; asks no service", 0, 1,
     run_audit_verify},
    {"audit", "show", "[FOLDER]", "its records, and with --follow those to come", 0, 1,
     run_audit_show},
    {"audit", "export", "[FOLDER]", "the part of a period, in a new folder", 0, 1,
     run_audit_export},
    {"config", "check", "[FILE]", "read configuration, templates and profiles as qseald would", 0,
     1, run_config_check},
    {"reload", "", "",
     "make qseald read configuration, profiles and keyring anew; what waits for a restart is said",
     0, 0, run_reload},
};

/* --- help --- */

static const char door_options[] =
    "\n"
    "  --socket PATH  admin door (default $QSEAL_ADMIN_SOCKET, else /run/qseal-admin/admin.sock)\n"
    "  --config FILE  for config check (default /etc/qseal/qseal.yaml)\n";

static const char key_options[] =
    "  --token NAME   for key … and rotation plan, apply, cancel: on this token only; but key "
    "suspend and\n"
    "                 compromised stop a key on all tokens that have it, and key adopt is for the "
    "one that\n"
    "                 has the replica\n"
    "  --reason TEXT  for what changes a key, rotation apply and key backup-recorded: at most 200 "
    "characters\n"
    "  --where TEXT   for key seen: where it was seen, at most 200 characters\n"
    "  --publish-at T, --activate-at T\n"
    "                 for rotation plan, apply: 2026-11-21T09:30:00Z, or from now on: +90s, +15m, "
    "+12h, +3d\n"
    "  --days N       for rotation lookahead: so many days, back and ahead: 1 to 3660 (default "
    "400)\n"
    "  --subject NAME for key csr, like /C=MY/O=Bank/CN=name (default /CN=ROLE)\n"
    "  --profile P    for key csr: plain, psd2-qseal, psd2-qwac, obseal, obwac, br-seal, br-cac\n"
    "                 (their values: --organization-identifier, --role, --nca-name, --nca-id, "
    "--dns, …)\n"
    "  --file FILE    for key import-certificate: PEM, in any order\n"
    "  --svg, --ascii for rotation lookahead: as a picture; nothing but ASCII\n"
    "  --callers PATH for key reference: the socket it names (default: the configured one)\n";

static const char audit_options[] =
    "  --key FILE     for audit verify: a public key that may have signed checkpoints, PEM; once "
    "for each\n"
    "  --checkpoint FILE\n"
    "                 for audit verify: a checkpoint that was kept elsewhere; the log must have "
    "what it covers\n"
    "  --partial      for audit verify: it is an export, which begins and ends anywhere\n"
    "  --progress     for audit verify, export: say how far it is, also where that is no terminal\n"
    "  --since T, --until T\n"
    "                 for audit show, export: from this time on, and before that: "
    "2026-11-21T09:30:00Z, or\n"
    "                 back from now: -90s, -15m, -12h, -3d\n"
    "  --caller NAME, --kid KID, --request ID, --kind KIND, --outcome OUTCOME, --after SEQ\n"
    "                 for audit show: of this caller (or uid), key, request, kind, outcome; behind "
    "this record\n"
    "  --follow       for audit show: wait for more, until interrupted\n"
    "  --journal      for audit show: each record is an entry of the journal, with fields\n"
    "  --position FILE\n"
    "                 for audit show: all records behind the one that the file names, and note in "
    "it how\n"
    "                 far it is: at least once each, whatever is killed\n"
    "  --to FOLDER    for audit export: the folder that is made\n";

static const char output_options[] =
    "  --html         for report: a page to read and to print\n"
    "  --all          for audit key: those before and on other tokens, too\n"
    "  --json         machine-readable output\n"
    "  --prometheus   for status: metrics, for node_exporter's textfile collector\n"
    "  --help, --version\n";

static const char exit_statuses[] =
    "\n"
    "Exit status: 0 done, or planned; 1 refused by a rule; 2 usage; 3 not permitted; 4 service or "
    "token\n"
    "unavailable, too many commands waiting, clock not believed, a fault inside, or done but the "
    "answer not\n"
    "written: do not repeat that one; 5 verification failed. See qsealctl(1), qsealctl-NOUN(1).\n";

static void print_commands(FILE *to)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s%s%s%s", commands[i].noun,
                       commands[i].verb[0] == '\0' ? "" : " ", commands[i].verb,
                       commands[i].words[0] == '\0' ? "" : " ", commands[i].words);
        (void)fprintf(to, "  %-27s %s\n", left, commands[i].what);
    }
}

static void print_help(FILE *to)
{
    static const char *const options[] = {
        door_options,
        key_options,
        audit_options,
        output_options,
    };
    (void)fputs("usage: qsealctl [--socket PATH] [--json] NOUN [VERB] …\n\n", to);
    print_commands(to);
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        (void)fputs(options[i], to);
    }
    (void)fputs(exit_statuses, to);
}

/* As completion.bash and completion.zsh read it. */
static void print_list(void)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        (void)printf("%s|%s|%s\n", commands[i].noun, commands[i].verb, commands[i].words);
    }
    options_print(stdout);
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

int main(int argc, char **argv)
{
    struct command_line line = {0};
    json_prepare();
    switch (options_read(argc, argv, &line)) {
    case OPTIONS_COMMAND:
        break;
    case OPTIONS_HELP:
        print_help(stdout);
        return EXIT_DONE;
    case OPTIONS_VERSION:
        (void)puts("qsealctl " QSEAL_VERSION);
        return EXIT_DONE;
    case OPTIONS_LIST:
        print_list();
        return EXIT_DONE;
    case OPTIONS_MISTAKE:
        return EXIT_USAGE;
    }
    if (line.n_words == 0) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    int used = 0;
    const struct command *command = find_command(line.words, line.n_words, &used);
    if (command == NULL) {
        (void)fprintf(stderr, "qsealctl: no such command; qsealctl --help lists them\n");
        return EXIT_USAGE;
    }
    line.words += used;
    line.n_words -= used;
    if (line.n_words < command->min_words || line.n_words > command->max_words) {
        (void)fprintf(stderr, "usage: qsealctl %s %s %s\n", command->noun, command->verb,
                      command->words);
        return EXIT_USAGE;
    }
    enum exit_code code = command->run(&line);
    json_clear_ref(&line.request);
    if (code == EXIT_DONE && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
        (void)fprintf(stderr, "qsealctl: it is done, but the answer could not be written\n");
        return EXIT_UNAVAILABLE;
    }
    return (int)code;
}
