/* SPDX-License-Identifier: Apache-2.0
 * The kinds of records. */
#include "audit/kind.h"

static const char *const names[] = {
    [AUDIT_KIND_SIGN] = "sign",       [AUDIT_KIND_DONE] = "done",
    [AUDIT_KIND_REFUSED] = "refused", [AUDIT_KIND_CHECKPOINT] = "checkpoint",
    [AUDIT_KIND_SEGMENT] = "segment", [AUDIT_KIND_END] = "end",
    [AUDIT_KIND_START] = "start",     [AUDIT_KIND_POLICY] = "policy",
    [AUDIT_KIND_REPAIR] = "repair",   [AUDIT_KIND_ADMIN] = "admin",
    [AUDIT_KIND_KEYRING] = "keyring", [AUDIT_KIND_RETENTION] = "retention",
    [AUDIT_KIND_OTHER] = "other",
};

const char *audit_kind_name(enum audit_kind kind)
{
    return names[kind];
}

enum audit_kind audit_kind_of(struct span name)
{
    unsigned int kind = 0;
    while (kind < AUDIT_KIND_OTHER && !span_is_text(name, names[kind])) {
        kind++;
    }
    return (enum audit_kind)kind;
}
