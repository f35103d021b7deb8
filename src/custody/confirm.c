/* SPDX-License-Identifier: Apache-2.0
 * qsealctl clock confirm: the clock is right, and signatures go on. */
#include "custody/act.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utc.h"

enum outcome act_clock_confirm(struct act *act, struct reason *why)
{
    static const char *const names[] = {NULL};
    struct clock_jump jump;
    char from[UTC_SIZE];
    char to[UTC_SIZE];
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome == OUTCOME_OK) {
        outcome = clock_guard_confirm(watch_clock(act->custody->room.watch), clock_wall_s(),
                                      clock_boot_s(), &jump, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    log_warning("the clock's jump from %s to %s was confirmed by uid %u; signatures go on",
                utc_text(jump.from, from), utc_text(jump.to, to), act->peer.uid);
    buffer_put_text(act->result, "{");
    report_time(act->result, "from", jump.from);
    buffer_put_text(act->result, ",");
    report_time(act->result, "to", jump.to);
    buffer_put_format(act->result, ",\"seconds\":%lld}", (long long)(jump.to - jump.from));
    return OUTCOME_OK;
}
