/* SPDX-License-Identifier: Apache-2.0
 * The rows of the timeline's picture. What lies ahead is hollow; each state has a name in its bar
 * or in the legend, and the rarer ones a pattern, so that colours only help. */
#include "ctl/timeline_picture.h"

#include "ctl/markup.h"

#include <stdio.h>
#include <string.h>

enum {
    LETTER = 7, /* about as wide as one of a bar's */
    SPAN_MIN = 3,
    TOKEN_SHOWN = 16,
    GAP = 1, /* between bars of one key */
};

/* By their names in the rules below, where a '$' stands before them: not every program that shows a
 * picture knows the variables of CSS. */
static const struct colour {
    const char *name, *light, *dark;
} colours[] = {
    {"paper", "#fff", "#12161b"},          {"ink", "#1a2129", "#e8edf2"},
    {"soft", "#5a6672", "#a3aeb9"},        {"line", "#dfe4e9", "#2b333c"},
    {"now", "#b3261e", "#ff8a80"},         {"quiet", "#c6cdd4", "#47515c"},
    {"generated", "#66717d", "#7d8894"},   {"certified", "#4d61b3", "#6f83d6"},
    {"published", "#0b6fa4", "#2a8fc7"},   {"active", "#14774a", "#27935f"},
    {"retiring", "#96590a", "#b87414"},    {"retired", "#8a949e", "#75808b"},
    {"destroyed", "#8a949e", "#75808b"},   {"suspended", "#7d3ba3", "#a060c8"},
    {"compromised", "#b3261e", "#dd4b42"},
};

static const char rules[] =
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "font-size:13px;fill:$ink}\n"
    ".paper{fill:$paper}.title{font-size:22px;font-weight:600}.soft{fill:$soft}"
    ".role{font-size:15px;font-weight:600}\n"
    ".mono{font-family:ui-monospace,'SFMono-Regular',Menlo,'DejaVu Sans Mono',monospace;"
    "font-size:12.5px}.small{font-size:11.5px;fill:$soft}.tick{font-size:12px;"
    "fill:$soft;text-anchor:middle}.alert{fill:$now;font-weight:600}\n"
    ".name{font-size:11.5px;fill:#fff;font-weight:600;pointer-events:none}"
    ".name.ahead{fill:$ink;font-weight:400}\n"
    ".grid{stroke:$line;stroke-width:1}.rule{stroke:$quiet;stroke-width:1}"
    ".now{stroke:$now;stroke-width:1.5}.nowmark{fill:$now}"
    ".nowtext{font-size:12px;font-weight:600;fill:$paper;text-anchor:middle}\n"
    ".certificate{stroke:$soft;stroke-width:1.5;fill:none}"
    ".gone{stroke:$destroyed;stroke-width:2;fill:none}\n"
    "rect.bar{stroke-width:0}rect.ahead{fill:$paper;stroke-width:1.25;"
    "stroke-dasharray:4 2.5}\n";

/* The stripes are laid over the bar. */
static const char patterns[] =
    "</style>\n<defs>\n"
    "<pattern id=\"retiring\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(45)\"><path d=\"M0 0V7\" stroke=\"#fff\" stroke-opacity=\".3\" "
    "stroke-width=\"4\"/></pattern>\n"
    "<pattern id=\"suspended\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
    "<path d=\"M0 0V6\" stroke=\"#fff\" stroke-opacity=\".4\" stroke-width=\"4\"/></pattern>\n"
    "<pattern id=\"compromised\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
    "<path d=\"M0 0L8 8M8 0L0 8\" stroke=\"#fff\" stroke-opacity=\".35\"/></pattern>\n"
    "<pattern id=\"generated\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
    "<circle cx=\"2\" cy=\"2\" r=\"1\" fill=\"#fff\" fill-opacity=\".4\"/></pattern>\n"
    "</defs>\n";

static bool has_pattern(enum key_state state)
{
    return state == KEY_RETIRING || state == KEY_SUSPENDED || state == KEY_COMPROMISED ||
           state == KEY_GENERATED;
}

static const char *colour_of(struct span name, bool dark)
{
    for (size_t i = 0; i < COUNT_OF(colours); i++) {
        if (span_is_text(name, colours[i].name)) {
            return dark ? colours[i].dark : colours[i].light;
        }
    }
    return "currentColor";
}

