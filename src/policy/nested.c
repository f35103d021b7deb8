/* SPDX-License-Identifier: Apache-2.0
 * Rules inside a caller's object: constants at places, one string in several places, and for a
 * closed claim nothing else. And the shorthand, which is such an object with only that string left
 * to say. */
#include "policy/compiled.h"

#include "jose/json.h"
#include "policy/pointer.h"
#include "policy/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stands where the caller's string will. A template whose constants hold it does not load. */
static const char mark[] = "\x01";
static const char mark_as_json[] = "\"\\u0001\"";

/* The part of a place behind the claim's own name. */
static const char *below_claim(const struct profile *profile, size_t claim, const char *at)
{
    return at + 1 + strlen(profile->claims[claim].name);
}

static const json_t *at_place(const struct profile *profile, size_t claim, const json_t *value,
                              const char *at)
{
    /* The look-up changes nothing; its type is for callers who will. */
    return json_at_pointer((json_t *)value, below_claim(profile, claim, at));
}

static enum outcome check_nested(const struct profile *profile, const struct nested *nested,
                                 const json_t *value, struct reason *why)
{
    const json_t *first = NULL;
    for (size_t i = 0; i < nested->n_at; i++) {
        const char *at = nested->at[i];
        const json_t *here = at_place(profile, nested->claim, value, at);
        if (here == NULL) {
            return refuse_claim(why, OUTCOME_RULE, at, "is required");
        }
        if (nested->equals != NULL) {
            if (!json_equal(nested->equals, here)) {
                return refuse_claim(why, OUTCOME_RULE, at, "must be the profile's own value");
            }
            continue;
        }
        if (first == NULL) {
            enum outcome outcome = text_check(&nested->limits, at, here, why);
            if (outcome != OUTCOME_OK) {
                return outcome;
            }
            first = here;
            continue;
        }
        if (!json_equal(first, here)) {
            return refuse_claim(why, OUTCOME_RULE, at, "must equal %s", nested->at[0]);
        }
    }
    return OUTCOME_OK;
}

enum place { PLACE_RULED, PLACE_ABOVE, PLACE_UNKNOWN };

static enum place find_place(const struct profile *profile, const char *pointer)
{
    size_t len = strlen(pointer);
    for (size_t i = 0; i < profile->n_nested; i++) {
        for (size_t k = 0; k < profile->nested[i].n_at; k++) {
            const char *at = profile->nested[i].at[k];
            if (strncmp(at, pointer, len) != 0) {
                continue;
            }
            if (at[len] == '\0') {
                return PLACE_RULED;
            }
            if (at[len] == '/') {
                return PLACE_ABOVE;
            }
        }
    }
    return PLACE_UNKNOWN;
}

