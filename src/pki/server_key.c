/* SPDX-License-Identifier: Apache-2.0
 * Verifying what a TLS server signed. */
#include "pki/server_key.h"

#include "base/der.h"
#include "pki/pkey.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

enum { MODULUS_MIN = 2048 / 8, MODULUS_MAX = 8192 / 8, EXPONENT_MAX = 8 };

static bool fits_curve(enum certificate_key_kind kind, enum alg alg, enum tls_version version)
{
    switch (kind) {
    case CERTIFICATE_P256:
        return version == TLS_1_2 || alg == ALG_ES256;
    case CERTIFICATE_P384:
        return version == TLS_1_2 || alg == ALG_ES384;
    case CERTIFICATE_P521:
        return version == TLS_1_2 || alg == ALG_ES512;
    case CERTIFICATE_RSA:
    case CERTIFICATE_RSA_PSS:
    case CERTIFICATE_ED25519:
        break;
    }
    return false;
}

static bool fits(enum certificate_key_kind kind, enum tls_scheme scheme, enum tls_version version)
{
    switch (alg_family(tls_scheme_alg(scheme))) {
    case FAMILY_RSA_PKCS1:
        return version == TLS_1_2 && kind == CERTIFICATE_RSA;
    case FAMILY_RSA_PSS:
        return kind == (tls_scheme_is_pss_key(scheme) ? CERTIFICATE_RSA_PSS : CERTIFICATE_RSA);
    case FAMILY_ECDSA:
        return fits_curve(kind, tls_scheme_alg(scheme), version);
    case FAMILY_EDDSA:
        return kind == CERTIFICATE_ED25519;
    }
    return false;
}

/* Odd, as moduli and exponents are. */
static struct span take_odd(struct reader *reader)
{
    struct span number = der_take_positive(reader);
    if (!reader->failed && number.data[number.len - 1] % 2 == 0) {
        reader->failed = true;
    }
    return number;
}

/* RFC 8017 §A.1.1. */
static EVP_PKEY *make_rsa(struct span value)
{
    struct reader outer = reader_of(value);
    struct reader reader = reader_of(der_take(&outer, DER_SEQUENCE));
    struct span modulus = take_odd(&reader);
    struct span exponent = take_odd(&reader);
    if (!reader_done(&reader) || !reader_done(&outer) || modulus.len < MODULUS_MIN ||
        modulus.data[0] < 0x80 || modulus.len > MODULUS_MAX || exponent.len > EXPONENT_MAX ||
        (exponent.len == 1 && exponent.data[0] == 1)) {
        return NULL;
    }
    return pkey_of_rsa(modulus, exponent);
}

static EVP_PKEY *make_ec(const char *group, size_t len, struct span point)
{
    return point.len == len ? pkey_of_point(group, point) : NULL;
}

static EVP_PKEY *make_key(const struct certificate_key *key)
{
    switch (key->kind) {
    case CERTIFICATE_RSA:
    case CERTIFICATE_RSA_PSS:
        return make_rsa(key->value);
    case CERTIFICATE_P256:
        return make_ec("P-256", 65, key->value);
    case CERTIFICATE_P384:
        return make_ec("P-384", 97, key->value);
    case CERTIFICATE_P521:
        return make_ec("P-521", 133, key->value);
    case CERTIFICATE_ED25519:
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, key->value.data,
                                              key->value.len);
    }
    return NULL;
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
    }
    return NULL;
}

static bool verifies(EVP_PKEY *pkey, enum alg alg, struct span content, struct span signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL; /* owned by ctx */
    bool ready = ctx != NULL && EVP_DigestVerifyInit(ctx, &how, digest_of(alg), NULL, pkey) == 1;
    if (ready && alg_family(alg) == FAMILY_RSA_PSS) {
        ready = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    bool good = ready && EVP_DigestVerify(ctx, signature.data, signature.len, content.data,
                                          content.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

const char *server_key_fault(const struct certificate_key *key, enum tls_version version,
                             struct span content, const struct tls_signed *proof)
{
    enum tls_scheme scheme;
    if (!tls_scheme_from_code(proof->scheme, &scheme)) {
        return "signed with MD5, SHA-1 or another scheme that is not taken";
    }
    if (!fits(key->kind, scheme, version)) {
        return "signed with a scheme that does not fit the server's key";
    }
    EVP_PKEY *pkey = make_key(key);
    bool good = pkey != NULL && verifies(pkey, tls_scheme_alg(scheme), content, proof->signature);
    const char *fault = pkey == NULL ? "the server's key is malformed, or too weak or too long"
                        : good       ? NULL
                                     : "the server's signature does not verify";
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return fault;
}
