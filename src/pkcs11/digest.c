/* SPDX-License-Identifier: Apache-2.0
 * SHA-2 by OpenSSL. */
#include "pkcs11/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct digests {
    EVP_MD *sha256;
    EVP_MD *sha384;
    EVP_MD *sha512;
};

struct digest_context {
    const struct digests *digests;
    EVP_MD_CTX *context;
};

struct digests *digests_new(void)
{
    struct digests *digests = calloc(1, sizeof *digests);
    if (digests == NULL) {
        return NULL;
    }
    digests->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    digests->sha384 = EVP_MD_fetch(NULL, "SHA2-384", NULL);
    digests->sha512 = EVP_MD_fetch(NULL, "SHA2-512", NULL);
    if (digests->sha256 == NULL || digests->sha384 == NULL || digests->sha512 == NULL) {
        digests_free(digests);
        return NULL;
    }
    return digests;
}

void digests_free(struct digests *digests)
{
    if (digests == NULL) {
        return;
    }
    EVP_MD_free(digests->sha256);
    EVP_MD_free(digests->sha384);
    EVP_MD_free(digests->sha512);
    free(digests);
}

struct digest_context *digest_context_new(const struct digests *digests)
{
    struct digest_context *context = calloc(1, sizeof *context);
    EVP_MD_CTX *evp = EVP_MD_CTX_new();
    if (context == NULL || evp == NULL) {
        free(context);
        EVP_MD_CTX_free(evp);
        return NULL;
    }
    *context = (struct digest_context){.digests = digests, .context = evp};
    return context;
}

void digest_context_free(struct digest_context *context)
{
    if (context == NULL) {
        return;
    }
    EVP_MD_CTX_free(context->context);
    free(context);
}

static const EVP_MD *digest_of(const struct digests *digests, enum alg alg)
{
    switch (alg) {
    case ALG_RS256:
    case ALG_PS256:
    case ALG_ES256:
        return digests->sha256;
    case ALG_RS384:
    case ALG_PS384:
    case ALG_ES384:
        return digests->sha384;
    case ALG_RS512:
    case ALG_PS512:
    case ALG_ES512:
        return digests->sha512;
    case ALG_ED25519:
        return NULL;
    }
    return NULL;
}

bool digest_message(struct digest_context *context, enum alg alg, struct span message,
                    uint8_t out[DIGEST_MAX])
{
    const EVP_MD *digest = digest_of(context->digests, alg);
    unsigned int len = 0;
    return digest != NULL && EVP_DigestInit_ex2(context->context, digest, NULL) == 1 &&
           EVP_DigestUpdate(context->context, message.data, message.len) == 1 &&
           EVP_DigestFinal_ex(context->context, out, &len) == 1 && len == alg_digest_len(alg);
}

bool digest_sha256(struct span bytes, uint8_t out[DIGEST_SHA256_LEN])
{
    unsigned int len = 0;
    return EVP_Digest(bytes.data, bytes.len, out, &len, EVP_sha256(), NULL) == 1 &&
           len == DIGEST_SHA256_LEN;
}
