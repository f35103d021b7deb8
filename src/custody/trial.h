/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: whether keys that are to become active sign in their tokens. Asked
 * before the lock of changes is taken, since a token may take its time, and looked up under it. */
#ifndef QSEAL_CUSTODY_TRIAL_H
#define QSEAL_CUSTODY_TRIAL_H

#include "custody/change.h"
#include "custody/self_sign.h"

enum { TRIALS_MAX = 64 };

/* One key on one token, and what came of it. */
struct trial {
    char token[KEYRING_TOKEN_SIZE];
    char kid[THUMBPRINT_SIZE];
    enum outcome outcome;
    char detail[CLOCK_DETAIL_SIZE];
};

struct trials {
    struct trial list[TRIALS_MAX];
    size_t n;
};

/* Makes one signature with the key in its token, over a certificate request for itself that nobody
 * gets, verifies it and throws it away. A token that has not answered once is not asked again. */
void trial_make(struct trials *trials, const struct self_signer *signer, const struct key *key);
/* The same for each key that these steps of the keyring make active. */
void trials_make(struct trials *trials, const struct self_signer *signer,
                 const struct keyring *keyring, const struct keyring_step *steps, size_t n);
/* The same for a first key, which is in no keyring yet. The token's reason when it does not sign.
 */
enum outcome trial_first(const struct self_signer *signer, const struct key *key,
                         struct reason *why) MUST_USE;
/* And for a replica that is to be adopted. */
enum outcome trial_replica(const struct self_signer *signer, const struct key *key,
                           struct reason *why) MUST_USE;
/* The trial of this key on this token; NULL: there was none. */
const struct trial *trial_of(const struct trials *trials, const struct key *key);
/* The token's reason when a key that these steps make active does not sign; OUTCOME_LIMIT when it
 * was not asked, since the keyring was another one then. */
enum outcome trials_check(const struct trials *trials, const struct keyring *keyring,
                          const struct keyring_step *steps, size_t n, struct reason *why) MUST_USE;

#endif
