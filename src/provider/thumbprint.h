/* SPDX-License-Identifier: Apache-2.0
 * RFC 7638 thumbprints, made without JSON or libcrypto. */
#ifndef QSEAL_PROVIDER_THUMBPRINT_H
#define QSEAL_PROVIDER_THUMBPRINT_H

#include "provider/sha2.h"
#include "provider/spki.h"

/* 43 characters of base64url and a NUL. An RSA-PSS key has the thumbprint of its RSA key. */
void thumbprint_of(const struct spki *spki, struct sha2_speed speed, char out[44]);

#endif
