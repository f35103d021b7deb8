/* SPDX-License-Identifier: Apache-2.0
 * Attribute names of a token's URI, before p11-kit reads their values. */
#include "policy/config_uri.h"

#include "base/span.h"

#include <string.h>
#include <strings.h>

static const char scheme[] = "pkcs11:";

/* RFC 7512 §2.3: those that say something of the library, the slot or the token. */
static const char *const path_names[] = {
    "token",           "manufacturer",        "serial",           "model",
    "slot-id",         "slot-manufacturer",   "slot-description", "library-description",
    "library-version", "library-manufacturer"};

static bool is_path_name(struct span name)
{
    for (size_t i = 0; i < COUNT_OF(path_names); i++) {
        if (span_is_text(name, path_names[i])) {
            return true;
        }
    }
    return false;
}

static const char *name_fault(struct span name, bool in_query)
{
    if (in_query && !span_is_text(name, "pin-source")) {
        return "behind the ? only pin-source is taken; the module is named by the key `module`";
    }
    if (!in_query && !is_path_name(name)) {
        return "it must name a token by token, serial, model, manufacturer or slot attributes, and "
               "nothing else";
    }
    return NULL;
}

/* Whether an attribute of this name stands in the text before `end`. */
static bool is_there_before(const char *text, const char *end, struct span name)
{
    while (text < end) {
        size_t len = strcspn(text, ";&?");
        struct span attribute = span_of(text, len);
        if (span_equal(span_part(attribute, 0, span_find(attribute, '=')), name)) {
            return true;
        }
        text += len + 1;
    }
    return false;
}

const char *config_uri_fault(const char *uri)
{
    if (strncmp(uri, scheme, sizeof scheme - 1) != 0) {
        return "a PKCS#11 URI (RFC 7512) is wanted here, pkcs11:token=NAME";
    }
    /* First, so that nothing else is ever said of a URI that holds a PIN. */
    if (strcasestr(uri, "pin-value") != NULL) {
        return "a PIN (pin-value) in a configuration file is refused; use pin-source";
    }
    const char *start = uri + sizeof scheme - 1;
    bool in_query = false;
    for (const char *at = start;;) {
        size_t len = strcspn(at, in_query ? "&" : ";?");
        struct span attribute = span_of(at, len);
        size_t equals = span_find(attribute, '=');
        if (equals == len || equals + 1 == len) {
            return "each attribute of the URI is name=value";
        }
        struct span name = span_part(attribute, 0, equals);
        const char *fault = name_fault(name, in_query);
        if (fault != NULL) {
            return fault;
        }
        if (is_there_before(start, at, name)) {
            return "an attribute of the URI is there twice";
        }
        if (at[len] == '\0') {
            return NULL;
        }
        in_query = in_query || at[len] == '?';
        at += len + 1;
    }
}

bool config_uri_has_pin_source(const char *uri)
{
    return strchr(uri, '?') != NULL; /* nothing else may stand there */
}
