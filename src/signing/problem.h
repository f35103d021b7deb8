/* SPDX-License-Identifier: Apache-2.0
 * Problem details (RFC 9457) as JSON text. */
#ifndef QSEAL_SIGNING_PROBLEM_H
#define QSEAL_SIGNING_PROBLEM_H

#include "base/buffer.h"
#include "model/outcome.h"

/* {"type":"urn:qseal:problem:NAME","title","status","detail","request_id","claim"?} */
void problem_put(struct buffer *out, enum outcome outcome, const struct reason *why,
                 const char *rule, const char *request_id);

#endif
