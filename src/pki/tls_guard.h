/* SPDX-License-Identifier: Apache-2.0
 * What a transport key signs: a TLS client's CertificateVerify, and nothing else. Used by qseald
 * and again, on what arrives there, by qseal-tokend.
 *
 *   TLS 1.3 (RFC 8446 §4.4.3): 64 spaces, "TLS 1.3, client CertificateVerify", a zero byte and a
 *   transcript hash of 32 or 48 bytes: 130 or 146 bytes. It shows nothing of the peer.
 *   TLS 1.2 (RFC 5246 §7.4.8): all handshake messages from ClientHello to ClientKeyExchange, which
 *   parse to the last byte, hold this key's certificate, use (EC)DHE, and whose ServerKeyExchange
 *   signature verifies under the server's certificate in them: the peer is proven. */
#ifndef QSEAL_PKI_TLS_GUARD_H
#define QSEAL_PKI_TLS_GUARD_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/alg.h"
#include "model/outcome.h"
#include "model/tls_scheme.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TLS_CONTENT_MAX = 146,
    TLS_SERVER_NAME_SIZE = 256,
    TLS_INPUT_MAX = 256 * 1024, /* bytes of a handshake; the provider keeps no more */
};

/* The key that is to sign. */
struct tls_key {
    enum key_type type;
    const uint8_t *spki_sha256; /* 32 bytes, SHA-256 of its DER SubjectPublicKeyInfo */
};

/* What the bytes prove. */
struct tls_proof {
    enum tls_version version;
    bool has_peer;                          /* the rest is set */
    uint8_t peer_spki_sha256[32];           /* the server key that signed this handshake */
    char server_name[TLS_SERVER_NAME_SIZE]; /* what the client claimed (SNI), not proven by
                                               anything; "" when none; printable */
    struct span peer_chain; /* the server's certificate_list, borrowed from the input, for
                               tls_chain_next(): the versions write it differently */
};

/* OUTCOME_OK with *proof set; OUTCOME_SHAPE with the reason, which never holds bytes of the input;
 * OUTCOME_INTERNAL when memory is out. */
enum outcome tls_guard_check(const struct tls_key *key, enum alg alg, struct span input,
                             struct tls_proof *proof, struct reason *why) MUST_USE;

/* Transcript mode of TLS 1.3: all handshake messages from ClientHello (or the synthetic
 * message_hash of RFC 8446 §4.4.1) to the client's Certificate. Verifies the server's
 * CertificateVerify in it, and writes the content that is then to be signed. */
enum outcome tls_guard_transcript(const struct tls_key *key, enum alg alg, struct span transcript,
                                  uint8_t content[TLS_CONTENT_MAX], size_t *content_len,
                                  struct tls_proof *proof, struct reason *why) MUST_USE;

#endif
