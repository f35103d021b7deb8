/* SPDX-License-Identifier: Apache-2.0
 * Places and small rules of qseal.yaml. */
#include "policy/config_rule.h"

#include "base/name.h"
#include "policy/yaml.h"

#include <stdarg.h>
#include <stdio.h>

struct at at(const char *format, ...)
{
    struct at place;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(place.pointer, sizeof place.pointer, format, args);
    va_end(args);
    return place;
}

enum outcome check_path(const struct check *check, struct at place, const char *path)
{
    if (path[0] != '/') {
        return yaml_refuse(check->why, check->config->path, place.pointer,
                           "%s: an absolute path is wanted here", place.pointer);
    }
    return OUTCOME_OK;
}

enum outcome check_ranges(const struct check *check, struct at section, const struct range *ranges,
                          size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct range *range = &ranges[i];
        if (range->value < range->min || range->value > range->max) {
            struct at place = at("%.200s/%s", section.pointer, range->key);
            return yaml_refuse(check->why, check->config->path, place.pointer,
                               "%s: %u is out of range; %u to %u", place.pointer, range->value,
                               range->min, range->max);
        }
    }
    return OUTCOME_OK;
}

enum outcome check_name(const struct check *check, struct at place, const char *name)
{
    if (!name_is_valid(span_of_text(name))) {
        return yaml_refuse(check->why, check->config->path, place.pointer,
                           "%s: a name is 1 to 63 of a-z 0-9 - _ . and has no dot in front",
                           place.pointer);
    }
    return OUTCOME_OK;
}

enum outcome refuse_twin(const struct check *check, struct at place, struct at first)
{
    return yaml_refuse(check->why, check->config->path, place.pointer, "%s: the same as %s",
                       place.pointer, first.pointer);
}
