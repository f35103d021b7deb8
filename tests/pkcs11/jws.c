/* SPDX-License-Identifier: Apache-2.0
 * Signing inputs and independent verification. */
#include "jws.h"

#include "base/base64url.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>

void jws_input(struct buffer *out, enum alg alg)
{
    char header[64];
    (void)snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", alg_name(alg));
    base64url_encode(out, span_of_text(header));
    buffer_put_u8(out, '.');
    base64url_encode(out, span_of_text("{\"iss\":\"test\"}"));
}

static const EVP_MD *digest_of(enum alg alg)
{
    switch (alg_digest_len(alg)) {
    case 32:
        return EVP_sha256();
    case 48:
        return EVP_sha384();
    case 64:
        return EVP_sha512();
    default:
        return NULL;
    }
}

/* r||s to the DER that OpenSSL verifies. */
static int ecdsa_der(struct span raw, unsigned char **out)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    size_t half = raw.len / 2;
    (void)ECDSA_SIG_set0(signature, BN_bin2bn(raw.data, (int)half, NULL),
                         BN_bin2bn(raw.data + half, (int)half, NULL));
    int len = i2d_ECDSA_SIG(signature, out);
    ECDSA_SIG_free(signature);
    return len;
}

static bool set_padding(EVP_PKEY_CTX *context, enum alg alg)
{
    if (alg_family(alg) != FAMILY_RSA_PSS) {
        return true;
    }
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, (int)alg_digest_len(alg)) == 1;
}

bool jws_verifies(struct span spki, enum alg alg, struct span input, struct span signature)
{
    const unsigned char *at = spki.data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    unsigned char *der = NULL;
    if (alg_family(alg) == FAMILY_ECDSA) {
        int len = ecdsa_der(signature, &der);
        signature = span_of(der, len > 0 ? (size_t)len : 0);
    }
    bool good =
        key != NULL && at == spki.data + spki.len &&
        EVP_DigestVerifyInit(context, &options, digest_of(alg), NULL, key) == 1 &&
        set_padding(options, alg) &&
        EVP_DigestVerify(context, signature.data, signature.len, input.data, input.len) == 1;
    OPENSSL_free(der);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}

void jws_spki_digest(struct span spki, uint8_t out[32])
{
    (void)EVP_Digest(spki.data, spki.len, out, NULL, EVP_sha256(), NULL);
}
