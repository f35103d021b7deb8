/* SPDX-License-Identifier: Apache-2.0
 * Trial signatures. */
#include "custody/trial.h"

#include "custody/self_sign.h"
#include "pki/request.h"

#include <stdio.h>
#include <string.h>

enum { TRIAL_DEADLINE_MS = 3000 };

static bool is_lost(enum outcome outcome)
{
    return outcome == OUTCOME_TOKEN_UNAVAILABLE || outcome == OUTCOME_DEADLINE;
}

static const struct trial *lost_of(const struct trials *trials, const char *token)
{
    for (size_t i = 0; i < trials->n; i++) {
        if (is_lost(trials->list[i].outcome) && strcmp(trials->list[i].token, token) == 0) {
            return &trials->list[i];
        }
    }
    return NULL;
}

static enum outcome sign_and_forget(const struct self_signer *signer, const struct key *key,
                                    struct reason *why)
{
    BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    struct request_wish wish = {.profile = PROFILE_PLAIN, .purpose = key->purpose};
    wish.values[REQUEST_SUBJECT] = "/CN=trial signature";
    enum outcome outcome = request_put_info(&info, &wish, public_key_spki(key->public_key), why);
    return outcome == OUTCOME_OK ? self_sign(signer, key, buffer_span(&info),
                                             deadline_in_ms(TRIAL_DEADLINE_MS), &signature, why)
                                 : outcome;
}

void trial_make(struct trials *trials, const struct self_signer *signer, const struct key *key)
{
    struct reason why = {0};
    if (trials->n == TRIALS_MAX) {
        return; /* it is then as one that was not asked */
    }
    const struct trial *lost = lost_of(trials, key->token);
    struct trial *trial = &trials->list[trials->n++];
    (void)snprintf(trial->token, sizeof trial->token, "%s", key->token);
    (void)snprintf(trial->kid, sizeof trial->kid, "%s", public_key_thumbprint(key->public_key));
    if (lost != NULL) {
        trial->outcome = lost->outcome;
        memcpy(trial->detail, lost->detail, sizeof trial->detail);
        return;
    }
    trial->outcome = sign_and_forget(signer, key, &why);
    (void)snprintf(trial->detail, sizeof trial->detail, "%.300s", why.detail);
}

void trials_make(struct trials *trials, const struct self_signer *signer,
                 const struct keyring *keyring, const struct keyring_step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (steps[i].change.state == KEY_ACTIVE) {
            trial_make(trials, signer, &keyring->keys[steps[i].index]);
        }
    }
}

static enum outcome refuse_activation(enum outcome outcome, const struct key *key,
                                      const char *detail, struct reason *why)
{
    return refuse(why, outcome,
                  "the key is not activated, since it does not sign in token %s now: %.300s",
                  key->token, detail);
}

enum outcome trial_first(const struct self_signer *signer, const struct key *key,
                         struct reason *why)
{
    struct reason inner = {0};
    enum outcome outcome = sign_and_forget(signer, key, &inner);
    return outcome == OUTCOME_OK ? OUTCOME_OK : refuse_activation(outcome, key, inner.detail, why);
}

enum outcome trial_replica(const struct self_signer *signer, const struct key *key,
                           struct reason *why)
{
    struct reason inner = {0};
    enum outcome outcome = sign_and_forget(signer, key, &inner);
    return outcome == OUTCOME_OK
               ? OUTCOME_OK
               : refuse(why, outcome,
                        "the key is not adopted, since it does not sign in token %s now: %.300s",
                        key->token, inner.detail);
}

const struct trial *trial_of(const struct trials *trials, const struct key *key)
{
    const char *kid = public_key_thumbprint(key->public_key);
    for (size_t i = 0; i < trials->n; i++) {
        const struct trial *trial = &trials->list[i];
        if (strcmp(trial->token, key->token) == 0 && strcmp(trial->kid, kid) == 0) {
            return trial;
        }
    }
    return NULL;
}

enum outcome trials_check(const struct trials *trials, const struct keyring *keyring,
                          const struct keyring_step *steps, size_t n, struct reason *why)
{
    for (size_t i = 0; i < n; i++) {
        const struct key *key = &keyring->keys[steps[i].index];
        if (steps[i].change.state != KEY_ACTIVE) {
            continue;
        }
        const struct trial *trial = trial_of(trials, key);
        if (trial == NULL) {
            return refuse(why, OUTCOME_LIMIT,
                          "the keyring has changed while the token was asked; try again");
        }
        if (trial->outcome != OUTCOME_OK) {
            return refuse_activation(trial->outcome, key, trial->detail, why);
        }
    }
    return OUTCOME_OK;
}
