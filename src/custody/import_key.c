/* SPDX-License-Identifier: Apache-2.0
 * Which key a certificate is for: it says so itself, by its public key. */
#include "custody/import.h"

#include <stdlib.h>
#include <string.h>

/* Keys of a role, and what a certificate has to be for. */
struct candidates {
    const struct key **keys; /* owned, as the next; what they point to is borrowed */
    struct certificate_owner *owners;
    size_t n;
};

static bool candidates_init(struct candidates *out, const struct keyring *keyring)
{
    *out = (struct candidates){.keys = calloc(keyring->n_keys + 1, sizeof(const struct key *)),
                               .owners = calloc(keyring->n_keys + 1, sizeof *out->owners)};
    return out->keys != NULL && out->owners != NULL;
}

static void candidates_fini(struct candidates *candidates)
{
    free(candidates->keys);
    free(candidates->owners);
}

/* Those of the role, on the token if one is named, that may have a certificate, or may not. */
static void collect(const struct keyring *keyring, const struct config_role *role,
                    const struct config_token *only, bool may, struct candidates *out)
{
    out->n = 0;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        if (strcmp(key->role, role->name) == 0 && key_state_may(key->state, KEY_ACT_CSR) == may &&
            (only == NULL || strcmp(key->token, only->name) == 0)) {
            out->owners[out->n] = (struct certificate_owner){
                .purpose = key->purpose, .spki = public_key_spki(key->public_key)};
            out->keys[out->n++] = key;
        }
    }
}

static enum outcome find(const struct candidates *candidates, const char *text,
                         const struct key **out, struct reason *why)
{
    size_t index = 0;
    enum outcome outcome =
        certificate_chain_whose(span_of_text(text), candidates->owners, candidates->n, &index, why);
    *out = outcome == OUTCOME_OK && index < candidates->n ? candidates->keys[index] : NULL;
    return outcome;
}

/* With one key it is the certificates' own reason that it gets from who reads them for it. */
static enum outcome refuse_strangers(const struct config_role *role,
                                     const struct config_token *only, size_t n, struct reason *why)
{
    return refuse(why, OUTCOME_RULE,
                  "no certificate is for the public key of one of the %zu keys of role %s%s%s; was "
                  "its request made with `qsealctl key csr`?",
                  n, role->name, only == NULL ? "" : " on token ", only == NULL ? "" : only->name);
}

static enum outcome choose(const struct act *act, struct candidates *candidates, const char *text,
                           const struct key **out, struct reason *why)
{
    const struct config_role *role = NULL;
    const struct config_token *only = NULL;
    const struct keyring *keyring = act->view->keyring;
    enum outcome outcome = act_choose_role(act, &role, &only, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    collect(keyring, role, only, true, candidates);
    size_t n = candidates->n;
    const struct key *single = n == 1 ? candidates->keys[0] : NULL;
    outcome = find(candidates, text, out, why);
    if (n > 0 && (outcome != OUTCOME_OK || *out != NULL)) {
        return outcome;
    }
    collect(keyring, role, only, false, candidates);
    if (candidates->n > 0 && find(candidates, text, out, why) == OUTCOME_OK && *out != NULL) {
        return refuse(why, OUTCOME_RULE,
                      "the certificate is for key %.8s, which is %s: it gets none any more",
                      public_key_thumbprint((*out)->public_key), key_state_name((*out)->state));
    }
    *out = single;
    return n == 0   ? act_no_key(role, only, why)
           : n == 1 ? OUTCOME_OK
                    : refuse_strangers(role, only, n, why);
}

enum outcome import_choose_key(const struct act *act, const char *text, const struct key **out,
                               struct reason *why)
{
    struct candidates candidates;
    enum outcome outcome = candidates_init(&candidates, act->view->keyring)
                               ? choose(act, &candidates, text, out, why)
                               : refuse(why, OUTCOME_INTERNAL, "out of memory");
    candidates_fini(&candidates);
    return outcome;
}
