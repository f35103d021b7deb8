/* SPDX-License-Identifier: Apache-2.0
 * Real handshakes for the transport guard's tests: two SSL objects over memory, and every handshake
 * message of the client's side taken down until it signs. The signature that libssl then makes is
 * verified over what was taken down, so these are the bytes that are signed. */
#ifndef QSEAL_TESTS_UNIT_TLS_RIG_H
#define QSEAL_TESTS_UNIT_TLS_RIG_H

#include "base/buffer.h"
#include "model/alg.h"
#include "model/tls_scheme.h"

#include <openssl/ssl.h>

#include <stdbool.h>

enum rig_kind { RIG_RSA, RIG_RSA_PSS, RIG_P256, RIG_P384, RIG_P521, RIG_ED25519 };
enum { RIG_KINDS = RIG_ED25519 + 1, RIG_INPUT_MAX = 64 * 1024 };

struct rig_identity {
    enum key_type type;
    EVP_PKEY *pkey;          /* owned */
    X509 *certificate;       /* owned */
    uint8_t spki_sha256[32]; /* as a token knows the key: rsaEncryption for RSA-PSS too */
};

struct rig_certificate {
    const char *san;                   /* "DNS:a.example,DNS:b.example", NULL for none */
    const struct rig_identity *issuer; /* NULL: itself */
    bool is_ca;
    bool client_only; /* extendedKeyUsage clientAuth */
    bool expired;
    bool sha1; /* the issuer signs with it */
};

void rig_identity_make(enum rig_kind kind, const struct rig_certificate *how,
                       struct rig_identity *out);
void rig_identity_free(struct rig_identity *identity);
/* SHA-256 of the SubjectPublicKeyInfo in the certificate. */
void rig_certificate_digest(const X509 *certificate, uint8_t out[32]);

struct rig_handshake {
    int version;         /* TLS1_2_VERSION … */
    const char *ciphers; /* TLS 1.2 names, or TLS 1.3 names; NULL: default */
    const char *sigalgs; /* what the server asks for and uses; NULL: default */
    const char *asked;   /* what it asks for, when that is different */
    const char *groups;  /* of the server; the client offers X25519 first: another is a retry */
    const char *sni;     /* NULL: none */
    bool staple;
    bool no_client_certificate;
    const struct rig_identity *server;
    const struct rig_identity *server_issuer; /* sent as intermediate; NULL: none */
    const struct rig_identity *client;
    SSL_SESSION **session; /* *session is resumed if any, else set; NULL: none */
};

struct rig_transcript {
    struct buffer messages; /* up to the client's CertificateVerify, or all when there is none */
    struct buffer content;  /* what libssl signed: in TLS 1.2 the messages */
    enum alg alg;           /* of the client's signature */
    bool is_signed;         /* by a scheme that model/tls_scheme.h knows, and verified */
};

void rig_shake(const struct rig_handshake *how, struct rig_transcript *out);
void rig_transcript_free(struct rig_transcript *transcript);
/* One content of TLS 1.3 over a hash of `len` bytes, for "client" or "server". */
void rig_content(struct buffer *out, const char *side, const uint8_t *hash, size_t len);

/* The nth (from 0) message of this type: where it starts and its whole length. */
bool rig_find(struct span messages, uint8_t type, int nth, size_t *at, size_t *len);
/* Replaces `drop` bytes at `at` by others. */
void rig_splice(struct buffer *bytes, size_t at, size_t drop, struct span insert);
/* Puts another body into the message at `at` and writes its length. */
void rig_set_body(struct buffer *messages, size_t at, struct span body);

#endif
