/* SPDX-License-Identifier: Apache-2.0
 * A JOSE header as the shape guard reads it: strict JSON, nothing allocated, nothing shared with
 * those who write. */
#ifndef QSEAL_MODEL_SHAPE_HEADER_H
#define QSEAL_MODEL_SHAPE_HEADER_H

#include "base/span.h"

/* What the guard wants to know of a header. */
struct shape_header {
    struct span alg; /* as between its quotes, borrowed; data is NULL when there is none */
    bool raw;        /* "b64":false (RFC 7797 §3) */
};

/* NULL, or what is wrong. Taken is one JSON object (RFC 8259) and nothing behind it, with depth at
 * most 8, UTF-8, no NUL, no lone surrogate, no member twice in any object, no backslash in a
 * member's name, numbers without exponent; `alg` a text, `b64` a boolean, `crit` a list of names.
 */
const char *shape_header_scan(struct span json, struct shape_header *header);

#endif
