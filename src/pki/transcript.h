/* SPDX-License-Identifier: Apache-2.0
 * What both versions of a handshake transcript have in common, for the guard alone: taking the
 * messages in their order, our certificate, the server's proof. */
#ifndef QSEAL_PKI_TRANSCRIPT_H
#define QSEAL_PKI_TRANSCRIPT_H

#include "base/attributes.h"
#include "model/tls_credentials.h"
#include "model/tls_handshake.h"
#include "model/tls_hello.h"
#include "pki/certificate_key.h"
#include "pki/tls_guard.h"

struct transcript {
    const struct tls_key *key;
    enum alg alg;
    enum tls_version version;
    struct span input;
    struct reader messages; /* over input */
    struct tls_proof *proof;
    struct reason *why;

    struct tls_client_hello client;
    struct tls_server_hello server;
    struct tls_certificate chain;      /* the server's */
    struct certificate_key server_key; /* of its first certificate */
    struct tls_certificate_request request;
};

/* The next message must be of this type. */
enum outcome transcript_take(struct transcript *it, enum tls_message_type type,
                             struct span *body) MUST_USE;
/* Whether the next message is of this type; nothing is taken. */
bool transcript_is_next(const struct transcript *it, enum tls_message_type type);
/* OUTCOME_SHAPE with "ServerHello: …". */
enum outcome transcript_refuse(struct transcript *it, enum tls_message_type type,
                               const char *fault);

/* These take one message each and judge what does not depend on the version. */
enum outcome transcript_take_client_hello(struct transcript *it) MUST_USE;
enum outcome transcript_take_server_chain(struct transcript *it) MUST_USE;
enum outcome transcript_take_request(struct transcript *it) MUST_USE;
/* The client's: not empty, this key's, and of a scheme that the server asked for. */
enum outcome transcript_take_own_chain(struct transcript *it) MUST_USE;
/* The server's signature, in a message of this type; then the peer is known. */
enum outcome transcript_prove(struct transcript *it, enum tls_message_type type,
                              struct span content, const struct tls_signed *proof) MUST_USE;

/* The two guards proper. */
enum outcome tls12_transcript_check(struct transcript *it) MUST_USE;
/* Writes the content that is to be signed. */
enum outcome tls13_transcript_check(struct transcript *it, uint8_t content[TLS_CONTENT_MAX],
                                    size_t *content_len) MUST_USE;

#endif
