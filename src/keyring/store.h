/* SPDX-License-Identifier: Apache-2.0
 * Inside src/keyring only: one key of the file, and the rules that both loading and adding keep. */
#ifndef QSEAL_KEYRING_STORE_H
#define QSEAL_KEYRING_STORE_H

#include "keyring/keyring.h"

#include <jansson.h>

/* Appends the key, taking its public key over, unless a rule of keyring_add() speaks against it. */
enum outcome keyring_append(struct keyring *keyring, struct key *key, struct reason *why) MUST_USE;

/* Strict in both directions: no member more, none less. key_read fills *out, whose public key is
 * owned by the caller. */
enum outcome key_read(const json_t *object, struct key *out, struct reason *why) MUST_USE;
void key_put(const struct key *key, struct buffer *out);

#endif
