/* SPDX-License-Identifier: Apache-2.0
 * What the clock has found, as JSON. */
#include "custody/report.h"

#include "jose/json.h"

#include <string.h>

static void put_overdue(struct buffer *out, const struct overdue *late)
{
    buffer_put_format(out, "{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\",\"state\":\"%s\",",
                      late->role, late->token, late->kid, key_state_name(late->state));
    report_time(out, "at", late->at);
    buffer_put_text(out, ",\"detail\":");
    json_put_string(out, span_of_text(late->detail));
    buffer_put_text(out, "}");
}

void schedule_put(struct buffer *out, const struct clock_state *state)
{
    const char *comma = "";
    buffer_put_format(out, "\"schedule\":{\"paused\":%s,", state->paused ? "true" : "false");
    if (state->looked_at != 0) {
        report_time(out, "looked_at", state->looked_at);
        buffer_put_text(out, ",");
    }
    buffer_put_text(out, "\"overdue\":[");
    for (size_t i = 0; i < state->overdue.n; i++) {
        buffer_put_text(out, i == 0 ? "" : ",");
        put_overdue(out, &state->overdue.list[i]);
    }
    buffer_put_text(out, "],\"probes\":[");
    for (size_t i = 0; i < state->n_probes; i++) {
        if (state->probes[i].detail[0] != '\0') {
            buffer_put_format(out, "%s{\"role\":\"%s\",\"detail\":", comma, state->probes[i].role);
            json_put_string(out, span_of_text(state->probes[i].detail));
            buffer_put_text(out, "}");
            comma = ",";
        }
    }
    buffer_put_text(out, "]}");
}

const struct overdue *clock_overdue_of(const struct clock_state *state, const struct key *key)
{
    for (size_t i = 0; i < state->overdue.n; i++) {
        const struct overdue *late = &state->overdue.list[i];
        if (strcmp(late->kid, public_key_thumbprint(key->public_key)) == 0 &&
            strcmp(late->token, key->token) == 0) {
            return late;
        }
    }
    return NULL;
}
