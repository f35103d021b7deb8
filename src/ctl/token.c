/* SPDX-License-Identifier: Apache-2.0
 * qsealctl token list and token unlock. */
#include "ctl/ask_pin.h"
#include "ctl/command.h"

#include "base/fd.h"
#include "jose/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "16", "unlimited" or "unknown". */
static void print_number(const json_t *number)
{
    if (json_is_integer(number)) {
        (void)printf("%lld", (long long)json_integer_value(number));
        return;
    }
    (void)fputs(json_is_string(number) ? json_string_value(number) : "unknown", stdout);
}

static void print_of(const json_t *token, const char *what, const char *one, const char *other)
{
    (void)printf("%s", what);
    print_number(json_object_get(token, one));
    (void)printf(" of ");
    print_number(json_object_get(token, other));
}

static void print_numbers(const json_t *token)
{
    print_of(token, "  sessions open: ", "sessions_open", "sessions_max");
    if (json_is_null(json_object_get(token, "public_total")) &&
        json_is_null(json_object_get(token, "private_total"))) {
        (void)puts("; memory: unknown");
        return;
    }
    print_of(token, "; bytes free: public ", "public_free", "public_total");
    print_of(token, ", private ", "private_free", "private_total");
    (void)putchar('\n');
}

static void print_list(const char *what, const json_t *list)
{
    size_t i;
    json_t *text;
    if (json_array_size(list) > 0) {
        (void)printf("  %s:", what);
        json_array_foreach (list, i, text) {
            (void)printf(" %s", json_string_value(text));
        }
        (void)putchar('\n');
    }
}

static void print_quirks(const json_t *quirks)
{
    size_t i;
    json_t *quirk;
    bool unknown = false;
    json_array_foreach (quirks, i, quirk) {
        if (strcmp(command_text(quirk, "state"), "found") == 0) {
            (void)printf("  quirk %s: %s\n", command_text(quirk, "name"),
                         command_text(quirk, "text"));
        }
        unknown = unknown || strcmp(command_text(quirk, "state"), "unknown") == 0;
    }
    if (!unknown) {
        return;
    }
    (void)printf("  not known of it yet:");
    json_array_foreach (quirks, i, quirk) {
        if (strcmp(command_text(quirk, "state"), "unknown") == 0) {
            (void)printf(" %s", command_text(quirk, "name"));
        }
    }
    (void)putchar('\n');
}

static void print_facts(const json_t *token)
{
    if (command_text(token, "hardware")[0] != '\0') {
        (void)printf("  by %s, hardware %s, firmware %s\n", command_text(token, "manufacturer"),
                     command_text(token, "hardware"), command_text(token, "firmware"));
        print_numbers(token);
    }
    print_list("says", json_object_get(token, "flags"));
    print_list("hashed by qseal, signed by it", json_object_get(token, "hashed_here"));
    print_list("hashed and signed by it", json_object_get(token, "hashed_in_token"));
    print_quirks(json_object_get(token, "quirks"));
}

static void print_tokens(const json_t *result)
{
    size_t i;
    json_t *token;
    json_array_foreach (json_object_get(result, "tokens"), i, token) {
        command_print_token(token);
        (void)printf("  its PIN %s\n", strcmp(command_text(token, "pin"), "typed") == 0
                                           ? "is typed"
                                           : "is in its pin-source");
        print_facts(token);
    }
}

enum exit_code run_token_list(const struct command_line *line)
{
    return command_do(line, CUSTODY_TOKEN_LIST, json_object(), print_tokens);
}

static void print_unlocked(const json_t *result)
{
    (void)printf("token %s is %s\n", command_text(result, "token"), command_text(result, "state"));
}

static enum exit_code unlock(const struct command_line *line, int pin, json_t **result)
{
    JSON_CLEANUP json_t *arguments = json_pack("{s:s}", "token", line->words[0]);
    return command_ask_with(line, CUSTODY_TOKEN_UNLOCK, arguments, pin, result);
}

/* First without a PIN: whether one is to be typed is what qseald says, to who may unlock. */
enum exit_code run_token_unlock(const struct command_line *line)
{
    JSON_CLEANUP json_t *first = NULL;
    JSON_CLEANUP json_t *second = NULL;
    FD_CLEANUP int pin = -1;
    struct reason why = {0};
    enum exit_code code = unlock(line, -1, &first);
    bool wanted = code == EXIT_DONE && strcmp(command_text(first, "pin"), "wanted") == 0;
    if (wanted) {
        (void)fprintf(stderr, "%s\n", command_text(first, "detail"));
        enum outcome outcome = ask_pin(STDIN_FILENO, command_text(first, "token"), &pin, &why);
        code = outcome == OUTCOME_OK ? unlock(line, pin, &second) : command_fail(outcome, &why);
    }
    return code == EXIT_DONE ? command_print(line, wanted ? second : first, print_unlocked) : code;
}
