/* SPDX-License-Identifier: Apache-2.0
 * The record of PIN attempts, on disk, because tokens lock after a few wrong ones and a service
 * manager restarts us without end. It is written and synced before C_Login (in flight) and after it
 * (good, failed, or fault when it was not the PIN's). A failed one stands in the way of the next
 * attempt, until a person says so. So do two in a row that nobody knows the end of: the process
 * ended within C_Login, or the token said only that it is in trouble. It may have counted both. */
#ifndef QSEAL_PKCS11_ATTEMPT_H
#define QSEAL_PKCS11_ATTEMPT_H

#include "base/attributes.h"
#include "model/outcome.h"

enum attempt_state { ATTEMPT_NONE, ATTEMPT_IN_FLIGHT, ATTEMPT_GOOD, ATTEMPT_FAILED, ATTEMPT_FAULT };

enum { ATTEMPT_SINCE_SIZE = 32 };

/* The first attempt without an answer about the PIN gets exactly one more. */
enum { ATTEMPT_UNANSWERED_MAX = 2 };

struct attempt {
    enum attempt_state state;
    unsigned int unanswered; /* attempts in a row without an answer, with the one in flight */
    char since[ATTEMPT_SINCE_SIZE]; /* "2026-01-31T12:00:00Z", or "an unknown time" */
};

/* The record in this folder. A record that is not one of ours counts as failed. OUTCOME_INTERNAL
 * when it cannot be read: then nothing may be tried. */
enum outcome attempt_read(const char *folder, struct attempt *out, struct reason *why) MUST_USE;
/* On disk when it returns OUTCOME_OK. Without a `since` it happens now. */
enum outcome attempt_write(const char *folder, const struct attempt *attempt,
                           struct reason *why) MUST_USE;
/* Whether nobody but a person may make the next one. */
bool attempt_blocks(const struct attempt *last) MUST_USE;

#endif
