/* SPDX-License-Identifier: Apache-2.0
 * Inside src/audit only: whether the log still has all that its last checkpoint covers. */
#ifndef QSEAL_AUDIT_RECOVER_SEAL_H
#define QSEAL_AUDIT_RECOVER_SEAL_H

#include "audit/recover.h"

/* Takes over what the file `checkpoint` covers, where there is one. OUTCOME_RULE: the log has lost
 * records, is another one, or the file is damaged; OUTCOME_UNAVAILABLE: it cannot be read. Whether
 * its signature is good needs a key that is not here: a forged one stops the service, no more. */
enum outcome recover_check_seal(int folder, struct recovered *found, struct reason *why) MUST_USE;

#endif
