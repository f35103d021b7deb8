/* SPDX-License-Identifier: Apache-2.0
 * Flat texts on any bytes: what jansson reads behind the front door must be read, and as the same;
 * what the front door refuses must be refused. */
#include "base/buffer.h"
#include "jose/json.h"
#include "jose/json_flat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void check_same(const json_t *wanted, const struct json_flat *got);

static void check_object(const json_t *wanted, const struct json_flat *got)
{
    const char *name;
    json_t *value;
    MUST(json_flat_is_object(got) && json_flat_size(got) == json_object_size(wanted));
    json_object_foreach ((json_t *)wanted, name, value) {
        check_same(value, json_flat_member(got, name));
    }
}

static void check_array(const json_t *wanted, const struct json_flat *got)
{
    MUST(json_flat_is_array(got) && json_flat_size(got) == json_array_size(wanted));
    const struct json_flat *element = json_flat_first(got);
    for (size_t i = 0; i < json_array_size(wanted); i++, element = json_flat_next(element)) {
        check_same(json_array_get(wanted, i), element);
    }
}

static void check_same(const json_t *wanted, const struct json_flat *got)
{
    int64_t integer;
    MUST(got != NULL);
    MUST(json_flat_integer(got, &integer) == json_is_integer(wanted));
    MUST(integer == json_integer_value(wanted));
    MUST(json_flat_is_string(got) == json_is_string(wanted));
    MUST(span_equal(json_flat_string(got), json_text(wanted)));
    if (json_is_object(wanted)) {
        check_object(wanted, got);
    } else if (json_is_array(wanted)) {
        check_array(wanted, got);
    } else {
        MUST(!json_flat_is_object(got) && !json_flat_is_array(got) && json_flat_size(got) == 0);
    }
}

struct taken {
    const json_t *wanted; /* the array */
    size_t n;
};

static enum outcome take(void *context, const struct json_flat *root,
                         const struct json_flat *element, struct reason *why)
{
    struct taken *taken = context;
    (void)why;
    MUST(json_flat_is_object(root));
    check_same(json_array_get(taken->wanted, taken->n++), element);
    return OUTCOME_OK;
}

static void check_given_away(struct span text, const json_t *wanted)
{
    struct taken taken = {.wanted = json_object_get(wanted, "keys")};
    const struct json_flat_each each = {"keys", take, &taken};
    struct json_flat_text *flat = NULL;
    struct reason why;
    MUST(json_flat_parse(text, JSON_VALUES_MAX, &each, &flat, &why) == OUTCOME_OK);
    MUST(taken.n == json_array_size(taken.wanted));
    MUST(json_flat_size(json_flat_root(flat)) == json_object_size(wanted));
    json_flat_free(flat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct span text = span_of(data, len);
    struct reason why = {0};
    struct reason flat_why = {0};
    JSON_CLEANUP json_t *wanted = NULL;
    struct json_flat_text *flat = NULL;
    enum outcome outcome = json_parse_own(text, JSON_VALUES_MAX, &wanted, &why);
    enum outcome got = json_flat_parse(text, JSON_VALUES_MAX, NULL, &flat, &flat_why);
    if (outcome == OUTCOME_OK && got == OUTCOME_TOO_LARGE) {
        MUST(strcmp(flat_why.detail, "an object of more than 64 members") == 0);
    } else if (outcome == OUTCOME_OK) {
        MUST(got == OUTCOME_OK);
        check_same(wanted, json_flat_root(flat));
        check_given_away(text, wanted);
    } else {
        MUST(got != OUTCOME_OK && flat == NULL);
    }
    json_flat_free(flat);
    return 0;
}
