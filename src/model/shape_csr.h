/* SPDX-License-Identifier: Apache-2.0
 * The shape guard's fourth form: what any key may sign about itself, the CertificationRequestInfo
 * of a PKCS#10 request (RFC 2986 §4.1). Like shape.h it shares no code with the side that builds
 * the bytes. */
#ifndef QSEAL_MODEL_SHAPE_CSR_H
#define QSEAL_MODEL_SHAPE_CSR_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/outcome.h"

/* OUTCOME_OK when the input is, to its last byte and in DER,
 *   SEQUENCE { INTEGER 0, Name, SubjectPublicKeyInfo, [0] attributes }
 * where the attributes are none, or one extensionRequest whose extensions are of the closed list
 * that profiles ask for (key identifier, usages, alternative names, qcStatements), each at most
 * once. *spki is set to the third, borrowed; whether it is the signing key's own is for the caller
 * to compare. Otherwise OUTCOME_SHAPE with the reason. */
enum outcome shape_csr_check(struct span input, struct span *spki, struct reason *why) MUST_USE;

#endif
