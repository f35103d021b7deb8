/* SPDX-License-Identifier: Apache-2.0
 * The life of a key (NIST SP 800-57 part 1 §7 and §8): what it may do in each state, and how it
 * gets from one to another. Two tables hold all of it; nothing else in the house compares states in
 * order to decide what a key may do. */
#ifndef QSEAL_MODEL_KEY_STATE_H
#define QSEAL_MODEL_KEY_STATE_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/outcome.h"
#include "model/purpose.h"

#include <stdbool.h>

enum key_state {
    KEY_GENERATED,   /* made in the token */
    KEY_CERTIFIED,   /* has a certificate */
    KEY_PUBLISHED,   /* is shown to verifiers, and does not sign yet */
    KEY_ACTIVE,      /* signs */
    KEY_RETIRING,    /* its successor signs; shown until what it signed has expired */
    KEY_RETIRED,     /* shown no more */
    KEY_DESTROYED,   /* gone from the token */
    KEY_SUSPENDED,   /* stopped by a person, until resumed */
    KEY_COMPROMISED, /* never trusted again */
};
enum { KEY_STATE_COUNT = KEY_COMPROMISED + 1 };

enum key_act {
    KEY_ACT_SIGN,     /* a seal key: JWS signing inputs; an audit key: checkpoints */
    KEY_ACT_SIGN_TLS, /* a transport key: a handshake with the certificate that a client presents */
    KEY_ACT_CSR,      /* a certificate request for itself */
    KEY_ACT_JWKS,     /* stand in the JWK Set */
};
enum { KEY_ACT_COUNT = KEY_ACT_JWKS + 1 };

const char *key_state_name(enum key_state state);
bool key_state_from_name(struct span name, enum key_state *out) MUST_USE;

bool key_state_may(enum key_state state, enum key_act act);
/* What keys of this purpose are for. */
enum key_act key_act_of(enum purpose purpose);

/* OUTCOME_RULE, naming both states and what would have to come first, when there is no way from one
 * to the other in one step. */
enum outcome key_state_check(enum key_state from, enum key_state to, struct reason *why) MUST_USE;

#endif
