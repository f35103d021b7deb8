/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key import-certificate: certificates put beside the key they are for. */
#include "base/clock.h"
#include "base/log.h"
#include "custody/act.h"
#include "custody/report.h"
#include "jose/json.h"
#include "pki/certificate.h"

struct import {
    struct buffer pem; /* as it will be kept */
    struct certificate_facts facts;
};

static enum outcome read_for(const struct key *key, const char *text, struct import *out,
                             struct reason *why)
{
    const struct certificate_owner owner = {.purpose = key->purpose,
                                            .spki = public_key_spki(key->public_key)};
    buffer_reset(&out->pem);
    return certificate_chain_read(span_of_text(text), &owner, clock_wall_s(), &out->pem,
                                  &out->facts, why);
}

/* The role's keys in turn, since each token has its own: the certificate says which is meant. */
static enum outcome find_key(const struct act *act, const char *text, struct import *import,
                             const struct key **out, struct reason *why)
{
    const struct config_role *role = NULL;
    const struct config_token *only = NULL;
    enum outcome outcome = act_choose_role(act, &role, &only, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = act_no_key(role, only, why);
    for (size_t i = 0; outcome != OUTCOME_OK && i < role->n_tokens; i++) {
        *out = act_key_on(act, role, only, i);
        if (*out != NULL) {
            outcome = read_for(*out, text, import, why);
        }
    }
    return outcome;
}

static void put_member(struct buffer *out, const char *name, const char *value)
{
    buffer_put_format(out, ",\"%s\":", name);
    json_put_string(out, span_of_text(value));
}

static void put_result(struct buffer *out, const struct key *key,
                       const struct certificate_facts *facts)
{
    buffer_put_format(out, "{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\"", key->role,
                      key->token, public_key_thumbprint(key->public_key));
    put_member(out, "subject", facts->subject);
    put_member(out, "issuer", facts->issuer);
    put_member(out, "serial", facts->serial);
    buffer_put_text(out, ",");
    report_time(out, "not_before", facts->not_before);
    buffer_put_text(out, ",");
    report_time(out, "not_after", facts->not_after);
    buffer_put_text(out, "}");
}

/* Under the lock the view is taken anew: the key is looked for in the keyring that is changed. */
static enum outcome import_locked(struct act *act, const char *text, struct import *import,
                                  struct reason *why)
{
    const struct key *key = NULL;
    struct keyring *next = NULL;
    view_unref(act->view);
    act->view = view_cell_get(act->custody->room.views);
    enum outcome outcome = find_key(act, text, import, &key, why);
    if (outcome == OUTCOME_OK) {
        outcome = keyring_set_chain(act->view->keyring, key->public_key, buffer_text(&import->pem),
                                    &next, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = act_install_locked(act, next, why);
    }
    if (outcome == OUTCOME_OK) {
        put_result(act->result, key, &import->facts);
        log_info("a certificate with serial %s for key %s of role %s was imported by uid %u",
                 import->facts.serial, public_key_thumbprint(key->public_key), key->role,
                 act->peer.uid);
    }
    return outcome;
}

enum outcome act_key_import(struct act *act, struct reason *why)
{
    static const char *const names[] = {"role", "token", "chain", NULL};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *text = act_argument(act, "chain");
    if (text == NULL) {
        return refuse(why, OUTCOME_MALFORMED, "\"chain\" is missing: the certificates in PEM");
    }
    struct import import = {.pem = BUFFER_INIT(KEYRING_CHAIN_MAX)};
    pthread_mutex_lock(&act->custody->change);
    outcome = import_locked(act, text, &import, why);
    pthread_mutex_unlock(&act->custody->change);
    buffer_fini(&import.pem);
    return outcome;
}
