/* SPDX-License-Identifier: Apache-2.0
 * Routing. */
#include "http/route.h"

#include <string.h>

static const char *const get = "GET";
static const char *const post = "POST";

struct row {
    const char *path;
    enum signing_route route;
};

/* Fixed paths; the doors that sign follow from the list of operations. */
static const struct row rows[] = {
    {"/v1/health", ROUTE_HEALTH},
    {"/v1/profiles", ROUTE_PROFILES},
    {"/v1/keys", ROUTE_KEYS},
    {"/v1/jwks", ROUTE_JWKS},
};

static bool find_fixed(const char *path, struct route *out)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(path, rows[i].path) == 0) {
            *out = (struct route){.route = rows[i].route, .allow = get};
            return true;
        }
    }
    return false;
}

/* /v1/{operation}/{profile} */
static bool find_operation(const char *path, struct route *out)
{
    static const char prefix[] = "/v1/";
    if (strncmp(path, prefix, sizeof prefix - 1) != 0) {
        return false;
    }
    struct span rest = span_of_text(path + sizeof prefix - 1);
    size_t slash = span_find(rest, '/');
    *out = (struct route){.route = ROUTE_SIGN, .allow = post};
    if (!operation_from_name(span_part(rest, 0, slash), &out->operation)) {
        return false;
    }
    out->profile = span_part(rest, slash + 1, rest.len);
    return name_is_valid(out->profile);
}

enum outcome route_find(const char *method, const char *path, struct route *out)
{
    if (!find_operation(path, out) && !find_fixed(path, out)) {
        *out = (struct route){.allow = NULL};
        return OUTCOME_NOT_FOUND;
    }
    return strcmp(method, out->allow) == 0 ? OUTCOME_OK : OUTCOME_METHOD;
}
