/* SPDX-License-Identifier: Apache-2.0
 * Verifying raw JOSE signatures.
 *
 * EVP looks an algorithm up, under locks, each time a context is set up: measured 7 µs more per
 * P-256 and 3 µs more per RSA-2048 PSS verification (80 and 29 µs). So each key sets up one context
 * per algorithm when it is made, and a verification duplicates it: 0.3 µs, no look-up, and no
 * thread shares what it changes. A pool of contexts would save those 0.3 µs and cost a lock. */
#include "jose/public_key_parts.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <string.h>

enum { COORDINATE_MAX = 66, SIGNATURE_DER_MAX = 3 + 2 * (2 + 1 + COORDINATE_MAX) };

/* Order n of each base point (SP 800-186 §3.2.1). */
static const uint8_t order_p256[32] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t order_p384[48] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};
static const uint8_t order_p521[66] = {
    0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xfa, 0x51, 0x86, 0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b,
    0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09, 0xa5, 0xd0, 0x3b, 0xb5, 0xc9, 0xb8, 0x89, 0x9c,
    0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38, 0x64, 0x09};

static const char *digest_name(enum alg alg)
{
    switch (alg_digest_len(alg)) {
    case 32:
        return "SHA256";
    case 48:
        return "SHA384";
    case 64:
        return "SHA512";
    }
    return NULL;
}

/* RFC 7518 §3.5: MGF1 with the same hash, salt as long as the hash. */
static bool set_padding(EVP_PKEY_CTX *ctx, enum alg alg, const EVP_MD *md)
{
    switch (alg_family(alg)) {
    case FAMILY_RSA_PKCS1:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    case FAMILY_RSA_PSS:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)alg_digest_len(alg)) == 1;
    case FAMILY_ECDSA:
        return true;
    case FAMILY_EDDSA:
        return false;
    }
    return false;
}

static bool prepare_hashed(struct public_key *key, enum alg alg)
{
    EVP_MD *md = EVP_MD_fetch(NULL, digest_name(alg), NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    key->digests[alg] = md;
    key->contexts[alg] = ctx;
    return md != NULL && ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 && set_padding(ctx, alg, md);
}

/* Ed25519 takes the whole message, through the other interface (RFC 8032 §5.1.7). */
static bool prepare_ed25519(struct public_key *key)
{
    key->ed25519 = EVP_MD_CTX_new();
    return key->ed25519 != NULL &&
           EVP_DigestVerifyInit_ex(key->ed25519, NULL, NULL, NULL, NULL, key->pkey, NULL) == 1;
}

bool verifier_prepare(struct public_key *key)
{
    if (key->type == KEY_ED25519) {
        return prepare_ed25519(key);
    }
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        if (alg_fits_key((enum alg)i, key->type) && !prepare_hashed(key, (enum alg)i)) {
            return false;
        }
    }
    return true;
}

void verifier_fini(struct public_key *key)
{
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        EVP_PKEY_CTX_free(key->contexts[i]);
        EVP_MD_free(key->digests[i]);
    }
    EVP_MD_CTX_free(key->ed25519);
}

static struct span order_of(enum key_type type)
{
    switch (type) {
    case KEY_P256:
        return span_of(order_p256, sizeof order_p256);
    case KEY_P384:
        return span_of(order_p384, sizeof order_p384);
    case KEY_P521:
        return span_of(order_p521, sizeof order_p521);
    case KEY_RSA_2048:
    case KEY_RSA_3072:
    case KEY_RSA_4096:
    case KEY_ED25519:
        break;
    }
    return span_of(NULL, 0);
}

static struct span without_zeros(struct span number)
{
    size_t zeros = 0;
    while (zeros < number.len && number.data[zeros] == 0) {
        zeros++;
    }
    return span_part(number, zeros, number.len);
}

/* 1 ≤ number < order. */
static bool in_range(struct span number, struct span order)
{
    return without_zeros(number).len > 0 && memcmp(number.data, order.data, order.len) < 0;
}

/* DER INTEGER of an unsigned number; the lengths here are all below 128. */
static size_t put_integer(uint8_t *out, struct span number)
{
    struct span digits = without_zeros(number);
    size_t pad = digits.data[0] >> 7;
    out[0] = 0x02;
    out[1] = (uint8_t)(pad + digits.len);
    out[2] = 0;
    memcpy(out + 2 + pad, digits.data, digits.len);
    return 2 + pad + digits.len;
}

/* RFC 7518 §3.4: r||s at full length, to the SEQUENCE that OpenSSL reads. 0 when r or s is out of
 * range. */
static size_t signature_to_der(enum key_type type, struct span raw, uint8_t der[SIGNATURE_DER_MAX])
{
    struct span order = order_of(type);
    struct span r = span_part(raw, 0, order.len);
    struct span s = span_part(raw, order.len, order.len);
    if (r.len != order.len || s.len != order.len || !in_range(r, order) || !in_range(s, order)) {
        return 0;
    }
    uint8_t numbers[SIGNATURE_DER_MAX];
    size_t len = put_integer(numbers, r);
    len += put_integer(numbers + len, s);
    size_t head = 0;
    der[head++] = 0x30;
    if (len > 127) {
        der[head++] = 0x81;
    }
    der[head++] = (uint8_t)len;
    memcpy(der + head, numbers, len);
    return head + len;
}

static bool verify_hashed(const struct public_key *key, enum alg alg, struct span input,
                          struct span signature)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;
    if (EVP_Digest(input.data, input.len, hash, &hash_len, key->digests[alg], NULL) != 1) {
        return false;
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(key->contexts[alg]);
    bool good =
        ctx != NULL && EVP_PKEY_verify(ctx, signature.data, signature.len, hash, hash_len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool verify_ecdsa(const struct public_key *key, enum alg alg, struct span input,
                         struct span signature)
{
    uint8_t der[SIGNATURE_DER_MAX];
    size_t len = signature_to_der(key->type, signature, der);
    return len > 0 && verify_hashed(key, alg, input, span_of(der, len));
}

static bool verify_ed25519(const struct public_key *key, struct span input, struct span signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_MD_CTX_copy_ex(ctx, key->ed25519) == 1 &&
                EVP_DigestVerify(ctx, signature.data, signature.len, input.data, input.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static bool verify(const struct public_key *key, enum alg alg, struct span input,
                   struct span signature)
{
    switch (alg_family(alg)) {
    case FAMILY_RSA_PKCS1:
    case FAMILY_RSA_PSS:
        return verify_hashed(key, alg, input, signature);
    case FAMILY_ECDSA:
        return verify_ecdsa(key, alg, input, signature);
    case FAMILY_EDDSA:
        return verify_ed25519(key, input, signature);
    }
    return false;
}

bool public_key_verify(const struct public_key *key, enum alg alg, struct span input,
                       struct span signature)
{
    if (!alg_fits_key(alg, key->type) || signature.len != key_type_signature_len(key->type)) {
        return false;
    }
    bool good = verify(key, alg, input, signature);
    if (!good) {
        ERR_clear_error(); /* the thread's queue must not grow with each forgery */
    }
    return good;
}
