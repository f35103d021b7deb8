/* SPDX-License-Identifier: Apache-2.0
 * The token service from near: one worker of qseal-tokend, with its own PKCS#11 session. */
#ifndef QSEAL_TOKEN_LOCAL_H
#define QSEAL_TOKEN_LOCAL_H

#include "token/room.h"
#include "token/token.h"

/* `index` is below the room's number of sessions and is this worker's alone. The room must outlive
 * it. NULL: out of memory. */
struct token *token_local_new(struct room *room, unsigned int index) MUST_USE;
/* Accepts NULL. Leaves the session open: a session closed in passing would log the process out. */
void token_local_free(struct token *token);

#endif
