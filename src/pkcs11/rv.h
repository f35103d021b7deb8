/* SPDX-License-Identifier: Apache-2.0
 * What a PKCS#11 return code means to us. Modules disagree about most codes, so the classes are
 * few: whatever is not known to be harmless counts against the session. */
#ifndef QSEAL_PKCS11_RV_H
#define QSEAL_PKCS11_RV_H

#include "model/outcome.h"

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

enum rv_class {
    RV_DONE,
    RV_KEY_GONE,   /* the handle is stale: look the key up again */
    RV_LOGGED_OUT, /* the token forgot the login */
    RV_REFUSED,    /* the token does not do this with this key; asking again changes nothing */
    RV_BROKEN,     /* anything else: the session cannot be trusted any more */
};
enum rv_class rv_class(CK_RV rv);

enum rv_login {
    RV_LOGIN_GOOD,
    RV_LOGIN_FAULT,   /* surely not the PIN's fault: absent, removed, no such session */
    RV_LOGIN_UNSURE,  /* the token is in trouble: it may have seen the PIN, and counted it */
    RV_LOGIN_REFUSED, /* the PIN's fault, or a code that some modules use for it */
};
enum rv_login rv_login(CK_RV rv);

/* Whether the token disliked a template, so that a smaller one may pass. */
bool rv_is_template(CK_RV rv);

struct rv_text {
    char text[40];
};
/* "CKR_DEVICE_ERROR", or the number. */
struct rv_text rv_text(CK_RV rv);
/* OUTCOME_TOKEN_UNAVAILABLE with what failed: "reading a key: CKR_DEVICE_ERROR". */
enum outcome rv_refuse(CK_RV rv, const char *what, struct reason *why);

#endif
