/* SPDX-License-Identifier: Apache-2.0
 * Patterns of templates: POSIX extended regular expressions, always anchored at both ends.
 *
 * They run on callers' text, so what makes matching or compiling expensive does not exist here:
 * back-references, GNU's backslash letters, repeated repetitions, and repetitions that expand to
 * more than PATTERN_EXPANDED_MAX atoms. */
#ifndef QSEAL_POLICY_PATTERN_H
#define QSEAL_POLICY_PATTERN_H

#include "base/attributes.h"

#include <stdbool.h>

enum { PATTERN_LEN_MAX = 256, PATTERN_EXPANDED_MAX = 4096, PATTERN_DEPTH_MAX = 16 };

struct pattern; /* immutable: any number of threads may match with it */

/* NULL on success; otherwise what is wrong with the text, and *out is untouched. */
const char *pattern_compile(const char *text, struct pattern **out) MUST_USE;
/* Accepts NULL. */
void pattern_free(struct pattern *pattern);
/* Whether the whole text matches. */
bool pattern_matches(const struct pattern *pattern, const char *text) MUST_USE;
/* As the template wrote it. */
const char *pattern_text(const struct pattern *pattern);

#endif
