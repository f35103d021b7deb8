/* SPDX-License-Identifier: Apache-2.0
 * What the fuzzers of the transport guard share: how an input names its key, and a second look at
 * what was accepted, with OpenSSL's own reader of certificates.
 *
 * An input is: how (1 byte), algorithm (1), key type (1), SHA-256 of the key's SubjectPublicKeyInfo
 * (32), then what is to be signed. So the corpus can hold handshakes of any key. */
#ifndef QSEAL_TESTS_FUZZ_TLS_RECHECK_H
#define QSEAL_TESTS_FUZZ_TLS_RECHECK_H

#include "base/span.h"
#include "pki/tls_guard.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { HEAD_LEN = 3 + 32 };

struct tls_input {
    uint8_t how;
    enum alg alg;
    struct tls_key key;
    struct span content;
};

static inline bool tls_input_read(const uint8_t *data, size_t size, struct tls_input *out)
{
    if (size < HEAD_LEN) {
        return false;
    }
    *out = (struct tls_input){.how = data[0], .alg = (enum alg)data[1]};
    out->key = (struct tls_key){.type = (enum key_type)data[2], .spki_sha256 = data + 3};
    out->content = span_of(data + HEAD_LEN, size - HEAD_LEN);
    return true;
}

/* SHA-256 of the key in a certificate as OpenSSL reads it; false when it does not read it. */
static inline bool openssl_digest(struct span der, uint8_t out[32])
{
    const unsigned char *at = der.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
    unsigned char *spki = NULL;
    int len = certificate == NULL ? 0 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
    bool read = len > 0 && EVP_Digest(spki, (size_t)len, out, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(spki);
    X509_free(certificate);
    ERR_clear_error();
    return read;
}

static inline size_t number_24(const uint8_t *at)
{
    return (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
}

/* The first certificate of the nth Certificate message; the messages were accepted. */
static inline struct span first_certificate(struct span messages, int nth, size_t context)
{
    for (size_t at = 0; at + 4 <= messages.len; at += 4 + number_24(messages.data + at + 1)) {
        if (messages.data[at] == 11 && nth-- == 0) {
            const uint8_t *entry = messages.data + at + 4 + context + 3;
            return span_of(entry + 3, number_24(entry));
        }
    }
    abort();
}

static inline void recheck_proof(const struct tls_input *input, const struct tls_proof *proof)
{
    size_t context = proof->version == TLS_1_3 ? 1 : 0;
    struct span server = first_certificate(input->content, 0, context);
    struct span client = first_certificate(input->content, 1, context);
    uint8_t digest[32];
    MUST(proof->has_peer && ERR_peek_error() == 0);
    MUST(proof->peer_chain.data == server.data - 3);
    MUST(proof->peer_chain.data + proof->peer_chain.len <=
         input->content.data + input->content.len);
    /* Two readers of one certificate see one key. */
    MUST(!openssl_digest(server, digest) || memcmp(digest, proof->peer_spki_sha256, 32) == 0);
    static const uint8_t pss[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A};
    MUST(!openssl_digest(client, digest) || memcmp(digest, input->key.spki_sha256, 32) == 0 ||
         memmem(client.data, client.len, pss, sizeof pss) != NULL);
    for (const char *c = proof->server_name; *c != '\0'; c++) {
        MUST(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *c) !=
             NULL);
    }
}

static inline void recheck_refusal(const struct tls_proof *proof, const struct reason *why)
{
    MUST(!proof->has_peer && proof->server_name[0] == '\0' && ERR_peek_error() == 0);
    MUST(why->detail[0] != '\0');
    for (const char *c = why->detail; *c != '\0'; c++) {
        MUST(*c >= ' ' && *c <= '~');
    }
}

#endif
