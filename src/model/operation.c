/* SPDX-License-Identifier: Apache-2.0
 * Operations and their names. */
#include "model/operation.h"

#include <assert.h>

static const char *const names[] = {
    [OPERATION_JAR] = "jar",
    [OPERATION_CLIENT_ASSERTION] = "client-assertion",
    [OPERATION_GRANT_ASSERTION] = "grant-assertion",
    [OPERATION_REGISTRATION] = "registration",
    [OPERATION_BODY_JWT] = "body-jwt",
    [OPERATION_DPOP] = "dpop",
    [OPERATION_DETACHED_JWS] = "detached-jws",
};
static_assert(COUNT_OF(names) == OPERATION_COUNT, "a name for every operation");

const char *operation_name(enum operation operation)
{
    return names[operation];
}

bool operation_from_name(struct span name, enum operation *out)
{
    for (unsigned int i = 0; i < OPERATION_COUNT; i++) {
        if (span_is_text(name, names[i])) {
            *out = (enum operation)i;
            return true;
        }
    }
    return false;
}

bool operation_is_known(unsigned int number)
{
    return number < OPERATION_COUNT;
}
