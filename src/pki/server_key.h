/* SPDX-License-Identifier: Apache-2.0
 * Verifying what a TLS server signed, under the key of its certificate. */
#ifndef QSEAL_PKI_SERVER_KEY_H
#define QSEAL_PKI_SERVER_KEY_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/tls_credentials.h"
#include "model/tls_scheme.h"
#include "pki/certificate_key.h"

/* NULL when the signature is good; else what is wrong. The scheme must be one of
 * model/tls_scheme.h that fits the key in this version: in TLS 1.3 a curve goes with its own digest
 * only, and there is no PKCS#1. RSA keys have 2048 to 8192 bits. */
const char *server_key_fault(const struct certificate_key *key, enum tls_version version,
                             struct span content, const struct tls_signed *proof) MUST_USE;

#endif
