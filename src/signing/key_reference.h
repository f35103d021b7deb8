/* SPDX-License-Identifier: Apache-2.0
 * The PEM key reference of a key in the keyring, the same for callers and for administrators. */
#ifndef QSEAL_SIGNING_KEY_REFERENCE_H
#define QSEAL_SIGNING_KEY_REFERENCE_H

#include "base/buffer.h"
#include "keyring/keyring.h"

/* Appends it. A program compares the reference with its certificate, so the public key is spelled
 * as in the certificate, which for RSA-PSS is another way than the keyring's. */
void key_reference_put(struct buffer *pem, const struct key *key, const char *socket);

#endif
