/* SPDX-License-Identifier: Apache-2.0
 * Inside src/keyring only: one key of the file, and the rules that both loading and adding keep. */
#ifndef QSEAL_KEYRING_STORE_H
#define QSEAL_KEYRING_STORE_H

#include "base/span.h"
#include "keyring/keyring.h"

#include <jansson.h>

/* A copy with the next generation, for one change. */
enum outcome keyring_copy(const struct keyring *keyring, struct keyring **out,
                          struct reason *why) MUST_USE;
/* Appends the key, taking what it owns over, unless a rule of keyring_add() speaks against it. */
enum outcome keyring_append(struct keyring *keyring, struct key *key, struct reason *why) MUST_USE;

/* OUTCOME_RULE unless the text is certificates in PEM as pem_put() writes them. */
enum outcome chain_check(struct span pem, struct reason *why) MUST_USE;

/* Strict in both directions: no member more, none less, but for "chain_pem", which is there when
 * there are certificates. key_read fills *out, which owns its public key and chain. */
enum outcome key_read(const json_t *object, struct key *out, struct reason *why) MUST_USE;
void key_put(const struct key *key, struct buffer *out);

#endif
