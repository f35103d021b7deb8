/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: keys on their way from state to state, by an administrator's will. */
#ifndef QSEAL_CUSTODY_CHANGE_H
#define QSEAL_CUSTODY_CHANGE_H

#include "custody/act.h"

enum { SELECTION_MAX = 16, SELECTION_PREFIX_MIN = 8 /* characters of a thumbprint */ };

/* Keys by their index in the keyring: one key on all its tokens, or one per token of a role. */
struct selection {
    size_t indexes[SELECTION_MAX];
    size_t n;
};

/* What the argument "key" names, on the token of the argument "token" if it is there: a thumbprint
 * or its first 8 characters or more, or a role, of which the keys in one of the states `from` (bits
 * 1 << enum key_state; 0: a role is not enough) are meant. OUTCOME_NOT_FOUND, OUTCOME_RULE. */
enum outcome select_keys(const struct act *act, const struct keyring *keyring, unsigned int from,
                         struct selection *out, struct reason *why) MUST_USE;
/* The part of it that knows thumbprints; appends to *out. */
enum outcome select_by_thumbprint(const struct act *act, const struct keyring *keyring,
                                  const char *prefix, struct selection *out,
                                  struct reason *why) MUST_USE;

/* What the rules of a change look at. */
struct change_question {
    const struct policy *policy;
    const struct keyring *keyring;
    const struct key *key;
    int64_t now; /* wall seconds */
};

/* Whether these rules, beyond the table of transitions, let the key go on; OUTCOME_RULE with what
 * is missing or from when on it may. */
enum outcome rule_publish(const struct change_question *question, struct reason *why) MUST_USE;
enum outcome rule_activate(const struct change_question *question, struct reason *why) MUST_USE;
enum outcome rule_retire(const struct change_question *question, struct reason *why) MUST_USE;
/* For how many seconds keys of the role are kept after their last signature; 0: not at all. */
int64_t rule_keep_s(const struct policy *policy, const char *role);
/* Where a suspended key goes on. */
enum outcome rule_resume(const struct key *key, enum key_state *to, struct reason *why) MUST_USE;

/* The change of a key by this request, now, for the reason in its arguments. OUTCOME_RULE when that
 * is too long. */
enum outcome change_by(const struct act *act, enum key_state to, struct key_change *out,
                       struct reason *why) MUST_USE;
/* Appends {"keys":[…],"generation":N} of these keys of the keyring, and a line for each to the log.
 */
void change_report(const struct act *act, const struct keyring *keyring,
                   const struct selection *selection);

#endif
