/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key backup-recorded, key seen: what a person vouches for, put on record. */
#include "custody/change.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

enum {
    WAITING = 1U << KEY_GENERATED | 1U << KEY_CERTIFIED | 1U << KEY_PUBLISHED,
    SHOWN = 1U << KEY_PUBLISHED | 1U << KEY_ACTIVE | 1U << KEY_RETIRING,
};

struct attest_verb {
    enum key_proof proof;
    const char *text;    /* the argument's name */
    const char *what;    /* for the log */
    unsigned int first;  /* of a role's keys those in these states, */
    unsigned int others; /* or else in these */
};

static const struct attest_verb backup_recorded = {KEY_PROOF_BACKUP, "reason", "is backed up",
                                                   WAITING, 1U << KEY_ACTIVE};
static const struct attest_verb seen = {KEY_PROOF_SEEN, "where", "was seen outside",
                                        1U << KEY_PUBLISHED, 1U << KEY_ACTIVE};

/* The successor that waits before the one that signs. */
static unsigned int states_of(const struct act *act, const struct attest_verb *verb)
{
    const struct keyring *keyring = act->view->keyring;
    const char *role = act_argument(act, "key");
    for (size_t i = 0; role != NULL && i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        if ((verb->first & 1U << key->state) != 0 && strcmp(key->role, role) == 0) {
            return verb->first;
        }
    }
    return verb->others;
}

static enum outcome check_key(const struct attest_verb *verb, const struct key *key,
                              struct reason *why)
{
    if (key->state == KEY_DESTROYED) {
        return refuse(why, OUTCOME_RULE, "the key is destroyed: there is nothing to vouch for");
    }
    if (verb->proof == KEY_PROOF_SEEN && key->purpose == PURPOSE_AUDIT) {
        return refuse(
            why, OUTCOME_RULE,
            "the key is of purpose audit: it is in no JWK Set, and nobody sees it outside");
    }
    if (verb->proof == KEY_PROOF_SEEN && (SHOWN & 1U << key->state) == 0) {
        return refuse(why, OUTCOME_RULE,
                      "the key is %s: nobody sees it outside before it is published",
                      key_state_name(key->state));
    }
    return OUTCOME_OK;
}

static enum outcome read_record(const struct act *act, const struct attest_verb *verb,
                                struct key_record *out, struct reason *why)
{
    const char *text = act_argument(act, verb->text);
    *out = (struct key_record){.recorded = true, .at = clock_wall_s(), .by = act->peer.uid};
    if (text != NULL && strlen(text) > KEYRING_REASON_MAX) {
        return refuse(why, OUTCOME_RULE, "a reason has at most %d printable ASCII characters",
                      KEYRING_REASON_MAX);
    }
    (void)snprintf(out->text, sizeof out->text, "%s", text == NULL ? "" : text);
    return OUTCOME_OK;
}

static void put_result(struct act *act, const struct attest_verb *verb,
                       const struct selection *selection)
{
    struct view *now = view_cell_get(act->custody->room.views);
    buffer_put_text(act->result, "{\"keys\":[");
    for (size_t i = 0; i < selection->n; i++) {
        const struct key *key = &now->keyring->keys[selection->indexes[i]];
        buffer_put_text(act->result, i == 0 ? "{" : ",{");
        report_key(act->result, key);
        buffer_put_text(act->result, "}");
        log_info("key %s of role %s in token %s %s, says uid %u",
                 public_key_thumbprint(key->public_key), key->role, key->token, verb->what,
                 act->peer.uid);
    }
    buffer_put_format(act->result, "],\"generation\":%llu}",
                      (unsigned long long)now->keyring->generation);
    view_unref(now);
}

static enum outcome attest_locked(struct act *act, const struct attest_verb *verb,
                                  struct reason *why)
{
    struct selection selection = {.n = 0};
    struct key_record record;
    struct keyring *next = NULL;
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    const struct keyring *keyring = act->view->keyring;
    enum outcome outcome = select_keys(act, keyring, states_of(act, verb), &selection, why);
    for (size_t i = 0; outcome == OUTCOME_OK && i < selection.n; i++) {
        outcome = check_key(verb, &keyring->keys[selection.indexes[i]], why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = read_record(act, verb, &record, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = keyring_set_record(keyring, selection.indexes, selection.n, verb->proof, &record,
                                     &next, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = act_install_locked(act, next, why);
    }
    if (outcome == OUTCOME_OK) {
        put_result(act, verb, &selection);
    }
    return outcome;
}

static enum outcome attest(struct act *act, const struct attest_verb *verb, struct reason *why)
{
    const char *const names[] = {"key", "token", verb->text, NULL};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    pthread_mutex_lock(&act->custody->change);
    outcome = attest_locked(act, verb, why);
    pthread_mutex_unlock(&act->custody->change);
    return outcome;
}

enum outcome act_key_backup_recorded(struct act *act, struct reason *why)
{
    return attest(act, &backup_recorded, why);
}

enum outcome act_key_seen(struct act *act, struct reason *why)
{
    return attest(act, &seen, why);
}
