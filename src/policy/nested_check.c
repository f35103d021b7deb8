/* SPDX-License-Identifier: Apache-2.0
 * Checks of a template's nested rules and its shorthand. */
#include "policy/template_check.h"

#include "jose/json.h"
#include "policy/pattern.h"
#include "policy/yaml.h"

#include <stdio.h>
#include <string.h>

enum { WHERE_SIZE = 64, PLACE_MAX = 200 };

/* "/claims/userinfo/x" is inside the claim "claims". */
static bool is_inside(const char *at, const char *claim)
{
    size_t len = strlen(claim);
    return at[0] == '/' && strncmp(at + 1, claim, len) == 0 && at[len + 1] == '/';
}

/* Plain member names only: no "~", no empty step, none at the end. */
static bool is_place(const char *at)
{
    size_t len = strlen(at);
    return len >= 4 && len < PLACE_MAX && at[0] == '/' && at[len - 1] != '/' &&
           strstr(at, "//") == NULL && strchr(at, '~') == NULL;
}

static const char *wrong_place(const struct template *template, const char *at)
{
    if (!is_place(at)) {
        return "a place is a JSON pointer such as /claims/userinfo/x, without ~";
    }
    for (uint32_t i = 0; i < template->claims_count; i++) {
        const struct template_claim *claim = &template->claims[i];
        if (is_inside(at, claim->name)) {
            return claim->rule == CLAIM_CALLER && claim->type == TYPE_OBJECT
                       ? NULL
                       : "a place must be inside a claim of rule caller and type object";
        }
    }
    return "a place must be inside a claim of rule caller and type object";
}

/* No place twice, and none inside another. */
static bool places_collide(const struct template *template, const char *at)
{
    unsigned int times = 0;
    for (uint32_t i = 0; i < template->nested_count; i++) {
        for (uint32_t k = 0; k < template->nested[i].at_count; k++) {
            const char *other = template->nested[i].at[k];
            size_t len = strlen(other);
            bool covers = strncmp(at, other, len) == 0 && (at[len] == '\0' || at[len] == '/');
            times += covers ? 1 : 0;
        }
    }
    return times != 1;
}

static const char *wrong_nested(const struct template *template,
                                const struct template_nested *nested)
{
    for (uint32_t i = 0; i < nested->at_count; i++) {
        const char *wrong = wrong_place(template, nested->at[i]);
        if (wrong != NULL) {
            return wrong;
        }
        if (places_collide(template, nested->at[i])) {
            return "a place is named twice, or lies inside another";
        }
        size_t first = strcspn(nested->at[0] + 1, "/") + 2;
        if (strncmp(nested->at[0], nested->at[i], first) != 0) {
            return "all places of one rule lie inside the same claim";
        }
    }
    if (nested->equals != NULL) {
        JSON_CLEANUP json_t *literal = literal_parse(nested->equals);
        if (literal == NULL) {
            return "equals is not JSON text";
        }
        return nested->pattern == NULL && nested->min_length == NULL && nested->max_length == NULL
                   ? NULL
                   : "equals takes no pattern and no lengths";
    }
    if (nested->pattern == NULL) {
        return NULL;
    }
    struct pattern *pattern = NULL;
    const char *wrong = pattern_compile(nested->pattern, &pattern);
    pattern_free(pattern);
    return wrong;
}

static const char *wrong_shorthand(const struct template *template)
{
    const struct template_shorthand *shorthand = template->shorthand;
    const struct template_claim *claim = template_claim(template, shorthand->claim);
    if (claim == NULL || claim->rule != CLAIM_CALLER || !claim->closed) {
        return "shorthand: claim must name a claim of rule caller, type object, that is closed";
    }
    if (template_claim(template, shorthand->name) != NULL || name_is_service_set(shorthand->name)) {
        return "shorthand: name must not be the name of a claim";
    }
    unsigned int groups = 0;
    for (uint32_t i = 0; i < template->nested_count; i++) {
        bool inside = is_inside(template->nested[i].at[0], claim->name);
        groups += inside && template->nested[i].equals == NULL ? 1 : 0;
    }
    return groups == 1 ? NULL
                       : "shorthand: the claim's nested rules must leave exactly one string open";
}

/* A closed object without nested rules could hold nothing. */
static const char *wrong_closed(const struct template *template)
{
    for (uint32_t i = 0; i < template->claims_count; i++) {
        const struct template_claim *claim = &template->claims[i];
        bool ruled = false;
        for (uint32_t k = 0; k < template->nested_count; k++) {
            ruled = ruled || is_inside(template->nested[k].at[0], claim->name);
        }
        if (claim->closed && (!ruled || claim->type != TYPE_OBJECT)) {
            return "a closed claim is an object with nested rules";
        }
    }
    return NULL;
}

enum outcome nested_check(const struct template *template, const char *path, struct reason *why)
{
    for (uint32_t i = 0; i < template->nested_count; i++) {
        const char *wrong = wrong_nested(template, &template->nested[i]);
        if (wrong != NULL) {
            char where[WHERE_SIZE];
            (void)snprintf(where, sizeof where, "/nested/%u", i);
            return yaml_refuse(why, path, where, "%s", wrong);
        }
    }
    const char *wrong = wrong_closed(template);
    if (wrong != NULL) {
        return yaml_refuse(why, path, "/nested", "%s", wrong);
    }
    wrong = template->shorthand == NULL ? NULL : wrong_shorthand(template);
    return wrong == NULL ? OUTCOME_OK : yaml_refuse(why, path, "/shorthand", "%s", wrong);
}
