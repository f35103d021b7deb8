/* SPDX-License-Identifier: Apache-2.0
 * The status of the audit log. */
#include "custody/report.h"

#include "audit/audit.h"

#include "jose/json.h"

static const char *state_of(struct audit *audit, const struct audit_status *status)
{
    return audit == NULL ? "off" : status->ok ? "ok" : "failed";
}

static void put_log(struct buffer *out, const struct audit_status *status)
{
    buffer_put_format(out, ",\"audit_log\":{\"chain\":\"%s\",\"segment\":%llu,\"records\":%llu,",
                      status->chain, (unsigned long long)status->segment,
                      (unsigned long long)status->durable);
    report_time(out, "since", status->since);
    buffer_put_format(out, ",\"faults\":%llu,\"unrecorded\":%llu,\"sealed\":%llu",
                      (unsigned long long)status->faults, (unsigned long long)status->unrecorded,
                      (unsigned long long)status->covered);
    if (status->checkpoint_at != 0) {
        buffer_put_text(out, ",");
        report_time(out, "checkpoint_at", status->checkpoint_at);
    }
    buffer_put_text(out, ",\"detail\":");
    json_put_string(out, span_of_text(status->detail));
    buffer_put_text(out, ",\"checkpoint_detail\":");
    json_put_string(out, span_of_text(status->checkpoint_detail));
    buffer_put_text(out, "}");
}

void report_audit(struct buffer *out, struct audit *audit)
{
    struct audit_status status = {.ok = false};
    if (audit != NULL) {
        audit_get_status(audit, &status);
    }
    buffer_put_format(out, "\"audit\":\"%s\"", state_of(audit, &status));
    if (audit != NULL) {
        put_log(out, &status);
    }
}
