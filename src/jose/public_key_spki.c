/* SPDX-License-Identifier: Apache-2.0
 * SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), in the one spelling that is a key here: RSA with NULL
 * parameters (RFC 8017 A.1), a named curve with an uncompressed point (RFC 5480 §2), Ed25519
 * without parameters (RFC 8410 §3, §4). The reader is our own: OpenSSL looks for a decoder first
 * and makes an object of the key, and most keys of a keyring are read only to be known again. */
#include "base/der.h"
#include "jose/public_key_parts.h"

#include <string.h>

enum { SPKI_MAX = 1024, UNCOMPRESSED = 0x04, SIGN_BIT = 0x80 };

static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t oid_ed25519[] = {0x2b, 0x65, 0x70};
static const uint8_t oid_p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_p384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t oid_p521[] = {0x2b, 0x81, 0x04, 0x00, 0x23};

#define SPAN(oid)                                                                                  \
    {                                                                                              \
        (oid), sizeof(oid)                                                                         \
    }
#define IS(span, oid) span_equal((span), span_of((oid), sizeof(oid)))

static const struct named_curve {
    enum key_type type;
    struct span oid;
} curves[] = {
    {KEY_P256, SPAN(oid_p256)},
    {KEY_P384, SPAN(oid_p384)},
    {KEY_P521, SPAN(oid_p521)},
};

/* The algorithm with its parameters, and the key as its BIT STRING has it. */
struct info {
    struct span oid;
    struct reader parameters;
    struct span key;
};

static enum outcome refuse_form(struct reason *why)
{
    return refuse(why, OUTCOME_RULE, "not the DER SubjectPublicKeyInfo of a public key");
}

static enum outcome refuse_spelling(struct reason *why)
{
    return refuse(why, OUTCOME_RULE,
                  "the SubjectPublicKeyInfo is not the canonical DER of its key (named curve, "
                  "uncompressed point)");
}

static enum outcome read_info(struct span der, struct info *out, struct reason *why)
{
    struct reader all = reader_of(der);
    struct reader info = reader_of(der_take(&all, DER_SEQUENCE));
    struct span algorithm = der_take(&info, DER_SEQUENCE);
    struct span bits = der_take(&info, DER_BIT_STRING);
    out->parameters = reader_of(algorithm);
    out->oid = der_take(&out->parameters, DER_OID);
    out->key = span_part(bits, 1, bits.len);
    if (all.failed || der.len > SPKI_MAX || !reader_done(&info) || out->parameters.failed ||
        bits.len == 0 || bits.data[0] != 0) { /* no unused bits */
        return refuse_form(why);
    }
    return reader_done(&all) ? OUTCOME_OK
                             : refuse(why, OUTCOME_RULE, "bytes behind the SubjectPublicKeyInfo");
}

static enum outcome read_rsa(struct info *info, struct key_parts *out, struct reason *why)
{
    struct reader all = reader_of(info->key);
    struct reader numbers = reader_of(der_take(&all, DER_SEQUENCE));
    struct span n = der_take_positive(&numbers);
    struct span e = der_take_positive(&numbers);
    struct span null = der_take(&info->parameters, DER_NULL);
    if (!reader_done(&all) || !reader_done(&numbers)) {
        return refuse_form(why);
    }
    if (!reader_done(&info->parameters) || null.len != 0) {
        return refuse_spelling(why);
    }
    if (n.len > sizeof out->a) {
        return refuse(why, OUTCOME_RULE, "an RSA modulus of over 4096 bits");
    }
    if (e.len > EXPONENT_SIZE) {
        return refuse(why, OUTCOME_RULE, "an RSA exponent of over 64 bits");
    }
    memcpy(out->a, n.data, n.len);
    memcpy(out->b, e.data, e.len);
    out->a_len = n.len;
    out->b_len = e.len;
    return parts_check_rsa(out, why);
}

static enum outcome read_point(const struct info *info, enum key_type type, struct key_parts *out,
                               struct reason *why)
{
    size_t len = curve_coordinate_len(type);
    if (info->key.len != 1 + 2 * len || info->key.data[0] != UNCOMPRESSED) {
        return refuse_spelling(why);
    }
    out->type = type;
    out->a_len = out->b_len = len;
    memcpy(out->a, info->key.data + 1, len);
    memcpy(out->b, info->key.data + 1 + len, len);
    return OUTCOME_OK;
}

