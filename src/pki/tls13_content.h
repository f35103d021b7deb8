/* SPDX-License-Identifier: Apache-2.0
 * What TLS 1.3 signs in a CertificateVerify (RFC 8446 §4.4.3). */
#ifndef QSEAL_PKI_TLS13_CONTENT_H
#define QSEAL_PKI_TLS13_CONTENT_H

#include "base/attributes.h"
#include "base/span.h"
#include "pki/tls_guard.h"

enum tls13_side { TLS13_CLIENT, TLS13_SERVER };

/* The content over a transcript hash of 32 or 48 bytes; returns its length, 130 or 146. */
size_t tls13_content_write(enum tls13_side side, struct span hash, uint8_t out[TLS_CONTENT_MAX]);
/* NULL when it is a client's content; else what is wrong. */
const char *tls13_content_fault(struct span input) MUST_USE;

#endif
