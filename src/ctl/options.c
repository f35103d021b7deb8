/* SPDX-License-Identifier: Apache-2.0
 * The command line: getopt_long(3), one argument at a time. */
#include "ctl/options.h"

#include "pki/request_profile.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* Options of key csr: OPTION_REQUEST + enum request_value. */
enum {
    OPTION_PUBLISH_AT = 128,
    OPTION_ACTIVATE_AT,
    OPTION_DAYS,
    OPTION_KEY,
    OPTION_CHECKPOINT,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_CALLER,
    OPTION_KID,
    OPTION_REQUEST_ID,
    OPTION_KIND,
    OPTION_OUTCOME,
    OPTION_AFTER,
    OPTION_TO,
    OPTION_PARTIAL,
    OPTION_PROGRESS,
    OPTION_FOLLOW,
    OPTION_JOURNAL,
    OPTION_POSITION,
    OPTION_PROFILE = 256,
    OPTION_REQUEST,
    OPTIONS_MAX = 64
};
enum { THUMBPRINT_LEN = 43, THUMBPRINT_BEGIN_MIN = 8 /* as qseald takes it */ };

static const char default_socket[] = "/run/qseal-admin/admin.sock";
static const char default_config[] = "/etc/qseal/qseal.yaml";

static const struct option fixed[] = {
    {"socket", required_argument, NULL, 's'},
    {"config", required_argument, NULL, 'c'},
    {"token", required_argument, NULL, 't'},
    {"subject", required_argument, NULL, 'S'},
    {"file", required_argument, NULL, 'f'},
    {"callers", required_argument, NULL, 'C'},
    {"reason", required_argument, NULL, 'r'},
    {"days", required_argument, NULL, 'd'},
    {"where", required_argument, NULL, 'w'},
    {"publish-at", required_argument, NULL, OPTION_PUBLISH_AT},
    {"activate-at", required_argument, NULL, OPTION_ACTIVATE_AT},
    {"key", required_argument, NULL, OPTION_KEY},
    {"checkpoint", required_argument, NULL, OPTION_CHECKPOINT},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {"caller", required_argument, NULL, OPTION_CALLER},
    {"kid", required_argument, NULL, OPTION_KID},
    {"request", required_argument, NULL, OPTION_REQUEST_ID},
    {"kind", required_argument, NULL, OPTION_KIND},
    {"outcome", required_argument, NULL, OPTION_OUTCOME},
    {"after", required_argument, NULL, OPTION_AFTER},
    {"to", required_argument, NULL, OPTION_TO},
    {"partial", no_argument, NULL, OPTION_PARTIAL},
    {"progress", no_argument, NULL, OPTION_PROGRESS},
    {"follow", no_argument, NULL, OPTION_FOLLOW},
    {"journal", no_argument, NULL, OPTION_JOURNAL},
    {"position", required_argument, NULL, OPTION_POSITION},
    {"svg", no_argument, NULL, 'v'},
    {"ascii", no_argument, NULL, 'a'},
    {"prometheus", no_argument, NULL, 'P'},
    {"html", no_argument, NULL, 'H'},
    {"all", no_argument, NULL, 'A'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"list-commands", no_argument, NULL, 'L'},
};

/* Of qsealctl audit; NULL when it is none of these. */
static const char **audit_text_option(struct audit_wishes *audit, int option)
{
    switch (option) {
    case OPTION_CHECKPOINT:
        return &audit->checkpoint;
    case OPTION_SINCE:
        return &audit->since;
    case OPTION_UNTIL:
        return &audit->until;
    case OPTION_CALLER:
        return &audit->caller;
    case OPTION_KID:
        return &audit->kid;
    case OPTION_REQUEST_ID:
        return &audit->request;
    case OPTION_KIND:
        return &audit->kind;
    case OPTION_OUTCOME:
        return &audit->outcome;
    case OPTION_AFTER:
        return &audit->after;
    case OPTION_TO:
        return &audit->to;
    case OPTION_POSITION:
        return &audit->position;
    default:
        return NULL;
    }
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
    case 'w':
        return &line->where;
    case OPTION_PUBLISH_AT:
        return &line->publish_at;
    case OPTION_ACTIVATE_AT:
        return &line->activate_at;
    case 'd':
        return &line->days;
    case 'C':
        return &line->callers;
    default:
        return audit_text_option(&line->audit, option);
    }
}

