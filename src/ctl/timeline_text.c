/* SPDX-License-Identifier: Apache-2.0
 * The timeline on a terminal: a row of characters for each key, another one for its certificate,
 * and what comes next in words. Each state has its own character, so that colours only help. */
#include "ctl/timeline_draw.h"

#include <stdio.h>
#include <string.h>

enum {
    BAR_MIN = 30,
    BAR_MAX = 400,
    TOKEN_SHOWN = 16,
    KID_SHOWN = 8,
    STATE_SHOWN = 11, /* "compromised" */
    TICK_ROOM = 10,
    CHANGES_SHOWN = 40,
};

struct glyph {
    const char *past;
    const char *ahead;
    char ascii_past;
    char ascii_ahead;
    const char *colour; /* SGR parameters */
};

static const char legend_head[] = "So far, and ahead:";

/* Full before now, hollow after it. */
static const struct glyph glyphs[KEY_STATE_COUNT] = {
    [KEY_GENERATED] = {"░", "┈", 'G', 'g', "90"},   [KEY_CERTIFIED] = {"▒", "┉", 'C', 'c', "34"},
    [KEY_PUBLISHED] = {"▓", "╍", 'P', 'p', "36"},   [KEY_ACTIVE] = {"█", "═", 'A', 'a', "32"},
    [KEY_RETIRING] = {"▞", "~", 'R', 'r', "33"},    [KEY_RETIRED] = {"─", "┄", '-', '.', "90"},
    [KEY_DESTROYED] = {"×", "×", 'X', 'x', "90"},   [KEY_SUSPENDED] = {"▌", "▯", 'S', 's', "35"},
    [KEY_COMPROMISED] = {"!", "!", '!', '!', "31"},
};

/* One character of a row. Texts that are not a glyph's are NULL: a blank. */
struct cell {
    const char *text;
    const char *colour;
};

struct drawing {
    const struct timeline *timeline;
    const struct timeline_look *look;
    struct buffer *out;
    int token_width;
    int role_width;
    int label; /* columns before the bars */
    int bar;   /* columns of them */
    char ascii[KEY_STATE_COUNT][2][2];
    struct cell cells[BAR_MAX];
};

static const char *pick(const struct drawing *drawing, const char *fine, const char *plain)
{
    return drawing->look->ascii ? plain : fine;
}

static void paint(const struct drawing *drawing, const char *colour)
{
    if (drawing->look->colour) {
        buffer_put_format(drawing->out, "\033[%sm", colour);
    }
}

static void put_painted(const struct drawing *drawing, const char *colour, const char *text)
{
    paint(drawing, colour);
    buffer_put_text(drawing->out, text);
    paint(drawing, "0");
}

static const char *glyph_of(const struct drawing *drawing, enum key_state state, bool ahead)
{
    if (drawing->look->ascii) {
        return drawing->ascii[state][ahead];
    }
    return ahead ? glyphs[state].ahead : glyphs[state].past;
}

static void clear_cells(struct drawing *drawing)
{
    memset(drawing->cells, 0, sizeof drawing->cells);
}

static void set_cell(struct drawing *drawing, int column, const char *text, const char *colour)
{
    if (column >= 0 && column < drawing->bar) {
        drawing->cells[column] = (struct cell){text, colour};
    }
}

/* A column is where a time is; the last one is also where what lies behind it is. */
static int column_of(const struct drawing *drawing, int64_t at)
{
    int column = timeline_place(drawing->timeline, at, drawing->bar);
    return column < drawing->bar ? column : drawing->bar - 1;
}

static bool now_is_shown(const struct timeline *timeline)
{
    return timeline->now >= timeline->from && timeline->now <= timeline->until;
}

/* Runs of one colour together: a terminal is not the only reader of this. */
static void put_cells(struct drawing *drawing)
{
    int end = drawing->bar;
    const char *colour = NULL;
    while (end > 0 && drawing->cells[end - 1].text == NULL) {
        end--;
    }
    for (int i = 0; i < end; i++) {
        const struct cell *cell = &drawing->cells[i];
        if (cell->colour != colour && drawing->look->colour) {
            buffer_put_format(drawing->out, "\033[0;%sm", cell->colour == NULL ? "" : cell->colour);
        }
        colour = cell->colour;
        buffer_put_text(drawing->out, cell->text == NULL ? " " : cell->text);
    }
    if (colour != NULL) {
        paint(drawing, "0");
    }
    buffer_put_text(drawing->out, "\n");
}

static void set_now(struct drawing *drawing)
{
    if (now_is_shown(drawing->timeline)) {
        set_cell(drawing, column_of(drawing, drawing->timeline->now), pick(drawing, "│", "|"), "1");
    }
}

/* Every span has a column at least, until the next one needs it; of a destroyed key there is only
 * the mark of its end. */
