/* SPDX-License-Identifier: Apache-2.0
 * Cipher suites and key exchange messages. libssl's table is the second opinion on the suites. */
#include "model/tls_key_exchange.h"

#include "base/buffer.h"

#include "check.h"
#include "tls_bodies.h"

#include <openssl/ssl.h>

#define FIT "a length does not fit"

/* Every suite there is: what is taken has (EC)DHE and a certificate, and nothing of RC4, 3DES,
 * Camellia or ARIA. */
static void test_suites(void **state)
{
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    unsigned int taken = 0;
    unsigned int taken_13 = 0;
    assert_non_null(ssl);
    for (unsigned int code = 0; code <= UINT16_MAX; code++) {
        const uint8_t wire[] = {(uint8_t)(code >> 8), (uint8_t)code};
        const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, wire);
        const struct tls_suite *suite = tls_suite_12((uint16_t)code);
        size_t hash_len = tls_suite_13_hash_len((uint16_t)code);
        taken += suite != NULL;
        taken_13 += hash_len != 0;
        if (suite != NULL && cipher != NULL) {
            const char *name = SSL_CIPHER_get_name(cipher);
            assert_int_equal(suite->code, code);
            assert_int_equal(SSL_CIPHER_get_kx_nid(cipher),
                             suite->exchange == TLS_ECDHE ? NID_kx_ecdhe : NID_kx_dhe);
            assert_int_equal(SSL_CIPHER_get_auth_nid(cipher),
                             suite->auth == TLS_AUTH_RSA ? NID_auth_rsa : NID_auth_ecdsa);
            assert_true(strstr(name, "AES") != NULL || strstr(name, "CHACHA20") != NULL);
        }
        if (hash_len != 0 && cipher != NULL) {
            assert_int_equal(SSL_CIPHER_get_kx_nid(cipher), NID_kx_any);
            assert_int_equal(EVP_MD_get_size(SSL_CIPHER_get_handshake_digest(cipher)), hash_len);
        }
        /* None of the good ones is forgotten. */
        const char *name = cipher != NULL ? SSL_CIPHER_get_name(cipher) : "";
        bool good =
            (strncmp(name, "ECDHE-RSA-AES", 13) == 0 || strncmp(name, "ECDHE-ECDSA-AES", 15) == 0 ||
             strncmp(name, "DHE-RSA-AES", 11) == 0 || strstr(name, "DHE-RSA-CHACHA") != NULL ||
             strstr(name, "DHE-ECDSA-CHACHA") != NULL);
        assert_int_equal(good, suite != NULL && cipher != NULL);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    assert_int_equal(taken, 29);
    assert_int_equal(taken_13, 5);
}

static const char *read_ecdhe(struct span body)
{
    struct tls_server_key_exchange exchange;
    return tls_read_server_key_exchange(body, TLS_ECDHE, &exchange);
}

static const char *read_dhe(struct span body)
{
    struct tls_server_key_exchange exchange;
    return tls_read_server_key_exchange(body, TLS_DHE, &exchange);
}

#define X25519 "\x03\0\x1D\x20" RANDOM

static const struct body_row curves[] = {
    {BODY(X25519 "\x04\x03\0\x01x"), NULL},
    {BODY(""), FIT},
    {BODY(X25519), FIT},
    {BODY(X25519 "\x04\x03\0\0"), FIT},
    {BODY(X25519 "\x04\x03\0\x02x"), FIT},
    {BODY(X25519 "\x04\x03\0\x01xy"), FIT},
    {BODY("\x03\0\x1D\0\x04\x03\0\x01x"), FIT},
    {BODY("\x03\0\x1D\x20x"), FIT},
    {BODY("\x01\0\x1D\x20" RANDOM "\x04\x03\0\x01x"), "the curve is not one that is taken"},
    {BODY("\x02\0\x1D\x20" RANDOM "\x04\x03\0\x01x"), "the curve is not one that is taken"},
    {BODY("\x03\0\x15\x20" RANDOM "\x04\x03\0\x01x"), "the curve is not one that is taken"},
    {BODY("\x03\0\x17\x20" RANDOM "\x04\x03\0\x01x"), "no point of its curve"},
    {BODY("\x03\0\x1D\x01x\x04\x03\0\x01x"), "no point of its curve"},
};