static void put_coloured(struct buffer *out, const char *css, bool dark)
{
    while (*css != '\0') {
        size_t plain = strcspn(css, "$");
        buffer_put(out, css, plain);
        css += plain;
        if (*css == '$') {
            size_t len = strspn(css + 1, "abcdefghijklmnopqrstuvwxyz");
            buffer_put_text(out, colour_of(span_of(css + 1, len), dark));
            css += 1 + len;
        }
    }
}

static void put_rules(struct buffer *out, bool dark)
{
    put_coloured(out, rules, dark);
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        char rule[120];
        const char *name = key_state_name((enum key_state)i);
        (void)snprintf(rule, sizeof rule, ".%s{fill:$%s}rect.ahead.%s{stroke:$%s}\n", name, name,
                       name, name);
        put_coloured(out, rule, dark);
    }
    put_coloured(out, "rect.ahead{fill:$paper!important}\n", dark);
}

void picture_put_style(struct buffer *out)
{
    buffer_put_text(out, "<style>\n");
    put_rules(out, false);
    buffer_put_text(out, "@media (prefers-color-scheme:dark){\n");
    put_rules(out, true);
    buffer_put_text(out, "}\n");
    buffer_put_text(out, patterns);
}

void picture_put_text(int x, int y, const char *class, const char *text, struct buffer *out)
{
    buffer_put_format(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
    markup_put(out, text);
    buffer_put_text(out, "</text>\n");
}

struct box {
    int x, y, width, height;
};

static void put_rect(const struct box *box, const char *class, enum key_state state,
                     struct buffer *out)
{
    buffer_put_format(out,
                      "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\" class=\"%s "
                      "%s\"/>",
                      box->x, box->y, box->width, box->height, class, key_state_name(state));
}

/* A retired key is a thin line: nothing more is to be expected of it. */
static void put_bar(struct box box, enum key_state state, bool ahead, struct buffer *out)
{
    if (state == KEY_RETIRED) {
        box.y += box.height / 2 - 3;
        box.height = 6;
    }
    put_rect(&box, ahead ? "ahead" : "bar", state, out);
    if (!ahead && has_pattern(state)) {
        buffer_put_format(out,
                          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\" "
                          "fill=\"url(#%s)\"/>",
                          box.x, box.y, box.width, box.height, key_state_name(state));
    }
}

static void put_bar_name(const struct box *box, enum key_state state, bool ahead,
                         struct buffer *out)
{
    const char *name = key_state_name(state);
    if (state != KEY_RETIRED && box->width >= (int)strlen(name) * LETTER + 10) {
        picture_put_text(box->x + 7, box->y + box->height - 6, ahead ? "name ahead" : "name", name,
                         out);
    }
}

static int x_of(const struct timeline *timeline, int64_t at)
{
    return PICTURE_BARS + timeline_place(timeline, at, PICTURE_BARS_WIDTH);
}

/* What a pointer over the bar, or a screen reader on it, says. */
static void put_span_title(const struct timeline_span *span, struct buffer *out)
{
    char first[TIMELINE_WORDS_SIZE];
    char last[TIMELINE_WORDS_SIZE];
    buffer_put_format(out, "<title>%s%s from %s%s%s UTC</title>", key_state_name(span->state),
                      span->planned ? ", planned," : "", timeline_when(span->from, first),
                      span->is_open ? "" : " to ",
                      span->is_open ? "" : timeline_when(span->until, last));
}

static void put_gone(int x, int y, struct buffer *out)
{
    buffer_put_format(out, "<path class=\"gone\" d=\"M%d %dl10 10m0 -10l-10 10\"/>", x, y + 5);
}

/* One part of a span, before or behind now. */
static void put_part(const struct timeline *timeline, const struct timeline_span *span,
                     int64_t from, int64_t until, int y, struct buffer *out)
{
    struct box box = {.x = x_of(timeline, from), .y = y, .height = PICTURE_BAR};
    box.width = x_of(timeline, until) - box.x - GAP;
    box.width = box.width < SPAN_MIN ? SPAN_MIN : box.width;
    bool ahead = span->planned || from >= timeline->now;
    put_bar(box, span->state, ahead, out);
    put_bar_name(&box, span->state, ahead, out);
}

static void put_span(const struct timeline *timeline, const struct timeline_span *span, int y,
                     struct buffer *out)
{
    int64_t from = span->from < timeline->from ? timeline->from : span->from;
    int64_t until = span->until > timeline->until ? timeline->until : span->until;
    if (span->from > timeline->until || span->until < timeline->from) {
        return;
    }
    buffer_put_text(out, "<g>");
    put_span_title(span, out);
    if (span->state == KEY_DESTROYED && span->from >= timeline->from) {
        put_gone(x_of(timeline, from), y, out);
    } else if (span->state != KEY_DESTROYED) {
        bool is_cut = !span->planned && from < timeline->now && until > timeline->now;
        put_part(timeline, span, from, is_cut ? timeline->now : until, y, out);
        if (is_cut) {
            put_part(timeline, span, timeline->now, until, y, out);
        }
    }
    buffer_put_text(out, "</g>\n");
}

static void put_certificate(const struct timeline *timeline, const struct timeline_key *key, int y,
                            struct buffer *out)
{
    char words[2 * TIMELINE_WORDS_SIZE];
    char day[TIMELINE_WORDS_SIZE];
    bool is_over = key->not_after <= timeline->now;
    (void)snprintf(words, sizeof words, "certificate %s %s", is_over ? "ended" : "until",
                   timeline_day(key->not_after, day));
    picture_put_text(PICTURE_LEFT + 12, y + 31,
                     is_over && key->state != KEY_RETIRED ? "small alert" : "small", words, out);
    if (key->not_after < timeline->from || key->not_before > timeline->until) {
        return;
    }
    int first = x_of(timeline, key->not_before);
    int last = x_of(timeline, key->not_after);
    y += PICTURE_BAR + 8;
    buffer_put_text(out, "<g><title>");
    markup_put(out, key->subject);
    buffer_put_format(out, "</title><path class=\"certificate\" d=\"M%d %dH%d", first, y, last);
    buffer_put_format(
        out, key->not_before < timeline->from ? "M%d %dl5 -3.5m-5 3.5l5 3.5" : "M%d %dv-4v8", first,
        y);
    buffer_put_format(
        out, key->not_after > timeline->until ? "M%d %dl-5 -3.5m5 3.5l-5 3.5" : "M%d %dv-4v8", last,
        y);
    buffer_put_text(out, "\"/></g>\n");
}

void picture_put_key(const struct timeline *timeline, const struct timeline_key *key, int y,
                     struct buffer *out)
{
    char kid[PICTURE_KID_SHOWN + 1];
    char token[TOKEN_SHOWN + sizeof "…"];
    bool is_long = strlen(key->token) > TOKEN_SHOWN;
    (void)snprintf(kid, sizeof kid, "%s", key->kid);
    (void)snprintf(token, sizeof token, "%.*s%s", is_long ? TOKEN_SHOWN - 1 : TOKEN_SHOWN,
                   key->token, is_long ? "…" : "");
    picture_put_text(PICTURE_LEFT + 12, y + 15, "mono", kid, out);
    picture_put_text(PICTURE_LEFT + 92, y + 15, key->overdue == NULL ? "" : "alert",
                     key_state_name(key->state), out);
    picture_put_text(PICTURE_LEFT + 188, y + 15, "soft", token, out);
    for (size_t i = 0; i < key->n_spans; i++) {
        put_span(timeline, &key->spans[i], y, out);
    }
    if (timeline_shows_certificate(key)) {
        put_certificate(timeline, key, y, out);
    }
}

int picture_put_legend(enum key_state state, int x, int y, struct buffer *out)
{
    const char *name = key_state_name(state);
    int len = (int)strlen(name) * LETTER;
    if (state == KEY_DESTROYED) {
        put_gone(x + 4, y - 3, out);
        picture_put_text(x + 22, y + 11, "", name, out);
        return 22 + len + 22;
    }
    put_bar((struct box){.x = x, .y = y, .width = 22, .height = 14}, state, false, out);
    put_bar((struct box){.x = x + 25, .y = y, .width = 22, .height = 14}, state, true, out);
    picture_put_text(x + 54, y + 11, "", name, out);
    return 54 + len + 22;
}
