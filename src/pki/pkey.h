/* SPDX-License-Identifier: Apache-2.0
 * libcrypto's public keys from their numbers: d2i_PUBKEY() would look for a decoder each time,
 * which costs more than a verification.
 *
 * They are owned by the caller; NULL when libcrypto does not take the numbers or has no memory, and
 * its errors are then the caller's to clear. */
#ifndef QSEAL_PKI_PKEY_H
#define QSEAL_PKI_PKEY_H

#include "base/attributes.h"
#include "base/span.h"

#include <openssl/evp.h>

/* Modulus and exponent, big-endian. Their sizes are the caller's to judge. */
EVP_PKEY *pkey_of_rsa(struct span modulus, struct span exponent) MUST_USE;
/* 0x04 || x || y (SEC 1 §2.3.3), no other form (RFC 8422 §5.4.1), on the curve of this name. That
 * the coordinates are below the field's prime and the point on the curve is checked here. */
EVP_PKEY *pkey_of_point(const char *group, struct span point) MUST_USE;

#endif
