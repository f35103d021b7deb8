/* SPDX-License-Identifier: Apache-2.0
 * The audit log as the service starts. */
#ifndef QSEAL_ROLES_QSEALD_ROOM_AUDIT_H
#define QSEAL_ROLES_QSEALD_ROOM_AUDIT_H

#include "audit/audit.h"
#include "base/attributes.h"
#include "signing/view.h"

/* Opens the log that the configuration asks for; its next record says with what the service begins
 * to sign. *out stays as it is when no log is wanted. */
enum outcome room_open_audit(const struct view *view, struct audit **out,
                             struct reason *why) MUST_USE;

#endif
