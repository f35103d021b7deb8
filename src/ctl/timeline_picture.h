/* SPDX-License-Identifier: Apache-2.0
 * Parts of the timeline's picture (timeline_svg.c puts them together). Lengths are CSS pixels. */
#ifndef QSEAL_CTL_TIMELINE_PICTURE_H
#define QSEAL_CTL_TIMELINE_PICTURE_H

#include "base/buffer.h"
#include "ctl/timeline.h"

enum {
    PICTURE_WIDTH = 1200,
    PICTURE_LEFT = 28,
    PICTURE_BARS = 340, /* where they begin, */
    PICTURE_BARS_WIDTH = 832,
    PICTURE_ROW = 40,
    PICTURE_BAR = 20, /* how high one is */
    PICTURE_KID_SHOWN = 8,
};

/* The style sheet, and the patterns that tell states apart where colours do not. */
void picture_put_style(struct buffer *out);
/* Appends a key's names, bars and certificate; `y` is the top of its row. */
void picture_put_key(const struct timeline *timeline, const struct timeline_key *key, int y,
                     struct buffer *out);
/* Two small bars with the state's name, so far and ahead; returns how wide they are. */
int picture_put_legend(enum key_state state, int x, int y, struct buffer *out);
/* A text of one class of the style sheet. */
void picture_put_text(int x, int y, const char *class, const char *text, struct buffer *out);

#endif
