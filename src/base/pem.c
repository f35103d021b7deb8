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

static bool take_text(struct span *text, const char *wanted)
{
    size_t len = strlen(wanted);
    bool same = text->len >= len && memcmp(text->data, wanted, len) == 0;
    if (same) {
        *text = span_part(*text, len, text->len);
    }
    return same;
}

static bool take_frame(struct span *text, const char *before, const char *label)
{
    return take_text(text, before) && take_text(text, label) && take_text(text, "-----\n");
}

/* The lines in front of the next dash. All but the last have their full length, and of them only
 * the last is padded. */
static bool take_body(struct span *text, struct buffer *out)
{
    size_t len = span_find(*text, '-');
    struct span body = span_part(*text, 0, len);
    *text = span_part(*text, len, text->len);
    while (body.len > 0) {
        struct span line = span_part(body, 0, span_find(body, '\n'));
        bool is_last = body.len == line.len + 1;
        bool full = line.len == LINE_LEN && (is_last || line.data[LINE_LEN - 1] != '=');
        bool good = full || (is_last && line.len > 0 && line.len < LINE_LEN);
        if (!good || line.len == body.len || !base64_decode(out, line)) {
            return false;
        }
        body = span_part(body, line.len + 1, body.len);
    }
    return true;
}

bool pem_take(struct span *text, const char *label, struct buffer *der)
{
    struct span rest = *text;
    size_t before = der->len;
    if (!take_frame(&rest, "-----BEGIN ", label)) {
        return false;
    }
    if (!take_body(&rest, der) || !take_frame(&rest, "-----END ", label)) {
        buffer_cut(der, before);
        return false;
    }
    *text = rest;
    return true;
}
