/* SPDX-License-Identifier: Apache-2.0
 * PEM blocks, strict in both directions. */
#include "base/pem.h"

#include "base/base64url.h"

#include <string.h>

enum { LINE_LEN = 64 };

void pem_put(struct buffer *out, const char *label, struct span der)
{
    enum { LINE_BYTES = LINE_LEN / 4 * 3 };
    buffer_put_format(out, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < der.len; at += LINE_BYTES) {
        base64_encode(out, span_part(der, at, LINE_BYTES));
        buffer_put_u8(out, '\n');
    }
    buffer_put_format(out, "-----END %s-----\n", label);
}

static bool take_line(struct span *text, const char *before, const char *label)
{
    struct buffer line = BUFFER_INIT(256);
    buffer_put_format(&line, "-----%s %s-----\n", before, label);
    struct span start = span_part(*text, 0, line.len);
    bool same = buffer_ok(&line) && span_equal(start, buffer_span(&line));
    if (same) {
        *text = span_part(*text, line.len, text->len);
    }
    buffer_fini(&line);
    return same;
}

/* Everything before the next line of dashes, as base64url: the alphabets differ in two characters.
 * What that lets through in excess is found when the block is written again. */
static void take_body(struct span *text, struct buffer *out)
{
    size_t len = span_find(*text, '-');
    size_t n = 0;
    uint8_t *at = buffer_extend(out, len);
    for (size_t i = 0; at != NULL && i < len; i++) {
        uint8_t c = text->data[i];
        if (c == '+' || c == '/') {
            at[n++] = c == '+' ? '-' : '_';
        } else if (c != '\n' && c != '=') {
            at[n++] = c;
        }
    }
    buffer_cut(out, n);
    *text = span_part(*text, len, text->len);
}

static bool is_spelled_so(struct span block, const char *label, struct span der)
{
    struct buffer again = BUFFER_INIT(block.len);
    pem_put(&again, label, der);
    bool same = buffer_ok(&again) && span_equal(block, buffer_span(&again));
    buffer_fini(&again);
    return same;
}

bool pem_take(struct span *text, const char *label, struct buffer *der)
{
    struct span rest = *text;
    BUFFER_CLEANUP struct buffer body = BUFFER_INIT(text->len);
    if (!take_line(&rest, "BEGIN", label)) {
        return false;
    }
    take_body(&rest, &body);
    size_t before = der->len;
    if (!take_line(&rest, "END", label) || !buffer_ok(&body) ||
        !base64url_decode(der, buffer_span(&body))) {
        return false;
    }
    struct span block = span_part(*text, 0, text->len - rest.len);
    if (!is_spelled_so(block, label, span_part(buffer_span(der), before, der->len))) {
        buffer_cut(der, before);
        return false;
    }
    *text = rest;
    return true;
}
