/* SPDX-License-Identifier: Apache-2.0
 * Tables of message bodies: each is read from memory of exactly its size, and every shorter one
 * too, so that a sanitizer sees a read past the end. */
#ifndef QSEAL_TESTS_UNIT_TLS_BODIES_H
#define QSEAL_TESTS_UNIT_TLS_BODIES_H

#include "base/span.h"

#include "check.h"

#include <stdlib.h>

#define BODY(text) text, sizeof(text) - 1
#define RANDOM "0123456789abcdef0123456789abcdef"

struct body_row {
    const char *bytes;
    size_t len;
    const char *fault; /* NULL: good */
};

/* Reads one body; NULL or what is wrong. */
typedef const char *body_read(struct span body);

static inline const char *body_fault(body_read *read, const char *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    const char *fault = read(span_of(exact, len));
    free(exact);
    return fault;
}

static inline void bodies_check(body_read *read, const struct body_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *fault = body_fault(read, rows[i].bytes, rows[i].len);
        const char *want = rows[i].fault;
        if ((fault == NULL) != (want == NULL)) {
            print_error("row %zu: %s\n", i, fault != NULL ? fault : "no fault");
        }
        assert_string_equal(fault != NULL ? fault : "", want != NULL ? want : "");
        for (size_t cut = 0; cut < rows[i].len; cut++) {
            (void)body_fault(read, rows[i].bytes, cut);
        }
    }
}

#endif
