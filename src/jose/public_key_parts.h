/* SPDX-License-Identifier: Apache-2.0
 * Inside src/jose only: what a public key is made of, and the key itself. */
#ifndef QSEAL_JOSE_PUBLIC_KEY_PARTS_H
#define QSEAL_JOSE_PUBLIC_KEY_PARTS_H

#include "jose/public_key.h"

#include <openssl/evp.h>

#include <stdatomic.h>

enum { PART_SIZE = 512, EXPONENT_SIZE = 8 };

/* The numbers of a key, big-endian: RSA n and e without leading zeros, EC x and y at the curve's
 * length, Ed25519 its 32 bytes in `a`. */
struct key_parts {
    enum key_type type;
    uint8_t a[PART_SIZE]; /* n or x */
    size_t a_len;
    uint8_t b[PART_SIZE]; /* e or y */
    size_t b_len;
};

/* OpenSSL's objects for one key. Set up once, at the first need; duplicated per verification. */
struct verifier {
    EVP_PKEY *pkey;
    /* One per algorithm that fits, NULL for the others. */
    EVP_MD *digests[ALG_COUNT];
    EVP_PKEY_CTX *contexts[ALG_COUNT];
    EVP_MD_CTX *ed25519;
};

/* Its own object, since the key itself does not change when it is filled. */
struct verifier_slot {
    _Atomic(struct verifier *) made; /* owned; NULL until then */
};

struct public_key {
    atomic_uint owners;
    enum key_type type;
    struct verifier_slot *verifier; /* owned */
    struct buffer spki;
    struct buffer jwk;
    uint8_t spki_sha256[SPKI_SHA256_LEN];
    char thumbprint[THUMBPRINT_SIZE];
};

/* The JWK's name of the curve. */
const char *curve_jwk_name(enum key_type type);
/* In bytes; 0 for RSA. */
size_t curve_coordinate_len(enum key_type type);

/* Reads the numbers and checks them one by one (sizes, oddness); whether they are a point is found
 * by parts_check_point(). */
enum outcome parts_from_spki(struct span der, struct key_parts *out, struct reason *why) MUST_USE;
enum outcome parts_from_jwk(const json_t *jwk, struct key_parts *out, struct reason *why) MUST_USE;
/* Of a = n, b = e, both without leading zeros; finds the type. */
enum outcome parts_check_rsa(struct key_parts *parts, struct reason *why) MUST_USE;
enum outcome parts_check_point(const struct key_parts *parts, struct reason *why) MUST_USE;
/* The one spelling that parts_from_spki() takes. */
void parts_put_spki(const struct key_parts *parts, struct buffer *out);
/* Owned by the caller; NULL when OpenSSL does not take the numbers or has no memory, and its errors
 * are then the caller's to clear. */
EVP_PKEY *parts_make_pkey(const struct key_parts *parts) MUST_USE;

/* Accepts NULL. */
void verifier_free(struct verifier *verifier);

#endif
