/* SPDX-License-Identifier: Apache-2.0
 * Opening the audit log. */
#include "roles/qseald/room_audit.h"

#include "audit/record.h"
#include "base/log.h"

#include <unistd.h>

static void record_start(struct audit *audit, const struct view *view)
{
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_text(&members, "program", "qseald " QSEAL_VERSION);
    record_put_number(&members, "pid", getpid());
    view_put_record(view, &members);
    audit_note(audit, "start", &members);
}

enum outcome room_open_audit(const struct view *view, struct audit **out, struct reason *why)
{
    const struct config_audit *config = &view->policy->config->audit;
    const struct audit_options options = {
        .folder = config->folder,
        .segment_bytes = (uint64_t)config->segment_mib * 1024 * 1024,
        .segment_age_s = config->segment_age_s,
    };
    if (!config->enabled) {
        log_warning("audit: enabled is false: no record is kept of what is signed");
        return OUTCOME_OK;
    }
    enum outcome outcome = audit_open(&options, out, why);
    if (outcome == OUTCOME_OK) {
        record_start(*out, view);
    }
    return outcome;
}
