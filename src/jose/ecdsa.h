/* SPDX-License-Identifier: Apache-2.0
 * The two spellings of an ECDSA signature: r||s at full length (RFC 7518 §3.4), which tokens and
 * JOSE have, and the DER SEQUENCE (RFC 3279 §2.2.3), which OpenSSL and TLS have. */
#ifndef QSEAL_JOSE_ECDSA_H
#define QSEAL_JOSE_ECDSA_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/alg.h"

enum { ECDSA_COORDINATE_MAX = 66, ECDSA_DER_MAX = 3 + 2 * (2 + 1 + ECDSA_COORDINATE_MAX) };

/* Returns the length written; 0 when this is no signature of such a key: another length, r or s out
 * of range, not a curve. */
size_t ecdsa_to_der(enum key_type type, struct span raw, uint8_t der[ECDSA_DER_MAX]) MUST_USE;

#endif
