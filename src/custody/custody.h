/* SPDX-License-Identifier: Apache-2.0
 * The custody service: what an administrator asks of qseald with qsealctl, over admin.sock. A
 * question is a verb and a JSON object of arguments; the answer an outcome and a JSON object. Who
 * may ask what is the table in local.c. Where changes of keys are approved, the answer to one is
 * {"planned":{…}}. */
#ifndef QSEAL_CUSTODY_CUSTODY_H
#define QSEAL_CUSTODY_CUSTODY_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "model/outcome.h"

#include <jansson.h>

enum custody_verb {
    CUSTODY_STATUS = 1,
    CUSTODY_RELOAD,
    CUSTODY_KEY_GENERATE, /* {"role","token"?} */
    CUSTODY_KEY_LIST,
    CUSTODY_JWKS,
    CUSTODY_TOKEN_UNLOCK,  /* {"token"}, and perhaps a typed PIN beside it; the answer has "pin":
                              "wanted" when it has to be typed */
    CUSTODY_KEY_REFERENCE, /* {"role","token"?,"socket"?} */
    CUSTODY_KEY_CSR,    /* {"role","token"?,"profile"?,…}: pki/request_profile.h has the rest */
    CUSTODY_KEY_IMPORT, /* {"role","token"?,"chain"}: certificates in PEM */
    /* "key" is a thumbprint, or the first 8 or more characters of one; of the first three also a
     * role: {"key","token"?,"reason"?} */
    CUSTODY_KEY_PUBLISH,
    CUSTODY_KEY_ACTIVATE,
    CUSTODY_KEY_RETIRE,
    CUSTODY_KEY_SUSPEND,
    CUSTODY_KEY_RESUME,
    CUSTODY_KEY_COMPROMISED,
    CUSTODY_KEY_DESTROY,
    CUSTODY_KEY_SHOW, /* {"key","token"?} */
    CUSTODY_TOKEN_LIST,
    CUSTODY_CLOCK_CONFIRM,
    CUSTODY_REPORT, /* {"from"?}: a page of the register (custody/register.h) */
    CUSTODY_PLAN_LIST,
    /* "digest" is a plan's, or the first 16 or more characters of it: {"digest"} */
    CUSTODY_PLAN_SHOW,
    CUSTODY_PLAN_WITHDRAW,
    CUSTODY_KEY_APPROVE,
    CUSTODY_KEY_BACKUP_RECORDED, /* {"key","token"?,"reason"?}; "key" may be a role in both */
    CUSTODY_KEY_SEEN,            /* {"key","token"?,"where"?} */
    /* Times as in base/utc.h, or from now on. {"role","token"?,"publish_at"?,"activate_at"?,
     * "reason"?} */
    CUSTODY_ROTATION_PLAN,
    CUSTODY_ROTATION_APPLY,
    CUSTODY_ROTATION_CANCEL,    /* {"role","token"?} */
    CUSTODY_ROTATION_LOOKAHEAD, /* {"role"?,"days"?} */
    CUSTODY_AUDIT_KEY,          /* {"key"?} or {"all"}: "key" is a thumbprint as above */
    CUSTODY_KEY_ADOPT,          /* {"key","token","reason"?}: a thumbprint as above */
    CUSTODY_AUDIT_CHECKPOINT,
};

enum {
    CUSTODY_ARGUMENTS_MAX = 128 * 1024,
    /* A list of 1,000 keys, whose certificates have the longest names: 2 KiB for each. A frame has
     * room for 3 MiB (wire/frame.h). */
    CUSTODY_RESULT_MAX = 2560 * 1024,
    CUSTODY_VALUES_MAX = 256 * 1024, /* JSON values in it */
};

/* Asks the qseald behind `socket_path`. `arguments` may be NULL. On OUTCOME_OK *result is owned by
 * the caller. */
enum outcome custody_ask(const char *socket_path, enum custody_verb verb, const json_t *arguments,
                         struct deadline deadline, json_t **result, struct reason *why) MUST_USE;
/* The same with a typed PIN: the read end of a pipe that holds it, whose other end is closed; -1:
 * none. It stays the caller's. */
enum outcome custody_ask_with(const char *socket_path, enum custody_verb verb,
                              const json_t *arguments, int pin, struct deadline deadline,
                              json_t **result, struct reason *why) MUST_USE;

#endif
