/* SPDX-License-Identifier: Apache-2.0
 * The timeline as one SVG document. All of it is in its description too, for who does not see it.
 */
#include "ctl/markup.h"
#include "ctl/timeline_draw.h"
#include "ctl/timeline_picture.h"

#include <stdio.h>
#include <string.h>

enum {
    TOP = 136, /* of the first role */
    AXIS = 112,
    ROLE = 34,     /* height of a head */
    ROW_BARE = 30, /* of a key without certificate */
    LINE = 22,     /* of text */
    CHANGES_SHOWN = 40,
    TICKS = 10,
};

struct picture {
    const struct timeline *timeline;
    struct buffer *out;
    const struct timeline_change *changes;
    size_t n_changes;
};

static int row_height(const struct timeline_key *key)
{
    return timeline_shows_certificate(key) ? PICTURE_ROW + 6 : ROW_BARE;
}

static int keys_height(const struct timeline *timeline)
{
    int height = 0;
    for (size_t i = 0; i < timeline->n_keys; i++) {
        height += row_height(&timeline->keys[i]) + (timeline->keys[i].heads_role ? ROLE : 0);
    }
    return height;
}

static size_t changes_shown(const struct picture *picture)
{
    return picture->n_changes > CHANGES_SHOWN ? CHANGES_SHOWN : picture->n_changes;
}

static size_t n_overdue(const struct timeline *timeline)
{
    size_t n = 0;
    for (size_t i = 0; i < timeline->n_keys; i++) {
        n += timeline->keys[i].overdue != NULL ? 1 : 0;
    }
    return n;
}

static int words_height(const struct picture *picture)
{
    return 150 + LINE * (int)(changes_shown(picture) + n_overdue(picture->timeline));
}

/* "seal _HbkQfyy in hsm-a". */
static void put_key_name(const struct timeline_key *key, struct buffer *out)
{
    char kid[PICTURE_KID_SHOWN + 1];
    (void)snprintf(kid, sizeof kid, "%s", key->kid);
    markup_put(out, key->role);
    buffer_put_text(out, " ");
    markup_put(out, kid);
    buffer_put_text(out, " in ");
    markup_put(out, key->token);
}

static void put_description(const struct picture *picture)
{
    const struct timeline *timeline = picture->timeline;
    char when[TIMELINE_WORDS_SIZE];
    buffer_put_format(picture->out, "<desc id=\"description\">Now is %s UTC. Keys: ",
                      timeline_when(timeline->now, when));
    for (size_t i = 0; i < timeline->n_keys; i++) {
        put_key_name(&timeline->keys[i], picture->out);
        buffer_put_format(picture->out, ", %s; ", key_state_name(timeline->keys[i].state));
    }
    buffer_put_text(picture->out, "what comes next: ");
    for (size_t i = 0; i < picture->n_changes; i++) {
        buffer_put_format(picture->out, "%s, ", timeline_when(picture->changes[i].at, when));
        put_key_name(picture->changes[i].key, picture->out);
        buffer_put_format(picture->out, " %s; ", timeline_change_words(&picture->changes[i]));
    }
    buffer_put_text(picture->out, "nothing more is known.</desc>\n");
}

