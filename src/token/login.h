/* SPDX-License-Identifier: Apache-2.0
 * The only place that calls C_Login. A wrong PIN is tried once, ever, without a person: what was
 * tried is on disk before and after (pkcs11/attempt.h); a failed attempt, two that ended without an
 * answer, or a warning of the token block the next one, and `qsealctl token unlock` allows exactly
 * one more. */
#ifndef QSEAL_TOKEN_LOGIN_H
#define QSEAL_TOKEN_LOGIN_H

#include "token/room.h"

enum login_result {
    LOGIN_DONE,    /* logged in, the room is ready */
    LOGIN_BLOCKED, /* a person must look: PIN refused, or not tried because of the record */
    LOGIN_FAILED,  /* not the PIN's fault: may be tried again */
};

/* The room's login_lock is held and its slot found. `by_person`: the record and the token's
 * warnings do not count this once. Sets the room's state. */
enum login_result login_try(struct room *room, bool by_person, struct reason *why) MUST_USE;

/* The token forgot the login while signing: logs this session in again, once per process, if the
 * last attempt was good. True when the session is logged in. */
bool login_again(struct room *room, struct session *session, unsigned int place) MUST_USE;

/* `qsealctl token unlock`. OUTCOME_OK also when the token is ready already. */
enum outcome login_unlock(struct room *room, unsigned int place, struct reason *why) MUST_USE;

#endif
