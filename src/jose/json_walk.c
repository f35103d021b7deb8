/* SPDX-License-Identifier: Apache-2.0
 * Walks over parsed JSON: to where a pointer points (RFC 6901), and to reals that do not survive
 * being written. */
#include "jose/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct span json_text(const json_t *value)
{
    return span_of(json_string_value(value), json_string_length(value));
}

/* Takes one reference token off the pointer, unescaped. False when an escape is none of ~0 and ~1,
 * or the token is too long to be ours. */
static bool take_token(const char **pointer, char out[REASON_CLAIM_SIZE])
{
    size_t len = 0;
    const char *at = *pointer + 1;
    for (; *at != '\0' && *at != '/'; at++) {
        char c = *at;
        if (c == '~') {
            at++;
            if (*at != '0' && *at != '1') {
                return false;
            }
            c = *at == '0' ? '~' : '/';
        }
        if (len + 1 >= REASON_CLAIM_SIZE) {
            return false;
        }
        out[len++] = c;
    }
    out[len] = '\0';
    *pointer = at;
    return true;
}

/* RFC 6901 §4: digits without a leading zero; "-" is the element that is not there. */
static json_t *array_element(json_t *array, const char *token)
{
    size_t digits = strspn(token, "0123456789");
    bool is_index = digits > 0 && token[digits] == '\0' && (token[0] != '0' || digits == 1);
    if (!is_index || digits > 9) {
        return NULL;
    }
    return json_array_get(array, strtoul(token, NULL, 10));
}

json_t *json_at_pointer(json_t *root, const char *pointer)
{
    json_t *here = root;
    while (here != NULL && *pointer != '\0') {
        char token[REASON_CLAIM_SIZE];
        if (*pointer != '/' || !take_token(&pointer, token)) {
            return NULL;
        }
        here = json_is_array(here) ? array_element(here, token) : json_object_get(here, token);
    }
    return here;
}

/* Appends "/token" with RFC 6901 §3 escapes; false, and nothing appended, when it does not fit. */
static bool push_token(char pointer[REASON_CLAIM_SIZE], const char *token)
{
    size_t start = strlen(pointer);
    size_t len = start;
    pointer[len++] = '/';
    for (; *token != '\0'; token++) {
        if (len + 3 >= REASON_CLAIM_SIZE) {
            pointer[start] = '\0';
            return false;
        }
        if (*token == '~' || *token == '/') {
            pointer[len++] = '~';
            pointer[len++] = *token == '~' ? '0' : '1';
        } else {
            pointer[len++] = *token;
        }
    }
    pointer[len] = '\0';
    return true;
}

static bool real_is_exact(double value)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.15g", value);
    return strtod(text, NULL) == value;
}

static bool reals_below(const json_t *value, char pointer[REASON_CLAIM_SIZE]);

/* On the way back from a find the pointer stays; otherwise it is cut to where it was. */
static bool reals_at(const json_t *value, const char *token, char pointer[REASON_CLAIM_SIZE])
{
    size_t start = strlen(pointer);
    bool named = start + 2 < REASON_CLAIM_SIZE && push_token(pointer, token);
    if (!reals_below(value, pointer)) {
        pointer[named ? strlen(pointer) : start] = '\0';
        return false;
    }
    pointer[start] = '\0';
    return true;
}

static bool reals_in_array(const json_t *array, char pointer[REASON_CLAIM_SIZE])
{
    size_t i;
    json_t *element;
    json_array_foreach (array, i, element) {
        char index[24];
        (void)snprintf(index, sizeof index, "%zu", i);
        if (!reals_at(element, index, pointer)) {
            return false;
        }
    }
    return true;
}

static bool reals_below(const json_t *value, char pointer[REASON_CLAIM_SIZE])
{
    if (json_is_real(value)) {
        return real_is_exact(json_real_value(value));
    }
    if (json_is_array(value)) {
        return reals_in_array(value, pointer);
    }
    if (!json_is_object(value)) {
        return true;
    }
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        if (!reals_at(member, name, pointer)) {
            return false;
        }
    }
    return true;
}

bool json_reals_are_exact(const json_t *value, char pointer[REASON_CLAIM_SIZE])
{
    pointer[0] = '\0';
    return reals_below(value, pointer);
}
