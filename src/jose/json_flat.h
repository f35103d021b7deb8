/* SPDX-License-Identifier: Apache-2.0
 * A JSON text as one array of values, each followed by those inside it: for files of our own of
 * megabytes, where an object per value costs more than all that is made of them. */
#ifndef QSEAL_JOSE_JSON_FLAT_H
#define QSEAL_JOSE_JSON_FLAT_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/outcome.h"

enum { JSON_FLAT_TEXT_MAX = (1 << 28) - 1, JSON_FLAT_MEMBERS_MAX = 64 };

/* A value inside a text. Every function below takes NULL for "there is none", and then finds
 * nothing. */
struct json_flat;

/* Owns what its values are made of, but for the text itself, which they point into. */
struct json_flat_text;
void json_flat_free(struct json_flat_text *text);

/* An array in the outermost object that is too long to be held: each of its elements is given away
 * as soon as it is read, with the object as far as it is read, and forgotten. What `take` refuses
 * ends the reading. */
struct json_flat_each {
    const char *member;
    enum outcome (*take)(void *context, const struct json_flat *root,
                         const struct json_flat *element, struct reason *why);
    void *context;
};

/* Takes what json_parse_own() takes, and refuses in its words what that refuses; beyond it, an
 * object of more than JSON_FLAT_MEMBERS_MAX members: OUTCOME_TOO_LARGE. `each` may be NULL; its
 * array has no elements any more in *out. The text outlives *out. */
enum outcome json_flat_parse(struct span text, size_t values_max, const struct json_flat_each *each,
                             struct json_flat_text **out, struct reason *why) MUST_USE;
/* The outermost object. */
const struct json_flat *json_flat_root(const struct json_flat_text *text);

bool json_flat_is_object(const struct json_flat *value);
bool json_flat_is_array(const struct json_flat *value);
bool json_flat_is_string(const struct json_flat *value);
/* An integer and no real number, though it may be whole. */
bool json_flat_integer(const struct json_flat *value, int64_t *out) MUST_USE;
/* A string's characters, as long as the text; the empty span of anything else. */
struct span json_flat_string(const struct json_flat *value);
/* Members of an object, elements of an array; 0 of anything else. */
size_t json_flat_size(const struct json_flat *value);
const struct json_flat *json_flat_member(const struct json_flat *object, const char *name);
/* The first element of an array, and the one behind an element. How many there are says
 * json_flat_size(). */
const struct json_flat *json_flat_first(const struct json_flat *array);
const struct json_flat *json_flat_next(const struct json_flat *element);

#endif
