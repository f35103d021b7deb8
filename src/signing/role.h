/* SPDX-License-Identifier: Apache-2.0
 * Roles as callers name them: which there are, whose they are, and which of their keys is meant. */
#ifndef QSEAL_SIGNING_ROLE_H
#define QSEAL_SIGNING_ROLE_H

#include "base/attributes.h"
#include "signing/view.h"
#include "signing/watch.h"

/* Whether the caller may use keys of this role: a transport role that is granted to it, or the role
 * of one of its profiles. */
bool role_is_granted(const struct view *view, const struct config_caller *caller, const char *role);
/* The role, if it is of that purpose and granted to this caller: OUTCOME_NOT_FOUND,
 * OUTCOME_NOT_GRANTED. */
enum outcome role_find_transport(const struct view *view, const struct config_caller *caller,
                                 const char *name, const struct config_role **out,
                                 struct reason *why) MUST_USE;
/* The same for a role of any purpose that callers have. */
enum outcome role_find_any(const struct view *view, const struct config_caller *caller,
                           const char *name, const struct config_role **out,
                           struct reason *why) MUST_USE;

/* The role's key on that token that may sign now: the one of that thumbprint (a transport key also
 * while it is retiring), or the active one for "". NULL when there is none. */
const struct key *role_key(const struct view *view, const struct config_role *role,
                           const char *token, const char *kid);
/* Whether there is one on any of the role's tokens. */
bool role_has_key(const struct view *view, const struct config_role *role, const char *kid);
/* What is said when there is none: OUTCOME_NOT_FOUND, or OUTCOME_NO_KEY naming the state of the one
 * that does not sign. */
enum outcome role_refuse_without_key(const struct view *view, const struct config_role *role,
                                     const char *kid, struct reason *why);
/* The key to be shown: of the first token that is up, or, while none is, of the first that has one.
 * NULL when none has. One that has ended for its role (signing/key_end.h) only if there is no
 * other. */
const struct key *role_key_shown(const struct view *view, struct watch *watch,
                                 const struct config_role *role, const char *kid);

#endif
