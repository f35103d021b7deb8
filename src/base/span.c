/* SPDX-License-Identifier: Apache-2.0
 * Borrowed bytes. */
#include "base/span.h"

#include <string.h>

struct span span_of(const void *data, size_t len)
{
    return (struct span){.data = data, .len = len};
}

struct span span_of_text(const char *text)
{
    return text == NULL ? (struct span){NULL, 0} : span_of(text, strlen(text));
}

bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool span_is_text(struct span a, const char *text)
{
    return span_equal(a, span_of_text(text));
}

bool span_is_printable(struct span a)
{
    for (size_t i = 0; i < a.len; i++) {
        if (a.data[i] < ' ' || a.data[i] > '~') {
            return false;
        }
    }
    return true;
}

bool span_is_visible(struct span a)
{
    return span_is_printable(a) && span_find(a, ' ') == a.len;
}

size_t span_find(struct span a, uint8_t byte)
{
    const uint8_t *hit = a.len == 0 ? NULL : memchr(a.data, byte, a.len);
    return hit == NULL ? a.len : (size_t)(hit - a.data);
}

struct span span_part(struct span a, size_t from, size_t len)
{
    if (from >= a.len) {
        return (struct span){NULL, 0};
    }
    size_t left = a.len - from;
    return span_of(a.data + from, len < left ? len : left);
}