static void test_curves(void **state)
{
    (void)state;
    bodies_check(read_ecdhe, curves, COUNT_OF(curves));
    struct tls_server_key_exchange out;
    struct span body = span_of(curves[0].bytes, curves[0].len);
    assert_null(tls_read_server_key_exchange(body, TLS_ECDHE, &out));
    assert_true(span_equal(out.params, span_of(X25519, 36)));
    assert_int_equal(out.proof.scheme, 0x0403);
    assert_true(span_is_text(out.proof.signature, "x"));
}

static void test_groups(void **state)
{
    (void)state;
    static const struct {
        size_t prime;
        uint8_t first; /* of the prime */
        size_t generator;
        size_t value;
        const char *fault;
    } rows[] = {
        {256, 0xFF, 1, 256, NULL},
        {1024, 0xFF, 1024, 1, NULL},
        {255, 0xFF, 1, 255, "the group does not have 2048 to 8192 bits"},
        {256, 0x00, 1, 256, "the group does not have 2048 to 8192 bits"},
        {1025, 0xFF, 1, 256, "the group does not have 2048 to 8192 bits"},
        {256, 0xFF, 257, 256, "no value of its group"},
        {256, 0xFF, 1, 257, "no value of its group"},
        {0, 0xFF, 1, 1, FIT},
        {256, 0xFF, 0, 1, FIT},
        {256, 0xFF, 1, 0, FIT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUFFER_CLEANUP struct buffer body = BUFFER_INIT(8192);
        const size_t lens[] = {rows[i].prime, rows[i].generator, rows[i].value};
        for (size_t part = 0; part < COUNT_OF(lens); part++) {
            buffer_put_u16(&body, (uint16_t)lens[part]);
            uint8_t *at = buffer_extend(&body, lens[part]);
            memset(at, 0x5A, lens[part]);
            if (part == 0 && lens[part] > 0) {
                at[0] = rows[i].first;
            }
        }
        size_t params = body.len;
        buffer_put(&body, "\x08\x04\0\x01x", 5);
        const char *fault = body_fault(read_dhe, (const char *)body.data, body.len);
        assert_string_equal(fault != NULL ? fault : "", rows[i].fault != NULL ? rows[i].fault : "");
        struct tls_server_key_exchange out;
        if (fault == NULL) {
            assert_null(tls_read_server_key_exchange(buffer_span(&body), TLS_DHE, &out));
            assert_int_equal(out.params.len, params);
        }
    }
}

static void test_client(void **state)
{
    (void)state;
    static const struct {
        enum tls_exchange exchange;
        const char *bytes;
        size_t len;
        bool good;
    } rows[] = {
        {TLS_ECDHE, BODY("\x02xy"), true},   {TLS_ECDHE, BODY("\0"), false},
        {TLS_ECDHE, BODY(""), false},        {TLS_ECDHE, BODY("\x02xyz"), false},
        {TLS_ECDHE, BODY("\x02x"), false},   {TLS_DHE, BODY("\0\x02xy"), true},
        {TLS_DHE, BODY("\0\0"), false},      {TLS_DHE, BODY(""), false},
        {TLS_DHE, BODY("\0\x02xyz"), false}, {TLS_DHE, BODY("\0\x02x"), false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *fault =
            tls_client_key_exchange_fault(span_of(rows[i].bytes, rows[i].len), rows[i].exchange);
        assert_string_equal(fault != NULL ? fault : "", rows[i].good ? "" : FIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suites),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