static void put_begin(const struct picture *picture, int height)
{
    char range[TIMELINE_RANGE_SIZE];
    char now[TIMELINE_WORDS_SIZE];
    char words[TIMELINE_RANGE_SIZE + 2 * TIMELINE_WORDS_SIZE];
    timeline_range(picture->timeline, range);
    buffer_put_format(picture->out,
                      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                      "width=\"%d\" height=\"%d\" role=\"img\" lang=\"en\" "
                      "aria-labelledby=\"title description\">\n<title id=\"title\">%s</title>\n",
                      PICTURE_WIDTH, height, PICTURE_WIDTH, height, range);
    put_description(picture);
    picture_put_style(picture->out);
    buffer_put_text(picture->out, "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
    picture_put_text(PICTURE_LEFT, 44, "title", "Keys and their certificates", picture->out);
    (void)snprintf(words, sizeof words, "%s. Drawn %s. All times are UTC.", range,
                   timeline_when(picture->timeline->now, now));
    picture_put_text(PICTURE_LEFT, 68, "soft", words, picture->out);
}

static void put_axis(const struct picture *picture, int bottom)
{
    struct timeline_tick ticks[TIMELINE_TICKS_MAX];
    size_t n = timeline_ticks(picture->timeline, TICKS, ticks);
    struct buffer *out = picture->out;
    for (size_t i = 0; i < n; i++) {
        int x = PICTURE_BARS + timeline_place(picture->timeline, ticks[i].at, PICTURE_BARS_WIDTH);
        buffer_put_format(out, "<path class=\"grid\" d=\"M%d %dV%d\"/>\n", x, AXIS, bottom);
        picture_put_text(x, AXIS - 8, "tick", ticks[i].label, out);
    }
    buffer_put_format(out, "<path class=\"rule\" d=\"M%d %dH%d\"/>\n", PICTURE_LEFT, AXIS,
                      PICTURE_WIDTH - PICTURE_LEFT);
}

/* Over everything, and thin. */
static void put_now(const struct picture *picture, int bottom)
{
    const struct timeline *timeline = picture->timeline;
    if (timeline->now < timeline->from || timeline->now > timeline->until) {
        return;
    }
    int x = PICTURE_BARS + timeline_place(timeline, timeline->now, PICTURE_BARS_WIDTH);
    buffer_put_format(picture->out,
                      "<path class=\"now\" d=\"M%d %dV%d\"/>\n"
                      "<rect class=\"nowmark\" x=\"%d\" y=\"%d\" width=\"40\" height=\"19\" "
                      "rx=\"9\"/>\n",
                      x, AXIS, bottom, x - 20, AXIS + 4);
    picture_put_text(x, AXIS + 18, "nowtext", "now", picture->out);
}

static void put_role(const struct timeline_key *key, int y, struct buffer *out)
{
    buffer_put_format(out, "<text x=\"%d\" y=\"%d\" class=\"role\">", PICTURE_LEFT, y + 22);
    markup_put(out, key->role);
    if (strcmp(key->role, key->purpose) != 0) {
        buffer_put_text(out, " <tspan class=\"soft\" font-weight=\"400\">");
        markup_put(out, key->purpose);
        buffer_put_text(out, "</tspan>");
    }
    buffer_put_text(out, "</text>\n");
}

static void put_keys(const struct picture *picture)
{
    int y = TOP;
    for (size_t i = 0; i < picture->timeline->n_keys; i++) {
        const struct timeline_key *key = &picture->timeline->keys[i];
        if (key->heads_role) {
            put_role(key, y, picture->out);
            y += ROLE;
        }
        picture_put_key(picture->timeline, key, y, picture->out);
        y += row_height(key);
    }
}

static int put_legend(const struct picture *picture, int y)
{
    unsigned int seen = timeline_states(picture->timeline);
    int x = PICTURE_LEFT;
    picture_put_text(x, y + 11, "soft", "So far, and ahead:", picture->out);
    x += 136;
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        if ((seen & 1U << i) == 0) {
            continue;
        }
        if (x > PICTURE_WIDTH - 150) {
            x = PICTURE_LEFT + 136;
            y += LINE;
        }
        x += picture_put_legend((enum key_state)i, x, y, picture->out);
    }
    return y + 44;
}

static int put_overdue(const struct picture *picture, int y)
{
    for (size_t i = 0; i < picture->timeline->n_keys; i++) {
        const struct timeline_key *key = &picture->timeline->keys[i];
        if (key->overdue != NULL) {
            buffer_put_format(picture->out,
                              "<text x=\"%d\" y=\"%d\" class=\"alert\">Overdue: ", PICTURE_LEFT, y);
            put_key_name(key, picture->out);
            buffer_put_text(picture->out, ": ");
            markup_put(picture->out, key->overdue);
            buffer_put_text(picture->out, "</text>\n");
            y += LINE;
        }
    }
    return n_overdue(picture->timeline) == 0 ? y : y + LINE / 2;
}

static void put_change(const struct picture *picture, const struct timeline_change *change, int y)
{
    char when[TIMELINE_WORDS_SIZE];
    char distance[TIMELINE_WORDS_SIZE];
    timeline_distance(change->at - picture->timeline->now, distance);
    picture_put_text(PICTURE_LEFT + 12, y, "", timeline_when(change->at, when), picture->out);
    picture_put_text(PICTURE_LEFT + 188, y, "soft", distance, picture->out);
    buffer_put_format(picture->out, "<text x=\"%d\" y=\"%d\">", PICTURE_BARS, y);
    put_key_name(change->key, picture->out);
    buffer_put_format(picture->out, " %s</text>\n", timeline_change_words(change));
}

static void put_words(const struct picture *picture, int y)
{
    char more[TIMELINE_WORDS_SIZE];
    size_t shown = changes_shown(picture);
    y = put_legend(picture, y);
    y = put_overdue(picture, y);
    picture_put_text(PICTURE_LEFT, y, "role",
                     shown == 0 ? "No change is known ahead" : "What comes next", picture->out);
    y += 26;
    for (size_t i = 0; i < shown; i++) {
        put_change(picture, &picture->changes[i], y);
        y += LINE;
    }
    if (shown < picture->n_changes) {
        (void)snprintf(more, sizeof more, "and %zu more", picture->n_changes - shown);
        picture_put_text(PICTURE_LEFT + 12, y, "soft", more, picture->out);
    }
}

void timeline_put_svg(const struct timeline *timeline, struct buffer *out)
{
    size_t n = 0;
    struct timeline_change *changes CLEANUP(timeline_changes_free) = timeline_changes(timeline, &n);
    struct picture picture = {.timeline = timeline, .out = out, .changes = changes, .n_changes = n};
    if (changes == NULL) {
        out->failed = true;
        return;
    }
    int bottom = TOP + keys_height(timeline) + 6;
    put_begin(&picture, bottom + words_height(&picture));
    put_axis(&picture, bottom);
    put_keys(&picture);
    put_now(&picture, bottom);
    put_words(&picture, bottom + 24);
    buffer_put_text(out, "</svg>\n");
}
