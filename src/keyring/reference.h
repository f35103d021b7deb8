/* SPDX-License-Identifier: Apache-2.0
 * The PEM key reference: what stands in a program's configuration in place of a private key. It
 * holds no secret, and enough to load it without a running service:
 *
 *   SEQUENCE { UTF8String "qseal-key-reference-1", UTF8String role, UTF8String socket path,
 *              UTF8String RFC 7638 thumbprint, SubjectPublicKeyInfo }
 *
 * in DER, under the label "QSEAL KEY REFERENCE" (RFC 7468 §3, lines of 64). */
#ifndef QSEAL_KEYRING_REFERENCE_H
#define QSEAL_KEYRING_REFERENCE_H

#include "base/buffer.h"
#include "jose/public_key.h"

/* Appends the PEM text; `out` fails when it does not fit. `spki` is the key's own, DER, or that of
 * its certificate where this spells it in another way (id-RSASSA-PSS over an RSA key, RFC 4055
 * §1.2): a program compares the two. */
void reference_put_pem(struct buffer *out, const char *role, const char *socket,
                       const struct public_key *key, struct span spki);

#endif
