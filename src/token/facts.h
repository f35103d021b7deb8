/* SPDX-License-Identifier: Apache-2.0
 * CK_TOKEN_INFO in the words of token/token.h. */
#ifndef QSEAL_TOKEN_FACTS_H
#define QSEAL_TOKEN_FACTS_H

#include "pkcs11/quirks.h"
#include "pkcs11/slot.h"
#include "token/token.h"

void facts_of(const struct slot *slot, struct quirks *quirks, struct token_facts *out);

#endif
