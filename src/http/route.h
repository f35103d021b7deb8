/* SPDX-License-Identifier: Apache-2.0
 * Paths and methods of the callers' door: a table, and nothing is found beside it. */
#ifndef QSEAL_HTTP_ROUTE_H
#define QSEAL_HTTP_ROUTE_H

#include "base/attributes.h"
#include "model/outcome.h"
#include "signing/signing.h"

struct route {
    enum signing_route route;
    enum operation operation; /* ROUTE_SIGN only */
    struct span name;         /* of a profile or a role; borrowed from the path */
    const char *allow;        /* the method the path takes, once the path is known */
};

/* The path is as sent, nothing unescaped: no name here needs an escape, so an escaped one is not
 * found. OUTCOME_OK, OUTCOME_NOT_FOUND, or OUTCOME_METHOD with `allow` set. */
enum outcome route_find(const char *method, const char *path, struct route *out) MUST_USE;

/* What stands behind the path's "?", as sent. The only query there is names a key:
 * /v1/keys/{role}/certificate?kid=THUMBPRINT; *kid is borrowed from it. Otherwise OUTCOME_MALFORMED
 * with a fixed text. */
enum outcome route_query(const struct route *route, struct span query, struct span *kid,
                         const char **detail) MUST_USE;

#endif
