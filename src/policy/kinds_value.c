/* SPDX-License-Identifier: Apache-2.0
 * What the table of kinds says of values: in a caller's JAR, in a template's constants, and at the
 * top of a detached body. */
#include "policy/kinds.h"

#include "policy/pointer.h"

#include <stdio.h>
#include <string.h>

#define EXEMPTION_ACR "urn:openbanking:psd2:ca"

/* A template may permit one of the first five; the others make a JWT whoever asks: a request object
 * (OpenID Connect Core §6.1 wants no client_id in it), a registration, or an assertion. */
enum { PERMITTABLE = 5 };
static const char *const body_members[] = {
    "scope",         "nonce",         "events", "request", "client_id",
    "redirect_uri",  "redirect_uris", "iss",    "sub",     "aud",
    "exp",           "nbf",           "jti",    "iat",     "software_statement",
    "response_type",
};

static bool is_among(const char *name, size_t first)
{
    for (size_t i = 0; i < first; i++) {
        if (strcmp(name, body_members[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool kinds_body_member_is_refused(const char *name)
{
    return is_among(name, COUNT_OF(body_members));
}

bool kinds_body_member_may_be_permitted(const char *name)
{
    return is_among(name, PERMITTABLE);
}

const char *const *kinds_body_members(size_t *count)
{
    *count = COUNT_OF(body_members);
    return body_members;
}

/* Whether `word` is one of the words between blanks. */
bool kinds_has_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    while (*text != '\0') {
        size_t end = strcspn(text, " \t\r\n");
        if (end == len && strncmp(text, word, len) == 0) {
            return true;
        }
        text += end;
        text += strspn(text, " \t\r\n");
    }
    return false;
}

/* Every request of the operation comes by here: no pointer is written until there is a need. */
static bool holds_refused(const json_t *value)
{
    if (json_is_string(value)) {
        return kinds_has_word(json_string_value(value), EXEMPTION_ACR);
    }
    size_t index;
    json_t *item;
    json_array_foreach (value, index, item) {
        if (holds_refused(item)) {
            return true;
        }
    }
    const char *name;
    /* jansson's iterator takes a mutable object and does not change it. */
    json_object_foreach ((json_t *)value, name, item) {
        if (holds_refused(item)) {
            return true;
        }
    }
    return false;
}

static void find_refused(const json_t *value, const char *base, char pointer[REASON_CLAIM_SIZE])
{
    (void)snprintf(pointer, REASON_CLAIM_SIZE, "%s", base);
    char below[REASON_CLAIM_SIZE];
    size_t index;
    json_t *item;
    json_array_foreach (value, index, item) {
        char step[24];
        (void)snprintf(step, sizeof step, "%zu", index);
        (void)pointer_step(below, base, step);
        if (holds_refused(item)) {
            find_refused(item, below, pointer);
            return;
        }
    }
    const char *name;
    json_object_foreach ((json_t *)value, name, item) {
        (void)pointer_step(below, base, name);
        if (holds_refused(item)) {
            find_refused(item, below, pointer);
            return;
        }
    }
}

bool kinds_value_is_refused(enum operation operation, const json_t *value, const char *base,
                            char pointer[REASON_CLAIM_SIZE])
{
    bool asks = operation == OPERATION_JAR || operation == OPERATION_DETACHED_JWS;
    if (!asks || !holds_refused(value)) {
        return false;
    }
    find_refused(value, base, pointer);
    return true;
}
