/* SPDX-License-Identifier: Apache-2.0
 * The kinds of records (docs/audit.md, "A record"). */
#ifndef QSEAL_AUDIT_KIND_H
#define QSEAL_AUDIT_KIND_H

#include "base/span.h"

enum audit_kind {
    AUDIT_KIND_SIGN,
    AUDIT_KIND_DONE,
    AUDIT_KIND_REFUSED,
    AUDIT_KIND_CHECKPOINT,
    AUDIT_KIND_SEGMENT,
    AUDIT_KIND_END,
    AUDIT_KIND_START,
    AUDIT_KIND_POLICY,
    AUDIT_KIND_REPAIR,
    AUDIT_KIND_ADMIN,
    AUDIT_KIND_KEYRING,
    AUDIT_KIND_RETENTION,
    AUDIT_KIND_OTHER, /* of a later version */
};
enum { AUDIT_KINDS = AUDIT_KIND_OTHER + 1 };

/* "sign"; "other" for what has no name here. */
const char *audit_kind_name(enum audit_kind kind);
enum audit_kind audit_kind_of(struct span name);

#endif
