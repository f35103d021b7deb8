/* SPDX-License-Identifier: Apache-2.0
 * Routing. */
#include "http/route.h"

#include "base/name.h"

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
    out->name = span_part(rest, slash + 1, rest.len);
    return name_is_valid(out->name);
}

/* A path around the name of a role, or of a profile that verifies. */
static const struct named_row {
    const char *before;
    const char *after;
    enum signing_route route;
    const char *const *allow;
} named_rows[] = {
    {"/v1/tls-signature/", "", ROUTE_TLS_SIGNATURE, &post},
    {"/v1/keys/", "/certificate", ROUTE_CERTIFICATE, &get},
    {"/v1/keys/", "/reference", ROUTE_REFERENCE, &get},
    {"/v1/verify/detached-jws/", "", ROUTE_VERIFY_DETACHED_JWS, &post},
    {"/v1/verify/id-token/", "", ROUTE_VERIFY_ID_TOKEN, &post},
};

static bool find_named(const char *path, struct route *out)
{
    struct span whole = span_of_text(path);
    for (size_t i = 0; i < COUNT_OF(named_rows); i++) {
        const struct named_row *row = &named_rows[i];
        size_t before = strlen(row->before);
        size_t after = strlen(row->after);
        if (whole.len < before + after || !span_is_text(span_part(whole, 0, before), row->before) ||
            !span_is_text(span_part(whole, whole.len - after, after), row->after)) {
            continue;
        }
        struct span name = span_part(whole, before, whole.len - before - after);
        if (name_is_valid(name)) {
            *out = (struct route){.route = row->route, .name = name, .allow = *row->allow};
            return true;
        }
    }
    return false;
}

enum outcome route_find(const char *method, const char *path, struct route *out)
{
    if (!find_operation(path, out) && !find_fixed(path, out) && !find_named(path, out)) {
        *out = (struct route){.allow = NULL};
        return OUTCOME_NOT_FOUND;
    }
    return strcmp(method, out->allow) == 0 ? OUTCOME_OK : OUTCOME_METHOD;
}

enum outcome route_query(const struct route *route, struct span query, struct span *kid,
                         const char **detail)
{
    static const char prefix[] = "kid=";
    size_t at = sizeof prefix - 1;
    if (route->route != ROUTE_CERTIFICATE) {
        *detail = "this path takes no query";
        return OUTCOME_MALFORMED;
    }
    *kid = span_part(query, at, query.len);
    if (!span_is_text(span_part(query, 0, at), prefix) || !key_name_is_valid(*kid)) {
        *detail = "the only query here is kid= and the RFC 7638 thumbprint of a key";
        return OUTCOME_MALFORMED;
    }
    return OUTCOME_OK;
}