/* A step that does not fit into the pointer, or needs escaping, is in no template either. */
static enum outcome check_closed(const struct profile *profile, const char *pointer,
                                 const json_t *value, struct reason *why)
{
    const char *name;
    json_t *item;
    json_object_foreach ((json_t *)value, name, item) {
        char below[REASON_CLAIM_SIZE];
        bool fits = pointer_step(below, pointer, name) && strpbrk(name, "~/") == NULL;
        enum place place = fits ? find_place(profile, below) : PLACE_UNKNOWN;
        if (place == PLACE_UNKNOWN) {
            return refuse_claim(why, OUTCOME_RULE, below, "this profile has no such member");
        }
        if (place == PLACE_RULED) {
            continue;
        }
        if (!json_is_object(item)) {
            return refuse_claim(why, OUTCOME_RULE, below, "must be an object");
        }
        enum outcome outcome = check_closed(profile, below, item, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

static bool has_shape(const json_t *shape, const json_t *value, const char *string)
{
    if (json_is_string(shape) && strcmp(json_string_value(shape), mark) == 0) {
        return json_is_string(value) && strcmp(json_string_value(value), string) == 0;
    }
    if (!json_is_object(shape)) {
        return json_equal(shape, value) == 1;
    }
    if (json_object_size(value) != json_object_size(shape)) {
        return false;
    }
    const char *name;
    json_t *item;
    json_object_foreach ((json_t *)shape, name, item) {
        if (!has_shape(item, json_object_get(value, name), string)) {
            return false;
        }
    }
    return true;
}

/* The short way to yes: the value is the object the shorthand would make. Every other value takes
 * the long way, which knows what is wrong with it. */
static bool is_shorthand_object(const struct profile *profile, size_t claim, const json_t *value)
{
    const struct shorthand *shorthand = &profile->shorthand;
    if (shorthand->name == NULL || shorthand->claim != claim) {
        return false;
    }
    const json_t *string = at_place(profile, claim, value, shorthand->place);
    struct reason ignored = {0};
    return json_is_string(string) &&
           text_check(shorthand->limits, "", string, &ignored) == OUTCOME_OK &&
           has_shape(shorthand->shape, value, json_string_value(string));
}

enum outcome nested_evaluate(const struct profile *profile, size_t claim, const json_t *value,
                             struct reason *why)
{
    if (is_shorthand_object(profile, claim, value)) {
        return OUTCOME_OK;
    }
    for (size_t i = 0; i < profile->n_nested; i++) {
        const struct nested *nested = &profile->nested[i];
        enum outcome outcome =
            nested->claim == claim ? check_nested(profile, nested, value, why) : OUTCOME_OK;
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    const struct claim *owner = &profile->claims[claim];
    return owner->closed ? check_closed(profile, owner->pointer, value, why) : OUTCOME_OK;
}

const char *shorthand_string(const struct profile *profile, const json_t *value)
{
    const struct shorthand *shorthand = &profile->shorthand;
    return json_string_value(at_place(profile, shorthand->claim, value, shorthand->place));
}

static bool set_place(json_t *root, const char *below, json_t *value)
{
    json_t *object = root;
    const char *step = below + 1;
    for (;;) {
        size_t len = strcspn(step, "/");
        char name[REASON_CLAIM_SIZE];
        (void)snprintf(name, sizeof name, "%.*s", (int)len, step);
        if (step[len] == '\0') {
            return json_object_set(object, name, value) == 0;
        }
        json_t *next = json_object_get(object, name);
        if (next == NULL) {
            next = json_object();
            if (json_object_set_new(object, name, next) != 0) {
                return false;
            }
        }
        object = next;
        step += len + 1;
    }
}

static json_t *build_marked(struct profile *profile)
{
    struct shorthand *shorthand = &profile->shorthand;
    JSON_CLEANUP json_t *marked = json_string(mark);
    JSON_CLEANUP json_t *root = json_object();
    for (size_t i = 0; i < profile->n_nested; i++) {
        const struct nested *nested = &profile->nested[i];
        if (nested->claim != shorthand->claim) {
            continue;
        }
        if (nested->equals == NULL) {
            shorthand->limits = &nested->limits;
            shorthand->place = nested->at[0];
            shorthand->n_places = nested->n_at;
        }
        for (size_t k = 0; k < nested->n_at; k++) {
            const char *below = below_claim(profile, nested->claim, nested->at[k]);
            if (!set_place(root, below, nested->equals != NULL ? nested->equals : marked)) {
                return NULL;
            }
        }
    }
    return json_incref(root);
}

static size_t count_marks(const char *text)
{
    size_t count = 0;
    while ((text = strstr(text, mark_as_json)) != NULL) {
        text += sizeof mark_as_json - 1;
        count++;
    }
    return count;
}

enum outcome shorthand_compile(struct profile *profile, const char *path, struct reason *why)
{
    struct shorthand *shorthand = &profile->shorthand;
    const struct template_shorthand *wanted = profile->template->shorthand;
    if (wanted == NULL) {
        return OUTCOME_OK;
    }
    shorthand->name = wanted->name;
    shorthand->description = wanted->description;
    shorthand->claim = profile_claim(profile, wanted->claim);
    shorthand->pointer = text_pointer(wanted->name);
    shorthand->shape = build_marked(profile);
    char *text = shorthand->shape == NULL ? NULL : text_json(shorthand->shape);
    size_t cuts = text == NULL ? 0 : count_marks(text);
    shorthand->pieces = calloc(cuts + 1, sizeof *shorthand->pieces);
    if (text == NULL || shorthand->pieces == NULL || shorthand->pointer == NULL ||
        cuts != shorthand->n_places) {
        free(text);
        return yaml_refuse(why, path, "/shorthand", "the object cannot be built from its rules");
    }
    const char *at = text;
    for (size_t i = 0; i <= cuts; i++) {
        const char *end = i < cuts ? strstr(at, mark_as_json) : at + strlen(at);
        shorthand->pieces[i] = strndup(at, (size_t)(end - at));
        shorthand->n_pieces += shorthand->pieces[i] != NULL ? 1 : 0;
        at = i < cuts ? end + sizeof mark_as_json - 1 : end;
    }
    free(text);
    return shorthand->n_pieces == cuts + 1 ? OUTCOME_OK
                                           : refuse(why, OUTCOME_INTERNAL, "out of memory");
}

void shorthand_put(const struct shorthand *shorthand, const char *text, struct buffer *out)
{
    for (size_t i = 0; i < shorthand->n_pieces; i++) {
        if (i > 0) {
            json_put_string(out, span_of_text(text));
        }
        buffer_put_text(out, shorthand->pieces[i]);
    }
}
