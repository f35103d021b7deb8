/* SPDX-License-Identifier: Apache-2.0
 * Finding the one token that the URI names. */
#ifndef QSEAL_PKCS11_SLOT_H
#define QSEAL_PKCS11_SLOT_H

#include "base/attributes.h"
#include "model/outcome.h"
#include "pkcs11/module.h"
#include "pkcs11/uri.h"

enum { SLOT_TEXT_SIZE = 64 };

struct slot {
    CK_SLOT_ID id;
    CK_FLAGS flags;     /* of the token, when it was looked at */
    CK_TOKEN_INFO info; /* all that it said then */
    char label[SLOT_TEXT_SIZE];
    char serial[SLOT_TEXT_SIZE];
    char model[SLOT_TEXT_SIZE];
};

/* OUTCOME_TOKEN_UNAVAILABLE when no token fits; OUTCOME_RULE, naming both serial numbers, when more
 * than one does. */
enum outcome slot_find(const struct module *module, const struct uri *uri, struct slot *out,
                       struct reason *why) MUST_USE;
/* Looks at the token again: its flags change with each login. False when it does not answer. */
bool slot_refresh(const struct module *module, struct slot *slot) MUST_USE;

#endif
