/* SPDX-License-Identifier: Apache-2.0
 * From a JWK to the numbers of a key, each checked, and from the numbers to OpenSSL's object. Both
 * ways in, this and SubjectPublicKeyInfo, end in the same numbers, so that one key has one form. */
#include "base/base64url.h"
#include "jose/ec_point.h"
#include "jose/ed25519_point.h"
#include "jose/json.h"
#include "jose/public_key_parts.h"
#include "pki/pkey.h"

#include <openssl/err.h>

#include <string.h>

struct curve {
    enum key_type type;
    const char *kty;
    const char *crv;
    const char *group;
    size_t coordinate_len;
};

static const struct curve curves[] = {
    {KEY_P256, "EC", "P-256", "prime256v1", 32},
    {KEY_P384, "EC", "P-384", "secp384r1", 48},
    {KEY_P521, "EC", "P-521", "secp521r1", 66},
    {KEY_ED25519, "OKP", "Ed25519", "ED25519", ED25519_KEY_LEN},
};

static const struct curve *curve_of(enum key_type type)
{
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (curves[i].type == type) {
            return &curves[i];
        }
    }
    return NULL;
}

static const char *curve_group(enum key_type type)
{
    const struct curve *curve = curve_of(type);
    return curve == NULL ? NULL : curve->group;
}

const char *curve_jwk_name(enum key_type type)
{
    const struct curve *curve = curve_of(type);
    return curve == NULL ? NULL : curve->crv;
}

size_t curve_coordinate_len(enum key_type type)
{
    const struct curve *curve = curve_of(type);
    return curve == NULL ? 0 : curve->coordinate_len;
}

static size_t bits_of(const uint8_t *number, size_t len)
{
    size_t bits = len * 8;
    for (unsigned int mask = 0x80; len > 0 && (number[0] & mask) == 0; mask >>= 1) {
        bits--; /* the first byte is not 0, so this ends */
    }
    return bits;
}

enum outcome parts_check_rsa(struct key_parts *parts, struct reason *why)
{
    static const enum key_type types[] = {KEY_RSA_2048, KEY_RSA_3072, KEY_RSA_4096};
    size_t bits = bits_of(parts->a, parts->a_len);
    size_t i = 0;
    while (i < COUNT_OF(types) && key_type_bits(types[i]) != bits) {
        i++;
    }
    if (i == COUNT_OF(types)) {
        return refuse(why, OUTCOME_RULE,
                      "an RSA modulus of %zu bits; 2048, 3072 and 4096 are accepted", bits);
    }
    if ((parts->a[parts->a_len - 1] & 1) == 0) {
        return refuse(why, OUTCOME_RULE, "the RSA modulus is even");
    }
    bool below_three = parts->b_len == 0 || (parts->b_len == 1 && parts->b[0] < 3);
    if (below_three || (parts->b[parts->b_len - 1] & 1) == 0) {
        return refuse(why, OUTCOME_RULE, "the RSA exponent must be odd and at least 3");
    }
    parts->type = types[i];
    return OUTCOME_OK;
}

/* Base64urlUInt (RFC 7518 §2) or octets; `exact` 0 means any length, without leading zeros. */
static enum outcome take_member(const json_t *jwk, const char *name, size_t exact, size_t max,
                                uint8_t *out, size_t *len, struct reason *why)
{
    const json_t *member = json_object_get(jwk, name);
    if (!json_is_string(member)) {
        return refuse(why, OUTCOME_RULE, "the JWK has no member \"%s\" that is a string", name);
    }
    BUFFER_CLEANUP struct buffer bytes = BUFFER_INIT(max);
    struct span text = json_text(member);
    if (!base64url_decode(&bytes, text) || bytes.len == 0) {
        return refuse(why, OUTCOME_RULE, "the JWK's \"%s\" is not base64url of 1 to %zu bytes",
                      name, max);
    }
    if (exact != 0 && bytes.len != exact) {
        return refuse(why, OUTCOME_RULE, "the JWK's \"%s\" has %zu bytes and must have %zu", name,
                      bytes.len, exact);
    }
    if (exact == 0 && bytes.data[0] == 0) {
        return refuse(why, OUTCOME_RULE, "the JWK's \"%s\" has a leading zero byte", name);
    }
    memcpy(out, bytes.data, bytes.len);
    *len = bytes.len;
    return OUTCOME_OK;
}