static bool *flag_option(struct command_line *line, int option)
{
    switch (option) {
    case 'j':
        return &line->json;
    case 'P':
        return &line->prometheus;
    case 'v':
        return &line->svg;
    case 'a':
        return &line->ascii;
    case 'H':
        return &line->html;
    case 'A':
        return &line->all;
    case OPTION_PARTIAL:
        return &line->audit.partial;
    case OPTION_PROGRESS:
        return &line->audit.progress;
    case OPTION_FOLLOW:
        return &line->audit.follow;
    case OPTION_JOURNAL:
        return &line->audit.journal;
    default:
        return NULL;
    }
}

/* Those above, and those of key csr. */
static void list_options(struct option out[OPTIONS_MAX])
{
    size_t n = 0;
    for (; n < COUNT_OF(fixed); n++) {
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

/* A thumbprint, or the beginning of one with a single '-': no option has this form. */
static bool is_thumbprint(const char *word)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = strlen(word);
    if (word[0] != '-' || strspn(word, alphabet) != len) {
        return false;
    }
    return len == THUMBPRINT_LEN ||
           (len >= THUMBPRINT_BEGIN_MIN && len < THUMBPRINT_LEN && word[1] != '-');
}

static enum options_outcome take_key(struct audit_wishes *audit, const char *path)
{
    if (audit->n_keys == AUDIT_KEYS_MAX) {
        (void)fprintf(stderr, "qsealctl: --key: at most %d of them\n", AUDIT_KEYS_MAX);
        return OPTIONS_MISTAKE;
    }
    audit->keys[audit->n_keys++] = path;
    return OPTIONS_COMMAND;
}

static enum options_outcome take_option(struct command_line *line, int option)
{
    const char **text = text_option(line, option);
    if (text != NULL) {
        *text = optarg;
        return OPTIONS_COMMAND;
    }
    if (option >= OPTION_PROFILE) {
        take_request(line, option, optarg);
        return OPTIONS_COMMAND;
    }
    if (option == OPTION_KEY) {
        return take_key(&line->audit, optarg);
    }
    bool *flag = flag_option(line, option);
    if (flag != NULL) {
        *flag = true;
        return OPTIONS_COMMAND;
    }
    switch (option) {
    case 'h':
        return OPTIONS_HELP;
    case 'V':
        return OPTIONS_VERSION;
    case 'L':
        return OPTIONS_LIST;
    default:
        return OPTIONS_MISTAKE; /* getopt has said what is wrong */
    }
}

static enum options_outcome read_all(int argc, char **argv, const struct option options[],
                                     struct command_line *line)
{
    while (optind < argc) {
        if (is_thumbprint(argv[optind])) {
            line->words[line->n_words++] = argv[optind++];
            continue;
        }
        int option = getopt_long(argc, argv, "-h", options, NULL); /* '-': words are 1, in order */
        if (option == -1) {
            break;
        }
        if (option == 1) {
            line->words[line->n_words++] = optarg;
            continue;
        }
        enum options_outcome outcome = take_option(line, option);
        if (outcome != OPTIONS_COMMAND) {
            return outcome;
        }
    }
    while (optind < argc) { /* behind "--" */
        line->words[line->n_words++] = argv[optind++];
    }
    return OPTIONS_COMMAND;
}

void options_print(FILE *to)
{
    struct option options[OPTIONS_MAX] = {0};
    list_options(options);
    for (size_t i = 0; options[i].name != NULL; i++) {
        if (options[i].val != 'L') {
            (void)fprintf(to, "--%s%s", options[i].name,
                          options[i].has_arg == required_argument ? "=" : "");
            for (unsigned int p = 0; options[i].val == OPTION_PROFILE && p <= PROFILE_BR_CAC; p++) {
                (void)fprintf(to, "%s%s", p == 0 ? "" : ",",
                              request_row((enum request_profile)p)->name);
            }
            (void)fputs("\n", to);
        }
    }
}

enum options_outcome options_read(int argc, char **argv, struct command_line *line)
{
    struct option options[OPTIONS_MAX] = {0};
    const char *from_environment = getenv("QSEAL_ADMIN_SOCKET");
    list_options(options);
    *line = (struct command_line){
        .socket = from_environment == NULL ? default_socket : from_environment,
        .config = default_config,
        .words = argv + 1, /* never more words than arguments behind them */
    };
    optind = 1;
    return read_all(argc, argv, options, line);
}
