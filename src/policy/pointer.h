/* SPDX-License-Identifier: Apache-2.0
 * JSON pointers (RFC 6901) written for answers: escaped, and cut between characters, never inside
 * one, so that a caller's long member name cannot make a reason that is not UTF-8. */
#ifndef QSEAL_POLICY_POINTER_H
#define QSEAL_POLICY_POINTER_H

#include "base/attributes.h"
#include "model/outcome.h"

#include <stdbool.h>

/* base + "/" + escaped step. False when it had to be cut. `out` is not `base`. */
bool pointer_step(char out[REASON_CLAIM_SIZE], const char *base, const char *step);

#endif
