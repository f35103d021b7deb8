/* SPDX-License-Identifier: Apache-2.0
 * The required members in lexicographic order (RFC 7638 §3.2, RFC 8037 §2), straight into the hash.
 */
#include "provider/thumbprint.h"

/* base64url without padding of `len` bytes, three at a time. */
static void put_base64url(struct sha2 *sha, struct span bytes)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    while (bytes.len > 0) {
        size_t count = bytes.len < 3 ? bytes.len : 3;
        uint32_t group = (uint32_t)bytes.data[0] << 16 |
                         (count > 1 ? (uint32_t)bytes.data[1] << 8 : 0) |
                         (count > 2 ? bytes.data[2] : 0u);
        char four[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                        alphabet[group >> 6 & 63], alphabet[group & 63]};
        sha2_update(sha, span_of(four, count + 1));
        bytes = span_part(bytes, count, bytes.len);
    }
}

static void put_text(struct sha2 *sha, const char *text)
{
    sha2_update(sha, span_of_text(text));
}

static void put_members(struct sha2 *sha, const struct spki *spki)
{
    if (spki->kind == KIND_RSA || spki->kind == KIND_RSA_PSS) {
        put_text(sha, "{\"e\":\"");
        put_base64url(sha, spki->e);
        put_text(sha, "\",\"kty\":\"RSA\",\"n\":\"");
        put_base64url(sha, spki->n);
        put_text(sha, "\"}");
        return;
    }
    put_text(sha, "{\"crv\":\"");
    put_text(sha, spki->crv);
    if (spki->kind == KIND_ED25519) {
        put_text(sha, "\",\"kty\":\"OKP\",\"x\":\"");
        put_base64url(sha, spki->point);
    } else {
        size_t field = (spki->point.len - 1) / 2;
        put_text(sha, "\",\"kty\":\"EC\",\"x\":\"");
        put_base64url(sha, span_part(spki->point, 1, field));
        put_text(sha, "\",\"y\":\"");
        put_base64url(sha, span_part(spki->point, 1 + field, field));
    }
    put_text(sha, "\"}");
}

void thumbprint_of(const struct spki *spki, struct sha2_speed speed, char out[44])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct sha2 sha;
    uint8_t digest[SHA256_SIZE + 1] = {0};
    sha2_init(&sha, SHA2_256, speed);
    put_members(&sha, spki);
    sha2_final(&sha, digest);
    for (unsigned int i = 0; i < 43; i++) {
        unsigned int bit = i * 6;
        unsigned int two = (unsigned int)digest[bit / 8] << 8 | digest[bit / 8 + 1];
        out[i] = alphabet[two >> (10 - bit % 8) & 63];
    }
    out[43] = '\0';
}
