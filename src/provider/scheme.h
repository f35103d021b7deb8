/* SPDX-License-Identifier: Apache-2.0
 * Which TLS SignatureScheme (IANA) an operation asked of libcrypto is. */
#ifndef QSEAL_PROVIDER_SCHEME_H
#define QSEAL_PROVIDER_SCHEME_H

#include "base/attributes.h"
#include "base/span.h"
#include "provider/spki.h"

#include <stdbool.h>

/* Any name OpenSSL knows a digest by; "", "UNDEF" and NULL are MD_NONE. False for others, SHA-1
 * among them. */
bool scheme_md_from_name(const char *name, enum md *out) MUST_USE;
/* "SHA256"; "" for MD_NONE. */
const char *scheme_md_name(enum md md);
/* Bytes of the digest, 0 for MD_NONE. */
int scheme_md_size(enum md md);

/* "rsa_pss_rsae_sha256", or NULL when there is none: an RSA-PSS key with PKCS #1 padding, Ed25519
 * with a digest. The names of ECDSA hold a curve that TLS 1.3 binds and TLS 1.2 does not (RFC 8446
 * §4.2.3): here the digest decides, and the service knows which version it is. */
const char *scheme_name(enum key_kind kind, enum md md, bool pss);

#endif
