/* SPDX-License-Identifier: Apache-2.0
 * Transcripts for keys whose private half is elsewhere: of a rig's handshake, with the client's
 * Certificate replaced by one for another key. Nothing that a guard can verify covers that message.
 */
#ifndef QSEAL_TESTS_UNIT_TLS_CLIENT_H
#define QSEAL_TESTS_UNIT_TLS_CLIENT_H

#include "check.h"
#include "tls_rig.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

/* A certificate for this SubjectPublicKeyInfo, issued by the rig's identity. */
static inline X509 *tls_client_certificate(struct span spki, const struct rig_identity *issuer)
{
    const unsigned char *at = spki.data;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    X509 *made = X509_new();
    assert_non_null(pkey);
    assert_int_equal(X509_set_version(made, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made), 7), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                                                (const unsigned char *)"client", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(made, X509_get_subject_name(issuer->certificate)), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -7200));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), 86400));
    assert_int_equal(X509_set_pubkey(made, pkey), 1);
    assert_true(X509_sign(made, issuer->pkey, EVP_sha256()) > 0);
    EVP_PKEY_free(pkey);
    return made;
}

static inline void tls_client_put_pem(const X509 *certificate, struct buffer *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
    long len = BIO_get_mem_data(bio, &text);
    buffer_put(out, text, (size_t)len);
    BIO_free(bio);
}

static inline void tls_client_put_u24(struct buffer *out, size_t n)
{
    buffer_put_u8(out, (uint8_t)(n >> 16));
    buffer_put_u16(out, (uint16_t)n);
}

/* Puts a certificate for this key where the rig's client had its own. */
static inline void tls_client_replace(struct buffer *messages, bool tls13, struct span spki,
                                      const struct rig_identity *issuer)
{
    enum { CERTIFICATE = 11 };
    BUFFER_CLEANUP struct buffer body = BUFFER_INIT(8192);
    X509 *certificate = tls_client_certificate(spki, issuer);
    unsigned char *der = NULL;
    int der_len = i2d_X509(certificate, &der);
    assert_true(der_len > 0);
    size_t len = (size_t)der_len;
    size_t at;
    size_t whole;
    if (tls13) { /* RFC 8446 §4.4.2: no request context, no extensions */
        buffer_put_u8(&body, 0);
    }
    tls_client_put_u24(&body, 3 + len + (tls13 ? 2 : 0));
    tls_client_put_u24(&body, len);
    buffer_put(&body, der, len);
    if (tls13) {
        buffer_put_u16(&body, 0);
    }
    assert_true(rig_find(buffer_span(messages), CERTIFICATE, 1, &at, &whole));
    rig_set_body(messages, at, buffer_span(&body));
    OPENSSL_free(der);
    X509_free(certificate);
}

/* TLS 1.2: what is signed. TLS 1.3: the whole transcript. Of a handshake with this server. */
static inline void tls_client_transcript(int version, const struct rig_identity *server,
                                         const struct rig_identity *client, struct span spki,
                                         struct buffer *out)
{
    const struct rig_handshake how = {
        .version = version, .sni = "api.bank.example", .server = server, .client = client};
    struct rig_transcript made;
    rig_shake(&how, &made);
    buffer_put_span(out, buffer_span(&made.messages));
    tls_client_replace(out, version == TLS1_3_VERSION, spki, client);
    rig_transcript_free(&made);
    assert_true(buffer_ok(out));
}

#endif
