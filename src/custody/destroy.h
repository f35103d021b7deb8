/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: keys that are being destroyed in their tokens, where no lock is held. A
 * key that may be gone already must not go on as if it were there. */
#ifndef QSEAL_CUSTODY_DESTROY_H
#define QSEAL_CUSTODY_DESTROY_H

#include "custody/act.h"

/* OUTCOME_LIMIT when another request is destroying this key, and the step is not the one that does
 * no harm: into KEY_COMPROMISED. `custody->change` is held. */
enum outcome destroying_check(const struct act *act, const struct key *key, enum key_state to,
                              struct reason *why) MUST_USE;
/* The same for whatever has changed from one keyring to the next. */
enum outcome destroying_check_all(const struct act *act, const struct keyring *now,
                                  const struct keyring *next, struct reason *why) MUST_USE;

#endif
