/* SPDX-License-Identifier: Apache-2.0
 * The public key in a certificate. */
#include "pki/certificate_key.h"

#include "base/der.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <string.h>

enum { SPKI_MAX = 4096 };

/* AlgorithmIdentifiers without tag and length: RFC 3279 §2.3.1, RFC 5480 §2.1.1, RFC 8410 §3. Of
 * id-RSASSA-PSS only the OID, as its parameters vary (RFC 4055 §3.1). */
static const uint8_t rsa[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7,
                              0x0D, 0x01, 0x01, 0x01, 0x05, 0x00};
static const uint8_t rsa_pss[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A};
static const uint8_t p256[] = {0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
                               0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
static const uint8_t p384[] = {0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02,
                               0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
static const uint8_t p521[] = {0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02,
                               0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23};
static const uint8_t ed25519[] = {0x06, 0x03, 0x2B, 0x65, 0x70};

static const struct row {
    enum certificate_key_kind kind;
    struct span algorithm;
} rows[] = {
    {CERTIFICATE_RSA, {rsa, sizeof rsa}},
    {CERTIFICATE_P256, {p256, sizeof p256}},
    {CERTIFICATE_P384, {p384, sizeof p384}},
    {CERTIFICATE_P521, {p521, sizeof p521}},
    {CERTIFICATE_ED25519, {ed25519, sizeof ed25519}},
};

static bool kind_of(struct span algorithm, enum certificate_key_kind *out)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (span_equal(algorithm, rows[i].algorithm)) {
            *out = rows[i].kind;
            return true;
        }
    }
    *out = CERTIFICATE_RSA_PSS;
    return span_equal(span_part(algorithm, 0, sizeof rsa_pss), span_of(rsa_pss, sizeof rsa_pss));
}

static const char *read_spki(struct span spki, struct certificate_key *out)
{
    struct reader outer = reader_of(spki);
    struct reader reader = reader_of(der_take(&outer, DER_SEQUENCE));
    struct span algorithm = der_take(&reader, DER_SEQUENCE);
    struct span bits = der_take(&reader, DER_BIT_STRING);
    if (!reader_done(&reader) || bits.len < 2 || bits.data[0] != 0) {
        return "its public key is not DER";
    }
    out->spki = spki;
    out->value = span_part(bits, 1, bits.len);
    return kind_of(algorithm, &out->kind) ? NULL : "its key is of a type that is not taken";
}

/* TBSCertificate up to subjectPublicKeyInfo. */
static struct span find_spki(struct span tbs)
{
    struct reader reader = reader_of(tbs);
    if (der_is_next(&reader, DER_CONTEXT_0)) {
        (void)der_take(&reader, DER_CONTEXT_0);
    }
    (void)der_take(&reader, DER_INTEGER);
    for (int i = 0; i < 4; i++) { /* signature, issuer, validity, subject */
        (void)der_take(&reader, DER_SEQUENCE);
    }
    struct span spki = der_take_whole(&reader, DER_SEQUENCE);
    der_skip_all(&reader);
    return reader_done(&reader) ? spki : span_of(NULL, 0);
}

const char *certificate_key_read(struct span der, struct certificate_key *out)
{
    struct reader outer = reader_of(der);
    struct reader reader = reader_of(der_take(&outer, DER_SEQUENCE));
    struct span tbs = der_take(&reader, DER_SEQUENCE);
    (void)der_take(&reader, DER_SEQUENCE);
    (void)der_take(&reader, DER_BIT_STRING);
    if (!reader_done(&outer) || !reader_done(&reader)) {
        return "it is not DER";
    }
    struct span spki = find_spki(tbs);
    return spki.len == 0 ? "it is not DER" : read_spki(spki, out);
}

static bool sha256(struct span bytes, uint8_t out[SHA256_LEN])
{
    unsigned int len = 0;
    bool done = EVP_Digest(bytes.data, bytes.len, out, &len, EVP_sha256(), NULL) == 1;
    if (!done) {
        ERR_clear_error();
    }
    return done && len == SHA256_LEN;
}

bool certificate_key_digest(const struct certificate_key *key, uint8_t out[SHA256_LEN])
{
    return sha256(key->spki, out);
}

static void put_rsa_form(struct buffer *out, struct span value)
{
    BUFFER_CLEANUP struct buffer inner = BUFFER_INIT(SPKI_MAX);
    der_put(&inner, DER_SEQUENCE, span_of(rsa, sizeof rsa));
    der_put_head(&inner, DER_BIT_STRING, value.len + 1);
    buffer_put_u8(&inner, 0);
    buffer_put_span(&inner, value);
    if (!buffer_ok(&inner)) {
        out->failed = true;
        return;
    }
    der_put(out, DER_SEQUENCE, buffer_span(&inner));
}

bool certificate_key_is(const struct certificate_key *key, const uint8_t spki_sha256[SHA256_LEN])
{
    uint8_t digest[SHA256_LEN];
    BUFFER_CLEANUP struct buffer plain = BUFFER_INIT(SPKI_MAX);
    if (certificate_key_digest(key, digest) && memcmp(digest, spki_sha256, SHA256_LEN) == 0) {
        return true;
    }
    if (key->kind != CERTIFICATE_RSA_PSS) {
        return false;
    }
    put_rsa_form(&plain, key->value);
    return buffer_ok(&plain) && sha256(buffer_span(&plain), digest) &&
           memcmp(digest, spki_sha256, SHA256_LEN) == 0;
}