static void set_span(struct drawing *drawing, const struct timeline_span *span)
{
    const struct timeline *timeline = drawing->timeline;
    bool is_before = span->until < timeline->from ||
                     (span->state == KEY_DESTROYED && span->from < timeline->from);
    if (span->from > timeline->until || is_before) {
        return;
    }
    int first = column_of(drawing, span->from);
    int last = timeline_place(timeline, span->until, drawing->bar) - 1;
    int now = column_of(drawing, timeline->now);
    last = last < first || span->state == KEY_DESTROYED ? first : last;
    for (int i = first; i <= last; i++) {
        bool ahead = span->planned || i > now || timeline->now < timeline->from;
        set_cell(drawing, i, glyph_of(drawing, span->state, ahead), glyphs[span->state].colour);
    }
}

static void put_key_row(struct drawing *drawing, const struct timeline_key *key)
{
    buffer_put_format(drawing->out, "  %-*.*s  %-*.*s  ", drawing->token_width,
                      drawing->token_width, key->token, KID_SHOWN, KID_SHOWN, key->kid);
    paint(drawing, glyphs[key->state].colour);
    buffer_put_format(drawing->out, "%-*s", STATE_SHOWN, key_state_name(key->state));
    paint(drawing, "0");
    buffer_put_text(drawing->out, " ");
    clear_cells(drawing);
    for (size_t i = 0; i < key->n_spans; i++) {
        set_span(drawing, &key->spans[i]);
    }
    set_now(drawing);
    put_cells(drawing);
}

static void put_certificate_row(struct drawing *drawing, const struct timeline_key *key)
{
    const struct timeline *timeline = drawing->timeline;
    char day[TIMELINE_WORDS_SIZE];
    char label[2 * TIMELINE_WORDS_SIZE];
    bool is_over = key->not_after <= timeline->now;
    (void)snprintf(label, sizeof label, "certificate %s %s", is_over ? "ended" : "to",
                   timeline_day(key->not_after, day));
    buffer_put_format(drawing->out, "  %-*s ", drawing->label - 3, label);
    clear_cells(drawing);
    if (key->not_after >= timeline->from && key->not_before <= timeline->until) {
        int first = column_of(drawing, key->not_before);
        int last = column_of(drawing, key->not_after);
        for (int i = first; i <= last; i++) {
            set_cell(drawing, i, pick(drawing, "╌", "-"), "2");
        }
        set_now(drawing);
        set_cell(drawing, first,
                 key->not_before < timeline->from ? pick(drawing, "◂", "<")
                                                  : pick(drawing, "├", "["),
                 "2");
        set_cell(drawing, last,
                 key->not_after > timeline->until ? pick(drawing, "▸", ">")
                                                  : pick(drawing, "┤", "]"),
                 "2");
    } else {
        set_now(drawing);
    }
    put_cells(drawing);
}

static void put_now_row(struct drawing *drawing)
{
    buffer_put_format(drawing->out, "%*s", drawing->label, "");
    clear_cells(drawing);
    set_now(drawing);
    put_cells(drawing);
}

static void put_role(struct drawing *drawing, const struct timeline_key *key)
{
    put_painted(drawing, "1", key->role);
    if (strcmp(key->role, key->purpose) != 0) {
        buffer_put_format(drawing->out, " (%s)", key->purpose);
    }
    buffer_put_text(drawing->out, "\n");
}

static void put_keys(struct drawing *drawing)
{
    for (size_t i = 0; i < drawing->timeline->n_keys; i++) {
        const struct timeline_key *key = &drawing->timeline->keys[i];
        if (key->heads_role) {
            put_now_row(drawing);
            put_role(drawing, key);
        }
        put_key_row(drawing, key);
        if (timeline_shows_certificate(key)) {
            put_certificate_row(drawing, key);
        }
    }
}

static void put_tick_labels(struct drawing *drawing, const struct timeline_tick ticks[], size_t n)
{
    int at = 0;
    buffer_put_format(drawing->out, "  %-*s  %-*s  %-*s ", drawing->token_width, "token", KID_SHOWN,
                      "key", STATE_SHOWN, "state");
    for (size_t i = 0; i < n; i++) {
        int column = column_of(drawing, ticks[i].at);
        int len = (int)strlen(ticks[i].label);
        if (column + len <= drawing->bar) {
            buffer_put_format(drawing->out, "%*s%s", column - at, "", ticks[i].label);
            at = column + len;
        }
    }
    buffer_put_text(drawing->out, "\n");
}

static void put_axis(struct drawing *drawing)
{
    struct timeline_tick ticks[TIMELINE_TICKS_MAX];
    size_t n = timeline_ticks(drawing->timeline, (size_t)(drawing->bar / TICK_ROOM), ticks);
    put_tick_labels(drawing, ticks, n);
    clear_cells(drawing);
    for (int i = 0; i < drawing->bar; i++) {
        set_cell(drawing, i, pick(drawing, "─", "-"), "2");
    }
    for (size_t i = 0; i < n; i++) {
        set_cell(drawing, column_of(drawing, ticks[i].at), pick(drawing, "┴", "+"), "2");
    }
    if (now_is_shown(drawing->timeline)) {
        set_cell(drawing, column_of(drawing, drawing->timeline->now), pick(drawing, "▼", "v"), "1");
    }
    buffer_put_format(drawing->out, "%*s", drawing->label, "");
    put_cells(drawing);
}