static enum outcome read_ec(struct info *info, struct key_parts *out, struct reason *why)
{
    struct span curve = der_take(&info->parameters, DER_OID);
    if (!reader_done(&info->parameters)) {
        return refuse_spelling(why);
    }
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (span_equal(curves[i].oid, curve)) {
            return read_point(info, curves[i].type, out, why);
        }
    }
    return refuse(why, OUTCOME_RULE, "an EC curve other than P-256, P-384 and P-521");
}

static enum outcome read_ed25519(const struct info *info, struct key_parts *out, struct reason *why)
{
    size_t len = curve_coordinate_len(KEY_ED25519);
    if (!reader_done(&info->parameters)) {
        return refuse_spelling(why);
    }
    if (info->key.len != len) {
        return refuse_form(why);
    }
    out->type = KEY_ED25519;
    out->a_len = len;
    memcpy(out->a, info->key.data, len);
    return OUTCOME_OK;
}

enum outcome parts_from_spki(struct span der, struct key_parts *out, struct reason *why)
{
    struct info info;
    *out = (struct key_parts){0};
    enum outcome outcome = read_info(der, &info, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (IS(info.oid, oid_rsa)) {
        return read_rsa(&info, out, why);
    }
    if (IS(info.oid, oid_ec)) {
        return read_ec(&info, out, why);
    }
    if (IS(info.oid, oid_ed25519)) {
        return read_ed25519(&info, out, why);
    }
    return refuse(why, OUTCOME_RULE, "a key type other than RSA, EC and Ed25519");
}

/* A positive INTEGER, from a number without leading zeros. */
static void put_positive(struct buffer *out, const uint8_t *number, size_t len)
{
    size_t sign = number[0] >= SIGN_BIT ? 1 : 0;
    der_put_head(out, DER_INTEGER, sign + len);
    buffer_put(out, "", sign); /* that NUL is the zero */
    buffer_put(out, number, len);
}

static void put_algorithm(struct buffer *out, struct span oid, struct span parameter, uint8_t tag)
{
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(SPKI_MAX);
    der_put(&content, DER_OID, oid);
    if (tag != 0) {
        der_put(&content, tag, parameter);
    }
    der_put(out, DER_SEQUENCE, buffer_span(&content));
    out->failed = out->failed || content.failed;
}

static void put_rsa(const struct key_parts *parts, struct buffer *info, struct buffer *key)
{
    BUFFER_CLEANUP struct buffer numbers = BUFFER_INIT(SPKI_MAX);
    put_algorithm(info, span_of(oid_rsa, sizeof oid_rsa), span_of(NULL, 0), DER_NULL);
    put_positive(&numbers, parts->a, parts->a_len);
    put_positive(&numbers, parts->b, parts->b_len);
    der_put(key, DER_SEQUENCE, buffer_span(&numbers));
    key->failed = key->failed || numbers.failed;
}

static void put_ec(const struct key_parts *parts, struct buffer *info, struct buffer *key)
{
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (curves[i].type == parts->type) {
            put_algorithm(info, span_of(oid_ec, sizeof oid_ec), curves[i].oid, DER_OID);
        }
    }
    buffer_put_u8(key, UNCOMPRESSED);
    buffer_put(key, parts->a, parts->a_len);
    buffer_put(key, parts->b, parts->b_len);
}

void parts_put_spki(const struct key_parts *parts, struct buffer *out)
{
    BUFFER_CLEANUP struct buffer info = BUFFER_INIT(SPKI_MAX);
    BUFFER_CLEANUP struct buffer key = BUFFER_INIT(SPKI_MAX);
    buffer_put_u8(&key, 0); /* no unused bits */
    switch (parts->type) {
    case KEY_RSA_2048:
    case KEY_RSA_3072:
    case KEY_RSA_4096:
        put_rsa(parts, &info, &key);
        break;
    case KEY_P256:
    case KEY_P384:
    case KEY_P521:
        put_ec(parts, &info, &key);
        break;
    case KEY_ED25519:
        put_algorithm(&info, span_of(oid_ed25519, sizeof oid_ed25519), span_of(NULL, 0), 0);
        buffer_put(&key, parts->a, parts->a_len);
        break;
    }
    der_put(&info, DER_BIT_STRING, buffer_span(&key));
    der_put(out, DER_SEQUENCE, buffer_span(&info));
    out->failed = out->failed || info.failed || key.failed;
}
