/* SPDX-License-Identifier: Apache-2.0
 * The token service from far: qseald's side. */
#ifndef QSEAL_TOKEN_REMOTE_H
#define QSEAL_TOKEN_REMOTE_H

#include "token/token.h"

/* One per worker thread and token; connects at the first question. Both texts must outlive it.
 * NULL: out of memory. */
struct token *token_remote_new(const char *name, const char *socket_path) MUST_USE;
/* Accepts NULL. */
void token_remote_free(struct token *token);

#endif
