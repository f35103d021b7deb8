/* SPDX-License-Identifier: Apache-2.0
 * Cipher suites and TLS 1.2 key exchange. */
#include "model/tls_key_exchange.h"

#include "model/tls_handshake.h"

enum { NAMED_CURVE = 3, PRIME_MIN = 256, PRIME_MAX = 1024 };

static const char no_fit[] = "a length does not fit";

static const struct tls_suite suites[] = {
    {0x0033, TLS_DHE, TLS_AUTH_RSA},     /* AES_128_CBC_SHA */
    {0x0039, TLS_DHE, TLS_AUTH_RSA},     /* AES_256_CBC_SHA */
    {0x0067, TLS_DHE, TLS_AUTH_RSA},     /* AES_128_CBC_SHA256 */
    {0x006B, TLS_DHE, TLS_AUTH_RSA},     /* AES_256_CBC_SHA256 */
    {0x009E, TLS_DHE, TLS_AUTH_RSA},     /* AES_128_GCM_SHA256 */
    {0x009F, TLS_DHE, TLS_AUTH_RSA},     /* AES_256_GCM_SHA384 */
    {0xC009, TLS_ECDHE, TLS_AUTH_ECDSA}, /* AES_128_CBC_SHA */
    {0xC00A, TLS_ECDHE, TLS_AUTH_ECDSA}, /* AES_256_CBC_SHA */
    {0xC013, TLS_ECDHE, TLS_AUTH_RSA},   /* AES_128_CBC_SHA */
    {0xC014, TLS_ECDHE, TLS_AUTH_RSA},   /* AES_256_CBC_SHA */
    {0xC023, TLS_ECDHE, TLS_AUTH_ECDSA}, /* AES_128_CBC_SHA256 */
    {0xC024, TLS_ECDHE, TLS_AUTH_ECDSA}, /* AES_256_CBC_SHA384 */
    {0xC027, TLS_ECDHE, TLS_AUTH_RSA},   /* AES_128_CBC_SHA256 */
    {0xC028, TLS_ECDHE, TLS_AUTH_RSA},   /* AES_256_CBC_SHA384 */
    {0xC02B, TLS_ECDHE, TLS_AUTH_ECDSA}, /* AES_128_GCM_SHA256 */
    {0xC02C, TLS_ECDHE, TLS_AUTH_ECDSA}, /* AES_256_GCM_SHA384 */
    {0xC02F, TLS_ECDHE, TLS_AUTH_RSA},   /* AES_128_GCM_SHA256 */
    {0xC030, TLS_ECDHE, TLS_AUTH_RSA},   /* AES_256_GCM_SHA384 */
    {0xC09E, TLS_DHE, TLS_AUTH_RSA},     /* AES_128_CCM */
    {0xC09F, TLS_DHE, TLS_AUTH_RSA},     /* AES_256_CCM */
    {0xC0A2, TLS_DHE, TLS_AUTH_RSA},     /* AES_128_CCM_8 */
    {0xC0A3, TLS_DHE, TLS_AUTH_RSA},     /* AES_256_CCM_8 */
    {0xC0AC, TLS_ECDHE, TLS_AUTH_ECDSA}, /* AES_128_CCM */
    {0xC0AD, TLS_ECDHE, TLS_AUTH_ECDSA}, /* AES_256_CCM */
    {0xC0AE, TLS_ECDHE, TLS_AUTH_ECDSA}, /* AES_128_CCM_8 */
    {0xC0AF, TLS_ECDHE, TLS_AUTH_ECDSA}, /* AES_256_CCM_8 */
    {0xCCA8, TLS_ECDHE, TLS_AUTH_RSA},   /* CHACHA20_POLY1305_SHA256 */
    {0xCCA9, TLS_ECDHE, TLS_AUTH_ECDSA}, /* CHACHA20_POLY1305_SHA256 */
    {0xCCAA, TLS_DHE, TLS_AUTH_RSA},     /* CHACHA20_POLY1305_SHA256 */
};

const struct tls_suite *tls_suite_12(uint16_t code)
{
    for (size_t i = 0; i < COUNT_OF(suites); i++) {
        if (suites[i].code == code) {
            return &suites[i];
        }
    }
    return NULL;
}

size_t tls_suite_13_hash_len(uint16_t code)
{
    switch (code) {
    case 0x1301: /* AES_128_GCM_SHA256 */
    case 0x1303: /* CHACHA20_POLY1305_SHA256 */
    case 0x1304: /* AES_128_CCM_SHA256 */
    case 0x1305: /* AES_128_CCM_8_SHA256 */
        return 32;
    case 0x1302: /* AES_256_GCM_SHA384 */
        return 48;
    }
    return 0;
}

/* IANA TLS Supported Groups with the length of a public value, uncompressed. */
static size_t point_len(uint16_t group)
{
    static const struct {
        uint16_t group;
        uint16_t len;
    } rows[] = {
        {23, 65},  /* secp256r1 */
        {24, 97},  /* secp384r1 */
        {25, 133}, /* secp521r1 */
        {26, 65},  /* brainpoolP256r1 */
        {27, 97},  /* brainpoolP384r1 */
        {28, 129}, /* brainpoolP512r1 */
        {29, 32},  /* x25519 */
        {30, 56},  /* x448 */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].group == group) {
            return rows[i].len;
        }
    }
    return 0;
}

static const char *take_curve(struct reader *reader)
{
    uint8_t type = reader_u8(reader);
    uint16_t group = reader_u16(reader);
    struct span point = tls_vector(reader, 1, 1);
    if (reader->failed) {
        return no_fit;
    }
    if (type != NAMED_CURVE || point_len(group) == 0) {
        return "the curve is not one that is taken";
    }
    return point.len == point_len(group) ? NULL : "no point of its curve";
}

static const char *take_prime(struct reader *reader)
{
    struct span prime = tls_vector(reader, 2, 1);
    struct span generator = tls_vector(reader, 2, 1);
    struct span value = tls_vector(reader, 2, 1);
    if (reader->failed) {
        return no_fit;
    }
    if (prime.len < PRIME_MIN || prime.len > PRIME_MAX || prime.data[0] == 0) {
        return "the group does not have 2048 to 8192 bits";
    }
    return generator.len <= prime.len && value.len <= prime.len ? NULL : "no value of its group";
}

const char *tls_read_server_key_exchange(struct span body, enum tls_exchange exchange,
                                         struct tls_server_key_exchange *out)
{
    struct reader reader = reader_of(body);
    const char *fault = exchange == TLS_ECDHE ? take_curve(&reader) : take_prime(&reader);
    if (fault != NULL) {
        return fault;
    }
    out->params = span_part(body, 0, (size_t)(reader.at - body.data));
    tls_take_signed(&reader, &out->proof);
    return reader_done(&reader) ? NULL : no_fit;
}

const char *tls_client_key_exchange_fault(struct span body, enum tls_exchange exchange)
{
    struct reader reader = reader_of(body);
    (void)tls_vector(&reader, exchange == TLS_ECDHE ? 1 : 2, 1);
    return reader_done(&reader) ? NULL : no_fit;
}
