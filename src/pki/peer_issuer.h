/* SPDX-License-Identifier: Apache-2.0
 * A server's certificates against those that a rule trusts. Unlike the guard this lets libcrypto
 * read certificates: a chain that is within the limits of pki/certificate_limits.h, sent with a key
 * that has just proven itself. */
#ifndef QSEAL_PKI_PEER_ISSUER_H
#define QSEAL_PKI_PEER_ISSUER_H

#include "base/attributes.h"
#include "model/outcome.h"
#include "pki/tls_guard.h"

#include <openssl/x509.h>

/* The certificates of a PEM file, what is not theirs is passed over; *out is the caller's, also
 * after a refusal. OUTCOME_RULE naming the file, and the block that cannot be read. */
enum outcome peer_issuer_load(const char *path, X509_STORE **out, struct reason *why) MUST_USE;
/* The proven server's chain, which is the caller's; NULL, or what is wrong and *out is NULL. */
const char *peer_issuer_read_chain(const struct tls_proof *proof, STACK_OF(X509) * *out) MUST_USE;
/* NULL when the chain's first certificate is a TLS server's and verifies up to one of the store. */
const char *peer_issuer_fault(X509_STORE *store, STACK_OF(X509) * chain) MUST_USE;

#endif
