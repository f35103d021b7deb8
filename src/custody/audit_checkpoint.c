/* SPDX-License-Identifier: Apache-2.0
 * audit checkpoint: all that is on record now is sealed, this command among it. */
#include "custody/act.h"

enum { DEADLINE_MS = 10000 };

enum outcome act_audit_checkpoint(struct act *act, struct reason *why)
{
    static const char *const names[] = {NULL};
    struct audit *audit = act->custody->room.audit;
    struct audit_head head;
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome == OUTCOME_OK && audit == NULL) {
        outcome = refuse(why, OUTCOME_RULE,
                         "there is no audit log: audit/enabled was false when qseald started");
    }
    if (outcome == OUTCOME_OK) {
        outcome = audit_seal(audit, deadline_in_ms(DEADLINE_MS), &head, why);
    }
    if (outcome == OUTCOME_OK) {
        buffer_put_format(act->result, "{\"chain\":\"%s\",\"covers\":%llu,\"head\":\"%s\"}",
                          head.chain, (unsigned long long)head.seq, head.hash);
    }
    return outcome;
}
