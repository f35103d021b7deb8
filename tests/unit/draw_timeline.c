/* SPDX-License-Identifier: Apache-2.0
 * draw_timeline ANSWER.json text|ascii|colour|svg [WIDTH]: what qsealctl would draw of this answer.
 */
#include "base/file.h"
#include "ctl/timeline_draw.h"
#include "jose/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1024 * 1024 };

static enum outcome draw(const char *path, const char *how, int width, struct buffer *out,
                         struct reason *why)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(FILE_MAX);
    JSON_CLEANUP json_t *answer = NULL;
    TIMELINE_CLEANUP struct timeline *timeline = NULL;
    if (file_read(path, &text) != 0) {
        return refuse(why, OUTCOME_NOT_FOUND, "no such file");
    }
    enum outcome outcome = json_parse_object(buffer_span(&text), &answer, why);
    if (outcome == OUTCOME_OK) {
        outcome = timeline_read(answer, &timeline, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct timeline_look look = {
        .width = width, .ascii = strcmp(how, "ascii") == 0, .colour = strcmp(how, "colour") == 0};
    if (strcmp(how, "svg") == 0) {
        timeline_put_svg(timeline, out);
    } else {
        timeline_put_text(timeline, &look, out);
    }
    return buffer_ok(out) ? OUTCOME_OK : refuse(why, OUTCOME_INTERNAL, "no room");
}

int main(int argc, char **argv)
{
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(FILE_MAX);
    if (argc < 3) {
        return 2;
    }
    int width = argc > 3 ? (int)strtol(argv[3], NULL, 10) : TIMELINE_WIDTH;
    if (draw(argv[1], argv[2], width, &out, &why) != OUTCOME_OK) {
        (void)fprintf(stderr, "%s: %s\n", argv[1], why.detail);
        return 1;
    }
    (void)fwrite(out.data, 1, out.len, stdout);
    return 0;
}
