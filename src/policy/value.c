/* SPDX-License-Identifier: Apache-2.0
 * One value a caller sent, against the type and limits of its claim. Types are exact: 1.0 is no
 * integer, "1" is no number. Lengths count characters. The length is looked at before the pattern,
 * so that no long text ever reaches the matcher. How long an object is as JSON is seen when it is
 * written (claims.c). */
#include "policy/compiled.h"

#include "jose/json.h"
#include "policy/pointer.h"

#include <stdio.h>
#include <string.h>

/* Code points of valid UTF-8: every byte that does not continue one. */
static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

static bool is_choice(const json_t *choices, const char *text)
{
    size_t index;
    json_t *choice;
    json_array_foreach (choices, index, choice) {
        if (strcmp(json_string_value(choice), text) == 0) {
            return true;
        }
    }
    return false;
}

enum outcome text_check(const struct limits *limits, const char *pointer, const json_t *value,
                        struct reason *why)
{
    if (!json_is_string(value)) {
        return refuse_claim(why, OUTCOME_RULE, pointer, "must be a string");
    }
    const char *text = json_string_value(value);
    /* UTF-8 takes four bytes a character at most: no need to count a text that is far too long. */
    size_t length =
        json_string_length(value) > limits->max_length * 4 ? SIZE_MAX : characters(text);
    if (length > limits->max_length) {
        return refuse_claim(why, OUTCOME_RULE, pointer, "is longer than %zu characters",
                            limits->max_length);
    }
    if (length < limits->min_length) {
        return refuse_claim(why, OUTCOME_RULE, pointer, "is shorter than %zu characters",
                            limits->min_length);
    }
    if (limits->choices != NULL && !is_choice(limits->choices, text)) {
        return refuse_claim(why, OUTCOME_RULE, pointer, "is not one of the values allowed here");
    }
    if (limits->pattern != NULL && !pattern_matches(limits->pattern, text)) {
        return refuse_claim(why, OUTCOME_RULE, pointer, "does not match the pattern %.128s",
                            pattern_text(limits->pattern));
    }
    return OUTCOME_OK;
}

static enum outcome check_integer(const struct claim *claim, const json_t *value,
                                  struct reason *why)
{
    json_int_t number = json_integer_value(value);
    if (claim->min_value != NULL && number < *claim->min_value) {
        return refuse_claim(why, OUTCOME_RULE, claim->pointer, "is below %lld",
                            (long long)*claim->min_value);
    }
    if (claim->max_value != NULL && number > *claim->max_value) {
        return refuse_claim(why, OUTCOME_RULE, claim->pointer, "is above %lld",
                            (long long)*claim->max_value);
    }
    return OUTCOME_OK;
}

static enum outcome check_number(const struct claim *claim, const json_t *value, struct reason *why)
{
    if (json_is_integer(value)) {
        return check_integer(claim, value, why);
    }
    double number = json_real_value(value);
    if (claim->min_value != NULL && number < (double)*claim->min_value) {
        return refuse_claim(why, OUTCOME_RULE, claim->pointer, "is below %lld",
                            (long long)*claim->min_value);
    }
    if (claim->max_value != NULL && number > (double)*claim->max_value) {
        return refuse_claim(why, OUTCOME_RULE, claim->pointer, "is above %lld",
                            (long long)*claim->max_value);
    }
    return OUTCOME_OK;
}

static enum outcome check_items(const struct claim *claim, const json_t *value, struct reason *why)
{
    size_t count = json_array_size(value);
    if (count == 0 || count > ITEMS_MAX) {
        return refuse_claim(why, OUTCOME_RULE, claim->pointer, "must have 1 to %d items",
                            ITEMS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        char pointer[REASON_CLAIM_SIZE];
        char step[24];
        (void)snprintf(step, sizeof step, "%zu", i);
        (void)pointer_step(pointer, claim->pointer, step);
        enum outcome outcome = text_check(&claim->limits, pointer, json_array_get(value, i), why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

static enum outcome wrong_type(const struct claim *claim, const char *wanted, struct reason *why)
{
    return refuse_claim(why, OUTCOME_RULE, claim->pointer, "must be %s", wanted);
}

enum outcome value_check(const struct claim *claim, const json_t *value, struct reason *why)
{
    switch (claim->type) {
    case TYPE_STRING:
        return text_check(&claim->limits, claim->pointer, value, why);
    case TYPE_INTEGER:
        return json_is_integer(value) ? check_integer(claim, value, why)
                                      : wrong_type(claim, "an integer", why);
    case TYPE_NUMBER:
        return json_is_number(value) ? check_number(claim, value, why)
                                     : wrong_type(claim, "a number", why);
    case TYPE_BOOLEAN:
        return json_is_boolean(value) ? OUTCOME_OK : wrong_type(claim, "true or false", why);
    case TYPE_OBJECT:
        return json_is_object(value) ? OUTCOME_OK : wrong_type(claim, "an object", why);
    case TYPE_ARRAY:
        return json_is_array(value) ? OUTCOME_OK : wrong_type(claim, "an array", why);
    case TYPE_STRING_ARRAY:
        return json_is_array(value) ? check_items(claim, value, why)
                                    : wrong_type(claim, "an array of strings", why);
    }
    return wrong_type(claim, "left out", why);
}