static enum outcome rsa_from_jwk(const json_t *jwk, struct key_parts *out, struct reason *why)
{
    enum outcome outcome = take_member(jwk, "n", 0, PART_SIZE, out->a, &out->a_len, why);
    if (outcome == OUTCOME_OK) {
        outcome = take_member(jwk, "e", 0, EXPONENT_SIZE, out->b, &out->b_len, why);
    }
    return outcome == OUTCOME_OK ? parts_check_rsa(out, why) : outcome;
}

static enum outcome curve_from_jwk(const json_t *jwk, const struct curve *curve,
                                   struct key_parts *out, struct reason *why)
{
    size_t len = curve->coordinate_len;
    out->type = curve->type;
    enum outcome outcome = take_member(jwk, "x", len, len, out->a, &out->a_len, why);
    if (outcome == OUTCOME_OK && curve->type != KEY_ED25519) {
        outcome = take_member(jwk, "y", len, len, out->b, &out->b_len, why);
    }
    return outcome;
}

enum outcome parts_from_jwk(const json_t *jwk, struct key_parts *out, struct reason *why)
{
    /* RFC 7518 §6.2.2, §6.3.2, §6.4.1, RFC 8037 §2 */
    static const char *const private[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    *out = (struct key_parts){0};
    for (size_t i = 0; i < COUNT_OF(private); i++) {
        if (json_object_get(jwk, private[i]) != NULL) {
            return refuse(why, OUTCOME_RULE, "the JWK has the private member \"%s\"", private[i]);
        }
    }
    const char *kty = json_string_value(json_object_get(jwk, "kty"));
    if (kty == NULL) {
        return refuse(why, OUTCOME_RULE, "the JWK has no member \"kty\" that is a string");
    }
    if (strcmp(kty, "RSA") == 0) {
        return rsa_from_jwk(jwk, out, why);
    }
    const char *crv = json_string_value(json_object_get(jwk, "crv"));
    for (size_t i = 0; crv != NULL && i < COUNT_OF(curves); i++) {
        if (strcmp(kty, curves[i].kty) == 0 && strcmp(crv, curves[i].crv) == 0) {
            return curve_from_jwk(jwk, &curves[i], out, why);
        }
    }
    return refuse(why, OUTCOME_RULE,
                  "the JWK's \"kty\" and \"crv\" are none of RSA, EC with P-256, P-384, P-521, and "
                  "OKP with Ed25519");
}

static EVP_PKEY *make_rsa(const struct key_parts *parts)
{
    return pkey_of_rsa(span_of(parts->a, parts->a_len), span_of(parts->b, parts->b_len));
}

static EVP_PKEY *make_ec(const struct key_parts *parts)
{
    uint8_t point[1 + 2 * 66] = {0x04};
    memcpy(point + 1, parts->a, parts->a_len);
    memcpy(point + 1 + parts->a_len, parts->b, parts->b_len);
    return pkey_of_point(curve_group(parts->type), span_of(point, 1 + parts->a_len + parts->b_len));
}

static bool is_point(const struct key_parts *parts)
{
    switch (parts->type) {
    case KEY_RSA_2048:
    case KEY_RSA_3072:
    case KEY_RSA_4096:
        return true; /* parts_check_rsa() has said all there is */
    case KEY_P256:
    case KEY_P384:
    case KEY_P521:
        return ec_point_is_good(parts->type, span_of(parts->a, parts->a_len),
                                span_of(parts->b, parts->b_len));
    case KEY_ED25519:
        return ed25519_point_is_good(parts->a);
    }
    return false;
}

enum outcome parts_check_point(const struct key_parts *parts, struct reason *why)
{
    if (!is_point(parts)) {
        ERR_clear_error();
        return refuse(why, OUTCOME_RULE, "the %s key's numbers are no point of the curve",
                      key_type_name(parts->type));
    }
    return OUTCOME_OK;
}

EVP_PKEY *parts_make_pkey(const struct key_parts *parts)
{
    switch (parts->type) {
    case KEY_RSA_2048:
    case KEY_RSA_3072:
    case KEY_RSA_4096:
        return make_rsa(parts);
    case KEY_P256:
    case KEY_P384:
    case KEY_P521:
        return make_ec(parts);
    case KEY_ED25519:
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, parts->a, parts->a_len);
    }
    return NULL;
}
