/* SPDX-License-Identifier: Apache-2.0
 * The status of the audit log. */
#include "custody/report.h"

#include "audit/audit.h"
#include "jose/json.h"

enum { OVERDUE = 2 /* times the configured time between checkpoints, before somebody is warned */ };

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
    buffer_put_format(out, ",\"unsealed_s\":%lld,\"detail\":", (long long)status->unsealed_s);
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

static void put_warning(struct buffer *out, const char *detail)
{
    buffer_put_text(out, "{\"what\":\"audit\",\"detail\":");
    json_put_string(out, span_of_text(detail));
    buffer_put_text(out, "}");
}

bool report_audit_warning(struct buffer *out, struct audit *audit, uint32_t checkpoint_s)
{
    struct audit_status status;
    struct reason why;
    if (audit == NULL) {
        put_warning(out, "no audit log is kept, and nothing proves what was signed: audit/enabled "
                         "was false when qseald started");
        return true;
    }
    audit_get_status(audit, &status);
    if (!status.ok) {
        (void)refuse(&why, OUTCOME_AUDIT,
                     "the audit log cannot be written, and nothing is signed: %.400s",
                     status.detail);
        put_warning(out, why.detail);
        return true;
    }
    if (status.unsealed_s <= OVERDUE * (int64_t)checkpoint_s) {
        return false;
    }
    (void)refuse(&why, OUTCOME_AUDIT,
                 "the audit log is not sealed: there are records since %lld s, and a checkpoint "
                 "was to come after %u s%s%.300s",
                 (long long)status.unsealed_s, checkpoint_s,
                 status.checkpoint_detail[0] == '\0' ? "" : ": ", status.checkpoint_detail);
    put_warning(out, why.detail);
    return true;
}
