/* SPDX-License-Identifier: Apache-2.0
 * Inside src/token only: what the files of the local body share. */
#ifndef QSEAL_TOKEN_LOCAL_PARTS_H
#define QSEAL_TOKEN_LOCAL_PARTS_H

#include "token/room.h"

struct token {
    struct room *room;
    unsigned int place;
    struct session session; /* handle CK_INVALID_HANDLE: none yet */
    struct digest_context *digest;
};

/* The worker's own; opened when there is none. */
CK_RV local_ensure_session(struct token *token) MUST_USE;
/* Both with the deadline of one call. */
CK_RV local_open_session(struct token *token, CK_FLAGS flags, CK_SESSION_HANDLE *out) MUST_USE;
void local_close_session(struct token *token, CK_SESSION_HANDLE handle);

#endif
