/* SPDX-License-Identifier: Apache-2.0
 * TLS SignatureSchemes that a client's CertificateVerify may have (IANA TLS SignatureScheme; RFC
 * 8446 §4.2.3, RFC 5246 §7.4.1.4.1 with RFC 8422 §5.1.1 for TLS 1.2). SHA-1 and MD5 are not in the
 * list and therefore do not exist. */
#ifndef QSEAL_MODEL_TLS_SCHEME_H
#define QSEAL_MODEL_TLS_SCHEME_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/alg.h"

#include <stdbool.h>
#include <stdint.h>

enum tls_scheme {
    TLS_RSA_PKCS1_SHA256, /* TLS 1.2 only */
    TLS_RSA_PKCS1_SHA384,
    TLS_RSA_PKCS1_SHA512,
    TLS_ECDSA_SECP256R1_SHA256,
    TLS_ECDSA_SECP384R1_SHA384,
    TLS_ECDSA_SECP521R1_SHA512,
    TLS_RSA_PSS_RSAE_SHA256,
    TLS_RSA_PSS_RSAE_SHA384,
    TLS_RSA_PSS_RSAE_SHA512,
    TLS_ED25519,
    TLS_RSA_PSS_PSS_SHA256,
    TLS_RSA_PSS_PSS_SHA384,
    TLS_RSA_PSS_PSS_SHA512,
};
enum { TLS_SCHEME_COUNT = TLS_RSA_PSS_PSS_SHA512 + 1, TLS_SCHEME_NAME_SIZE = 32 };

enum tls_version { TLS_1_2 = 0x0303, TLS_1_3 = 0x0304 };

/* "ecdsa_secp256r1_sha256" */
const char *tls_scheme_name(enum tls_scheme scheme);
bool tls_scheme_from_name(struct span name, enum tls_scheme *out) MUST_USE;
/* As on the wire: 0x0403. */
uint16_t tls_scheme_code(enum tls_scheme scheme);
bool tls_scheme_from_code(uint16_t code, enum tls_scheme *out) MUST_USE;
/* The same private-key operation under its JOSE name: ES256 for ecdsa_secp256r1_sha256. PSS salts
 * are as long as the digest in both worlds. */
enum alg tls_scheme_alg(enum tls_scheme scheme);
/* Whether it goes with RSA keys of the kind id-RSASSA-PSS: rsa_pss_pss_... */
bool tls_scheme_is_pss_key(enum tls_scheme scheme);
/* Whether a key of this type may make the operation `alg` in a handshake of this version. TLS 1.3
 * binds curve and digest (RFC 8446 §4.2.3) and has no PKCS#1; in TLS 1.2 any digest here goes with
 * any curve. */
bool tls_alg_fits_key(enum alg alg, enum key_type type, enum tls_version version);

#endif
