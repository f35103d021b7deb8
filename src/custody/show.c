/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key show: all that is known of one key. */
#include "custody/change.h"
#include "custody/report_end.h"
#include "jose/json.h"

static void put_history(struct buffer *out, const struct key *key)
{
    buffer_put_text(out, ",\"history\":[");
    for (size_t i = 0; i < key->n_history; i++) {
        const struct key_change *change = &key->history[i];
        buffer_put_format(out, "%s{\"state\":\"%s\",", i == 0 ? "" : ",",
                          key_state_name(change->state));
        report_time(out, "at", change->at);
        buffer_put_format(out, ",\"by\":%u,\"reason\":", change->by);
        json_put_string(out, span_of_text(change->reason));
        buffer_put_text(out, "}");
    }
    buffer_put_text(out, "]");
}

enum outcome act_key_show(struct act *act, struct reason *why)
{
    static const char *const names[] = {"key", "token", NULL};
    enum { ANY_STATE = (1U << KEY_STATE_COUNT) - 1 };
    struct selection selection = {.n = 0};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome == OUTCOME_OK) {
        outcome = select_keys(act, act->view->keyring, ANY_STATE, &selection, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    buffer_put_text(act->result, "{\"keys\":[");
    for (size_t i = 0; i < selection.n; i++) {
        const struct key *key = &act->view->keyring->keys[selection.indexes[i]];
        const uint8_t *digest = public_key_spki_sha256(key->public_key);
        buffer_put_text(act->result, i == 0 ? "{" : ",{");
        report_key(act->result, key);
        buffer_put_text(act->result, ",");
        report_ends(act->result, act->view, key);
        buffer_put_text(act->result, ",\"spki_sha256\":\"");
        for (size_t b = 0; b < 32; b++) {
            buffer_put_format(act->result, "%02x", digest[b]);
        }
        buffer_put_text(act->result, "\"");
        put_history(act->result, key);
        buffer_put_text(act->result, "}");
    }
    buffer_put_text(act->result, "]}");
    return OUTCOME_OK;
}
