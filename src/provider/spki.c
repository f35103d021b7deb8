/* SPDX-License-Identifier: Apache-2.0
 * SubjectPublicKeyInfo, algorithm by algorithm. */
#include "provider/spki.h"

#include "base/attributes.h"
#include "base/der.h"

#include <string.h>

static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t oid_rsa_pss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t oid_ed25519[] = {0x2b, 0x65, 0x70};
static const uint8_t oid_p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_p384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t oid_p521[] = {0x2b, 0x81, 0x04, 0x00, 0x23};
/* 2.16.840.1.101.3.4.2.1 to .3, but for the last byte */
static const uint8_t oid_sha2[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02};

#define IS_OID(span, oid) span_equal((span), span_of((oid), sizeof(oid)))

static const struct curve {
    struct span oid;
    const char *group;
    const char *crv;
    int bits;
    int security_bits;
    size_t field;
    int max_size;
} curves[] = {
    {{oid_p256, sizeof(oid_p256)}, "prime256v1", "P-256", 256, 128, 32, 72},
    {{oid_p384, sizeof(oid_p384)}, "secp384r1", "P-384", 384, 192, 48, 104},
    {{oid_p521, sizeof(oid_p521)}, "secp521r1", "P-521", 521, 256, 66, 139},
};

static int bits_of(struct span magnitude)
{
    int bits = (int)(magnitude.len - 1) * 8;
    for (uint8_t top = magnitude.data[0]; top != 0; top >>= 1) {
        bits++;
    }
    return bits;
}

/* NIST SP 800-57 part 1, table 2, and its formula at OpenSSL's other round sizes; sizes between two
 * count as the smaller. */
static int rsa_security_bits(int bits)
{
    static const int table[][2] = {{15360, 256}, {8192, 200}, {7680, 192}, {6144, 176},
                                   {4096, 152},  {3072, 128}, {2048, 112}, {1024, 80}};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (bits >= table[i][0]) {
            return table[i][1];
        }
    }
    return 0;
}

static bool read_rsa(struct span key, struct spki *out)
{
    enum { MIN_BITS = 1024, MAX_BITS = 16384 };
    struct reader outer = reader_of(key);
    struct reader numbers = reader_of(der_take(&outer, DER_SEQUENCE));
    out->n = der_take_positive(&numbers);
    out->e = der_take_positive(&numbers);
    if (!reader_done(&outer) || !reader_done(&numbers)) {
        return false;
    }
    out->bits = bits_of(out->n);
    out->security_bits = rsa_security_bits(out->bits);
    out->max_size = (int)out->n.len;
    return out->bits >= MIN_BITS && out->bits <= MAX_BITS &&
           (out->n.data[out->n.len - 1] & 1) == 1 && (out->e.data[out->e.len - 1] & 1) == 1;
}

/* RSASSA-PSS-params (RFC 4055 §3.1): of them the hash is of interest here; without one it would be
 * SHA-1, which is not signed with. */
static bool read_pss_parameters(struct span parameters, struct spki *out)
{
    if (parameters.len == 0) {
        return true;
    }
    struct reader outer = reader_of(parameters);
    struct reader list = reader_of(der_take(&outer, DER_SEQUENCE));
    struct reader hash = reader_of(der_take(&list, DER_CONTEXT_0));
    struct reader algorithm = reader_of(der_take(&hash, DER_SEQUENCE));
    struct span oid = der_take(&algorithm, DER_OID);
    if (!reader_done(&outer) || !reader_done(&hash) || oid.len != sizeof(oid_sha2) + 1 ||
        memcmp(oid.data, oid_sha2, sizeof(oid_sha2)) != 0) {
        return false;
    }
    uint8_t last = oid.data[sizeof(oid_sha2)];
    out->mandatory = last == 1 ? MD_SHA256 : last == 2 ? MD_SHA384 : MD_SHA512;
    return last >= 1 && last <= 3;
}

static bool read_ec(struct span parameters, struct span key, struct spki *out)
{
    struct reader reader = reader_of(parameters);
    struct span oid = der_take(&reader, DER_OID);
    if (!reader_done(&reader)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (span_equal(oid, curves[i].oid)) {
            out->point = key;
            out->group = curves[i].group;
            out->crv = curves[i].crv;
            out->bits = curves[i].bits;
            out->security_bits = curves[i].security_bits;
            out->max_size = curves[i].max_size;
            return key.len == 1 + 2 * curves[i].field && key.data[0] == 0x04;
        }
    }
    return false;
}

static bool read_ed25519(struct span parameters, struct span key, struct spki *out)
{
    enum { KEY_SIZE = 32, BITS = 256, SECURITY_BITS = 128, SIGNATURE_SIZE = 64 };
    out->point = key;
    out->crv = "Ed25519";
    out->bits = BITS;
    out->security_bits = SECURITY_BITS;
    out->max_size = SIGNATURE_SIZE;
    return parameters.len == 0 && key.len == KEY_SIZE;
}

static bool read_kind(struct span algorithm, struct span key, struct spki *out)
{
    struct reader reader = reader_of(algorithm);
    struct span oid = der_take(&reader, DER_OID);
    if (reader.failed) {
        return false;
    }
    struct span parameters = span_of(reader.at, (size_t)(reader.end - reader.at));
    if (IS_OID(oid, oid_rsa)) {
        out->kind = KIND_RSA;
        return der_take(&reader, DER_NULL).len == 0 && reader_done(&reader) && read_rsa(key, out);
    }
    if (IS_OID(oid, oid_rsa_pss)) {
        out->kind = KIND_RSA_PSS;
        return read_pss_parameters(parameters, out) && read_rsa(key, out);
    }
    if (IS_OID(oid, oid_ec)) {
        out->kind = KIND_EC;
        return read_ec(parameters, key, out);
    }
    out->kind = KIND_ED25519;
    return IS_OID(oid, oid_ed25519) && read_ed25519(parameters, key, out);
}

bool spki_read(struct span der, struct spki *out)
{
    struct reader outer = reader_of(der);
    struct reader body = reader_of(der_take(&outer, DER_SEQUENCE));
    struct span algorithm = der_take(&body, DER_SEQUENCE);
    struct span bits = der_take(&body, DER_BIT_STRING);
    *out = (struct spki){.mandatory = MD_NONE};
    if (!reader_done(&outer) || !reader_done(&body) || bits.len < 2 || bits.data[0] != 0) {
        return false;
    }
    return read_kind(algorithm, span_part(bits, 1, bits.len), out);
}
