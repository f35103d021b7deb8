/* SPDX-License-Identifier: Apache-2.0
 * Public key objects to SubjectPublicKeyInfo. */
#include "pkcs11/spki.h"

#include "base/der.h"
#include "pkcs11/find.h"
#include "pkcs11/rv.h"
#include "pki/pkey.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

enum { MODULUS_MAX = 1024, EXPONENT_MAX = 16, PARAMS_MAX = 64, POINT_MAX = 160 };

static const uint8_t oid_p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t oid_p521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};
static const uint8_t oid_ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70}; /* RFC 8410 §3 */
static const uint8_t name_edwards25519[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r',
                                            'd',  's',  '2', '5', '5', '1', '9'};
static const uint8_t name_ed25519[] = {0x13, 0x07, 'E', 'd', '2', '5', '5', '1', '9'};

struct curve {
    enum key_type type;
    CK_KEY_TYPE ck_type;
    struct span params;
    const char *group; /* OpenSSL's name */
    size_t point_len;  /* of the raw point */
};

#define BYTES(array)                                                                               \
    {                                                                                              \
        array, sizeof array                                                                        \
    }

static const struct curve curves[] = {
    {KEY_P256, CKK_EC, BYTES(oid_p256), "P-256", 65},
    {KEY_P384, CKK_EC, BYTES(oid_p384), "P-384", 97},
    {KEY_P521, CKK_EC, BYTES(oid_p521), "P-521", 133},
    {KEY_ED25519, CKK_EC_EDWARDS, BYTES(name_edwards25519), NULL, 32},
    {KEY_ED25519, CKK_EC_EDWARDS, BYTES(oid_ed25519), NULL, 32},
    {KEY_ED25519, CKK_EC_EDWARDS, BYTES(name_ed25519), NULL, 32},
};

struct span spki_curve_params(enum key_type type, bool as_name)
{
    if (type == KEY_ED25519 && !as_name) {
        return span_of(oid_ed25519, sizeof oid_ed25519);
    }
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (curves[i].type == type) {
            return curves[i].params;
        }
    }
    return (struct span){NULL, 0};
}

static void free_pkey(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_bn(BIGNUM **number)
{
    BN_free(*number);
}

static enum outcome put_spki(const EVP_PKEY *key, struct buffer *spki, struct reason *why)
{
    unsigned char *der = NULL;
    int len = key == NULL ? -1 : i2d_PUBKEY(key, &der);
    if (len <= 0) {
        return refuse(why, OUTCOME_KEY_MISMATCH, "the token's public key is not a valid key");
    }
    buffer_put(spki, der, (size_t)len);
    OPENSSL_free(der);
    return buffer_ok(spki) ? OUTCOME_OK : refuse(why, OUTCOME_INTERNAL, "public key too long");
}

static bool rsa_type(int bits, enum key_type *type)
{
    const enum key_type types[] = {KEY_RSA_2048, KEY_RSA_3072, KEY_RSA_4096};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (bits == (int)key_type_bits(types[i])) {
            *type = types[i];
            return true;
        }
    }
    return false;
}

static enum outcome read_rsa(struct session *session, CK_OBJECT_HANDLE object, enum key_type *type,
                             struct buffer *spki, struct reason *why)
{
    uint8_t modulus[MODULUS_MAX];
    uint8_t exponent[EXPONENT_MAX];
    size_t modulus_len = 0;
    size_t exponent_len = 0;
    if (!find_bytes(session, object, CKA_MODULUS, modulus, sizeof modulus, &modulus_len) ||
        !find_bytes(session, object, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent,
                    &exponent_len)) {
        return rv_refuse(session->rv, "reading a public key", why);
    }
    CLEANUP(free_bn) BIGNUM *n = BN_bin2bn(modulus, (int)modulus_len, NULL);
    if (n == NULL || !rsa_type(BN_num_bits(n), type)) {
        return refuse(why, OUTCOME_KEY_MISMATCH, "RSA keys have 2048, 3072 or 4096 bits, not %d",
                      n == NULL ? 0 : BN_num_bits(n));
    }
    CLEANUP(free_pkey)
    EVP_PKEY *key = pkey_of_rsa(span_of(modulus, modulus_len), span_of(exponent, exponent_len));
    return put_spki(key, spki, why);
}

/* CKA_EC_POINT is a DER OCTET STRING holding the point; some tokens give the bare point (PKCS#11
 * 2.40 §2.3.3 and its errata). The lengths tell which. */
static bool bare_point(struct span value, size_t len, struct span *out)
{
    if (value.len == len) {
        *out = value;
        return true;
    }
    struct reader reader = reader_of(value);
    *out = der_take(&reader, DER_OCTET_STRING);
    return reader_done(&reader) && out->len == len;
}

static EVP_PKEY *curve_key(const struct curve *curve, struct span point)
{
    return curve->group == NULL
               ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point.data, point.len)
               : pkey_of_point(curve->group, point);
}

static const struct curve *find_curve(CK_KEY_TYPE ck_type, struct span params)
{
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (curves[i].ck_type == ck_type && span_equal(curves[i].params, params)) {
            return &curves[i];
        }
    }
    return NULL;
}

static enum outcome read_curve(struct session *session, CK_OBJECT_HANDLE object,
                               CK_KEY_TYPE ck_type, enum key_type *type, struct buffer *spki,
                               struct reason *why)
{
    uint8_t params[PARAMS_MAX];
    uint8_t value[POINT_MAX];
    size_t params_len = 0;
    size_t value_len = 0;
    if (!find_bytes(session, object, CKA_EC_PARAMS, params, sizeof params, &params_len) ||
        !find_bytes(session, object, CKA_EC_POINT, value, sizeof value, &value_len)) {
        return rv_refuse(session->rv, "reading a public key", why);
    }
    const struct curve *curve = find_curve(ck_type, span_of(params, params_len));
    if (curve == NULL) {
        return refuse(why, OUTCOME_KEY_MISMATCH, "CKA_EC_PARAMS names no curve that is used here");
    }
    struct span point;
    if (!bare_point(span_of(value, value_len), curve->point_len, &point)) {
        return refuse(why, OUTCOME_KEY_MISMATCH, "CKA_EC_POINT is no uncompressed point of %s",
                      key_type_name(curve->type));
    }
    *type = curve->type;
    quirk_note(session->quirks, QUIRK_BARE_POINT, value_len == curve->point_len);
    CLEANUP(free_pkey) EVP_PKEY *key = curve_key(curve, point);
    return put_spki(key, spki, why);
}

enum outcome spki_read(struct session *session, CK_OBJECT_HANDLE public_key, enum key_type *type,
                       struct buffer *spki, struct reason *why)
{
    CK_ULONG ck_type = 0;
    if (!find_number(session, public_key, CKA_KEY_TYPE, &ck_type)) {
        return rv_refuse(session->rv, "reading a public key", why);
    }
    if (ck_type == CKK_RSA) {
        return read_rsa(session, public_key, type, spki, why);
    }
    if (ck_type == CKK_EC || ck_type == CKK_EC_EDWARDS) {
        return read_curve(session, public_key, ck_type, type, spki, why);
    }
    return refuse(why, OUTCOME_KEY_MISMATCH, "CKA_KEY_TYPE 0x%lx is not used here", ck_type);
}
