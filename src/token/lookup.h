/* SPDX-License-Identifier: Apache-2.0
 * From a request to a key that may be used for it: out of the cache, or out of the token with every
 * check. */
#ifndef QSEAL_TOKEN_LOOKUP_H
#define QSEAL_TOKEN_LOOKUP_H

#include "pkcs11/key.h"
#include "token/room.h"

/* OUTCOME_NO_KEY, OUTCOME_KEY_MISMATCH; OUTCOME_TOKEN_UNAVAILABLE with session->rv set. */
enum outcome lookup_key(struct room *room, struct session *session, unsigned int place,
                        const struct token_sign_request *request, struct key *out,
                        struct reason *why) MUST_USE;

#endif
