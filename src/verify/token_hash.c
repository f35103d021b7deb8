/* SPDX-License-Identifier: Apache-2.0
 * The half of a digest that stands for a code, a state or a token. */
#include "base/base64url.h"
#include "model/alg.h"
#include "verify/parts.h"

#include <openssl/evp.h>
#include <string.h>

enum { ED25519_DIGEST_LEN = 64 };

static const EVP_MD *digest_of(struct span name)
{
    enum alg alg = ALG_ED25519;
    /* "EdDSA" is what some still call it. */
    if (!span_is_text(name, "EdDSA") && !alg_from_name(name, &alg)) {
        return NULL;
    }
    size_t len = alg == ALG_ED25519 ? ED25519_DIGEST_LEN : alg_digest_len(alg);
    return len == 32 ? EVP_sha256() : len == 48 ? EVP_sha384() : EVP_sha512();
}

bool token_hash_put(struct span alg, struct span text, char out[TOKEN_HASH_SIZE])
{
    const EVP_MD *md = digest_of(alg);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    BUFFER_CLEANUP struct buffer encoded = BUFFER_INIT(TOKEN_HASH_SIZE);
    if (md == NULL || EVP_Digest(text.data, text.len, digest, &len, md, NULL) != 1) {
        return false;
    }
    base64url_encode(&encoded, span_of(digest, len / 2));
    if (!buffer_ok(&encoded) || encoded.len >= TOKEN_HASH_SIZE) {
        return false;
    }
    memcpy(out, encoded.data, encoded.len);
    out[encoded.len] = '\0';
    return true;
}
