/* SPDX-License-Identifier: Apache-2.0
 * The `detail` of an RFC 9457 problem, and nothing else of it. */
#ifndef QSEAL_CLIENT_PROBLEM_H
#define QSEAL_CLIENT_PROBLEM_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

/* Copies the text of the top member "detail" of a JSON object (RFC 8259) into `out` of `size`
 * bytes: unescaped UTF-8, cut at a whole character when it is too long, control characters as
 * blanks, since it goes into one line of a log. False when the text is not strict JSON or has no
 * such string. */
bool problem_detail(struct span json, char *out, size_t size) MUST_USE;

#endif
