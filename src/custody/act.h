/* SPDX-License-Identifier: Apache-2.0
 * What the files of the custody service share: the service itself, and one administrator's request
 * on its way through it. */
#ifndef QSEAL_CUSTODY_ACT_H
#define QSEAL_CUSTODY_ACT_H

#include "base/attributes.h"
#include "custody/clock_state.h"
#include "custody/local.h"
#include "custody/report.h"

#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

struct destroying;

struct custody {
    struct custody_room room;
    pthread_mutex_t change; /* held by whoever makes the next view, never while a token is asked;
                               guards the next two */
    bool disk_failed;       /* no change any more: a failed fsync is final */
    struct destroying *destroying; /* custody/destroy.h */
    atomic_uint asking;            /* verbs that may be waiting for a token */
    pthread_mutex_t generating; /* held while a token makes a key: two would be made for one role */
    pthread_mutex_t approving;  /* held from the look at a plan until it is done and dropped */
    pthread_mutex_t plans;      /* guards the file; taken last */
    char plans_path[PATH_MAX];  /* beside the keyring */
    pthread_mutex_t report;     /* guards the next two */
    struct custody_reload_report reload;
    struct clock_state clock;
    struct overdue_list overdue_now; /* what the clock works with, it alone; so is the next */
    struct probe probes_now[PROBES_MAX];
    uint64_t faults; /* of the audit log, after which it was told what is in force; the clock's */
    struct custody_start start;
};

struct plan;

/* One administrator's request on its way. */
struct act {
    struct custody *custody;
    struct view *view;
    struct caller peer;
    const json_t *arguments;
    int pin; /* of struct custody_question */
    struct buffer *result;
    const char *verb;           /* "key activate" */
    bool two_persons;           /* where approval is required, it becomes a plan */
    const struct plan *plan;    /* what a second person has approved; NULL: nobody was asked */
    uint32_t approver;          /* uid, with a plan */
    bool resolved;              /* act_decide() was reached */
    bool may_change;            /* and it said go */
    bool stops;                 /* nothing but what stops a key: no record can hold it up */
    struct audit_ticket ticket; /* of its audit record */
};

/* Only members of this list, NULL-terminated, may be in the arguments, and they are strings. */
enum outcome act_check_arguments(const struct act *act, const char *const names[],
                                 struct reason *why) MUST_USE;
/* NULL when it is not there. */
const char *act_argument(const struct act *act, const char *name);
/* The role that the arguments name, and the token if they name one, on which the role is. */
enum outcome act_choose_role(const struct act *act, const struct config_role **role,
                             const struct config_token **only, struct reason *why) MUST_USE;
bool act_role_is_on(const struct config_role *role, const char *token);
/* The role's active key on its token of this index; NULL when there is none, or another token is
 * meant. */
const struct key *act_key_on(const struct act *act, const struct config_role *role,
                             const struct config_token *only, size_t index);
/* Whether the role has had a key on that token, NULL: on any, in whatever state. */
bool act_has_key(const struct keyring *keyring, const char *role, const char *token);
/* The key that role and token name for a certificate request: one that waits for its certificate
 * before the active one before any other, the newest of each; or the one of a thumbprint. */
enum outcome act_choose_for_csr(const struct act *act, const struct key **out,
                                struct reason *why) MUST_USE;
/* The active key that role and token name; without a token the first in order of preference. */
enum outcome act_choose_key(const struct act *act, const struct key **out,
                            struct reason *why) MUST_USE;
/* Refuses, because there is none. */
enum outcome act_no_key(const struct config_role *role, const struct config_token *only,
                        struct reason *why) MUST_USE;
/* Every verb that two persons do comes to this point with what it would do now (effect.h; taken
 * over; NULL: out of memory), under the lock that it holds until it is done, and before it has done
 * anything. *go: do it. Otherwise it has become a plan, and the answer is written; or it is
 * refused, since what it would do is not what was approved. Rules about time come after it: they
 * are judged when a plan is approved. */
/* Whether the verb needs a second person, and this is not the approval. */
bool act_is_held_up(const struct act *act);
enum outcome act_decide(struct act *act, json_t *effect, bool *go, struct reason *why) MUST_USE;
/* OUTCOME_INTERNAL when a verb that two persons do has left that out. */
enum outcome act_check_decided(const struct act *act, struct reason *why) MUST_USE;
/* Does a verb that two persons do, without asking for a right. */
enum outcome act_execute(struct act *act, const char *verb, struct reason *why) MUST_USE;
/* Saves the keyring, which is taken over, and puts it into force; `custody->change` is held. The
 * disk comes first: a crash in between loses nothing that was signed with. */
enum outcome act_install_locked(struct act *act, struct keyring *keyring,
                                struct reason *why) MUST_USE;

enum outcome act_reload(struct act *act, struct reason *why) MUST_USE;
/* Notes in the audit log what is in force, once more after each of its faults: the record of it may
 * have been lost. */
void reload_record_again(struct custody *custody);
/* With the typed PIN, if one came along. */
enum outcome act_token_unlock(struct act *act, struct reason *why) MUST_USE;
/* A key on every token of the role (or on the one named) that has none yet; where all have one, one
 * more on each. */
enum outcome act_key_generate(struct act *act, struct reason *why) MUST_USE;
/* A replica of a known key, which somebody has put onto another token of its role, entered there.
 */
enum outcome act_key_adopt(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_reference(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_csr(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_import(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_publish(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_activate(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_retire(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_suspend(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_resume(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_compromised(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_destroy(struct act *act, struct reason *why) MUST_USE;
enum outcome act_report(struct act *act, struct reason *why) MUST_USE;
enum outcome act_audit_key(struct act *act, struct reason *why) MUST_USE;
enum outcome act_audit_checkpoint(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_backup_recorded(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_seen(struct act *act, struct reason *why) MUST_USE;
enum outcome act_rotation_plan(struct act *act, struct reason *why) MUST_USE;
enum outcome act_rotation_apply(struct act *act, struct reason *why) MUST_USE;
enum outcome act_rotation_cancel(struct act *act, struct reason *why) MUST_USE;
enum outcome act_rotation_lookahead(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_show(struct act *act, struct reason *why) MUST_USE;
enum outcome act_clock_confirm(struct act *act, struct reason *why) MUST_USE;
enum outcome act_plan_list(struct act *act, struct reason *why) MUST_USE;
enum outcome act_plan_show(struct act *act, struct reason *why) MUST_USE;
enum outcome act_plan_withdraw(struct act *act, struct reason *why) MUST_USE;
enum outcome act_key_approve(struct act *act, struct reason *why) MUST_USE;

#endif
