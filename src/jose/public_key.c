/* SPDX-License-Identifier: Apache-2.0
 * A public key's life, and its names: SPKI, JWK, thumbprint. */
#include "jose/public_key.h"

#include "base/base64url.h"
#include "jose/public_key_parts.h"

#include <openssl/sha.h>

#include <stdlib.h>
#include <string.h>

enum { JWK_TEXT_MAX = 2048 };

static void key_clear_ref(struct public_key **key)
{
    public_key_free(*key);
}

static void put_number(struct buffer *out, const char *name, const uint8_t *number, size_t len)
{
    buffer_put_text(out, "\"");
    buffer_put_text(out, name);
    buffer_put_text(out, "\":\"");
    base64url_encode(out, span_of(number, len));
    buffer_put_text(out, "\"");
}

/* RFC 7638 §3.2: the required members in lexical order, no white space. */
static void put_jwk(struct buffer *out, const struct key_parts *parts)
{
    const char *crv = curve_jwk_name(parts->type);
    buffer_put_text(out, "{");
    if (crv == NULL) {
        put_number(out, "e", parts->b, parts->b_len);
        buffer_put_text(out, ",\"kty\":\"RSA\",");
        put_number(out, "n", parts->a, parts->a_len);
    } else {
        buffer_put_text(out, "\"crv\":\"");
        buffer_put_text(out, crv);
        buffer_put_text(out,
                        parts->type == KEY_ED25519 ? "\",\"kty\":\"OKP\"," : "\",\"kty\":\"EC\",");
        put_number(out, "x", parts->a, parts->a_len);
        if (parts->b_len > 0) {
            buffer_put_text(out, ",");
            put_number(out, "y", parts->b, parts->b_len);
        }
    }
    buffer_put_text(out, "}");
}

/* SHA-256 of both, looked for once: that takes OpenSSL longer than the digests. */
static bool digest_two(struct span a, uint8_t *of_a, struct span b, uint8_t *of_b)
{
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    bool good = sha256 != NULL && EVP_Digest(a.data, a.len, of_a, NULL, sha256, NULL) == 1 &&
                EVP_Digest(b.data, b.len, of_b, NULL, sha256, NULL) == 1;
    EVP_MD_free(sha256);
    return good;
}

static bool name_key(struct public_key *key, const struct key_parts *parts)
{
    parts_put_spki(parts, &key->spki);
    put_jwk(&key->jwk, parts);
    if (!buffer_ok(&key->spki) || !buffer_ok(&key->jwk)) {
        return false;
    }
    uint8_t digest[SHA256_DIGEST_LENGTH];
    if (!digest_two(buffer_span(&key->jwk), digest, buffer_span(&key->spki), key->spki_sha256)) {
        return false;
    }
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(THUMBPRINT_LEN);
    base64url_encode(&text, span_of(digest, sizeof digest));
    memcpy(key->thumbprint, buffer_text(&text), THUMBPRINT_LEN);
    (void)buffer_text(&key->jwk); /* its NUL, while the key is still ours alone */
    return buffer_ok(&text);
}

static enum outcome make(const struct key_parts *parts, struct public_key **out, struct reason *why)
{
    CLEANUP(key_clear_ref) struct public_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    atomic_init(&key->owners, 1);
    key->type = parts->type;
    key->spki = BUFFER_INIT(JWK_TEXT_MAX);
    key->jwk = BUFFER_INIT(JWK_TEXT_MAX);
    key->verifier = calloc(1, sizeof *key->verifier);
    enum outcome outcome = parts_check_point(parts, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (key->verifier == NULL || !name_key(key, parts)) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    *out = key;
    key = NULL;
    return OUTCOME_OK;
}

enum outcome public_key_from_spki(struct span der, struct public_key **out, struct reason *why)
{
    *out = NULL;
    struct key_parts parts;
    enum outcome outcome = parts_from_spki(der, &parts, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    CLEANUP(key_clear_ref) struct public_key *key = NULL;
    outcome = make(&parts, &key, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    /* Keys are compared by their SPKI; a second spelling would be a second key. The reader takes
     * none, and this does not rely on it. */
    if (!span_equal(public_key_spki(key), der)) {
        return refuse(why, OUTCOME_INTERNAL, "the SubjectPublicKeyInfo was read as another one");
    }
    *out = key;
    key = NULL;
    return OUTCOME_OK;
}

enum outcome public_key_from_jwk(const json_t *jwk, struct public_key **out, struct reason *why)
{
    *out = NULL;
    struct key_parts parts;
    enum outcome outcome = parts_from_jwk(jwk, &parts, why);
    return outcome == OUTCOME_OK ? make(&parts, out, why) : outcome;
}

struct public_key *public_key_ref(struct public_key *key)
{
    (void)atomic_fetch_add_explicit(&key->owners, 1, memory_order_relaxed);
    return key;
}

void public_key_free(struct public_key *key)
{
    if (key == NULL || atomic_fetch_sub_explicit(&key->owners, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (key->verifier != NULL) {
        verifier_free(atomic_load(&key->verifier->made));
        free(key->verifier);
    }
    buffer_fini(&key->spki);
    buffer_fini(&key->jwk);
    free(key);
}

enum key_type public_key_type(const struct public_key *key)
{
    return key->type;
}

struct span public_key_spki(const struct public_key *key)
{
    return buffer_span(&key->spki);
}

const uint8_t *public_key_spki_sha256(const struct public_key *key)
{
    return key->spki_sha256;
}

const char *public_key_thumbprint(const struct public_key *key)
{
    return key->thumbprint;
}

const char *public_key_jwk(const struct public_key *key)
{
    return (const char *)key->jwk.data;
}
