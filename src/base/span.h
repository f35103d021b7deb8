/* SPDX-License-Identifier: Apache-2.0
 * Borrowed bytes: a pointer and a length, never owned, valid as long as what it points into. */
#ifndef QSEAL_BASE_SPAN_H
#define QSEAL_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const uint8_t *data;
    size_t len;
};

struct span span_of(const void *data, size_t len);
/* The characters of a C string, without its NUL. NULL gives the empty span. */
struct span span_of_text(const char *text);
bool span_equal(struct span a, struct span b);
bool span_is_text(struct span a, const char *text);
/* Nothing but ASCII from ' ' to '~': it may stand in a line of a log, or of HTTP. */
bool span_is_printable(struct span a);
/* The same without ' ': nothing but VCHAR (RFC 5234 appendix B.1). */
bool span_is_visible(struct span a);
/* Position of the first such byte, or len when there is none. */
size_t span_find(struct span a, uint8_t byte);
/* The bytes from `from` on, at most `len`; clipped to what is there. */
struct span span_part(struct span a, size_t from, size_t len);

#endif
