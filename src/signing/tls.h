/* SPDX-License-Identifier: Apache-2.0
 * Transport keys for callers: the signature of a TLS client's CertificateVerify, and what a client
 * needs beside it, the certificate chain and the key reference. */
#ifndef QSEAL_SIGNING_TLS_H
#define QSEAL_SIGNING_TLS_H

#include "base/attributes.h"
#include "signing/dispatch.h"
#include "signing/signing.h"

struct tls_question {
    struct view *view;
    struct view_cell *views; /* what holds when the signature is there */
    struct watch *watch;
    const struct config_caller *caller;
    const struct signing_request *request;
    const struct dispatch_subject *subject;
    struct deadline deadline;
};

/* Appends the signature as TLS has it (ECDSA: DER) to `signature`, and writes the server that the
 * handshake has proven, or "", into `peer`. OUTCOME_NOT_FOUND, OUTCOME_NOT_GRANTED,
 * OUTCOME_MEDIA_TYPE, OUTCOME_MALFORMED (no scheme), OUTCOME_RULE (content, scheme or peer), and
 * those of dispatch.h. */
enum outcome tls_sign(struct dispatcher *dispatcher, const struct tls_question *question,
                      struct buffer *signature, char peer[SIGNING_PEER_SIZE],
                      struct reason *why) MUST_USE;
/* Appends the PEM chain of the role's key, its own certificate first; of any role of the caller. */
enum outcome tls_put_certificate(const struct tls_question *question, struct buffer *pem,
                                 struct reason *why) MUST_USE;
/* Appends the PEM key reference (keyring/reference.h). */
enum outcome tls_put_reference(const struct tls_question *question, struct buffer *pem,
                               struct reason *why) MUST_USE;

#endif
