/* SPDX-License-Identifier: Apache-2.0
 * qsealctl rotation lookahead: draws the timeline. */
#include "ctl/command.h"
#include "ctl/printable.h"
#include "ctl/timeline_draw.h"
#include "jose/json.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DRAWING_MAX = 64 * 1024 * 1024 };

static int terminal_width(void)
{
    struct winsize size = {0};
    const char *columns = getenv("COLUMNS");
    long given = columns == NULL ? 0 : strtol(columns, NULL, 10);
    if (given > 0 && given <= UINT16_MAX) {
        return (int)given;
    }
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return is_known ? size.ws_col : TIMELINE_WIDTH;
}

/* https://no-color.org: whatever it says, if it says anything. */
static bool terminal_has_colours(void)
{
    const char *refused = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && (refused == NULL || refused[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static bool locale_is_utf8(void)
{
    (void)setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static enum exit_code draw(const struct command_line *line, const json_t *answer)
{
    TIMELINE_CLEANUP struct timeline *timeline = NULL;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(DRAWING_MAX);
    struct reason why = {0};
    enum outcome outcome = timeline_read(answer, &timeline, &why);
    if (outcome != OUTCOME_OK) {
        return command_fail(outcome, &why);
    }
    const struct timeline_look look = {.width = terminal_width(),
                                       .ascii = line->ascii || !locale_is_utf8(),
                                       .colour = terminal_has_colours()};
    if (line->svg) {
        timeline_put_svg(timeline, &out);
    } else {
        timeline_put_text(timeline, &look, &out);
    }
    if (!buffer_ok(&out)) {
        return command_no_memory();
    }
    (void)fwrite(out.data, 1, out.len, stdout);
    return EXIT_DONE;
}

enum exit_code run_rotation_lookahead(const struct command_line *line)
{
    JSON_CLEANUP json_t *arguments = json_pack(
        "{s:s*, s:s*}", "role", line->n_words > 0 ? line->words[0] : NULL, "days", line->days);
    JSON_CLEANUP json_t *answer = NULL;
    enum exit_code code = command_ask(line, CUSTODY_ROTATION_LOOKAHEAD, arguments, &answer);
    if (code != EXIT_DONE) {
        return code;
    }
    if (line->json) {
        command_print_json(answer);
        return EXIT_DONE;
    }
    return printable_make(answer) ? draw(line, answer) : command_no_memory();
}
