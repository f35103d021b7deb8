/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: a key as its token shows it at this moment. */
#ifndef QSEAL_CUSTODY_IN_TOKEN_H
#define QSEAL_CUSTODY_IN_TOKEN_H

#include "custody/act.h"
#include "token/token.h"

/* Asks the key's token. One that is not up is not waited for: OUTCOME_TOKEN_UNAVAILABLE with its
 * state. Refusals are else those of token_show(). */
enum outcome in_token_ask(const struct act *act, const struct key *key, struct token_key *shown,
                          struct reason *why) MUST_USE;
/* Appends ,"in_token":{"outcome",…}: what it said, or why it did not. */
void in_token_put(struct buffer *out, enum outcome outcome, const struct token_key *shown,
                  const struct reason *why);

#endif
