/* SPDX-License-Identifier: Apache-2.0
 * Checks of a template's JOSE header: sources, and what RFC 7515 §4.1.11 and RFC 7797 §6 say of
 * crit and b64. */
#include "policy/template_check.h"

#include "jose/json.h"
#include "policy/yaml.h"

#include <stdio.h>
#include <string.h>

enum { WHERE_SIZE = 64 };

/* Names whose value has one source only, whatever a template would like. */
static const struct {
    const char *name;
    enum header_source source;
} fixed_sources[] = {
    {"alg", HEADER_ALG},
    {"kid", HEADER_KID},
    {"jwk", HEADER_JWK},
    {"crit", HEADER_CRIT},
};

/* Members that make a verifier fetch keys or take the payload for something else. */
static const char *const never[] = {"jku", "x5u", "enc", "zip", "epk"};

/* Registered names may not be in crit (RFC 7515 §4.1.11). */
static const char *const registered[] = {"alg", "jku", "jwk", "kid",      "x5u", "x5c",
                                         "x5t", "typ", "cty", "x5t#S256", "crit"};

static bool is_in(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *wrong_source(const struct template_header *header)
{
    for (size_t i = 0; i < COUNT_OF(fixed_sources); i++) {
        bool named = strcmp(header->name, fixed_sources[i].name) == 0;
        if (named != (header->source == fixed_sources[i].source)) {
            return "alg, kid, jwk and crit have the source of their own name, and no others have";
        }
    }
    if (is_in(header->name, never, COUNT_OF(never))) {
        return "this member never stands in a header made here";
    }
    return NULL;
}

static const char *wrong_value(const struct template *template,
                               const struct template_header *header)
{
    bool is_const = header->source == HEADER_CONST;
    if (is_const != ((header->value != NULL) + (header->json != NULL) == 1) ||
        (!is_const && (header->value != NULL || header->json != NULL))) {
        return "source const, and no other, takes exactly one of value and json";
    }
    if ((header->config != NULL) != (header->source == HEADER_CONFIG)) {
        return "source config, and no other, takes config";
    }
    if (header->config != NULL && template_binding(template, header->config) == NULL) {
        return "config names no binding of this template";
    }
    JSON_CLEANUP json_t *literal = header->json == NULL ? NULL : literal_parse(header->json);
    if (header->json != NULL && literal == NULL) {
        return "json is not JSON text";
    }
    if (strcmp(header->name, "b64") == 0 &&
        (!json_is_false(literal) || template->payload != PAYLOAD_BODY_RAW)) {
        return "b64 is const, json: false, and goes with payload body-raw";
    }
    return NULL;
}

static const char *wrong_crit_name(const struct template *template, const char *name)
{
    if (template_header(template, name) == NULL) {
        return "crit names a member that is not in the header";
    }
    if (is_in(name, registered, COUNT_OF(registered))) {
        return "crit may not name a registered member (RFC 7515 section 4.1.11)";
    }
    uint32_t times = 0;
    for (uint32_t i = 0; i < template->crit_count; i++) {
        times += strcmp(template->crit[i], name) == 0 ? 1 : 0;
    }
    return times == 1 ? NULL : "crit names a member twice";
}

static enum outcome check_crit(const struct template *template, const char *path,
                               struct reason *why)
{
    bool b64_critical = false;
    for (uint32_t i = 0; i < template->crit_count; i++) {
        char where[WHERE_SIZE];
        (void)snprintf(where, sizeof where, "/crit/%u", i);
        const char *wrong = wrong_crit_name(template, template->crit[i]);
        if (wrong != NULL) {
            return yaml_refuse(why, path, where, "%s", wrong);
        }
        b64_critical = b64_critical || strcmp(template->crit[i], "b64") == 0;
    }
    if ((template->crit_count > 0) != (template_header(template, "crit") != NULL)) {
        return yaml_refuse(why, path, "/crit",
                           "a list crit and a header member crit: both or neither");
    }
    bool raw = template->payload == PAYLOAD_BODY_RAW;
    if (raw && template_header(template, "b64") == NULL) {
        return yaml_refuse(why, path, "/header", "payload body-raw needs the header member b64");
    }
    if (raw && b64_critical == template->allow_b64_without_crit) {
        return yaml_refuse(why, path, "/crit",
                           "b64 must be in crit (RFC 7797 section 6), unless "
                           "allow_b64_without_crit is set for a scheme that has none");
    }
    if (!raw && template->allow_b64_without_crit) {
        return yaml_refuse(why, path, "/allow_b64_without_crit", "this goes with body-raw");
    }
    return OUTCOME_OK;
}

enum outcome header_check(const struct template *template, const char *path, struct reason *why)
{
    for (uint32_t i = 0; i < template->header_count; i++) {
        const struct template_header *header = &template->header[i];
        const char *wrong = template_header(template, header->name) != header
                                ? "a second header member of this name"
                                : wrong_source(header);
        wrong = wrong != NULL ? wrong : wrong_value(template, header);
        if (wrong != NULL) {
            char where[WHERE_SIZE];
            (void)snprintf(where, sizeof where, "/header/%u", i);
            return yaml_refuse(why, path, where, "%s", wrong);
        }
    }
    if (template_header(template, "alg") == NULL) {
        return yaml_refuse(why, path, "/header", "the header needs the member alg");
    }
    return check_crit(template, path, why);
}
