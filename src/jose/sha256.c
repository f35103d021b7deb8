/* SPDX-License-Identifier: Apache-2.0
 * SHA-256 as text. */
#include "jose/sha256.h"

#include "base/base64url.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

bool sha256_text(struct span bytes, char out[SHA256_TEXT_SIZE])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    struct buffer text = {.data = (uint8_t *)out, .room = SHA256_TEXT_SIZE, .max = SHA256_TEXT_LEN};
    out[SHA256_TEXT_LEN] = '\0';
    if (EVP_Digest(bytes.data, bytes.len, digest, NULL, EVP_sha256(), NULL) != 1) {
        return false;
    }
    base64url_encode(&text, span_of(digest, sizeof digest));
    return true;
}
