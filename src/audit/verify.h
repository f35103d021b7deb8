/* SPDX-License-Identifier: Apache-2.0
 * Verifies an audit log in its folder: reads it from its first record to its last and holds each
 * against the rules (audit/check.h). A service may be writing the log meanwhile. */
#ifndef QSEAL_AUDIT_VERIFY_H
#define QSEAL_AUDIT_VERIFY_H

#include "audit/report.h"
#include "base/attributes.h"
#include "jose/public_key.h"

struct audit_progress {
    uint64_t bytes;
    uint64_t bytes_total;
    uint64_t records;
};

struct audit_verify_options {
    const char *folder;
    struct public_key *const *keys; /* that may sign checkpoints; without any nothing is sealed */
    size_t n_keys;
    const char *checkpoint; /* path of one that was kept elsewhere, or NULL */
    bool is_partial;        /* the log may begin anywhere, without a record that says why */
    int patience_ms;        /* how long half a record may be there: somebody writes it */
    /* Called every few thousand records; may be NULL. */
    void (*progress)(void *context, const struct audit_progress *progress);
    void *context;
};

/* Fills the report, in each case, and returns its verdict. */
enum audit_verdict audit_verify(const struct audit_verify_options *options,
                                struct audit_report *report);

#endif
