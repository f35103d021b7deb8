/* SPDX-License-Identifier: Apache-2.0
 * The timeline on a terminal, and as a picture. */
#ifndef QSEAL_CTL_TIMELINE_DRAW_H
#define QSEAL_CTL_TIMELINE_DRAW_H

#include "base/buffer.h"
#include "ctl/timeline.h"

enum { TIMELINE_WIDTH = 100 /* where nobody says how wide the terminal is */ };

struct timeline_look {
    int width;   /* columns; what is too narrow for a timeline is taken wider */
    bool ascii;  /* nothing but ASCII */
    bool colour; /* ECMA-48 colours, which say nothing that the characters do not */
};

/* Appends lines of text. Here and below the buffer is marked failed when memory is short. */
void timeline_put_text(const struct timeline *timeline, const struct timeline_look *look,
                       struct buffer *out);
/* Appends one SVG document (SVG 1.1): no scripts, nothing from elsewhere, light or dark as the
 * viewer wishes. */
void timeline_put_svg(const struct timeline *timeline, struct buffer *out);

#endif
