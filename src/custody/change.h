/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: keys on their way from state to state, by an administrator's will. */
#ifndef QSEAL_CUSTODY_CHANGE_H
#define QSEAL_CUSTODY_CHANGE_H

#include "custody/act.h"
#include "custody/failures.h"

enum {
    SELECTION_MAX = 16,       /* keys that a verb is about: a role's tokens */
    SELECTION_ROOM = 64,      /* and those that it says something of */
    SELECTION_PREFIX_MIN = 8, /* characters of a thumbprint */
};

/* Keys by their index in the keyring: one key on all its tokens, or one per token of a role. */
struct selection {
    size_t indexes[SELECTION_ROOM];
    size_t n;
};

/* What the argument "key" names, on the token of the argument "token" if it is there: a thumbprint
 * or its first 8 characters or more, or a role, of which the keys in one of the states `from` (bits
 * 1 << enum key_state; 0: a role is not enough) are meant. OUTCOME_NOT_FOUND, OUTCOME_RULE. */
enum outcome select_keys(const struct act *act, const struct keyring *keyring, unsigned int from,
                         struct selection *out, struct reason *why) MUST_USE;
/* The same on this token, NULL: on any, whatever the arguments say of one. */
enum outcome select_keys_on(const struct act *act, const struct keyring *keyring, const char *token,
                            unsigned int from, struct selection *out, struct reason *why) MUST_USE;
/* The part of it that knows thumbprints; appends to *out. */
enum outcome select_by_thumbprint(const char *token, const struct keyring *keyring,
                                  const char *prefix, struct selection *out,
                                  struct reason *why) MUST_USE;

/* What the rules of a change look at. */
struct change_question {
    const struct policy *policy;
    const struct keyring *keyring;
    const struct key *key;
    int64_t now; /* wall seconds */
};

/* Whether the first key of its role on a token may be in use at once, for all that has to be on
 * record of it. */
bool rule_first(const struct change_question *question);
/* Where a suspended key goes on. */
enum outcome rule_resume(const struct key *key, enum key_state *to, struct reason *why) MUST_USE;

/* How many seconds a key is still shown after it has signed for the last time; 0 for a role without
 * profiles. */
int64_t rule_keep_s(const struct policy *policy, const char *role);
/* Notes with a step of the key what this configuration asks to wait after it (keyring/keyring.h):
 * another one may come before the wait is over, and verifiers do not know of that. */
void rule_note_wait(const struct policy *policy, const struct key *key, struct key_change *change);
/* For how long a key is published before it signs: what was asked for when it was published, or is
 * now, whichever is longer. */
int64_t rule_wait_s(const struct config_role *role, const struct key *key);
/* Whether a key of the role is active on any token. */
bool rule_is_active(const struct keyring *keyring, const char *role);
/* The rule of the step into this state: what does not depend on the time, and what does. */
enum outcome rule_step(const struct change_question *question, enum key_state to,
                       struct reason *why) MUST_USE;
enum outcome rule_time(const struct change_question *question, enum key_state to,
                       struct reason *why) MUST_USE;

enum { STEPS_MAX = 2 * SELECTION_MAX };

/* Steps of one generation. */
struct steps {
    struct keyring_step list[STEPS_MAX];
    size_t n;
};

/* Adds the change of the key, if the table of transitions and rule_step() allow it, and before it
 * that of the key whose place it takes. There is room for two. */
enum outcome steps_add(const struct change_question *question, const struct key_change *change,
                       struct steps *steps, struct reason *why) MUST_USE;

/* The change of a key by this request, now, for the reason in its arguments. OUTCOME_RULE when that
 * is too long. */
enum outcome change_by(const struct act *act, enum key_state to, struct key_change *out,
                       struct reason *why) MUST_USE;
/* Appends {"keys":[…],"generation":N} of these keys of the keyring, and a line for each to the log;
 * and what failed beside it (NULL: nothing).
 * What was scheduled in the keyring `before`, and is possible no more, stands there as "dropped".
 */
void change_report(const struct act *act, const struct keyring *before,
                   const struct keyring *keyring, const struct selection *selection,
                   const struct failures *failures);

#endif
