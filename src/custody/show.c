/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key show: all that is known of one key. */
#include "custody/change.h"
#include "custody/in_token.h"
#include "custody/report_end.h"

/* What the token says, or why it does not; the rest is shown all the same. */
static void put_in_token(const struct act *act, const struct key *key)
{
    struct token_key shown = {.is_pinned = false};
    struct reason why = {0};
    if (key->state == KEY_DESTROYED) {
        buffer_put_text(act->result, ",\"in_token\":null");
        return;
    }
    enum outcome outcome = in_token_ask(act, key, &shown, &why);
    in_token_put(act->result, outcome, &shown, &why);
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
        buffer_put_text(act->result, i == 0 ? "{" : ",{");
        report_key(act->result, key);
        buffer_put_text(act->result, ",");
        report_ends(act->result, act->view, key);
        report_hex(act->result, ",\"spki_sha256\":", public_key_spki_sha256(key->public_key),
                   SPKI_SHA256_LEN);
        report_history(act->result, key);
        put_in_token(act, key);
        buffer_put_text(act->result, "}");
    }
    buffer_put_text(act->result, "]}");
    return OUTCOME_OK;
}
