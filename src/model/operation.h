/* SPDX-License-Identifier: Apache-2.0
 * The kinds of artefact a caller can ask for: one per door under /v1/. */
#ifndef QSEAL_MODEL_OPERATION_H
#define QSEAL_MODEL_OPERATION_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

enum operation {
    OPERATION_JAR,              /* RFC 9101 */
    OPERATION_CLIENT_ASSERTION, /* RFC 7523 §2.2, RFC 10070 */
    OPERATION_GRANT_ASSERTION,  /* RFC 7523 §2.1 */
    OPERATION_REGISTRATION,     /* RFC 7591 */
    OPERATION_BODY_JWT,         /* application/jwt bodies: Brasil, KSA */
    OPERATION_DPOP,             /* RFC 9449 */
    OPERATION_DETACHED_JWS,     /* RFC 7515 Appendix F, RFC 7797 */
};
enum { OPERATION_COUNT = OPERATION_DETACHED_JWS + 1 };

/* As in paths and templates: "jar", "client-assertion", … */
const char *operation_name(enum operation operation);
bool operation_from_name(struct span name, enum operation *out) MUST_USE;
bool operation_is_known(unsigned int number);

#endif
