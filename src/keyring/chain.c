/* SPDX-License-Identifier: Apache-2.0
 * The certificates beside a key: their text here, what they say in pki/certificate.h. */
#include "keyring/store.h"

#include "base/pem.h"

#include <stdlib.h>
#include <string.h>

enum outcome chain_check(struct span pem, struct reason *why)
{
    struct span rest = pem;
    size_t n = 0;
    if (pem.len > KEYRING_CHAIN_MAX) {
        return refuse(why, OUTCOME_RULE, "\"chain_pem\" is longer than %d bytes",
                      KEYRING_CHAIN_MAX);
    }
    for (; rest.len > 0 && n < KEYRING_CERTIFICATES_MAX; n++) {
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(KEYRING_CHAIN_MAX);
        if (!pem_take(&rest, "CERTIFICATE", &der) || der.len == 0) {
            break;
        }
    }
    if (n == 0 || rest.len > 0) {
        return refuse(why, OUTCOME_RULE,
                      "\"chain_pem\" must be 1 to %d PEM blocks CERTIFICATE in lines of 64, with "
                      "nothing between them",
                      KEYRING_CERTIFICATES_MAX);
    }
    return OUTCOME_OK;
}

static bool set(struct key *key, const char *pem)
{
    char *copy = strdup(pem);
    free(key->chain_pem);
    key->chain_pem = copy;
    return copy != NULL;
}

enum outcome keyring_set_chain(const struct keyring *keyring, const struct public_key *key,
                               const char *pem, const struct keyring_step *steps, size_t n_steps,
                               struct keyring **out, struct reason *why)
{
    *out = NULL;
    enum outcome outcome = chain_check(span_of_text(pem), why);
    struct keyring *copy = NULL;
    if (outcome == OUTCOME_OK) {
        outcome = keyring_copy(keyring, &copy, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    size_t n = 0;
    bool room = true;
    for (size_t i = 0; i < copy->n_keys && room; i++) {
        if (strcmp(public_key_thumbprint(copy->keys[i].public_key), public_key_thumbprint(key)) ==
            0) {
            room = set(&copy->keys[i], pem);
            n++;
        }
    }
    if (!room || n == 0) {
        keyring_free(copy);
        return room ? refuse(why, OUTCOME_NOT_FOUND, "the keyring has no such key")
                    : refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    outcome = keyring_take_steps(copy, steps, n_steps, why);
    if (outcome != OUTCOME_OK) {
        keyring_free(copy);
        return outcome;
    }
    *out = copy;
    return OUTCOME_OK;
}
