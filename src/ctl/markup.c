/* SPDX-License-Identifier: Apache-2.0
 * Escaping for XML and HTML. */
#include "ctl/markup.h"

#include "ctl/printable.h"

static const char *reference_for(uint8_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void markup_put(struct buffer *out, const char *text)
{
    BUFFER_CLEANUP struct buffer visible = BUFFER_INIT(out->max);
    printable_put(&visible, text);
    const char *at = buffer_text(&visible);
    for (; *at != '\0'; at++) {
        const char *reference = reference_for((uint8_t)*at);
        if (reference != NULL) {
            buffer_put_text(out, reference);
        } else {
            buffer_put_u8(out, (uint8_t)*at);
        }
    }
    out->failed = out->failed || !buffer_ok(&visible);
}
