/* SPDX-License-Identifier: Apache-2.0
 * Certificate requests. */
#include "pki/request.h"

#include "base/der.h"
#include "base/pem.h"
#include "pki/request_parts.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <assert.h>

#define OID_SHA2 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02
#define OID_PKCS1 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01
#define HASH(n) 0x30, 0x0d, 0x06, 0x09, OID_SHA2, n, 0x05, 0x00

/* AlgorithmIdentifiers: RFC 8017 §A.2, RFC 5758 §3.2, RFC 8410 §3. */
#define RSA_PKCS1(n)                                                                               \
    {                                                                                              \
        0x30, 0x0d, 0x06, 0x09, OID_PKCS1, n, 0x05, 0x00                                           \
    }
#define RSA_PSS(hash, salt)                                                                        \
    {                                                                                              \
        0x30, 0x41, 0x06, 0x09, OID_PKCS1, 0x0a, 0x30, 0x34, 0xa0, 0x0f, HASH(hash), 0xa1, 0x1c,   \
            0x30, 0x1a, 0x06, 0x09, OID_PKCS1, 0x08, HASH(hash), 0xa2, 0x03, 0x02, 0x01, salt      \
    }
#define ECDSA(n)                                                                                   \
    {                                                                                              \
        0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n                        \
    }

static const uint8_t identifiers[][67] = {
    [ALG_RS256] = RSA_PKCS1(0x0b),     [ALG_RS384] = RSA_PKCS1(0x0c),
    [ALG_RS512] = RSA_PKCS1(0x0d),     [ALG_PS256] = RSA_PSS(0x01, 0x20),
    [ALG_PS384] = RSA_PSS(0x02, 0x30), [ALG_PS512] = RSA_PSS(0x03, 0x40),
    [ALG_ES256] = ECDSA(0x02),         [ALG_ES384] = ECDSA(0x03),
    [ALG_ES512] = ECDSA(0x04),         [ALG_ED25519] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70},
};
static_assert(COUNT_OF(identifiers) == ALG_COUNT, "an identifier for every algorithm");

static enum outcome put_info(struct buffer *info, X509_REQ *request,
                             const struct request_wish *wish, EVP_PKEY *key, struct reason *why)
{
    enum outcome outcome = request_wish_check(wish, EVP_PKEY_is_a(key, "RSA") == 1, why);
    if (outcome == OUTCOME_OK) {
        outcome = request_put_subject(X509_REQ_get_subject_name(request), wish, why);
    }
    if (outcome == OUTCOME_OK && (X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
                                  X509_REQ_set_pubkey(request, key) != 1)) {
        outcome = refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    if (outcome == OUTCOME_OK) {
        outcome = request_put_extensions(request, wish, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    unsigned char *der = NULL;
    int len = i2d_re_X509_REQ_tbs(request, &der);
    if (len > 0) {
        buffer_put(info, der, (size_t)len);
    }
    OPENSSL_free(der);
    return len > 0 && buffer_ok(info)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_INTERNAL, "no room for the certificate request");
}

enum outcome request_put_info(struct buffer *info, const struct request_wish *wish,
                              struct span spki, struct reason *why)
{
    const unsigned char *at = spki.data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    X509_REQ *request = X509_REQ_new();
    enum outcome outcome =
        key == NULL || request == NULL
            ? refuse(why, OUTCOME_INTERNAL, "the public key cannot be put into a request")
            : put_info(info, request, wish, key, why);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return outcome;
}

void request_put_pem(struct buffer *out, struct span info, enum alg alg, struct span signature)
{
    BUFFER_CLEANUP struct buffer inside = BUFFER_INIT(REQUEST_INFO_MAX + 1024);
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(REQUEST_INFO_MAX + 1024);
    buffer_put_span(&inside, info);
    buffer_put(&inside, identifiers[alg], 2 + (size_t)identifiers[alg][1]);
    der_put_head(&inside, DER_BIT_STRING, signature.len + 1);
    buffer_put_u8(&inside, 0); /* no unused bits */
    buffer_put_span(&inside, signature);
    der_put(&der, DER_SEQUENCE, buffer_span(&inside));
    if (!buffer_ok(&inside) || !buffer_ok(&der)) {
        out->failed = true;
        return;
    }
    pem_put(out, "CERTIFICATE REQUEST", buffer_span(&der));
}
