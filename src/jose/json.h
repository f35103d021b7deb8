/* SPDX-License-Identifier: Apache-2.0
 * The JSON front door: jansson, with the strictness it lacks. */
#ifndef QSEAL_JOSE_JSON_H
#define QSEAL_JOSE_JSON_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"
#include "model/outcome.h"

#include <jansson.h>

enum {
    JSON_DEPTH_MAX = 16,
    JSON_NUMBER_MAX = 40,
    JSON_EXPONENT_MAX = 200,
    JSON_VALUES_MAX = 16384,
};

#define JSON_CLEANUP CLEANUP(json_clear_ref)
/* Drops the reference and sets NULL; accepts NULL. */
void json_clear_ref(json_t **value);

/* Seeds jansson's hash tables; call it once, before the first thread. */
void json_prepare(void);

/* One JSON object, and nothing behind it: UTF-8 without overlong forms or lone surrogates, no
 * duplicate members (compared after unescaping), no NUL (raw or escaped), depth ≤ 16 (the outer
 * object is depth 1), integers within 64 bits, numbers of at most 40 characters with an exponent of
 * at most ±200 (so that none becomes 0 or infinite): OUTCOME_MALFORMED. At most 16384 values,
 * itself and those at any depth counted, names not (jansson takes up to 300 bytes for each):
 * OUTCOME_TOO_LARGE. Both with line and column, never the text itself. *out is owned by the
 * caller. */
enum outcome json_parse_object(struct span text, json_t **out, struct reason *why) MUST_USE;

/* The same for a text of our own, a file or an answer of another room, which may hold more values:
 * at most `values_max`. */
enum outcome json_parse_own(struct span text, size_t values_max, json_t **out,
                            struct reason *why) MUST_USE;

/* Compact serialisation, members in order. Reals keep at most 15 significant digits:
 * json_reals_are_exact() says beforehand whether that loses nothing. */
void json_put(struct buffer *out, const json_t *value);
/* A JSON string literal with quotes; `text` is valid UTF-8. */
void json_put_string(struct buffer *out, struct span text);
/* Whether every real number in the value is unchanged by json_put(); a pointer to the first that is
 * not goes to `pointer`. */
bool json_reals_are_exact(const json_t *value, char pointer[REASON_CLAIM_SIZE]) MUST_USE;

/* A string's characters, which it keeps; the empty span of anything else, and of NULL. */
struct span json_text(const json_t *value);

/* RFC 6901 look-up; NULL when there is nothing. */
json_t *json_at_pointer(json_t *root, const char *pointer);

#endif
