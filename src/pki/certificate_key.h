/* SPDX-License-Identifier: Apache-2.0
 * The public key in a certificate (RFC 5280 §4.1), found by walking over the DER. OpenSSL's own
 * parser looks decoders up for each certificate, 120 µs where this takes 0.1; and what a handshake
 * proves is about the key alone. Who issued the certificate is judged in pki/peer.h. */
#ifndef QSEAL_PKI_CERTIFICATE_KEY_H
#define QSEAL_PKI_CERTIFICATE_KEY_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum certificate_key_kind {
    CERTIFICATE_RSA,
    CERTIFICATE_RSA_PSS, /* id-RSASSA-PSS, RFC 4055 §1.2 */
    CERTIFICATE_P256,
    CERTIFICATE_P384,
    CERTIFICATE_P521,
    CERTIFICATE_ED25519,
};

/* Borrowed from the certificate. */
struct certificate_key {
    enum certificate_key_kind kind;
    struct span spki;  /* DER SubjectPublicKeyInfo */
    struct span value; /* subjectPublicKey: RSAPublicKey, ECPoint or the raw key */
};

enum { SHA256_LEN = 32 };

/* NULL, or what is wrong. */
const char *certificate_key_read(struct span der, struct certificate_key *out) MUST_USE;
/* SHA-256 of the SubjectPublicKeyInfo as it is; false when the library failed. */
bool certificate_key_digest(const struct certificate_key *key, uint8_t out[SHA256_LEN]) MUST_USE;
/* Whether it is the key whose SubjectPublicKeyInfo has this digest. A certificate may name the same
 * RSA key id-RSASSA-PSS with parameters, while the token knows it as rsaEncryption: then the
 * RSAPublicKey inside is compared, as the rsaEncryption form that it makes. */
bool certificate_key_is(const struct certificate_key *key,
                        const uint8_t spki_sha256[SHA256_LEN]) MUST_USE;

#endif
