/* SPDX-License-Identifier: Apache-2.0
 * The only place that calls C_Login. A wrong PIN is tried once, ever, without a person: what was
 * tried is on disk before and after (pkcs11/attempt.h); a failed attempt, two that ended without an
 * answer, or a warning of the token block the next one, and `qsealctl token unlock` allows exactly
 * one more. Where the PIN is typed each attempt is a person's. */
#ifndef QSEAL_TOKEN_LOGIN_H
#define QSEAL_TOKEN_LOGIN_H

#include "pkcs11/pin.h"
#include "token/room.h"

enum login_result {
    LOGIN_DONE,    /* logged in, the room is ready */
    LOGIN_BLOCKED, /* a person must look: PIN refused, or not tried because of the record */
    LOGIN_FAILED,  /* not the PIN's fault: may be tried again */
};

/* The room's login_lock is held and its slot found. Logs in with the PIN of the pin-source, if that
 * is allowed. Sets the room's state. */
enum login_result login_try(struct room *room, struct reason *why) MUST_USE;

/* The token forgot the login while signing: logs this session in again, once per process, if the
 * last attempt was good. True when the session is logged in. */
bool login_again(struct room *room, struct session *session, unsigned int place) MUST_USE;

/* `qsealctl token unlock`: the record and the token's warnings do not count this once. `typed`: the
 * PIN, or NULL for that of the pin-source. OUTCOME_OK also when the token is ready already. */
enum outcome login_unlock(struct room *room, unsigned int place, const struct secret *typed,
                          struct reason *why) MUST_USE;

#endif
