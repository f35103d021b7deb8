/* SPDX-License-Identifier: Apache-2.0
 * What the audit log says of administrators (docs/audit.md: admin, keyring, refused). */
#ifndef QSEAL_CUSTODY_ACT_RECORD_H
#define QSEAL_CUSTODY_ACT_RECORD_H

#include "custody/act.h"
#include "custody/self_sign.h"

/* The arguments of the verbs that are recorded, NULL-terminated; those of a certificate request
 * stand in pki/request_profile.h. */
extern const char *const act_record_arguments[];

/* The command, on the disk before it is carried out. One that only stops a key is carried out also
 * when there can be no record: OUTCOME_AUDIT for the others. */
enum outcome act_record_begin(struct act *act, bool stops, struct reason *why) MUST_USE;
/* The command of somebody who may not, or not now: a refusal like those of callers, and counted as
 * they are where there are many. */
void act_record_refused(const struct act *act, enum outcome outcome, const struct reason *why);
/* Who has a key sign for this act: the administrator; or the service itself, for the clock. */
struct self_signer act_signer(const struct act *act, const struct view *view,
                              const char *operation);
/* How it ended. */
void act_record_end(struct act *act, enum outcome outcome);
/* The keyring's next generation, on the disk before it is in force; and what became of it. */
enum outcome act_record_keyring(const struct act *act, const struct keyring *before,
                                const struct keyring *next, struct audit_ticket *ticket,
                                struct reason *why) MUST_USE;
void act_record_keyring_end(const struct act *act, const struct audit_ticket *ticket,
                            enum outcome outcome);

#endif
