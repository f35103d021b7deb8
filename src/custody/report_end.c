/* SPDX-License-Identifier: Apache-2.0
 * The ends of keys and the clock, as JSON. */
#include "custody/report_end.h"

#include "base/clock.h"
#include "custody/report.h"
#include "jose/json.h"

void report_clock(struct buffer *out, struct clock_guard *clock)
{
    struct clock_jump jump;
    if (!clock_guard_jump(clock, clock_wall_s(), clock_boot_s(), &jump)) {
        buffer_put_text(out, "\"clock\":{\"trusted\":true}");
        return;
    }
    buffer_put_text(out, "\"clock\":{\"trusted\":false,");
    report_time(out, "from", jump.from);
    buffer_put_text(out, ",");
    report_time(out, "to", jump.to);
    buffer_put_text(out, "}");
}

static void put_warning(struct buffer *out, const struct key *key, const struct key_end *end,
                        enum key_end_what what, int64_t now)
{
    char detail[KEY_END_TEXT_SIZE];
    key_end_text(end, what, now, detail);
    buffer_put_format(out, "{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\",\"what\":\"%s\",",
                      key->role, key->token, public_key_thumbprint(key->public_key),
                      key_end_name(what));
    report_time(out, "ends", end->at[what]);
    buffer_put_text(out, ",\"detail\":");
    json_put_string(out, span_of_text(detail));
    buffer_put_text(out, "}");
}

void report_warnings(struct buffer *out, const struct view *view, struct clock_guard *clock,
                     struct audit *audit)
{
    int64_t now = clock_wall_s();
    bool trusted = clock_guard_is_trusted(clock);
    buffer_put_text(out, "\"warnings\":[");
    const char *before =
        report_audit_warning(out, audit, view->policy->config->audit.checkpoint_s) ? "," : "";
    for (size_t i = 0; trusted && i < view->keyring->n_keys; i++) {
        for (unsigned int what = 0; what < KEY_END_COUNT; what++) {
            if (key_end_level(&view->ends[i], what, now) > KEY_END_FAR) {
                buffer_put_text(out, before);
                put_warning(out, &view->keyring->keys[i], &view->ends[i], what, now);
                before = ",";
            }
        }
    }
    buffer_put_text(out, "]");
}

void report_ends(struct buffer *out, const struct view *view, const struct key *key)
{
    const struct key_end *end = view_key_end(view, key);
    const char *before = "";
    buffer_put_text(out, "\"ends\":{");
    for (unsigned int what = 0; what < KEY_END_COUNT; what++) {
        if (end->at[what] != KEY_END_NEVER) {
            buffer_put_text(out, before);
            report_time(out, key_end_name(what), end->at[what]);
            before = ",";
        }
    }
    buffer_put_text(out, "}");
}
