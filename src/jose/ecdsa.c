/* SPDX-License-Identifier: Apache-2.0
 * From r||s to DER. */
#include "jose/ecdsa.h"

#include <string.h>

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

size_t ecdsa_to_der(enum key_type type, struct span raw, uint8_t der[ECDSA_DER_MAX])
{
    struct span order = order_of(type);
    struct span r = span_part(raw, 0, order.len);
    struct span s = span_part(raw, order.len, order.len);
    if (raw.len != 2 * order.len || !in_range(r, order) || !in_range(s, order)) {
        return 0;
    }
    uint8_t numbers[ECDSA_DER_MAX];
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
