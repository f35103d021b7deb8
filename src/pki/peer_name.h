/* SPDX-License-Identifier: Apache-2.0
 * What a peer rule says of a server: DNS names against those of a certificate (RFC 6125 §6.4,
 * RFC 9525 §6.3), and the pin of its key. */
#ifndef QSEAL_PKI_PEER_NAME_H
#define QSEAL_PKI_PEER_NAME_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { PEER_PIN_LEN = 32 };

/* Whether a rule may be written so: a DNS name in ASCII whose last label is no number (that would
 * be an IPv4 address, RFC 1123 §2.1), or "*." before one of at least two labels. */
bool peer_name_is_valid(struct span name) MUST_USE;
/* Whether the certificate's dNSName is one that the rule means. Case does not count. A star stands
 * for exactly one label, the first, on either side; a rule with a star also means the certificate's
 * name with the same star. */
bool peer_name_fits(struct span rule, struct span presented) MUST_USE;
/* BASE64URL(SHA-256(SubjectPublicKeyInfo)), 43 characters; false when it is not. */
bool peer_pin_read(struct span text, uint8_t spki_sha256[PEER_PIN_LEN]) MUST_USE;

#endif
