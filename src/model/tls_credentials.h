/* SPDX-License-Identifier: Apache-2.0
 * The messages by which the sides of a handshake ask for, show and use certificates: Certificate,
 * CertificateRequest, CertificateStatus, CertificateVerify (RFC 8446 §4.3.2, §4.4; RFC 5246 §7.4.2,
 * §7.4.4, §7.4.8; RFC 6066 §8). What is inside a certificate is not looked at here. */
#ifndef QSEAL_MODEL_TLS_CREDENTIALS_H
#define QSEAL_MODEL_TLS_CREDENTIALS_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"
#include "model/tls_scheme.h"

#include <stdbool.h>
#include <stdint.h>

enum { TLS_CHAIN_MAX = 16 }; /* certificates in one message */

/* Borrowed from the message. */
struct tls_certificate {
    struct span context; /* certificate_request_context; TLS 1.2 has none */
    struct span chain;   /* certificate_list without its length, for tls_chain_next() */
    struct span first;   /* DER of the first certificate, empty when the list is */
};

const char *tls_read_certificate(struct span body, enum tls_version version,
                                 struct tls_certificate *out) MUST_USE;
/* The next certificate (DER) of such a list; false at the end, and when what is left is none (then
 * the cursor has failed). */
bool tls_chain_next(struct reader *chain, enum tls_version version, struct span *der) MUST_USE;

struct tls_certificate_request {
    struct span context; /* TLS 1.3 */
    struct span schemes; /* list of 16-bit numbers */
};

const char *tls_read_certificate_request(struct span body, enum tls_version version,
                                         struct tls_certificate_request *out) MUST_USE;

/* A stapled OCSP response. */
const char *tls_certificate_status_fault(struct span body) MUST_USE;

struct tls_signed {
    uint16_t scheme;
    struct span signature;
};

/* Also the end of a ServerKeyExchange, RFC 5246 §4.7. */
void tls_take_signed(struct reader *reader, struct tls_signed *out);
const char *tls_read_certificate_verify(struct span body, struct tls_signed *out) MUST_USE;

#endif
