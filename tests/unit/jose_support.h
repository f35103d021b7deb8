/* SPDX-License-Identifier: Apache-2.0
 * For the tests of jose and keyring: vector files, keys made on the spot, signatures made with
 * OpenSSL directly. */
#ifndef QSEAL_TESTS_UNIT_JOSE_SUPPORT_H
#define QSEAL_TESTS_UNIT_JOSE_SUPPORT_H

#include "base/base64url.h"
#include "base/file.h"
#include "check.h"
#include "jose/json.h"
#include "jose/public_key.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <string.h>

enum { VECTOR_FILE_MAX = 1024 * 1024 };

/* The parsed file, owned by the caller; NULL when it is not there. */
static inline json_t *vector_load(const char *path)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(VECTOR_FILE_MAX);
    if (file_read(path, &text) != 0) {
        return NULL;
    }
    json_t *root = json_loadb((const char *)text.data, text.len, 0, NULL);
    assert_non_null(root);
    return root;
}

static inline json_t *json_of(const char *text)
{
    json_t *value = NULL;
    struct reason why;
    if (json_parse_object(span_of_text(text), &value, &why) != OUTCOME_OK) {
        fail_msg("%s", why.detail);
    }
    return value;
}

static inline EVP_PKEY *make_pkey(enum key_type type)
{
    static const char *const groups[] = {
        [KEY_P256] = "P-256", [KEY_P384] = "P-384", [KEY_P521] = "P-521"};
    EVP_PKEY *pkey = NULL;
    if (type <= KEY_RSA_4096) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)key_type_bits(type));
    } else if (type == KEY_ED25519) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    } else {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", groups[type]);
    }
    assert_non_null(pkey);
    return pkey;
}

static inline void spki_of(EVP_PKEY *pkey, struct buffer *out)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    assert_true(len > 0);
    buffer_put(out, der, (size_t)len);
    OPENSSL_free(der);
}

static inline struct public_key *public_key_of(EVP_PKEY *pkey)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(2000);
    spki_of(pkey, &der);
    struct public_key *key = NULL;
    struct reason why;
    if (public_key_from_spki(buffer_span(&der), &key, &why) != OUTCOME_OK) {
        fail_msg("%s", why.detail);
    }
    return key;
}

static inline const char *digest_of(enum alg alg)
{
    size_t len = alg_digest_len(alg);
    return len == 32 ? "SHA256" : len == 48 ? "SHA384" : len == 64 ? "SHA512" : NULL;
}

/* DER to r||s. */
static inline size_t raw_from_der(const uint8_t *der, size_t len, size_t half, uint8_t *raw)
{
    const unsigned char *at = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
    assert_non_null(signature);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, (int)half), half);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + half, (int)half), half);
    ECDSA_SIG_free(signature);
    return 2 * half;
}

/* A JOSE signature; `salt_len` is for PSS only, -1 for the right one. Returns its length. */
static inline size_t sign_with(EVP_PKEY *pkey, enum alg alg, int salt_len, struct span input,
                               uint8_t out[SIGNATURE_MAX])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    uint8_t der[SIGNATURE_MAX];
    size_t len = sizeof der;
    assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, digest_of(alg), NULL, NULL, pkey, NULL), 1);
    if (alg_family(alg) == FAMILY_RSA_PSS) {
        int salt = salt_len < 0 ? (int)alg_digest_len(alg) : salt_len;
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt), 1);
    }
    assert_int_equal(EVP_DigestSign(ctx, der, &len, input.data, input.len), 1);
    EVP_MD_CTX_free(ctx);
    if (alg_family(alg) != FAMILY_ECDSA) {
        memcpy(out, der, len);
        return len;
    }
    return raw_from_der(der, len, ((size_t)EVP_PKEY_get_bits(pkey) + 7) / 8, out);
}

/* A whole compact JWS over the texts as they are. */
static inline void make_jws(EVP_PKEY *pkey, enum alg alg, const char *header, struct span payload,
                            struct buffer *out)
{
    uint8_t signature[SIGNATURE_MAX];
    base64url_encode(out, span_of_text(header));
    buffer_put_text(out, ".");
    base64url_encode(out, payload);
    size_t len = sign_with(pkey, alg, -1, buffer_span(out), signature);
    buffer_put_text(out, ".");
    base64url_encode(out, span_of(signature, len));
    assert_true(buffer_ok(out));
}

#endif