static void put_head(const struct drawing *drawing)
{
    char range[TIMELINE_RANGE_SIZE];
    char now[TIMELINE_WORDS_SIZE];
    buffer_put_format(drawing->out, "%s; now (%s) is %s, UTC.\n\n",
                      timeline_range(drawing->timeline, range), pick(drawing, "▼", "v"),
                      timeline_when(drawing->timeline->now, now));
}

static void put_legend(const struct drawing *drawing)
{
    unsigned int seen = timeline_states(drawing->timeline);
    int at = (int)strlen(legend_head);
    buffer_put_format(drawing->out, "\n%s", legend_head);
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        enum key_state state = (enum key_state)i;
        if ((seen & 1U << i) == 0) {
            continue;
        }
        const char *past = glyph_of(drawing, state, false);
        const char *ahead = glyph_of(drawing, state, true);
        int len = 3 + 5 + 1 + (int)strlen(key_state_name(state));
        if (at + len > drawing->label + drawing->bar) {
            at = (int)strlen(legend_head);
            buffer_put_format(drawing->out, "\n%*s", at, "");
        }
        at += len;
        buffer_put_text(drawing->out, "   ");
        paint(drawing, glyphs[state].colour);
        buffer_put_format(drawing->out, "%s%s %s%s", past, past, ahead, ahead);
        paint(drawing, "0");
        buffer_put_format(drawing->out, " %s", key_state_name(state));
    }
    buffer_put_text(drawing->out, "\n");
}

static void put_overdue(const struct drawing *drawing)
{
    for (size_t i = 0; i < drawing->timeline->n_keys; i++) {
        const struct timeline_key *key = &drawing->timeline->keys[i];
        if (key->overdue != NULL) {
            buffer_put_text(drawing->out, "\n");
            put_painted(drawing, "1;31", "OVERDUE");
            buffer_put_format(drawing->out, "  %s  %.*s (%s): %s\n", key->role, KID_SHOWN, key->kid,
                              key->token, key->overdue);
        }
    }
}

static void put_change(const struct drawing *drawing, const struct timeline_change *change)
{
    char when[TIMELINE_WORDS_SIZE];
    char distance[TIMELINE_WORDS_SIZE];
    buffer_put_format(
        drawing->out, "  %17s  %-14s  %-*s  %.*s  %-*.*s  %s\n", timeline_when(change->at, when),
        timeline_distance(change->at - drawing->timeline->now, distance), drawing->role_width,
        change->key->role, KID_SHOWN, change->key->kid, drawing->token_width, drawing->token_width,
        change->key->token, timeline_change_words(change));
}

static void put_changes(const struct drawing *drawing)
{
    size_t n = 0;
    struct timeline_change *changes CLEANUP(timeline_changes_free) =
        timeline_changes(drawing->timeline, &n);
    if (changes == NULL) {
        drawing->out->failed = true;
        return;
    }
    buffer_put_text(drawing->out, "\n");
    put_painted(drawing, "1", n == 0 ? "No change is known ahead." : "What comes next");
    buffer_put_text(drawing->out, "\n");
    for (size_t i = 0; i < n && i < CHANGES_SHOWN; i++) {
        put_change(drawing, &changes[i]);
    }
    if (n > CHANGES_SHOWN) {
        buffer_put_format(drawing->out, "  and %zu more: see --json\n", n - CHANGES_SHOWN);
    }
}

static void measure(struct drawing *drawing)
{
    for (size_t i = 0; i < drawing->timeline->n_keys; i++) {
        int len = (int)strnlen(drawing->timeline->keys[i].token, TOKEN_SHOWN);
        drawing->token_width = len > drawing->token_width ? len : drawing->token_width;
        len = (int)strlen(drawing->timeline->keys[i].role);
        drawing->role_width = len > drawing->role_width ? len : drawing->role_width;
    }
    drawing->label = 2 + drawing->token_width + 2 + KID_SHOWN + 2 + STATE_SHOWN + 1;
    int bar = drawing->look->width - drawing->label - 1;
    bar = bar < BAR_MIN ? BAR_MIN : bar;
    drawing->bar = bar > BAR_MAX ? BAR_MAX : bar;
    for (size_t i = 0; i < KEY_STATE_COUNT; i++) {
        drawing->ascii[i][0][0] = glyphs[i].ascii_past;
        drawing->ascii[i][1][0] = glyphs[i].ascii_ahead;
    }
}

void timeline_put_text(const struct timeline *timeline, const struct timeline_look *look,
                       struct buffer *out)
{
    struct drawing drawing = {.timeline = timeline,
                              .look = look,
                              .out = out,
                              .token_width = 6 /* room for a certificate's day */};
    measure(&drawing);
    if (timeline->n_keys == 0) {
        buffer_put_text(out, "There is no key.\n");
        return;
    }
    put_head(&drawing);
    put_axis(&drawing);
    put_keys(&drawing);
    put_legend(&drawing);
    put_overdue(&drawing);
    put_changes(&drawing);
}
