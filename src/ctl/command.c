/* SPDX-License-Identifier: Apache-2.0
 * The way to the admin door, and what an outcome means to a shell. */
#include "ctl/command.h"

#include "base/file.h"
#include "ctl/printable.h"
#include "jose/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    ASK_DEADLINE_MS = 150000, /* a key of 4096 bits may take its time in a real token */
    DETAIL_MAX = 16 * REASON_DETAIL_SIZE,
};

enum exit_code command_exit_code(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_OK:
        return EXIT_DONE;
    case OUTCOME_NOT_GRANTED:
        return EXIT_NOT_PERMITTED;
    case OUTCOME_TOKEN_UNAVAILABLE:
    case OUTCOME_UNAVAILABLE:
    case OUTCOME_DEADLINE:
    case OUTCOME_PIN:
    case OUTCOME_CLOCK:
    case OUTCOME_AUDIT:
    case OUTCOME_INTERNAL:
        return EXIT_UNAVAILABLE;
    case OUTCOME_VERIFY:
        return EXIT_NOT_VERIFIED;
    case OUTCOME_MALFORMED:
    case OUTCOME_NOT_FOUND:
    case OUTCOME_METHOD:
    case OUTCOME_TOO_LARGE:
    case OUTCOME_MEDIA_TYPE:
    case OUTCOME_RULE:
    case OUTCOME_LIMIT:
    case OUTCOME_NO_KEY:
    case OUTCOME_SHAPE:
    case OUTCOME_KEY_MISMATCH:
        return EXIT_REFUSED;
    }
    return EXIT_REFUSED;
}

enum exit_code command_fail(enum outcome outcome, const struct reason *why)
{
    BUFFER_CLEANUP struct buffer detail = BUFFER_INIT(DETAIL_MAX);
    printable_put(&detail, why->detail);
    (void)fprintf(stderr, "qsealctl: %s: %s\n", outcome_name(outcome), buffer_text(&detail));
    return command_exit_code(outcome);
}

enum exit_code command_ask_with(const struct command_line *line, enum custody_verb verb,
                                const json_t *arguments, int pin, json_t **result)
{
    if (arguments == NULL) {
        (void)fprintf(stderr, "qsealctl: arguments must be UTF-8\n");
        return EXIT_USAGE;
    }
    struct reason why = {0};
    enum outcome outcome = custody_ask_with(line->socket, verb, arguments, pin,
                                            deadline_in_ms(ASK_DEADLINE_MS), result, &why);
    if (outcome == OUTCOME_OK) {
        return EXIT_DONE;
    }
    if (outcome == OUTCOME_UNAVAILABLE) {
        (void)fprintf(stderr,
                      "qsealctl: no answer at %s (--socket or QSEAL_ADMIN_SOCKET names another)\n",
                      line->socket);
    }
    return command_fail(outcome, &why);
}

enum exit_code command_ask(const struct command_line *line, enum custody_verb verb,
                           const json_t *arguments, json_t **result)
{
    return command_ask_with(line, verb, arguments, -1, result);
}

static enum outcome outcome_of(const char *name)
{
    for (unsigned int i = 0; i < OUTCOME_COUNT; i++) {
        if (strcmp(outcome_name((enum outcome)i), name) == 0) {
            return (enum outcome)i;
        }
    }
    return OUTCOME_INTERNAL;
}

/* What was done on some tokens, and on which it was not: the first failure's exit code. */
static enum exit_code say_failed(const json_t *result)
{
    const json_t *approved = json_object_get(result, "approved");
    const json_t *done = approved == NULL ? result : json_object_get(result, "result");
    enum exit_code code = EXIT_DONE;
    size_t i;
    json_t *failed;
    json_array_foreach (json_object_get(done, "failed"), i, failed) {
        struct reason why = {0};
        (void)snprintf(why.detail, sizeof why.detail, "token %s: %.400s",
                       command_text(failed, "token"), command_text(failed, "detail"));
        enum exit_code of_this = command_fail(outcome_of(command_text(failed, "outcome")), &why);
        code = i == 0 ? of_this : code;
    }
    return code;
}

enum exit_code command_print(const struct command_line *line, json_t *result,
                             void (*print)(const json_t *result))
{
    if (line->json) {
        command_print_json(result);
        return say_failed(result);
    }
    if (!printable_make(result)) {
        return command_no_memory();
    }
    const json_t *planned = json_object_get(result, "planned");
    if (planned != NULL) {
        command_print_planned(planned);
    } else {
        print(result);
    }
    return say_failed(result);
}

enum exit_code command_do(const struct command_line *line, enum custody_verb verb,
                          json_t *arguments, void (*print)(const json_t *result))
{
    JSON_CLEANUP json_t *owned = arguments;
    JSON_CLEANUP json_t *result = NULL;
    enum exit_code code = command_ask(line, verb, owned, &result);
    return code == EXIT_DONE ? command_print(line, result, print) : code;
}

enum exit_code command_no_memory(void)
{
    struct reason why;
    return command_fail(refuse(&why, OUTCOME_INTERNAL, "out of memory"), &why);
}

const char *command_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text == NULL ? "" : text;
}

long long command_number(const json_t *object, const char *member)
{
    return (long long)json_integer_value(json_object_get(object, member));
}

enum outcome command_read_text(const char *path, struct buffer *text, struct reason *why)
{
    if (file_read(path, text) != 0) {
        return refuse(why, OUTCOME_RULE, "%.300s: %s", path, strerror(errno));
    }
    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = text->data[i];
        bool blank = c == '\n' || c == '\r' || c == '\t';
        text->data[i] = (c >= ' ' && c <= '~') || blank ? c : '?';
    }
    return OUTCOME_OK;
}

void command_print_json(const json_t *result)
{
    (void)json_dumpf(result, stdout, JSON_INDENT(2));
    (void)putchar('\n');
}
