/* SPDX-License-Identifier: Apache-2.0
 * Strict RFC 7512 token URIs. */
#include "pkcs11/uri.h"

#include "base/span.h"

#include <assert.h>
#include <p11-kit/uri.h>
#include <stdlib.h>
#include <string.h>

struct uri {
    P11KitUri *parsed;
};

struct attribute {
    const char *name;
    bool names_token; /* in the path: it tells tokens apart */
    bool in_query;
    const char *refusal; /* NULL: taken */
};

static const struct attribute attributes[] = {
    {"token", true, false, NULL},
    {"manufacturer", true, false, NULL},
    {"serial", true, false, NULL},
    {"model", true, false, NULL},
    {"pin-source", false, true, NULL},
    {"pin-value", false, true, "a PIN does not belong into a configuration: use pin-source"},
    {"module-path", false, true, "the module is named by `module:`"},
    {"module-name", false, true, "the module is named by `module:`"},
};
static_assert(COUNT_OF(attributes) <= 32, "a bit for every attribute");

static const char scheme[] = "pkcs11:";

static bool take_attribute(struct span part, bool in_query, uint32_t *seen, struct reason *why)
{
    struct span name = span_part(part, 0, span_find(part, '='));
    for (size_t i = 0; i < COUNT_OF(attributes); i++) {
        const struct attribute *row = &attributes[i];
        if (row->in_query != in_query || !span_is_text(name, row->name)) {
            continue;
        }
        if (row->refusal != NULL) {
            (void)refuse(why, OUTCOME_RULE, "uri: %s is refused: %s", row->name, row->refusal);
            return false;
        }
        if ((*seen & 1U << i) != 0) {
            (void)refuse(why, OUTCOME_RULE, "uri: %s is there twice", row->name);
            return false;
        }
        *seen |= 1U << i;
        return true;
    }
    (void)refuse(why, OUTCOME_RULE,
                 "uri: attribute %.*s is not taken here (token, manufacturer, serial, model; "
                 "?pin-source)",
                 (int)(name.len < 64 ? name.len : 64), (const char *)name.data);
    return false;
}

static bool take_list(struct span list, uint8_t separator, bool in_query, uint32_t *seen,
                      struct reason *why)
{
    while (list.len > 0) {
        size_t end = span_find(list, separator);
        if (!take_attribute(span_part(list, 0, end), in_query, seen, why)) {
            return false;
        }
        list = span_part(list, end + 1, list.len);
    }
    return true;
}

static enum outcome check_text(const char *text, struct reason *why)
{
    struct span all = span_of_text(text);
    if (strncmp(text, scheme, sizeof scheme - 1) != 0) {
        return refuse(why, OUTCOME_RULE, "uri: must start with %s (RFC 7512)", scheme);
    }
    struct span rest = span_part(all, sizeof scheme - 1, all.len);
    size_t query = span_find(rest, '?');
    uint32_t seen = 0;
    if (!take_list(span_part(rest, 0, query), ';', false, &seen, why)) {
        return OUTCOME_RULE;
    }
    bool names_token = seen != 0;
    if (!take_list(span_part(rest, query + 1, rest.len), '&', true, &seen, why)) {
        return OUTCOME_RULE;
    }
    if (!names_token) {
        return refuse(why, OUTCOME_RULE, "uri: matches every token: name one by token= or serial=");
    }
    return OUTCOME_OK;
}

enum outcome uri_parse(const char *text, struct uri **out, struct reason *why)
{
    enum outcome outcome = check_text(text, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct uri *uri = calloc(1, sizeof *uri);
    P11KitUri *parsed = p11_kit_uri_new();
    if (uri == NULL || parsed == NULL) {
        free(uri);
        p11_kit_uri_free(parsed);
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    uri->parsed = parsed;
    int result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_TOKEN, parsed);
    if (result != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(parsed)) {
        uri_free(uri);
        return refuse(why, OUTCOME_RULE, "uri: %s",
                      result == P11_KIT_URI_OK ? "an attribute's value is not recognised"
                                               : p11_kit_uri_message(result));
    }
    const char *source = p11_kit_uri_get_pin_source(parsed);
    if (source != NULL && source[0] == '\0') {
        uri_free(uri);
        return refuse(why, OUTCOME_RULE, "uri: pin-source is empty");
    }
    *out = uri;
    return OUTCOME_OK;
}

void uri_free(struct uri *uri)
{
    if (uri == NULL) {
        return;
    }
    p11_kit_uri_free(uri->parsed);
    free(uri);
}

bool uri_matches(const struct uri *uri, const CK_TOKEN_INFO *token)
{
    return p11_kit_uri_match_token_info(uri->parsed, token) != 0;
}

const char *uri_pin_source(const struct uri *uri)
{
    return p11_kit_uri_get_pin_source(uri->parsed);
}
