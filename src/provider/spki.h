/* SPDX-License-Identifier: Apache-2.0
 * The public keys that a key reference may hold (SubjectPublicKeyInfo: RFC 5280 §4.1, RFC 8017
 * §A.1, RFC 4055 §3.1, RFC 5480 §2, RFC 8410 §4). Nothing is computed with them. */
#ifndef QSEAL_PROVIDER_SPKI_H
#define QSEAL_PROVIDER_SPKI_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

enum key_kind { KIND_RSA, KIND_RSA_PSS, KIND_EC, KIND_ED25519 };
enum { KIND_COUNT = KIND_ED25519 + 1 };

enum md { MD_NONE, MD_SHA256, MD_SHA384, MD_SHA512 };

struct spki {
    enum key_kind kind;
    struct span n, e;  /* of RSA: magnitudes, big-endian */
    struct span point; /* EC: uncompressed; Ed25519: the 32 bytes */
    const char *group; /* EC: OpenSSL's name of the curve */
    const char *crv;   /* EC, Ed25519: the JWK's name of it (RFC 7518 §6.2.1.1) */
    enum md mandatory; /* RSA-PSS: the digest its parameters ask for; MD_NONE: any */
    int bits;          /* size and strength as the default provider reports them */
    int security_bits;
    int max_size; /* bytes a signature may have */
};

/* The spans point into `der`. False when it is none of these kinds, or not minimal DER. */
bool spki_read(struct span der, struct spki *out) MUST_USE;

#endif
