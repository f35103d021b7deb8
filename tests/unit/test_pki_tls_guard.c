/* SPDX-License-Identifier: Apache-2.0
 * The doors of the guard: contents of TLS 1.3, which operations go with which key, and what is no
 * handshake at all. Transcripts have tests of their own. */
#include "pki/tls_guard.h"

#include "check.h"

#include <stdlib.h>

static const uint8_t digest[32] = {1};

static enum outcome guard(enum key_type type, enum alg alg, const void *data, size_t len,
                          struct tls_proof *proof, struct reason *why)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    if (len > 0) {
        memcpy(exact, data, len);
    }
    struct tls_key key = {.type = type, .spki_sha256 = digest};
    enum outcome outcome = tls_guard_check(&key, alg, span_of(exact, len), proof, why);
    free(exact);
    return outcome;
}

static size_t content_make(const char *side, size_t hash_len, uint8_t out[200])
{
    memset(out, ' ', 64);
    memcpy(out + 64, "TLS 1.3, ", 9);
    memcpy(out + 73, side, 6);
    memcpy(out + 79, " CertificateVerify", 19);
    memset(out + 98, 0xA5, hash_len);
    return 98 + hash_len;
}

static const char neither[] =
    "neither a TLS 1.3 client's CertificateVerify content nor a TLS 1.2 handshake";

static void test_contents(void **state)
{
    (void)state;
    uint8_t bytes[200];
    for (size_t hash_len = 0; hash_len <= 64; hash_len++) {
        struct tls_proof proof = {.has_peer = true};
        struct reason why = {0};
        size_t len = content_make("client", hash_len, bytes);
        enum outcome outcome = guard(KEY_P256, ALG_ES256, bytes, len, &proof, &why);
        if (hash_len == 32 || hash_len == 48) {
            assert_done(outcome, why);
            assert_int_equal(proof.version, TLS_1_3);
        } else {
            assert_refused(outcome, OUTCOME_SHAPE, why,
                           "a TLS 1.3 CertificateVerify content has 130 or 146 bytes");
        }
        assert_false(proof.has_peer);
        assert_string_equal(proof.server_name, "");
        len = content_make("server", hash_len, bytes);
        assert_refused(guard(KEY_P256, ALG_ES256, bytes, len, &proof, &why), OUTCOME_SHAPE, why,
                       "a TLS 1.3 server's CertificateVerify: this key signs as a client alone");
    }
}

/* Every bit of what stands before the hash counts. */
static void test_bits(void **state)
{
    (void)state;
    uint8_t bytes[200];
    struct tls_proof proof;
    struct reason why = {0};
    size_t len = content_make("client", 32, bytes);
    for (size_t i = 0; i < len * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1U << i % 8);
        enum outcome outcome = guard(KEY_RSA_2048, ALG_PS256, bytes, len, &proof, &why);
        assert_int_equal(outcome, i / 8 < 98 ? OUTCOME_SHAPE : OUTCOME_OK);
        bytes[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(guard(KEY_RSA_2048, ALG_PS256, bytes, cut, &proof, &why), OUTCOME_SHAPE);
    }
}

static void test_operations(void **state)
{
    (void)state;
    uint8_t bytes[200];
    size_t len = content_make("client", 32, bytes);
    for (unsigned int i = 0; i < (unsigned int)ALG_COUNT * KEY_TYPE_COUNT; i++) {
        enum alg alg = (enum alg)(i % ALG_COUNT);
        enum key_type type = (enum key_type)(i / ALG_COUNT);
        struct tls_proof proof;
        struct reason why = {0};
        enum outcome outcome = guard(type, alg, bytes, len, &proof, &why);
        if (tls_alg_fits_key(alg, type, TLS_1_3)) {
            assert_done(outcome, why);
        } else {
            assert_refused(outcome, OUTCOME_SHAPE, why, "is nothing that a key of type");
            assert_non_null(strstr(why.detail, "signs in TLS 1.3"));
        }
    }
}

static void test_numbers_from_a_frame(void **state)
{
    (void)state;
    uint8_t bytes[200];
    size_t len = content_make("client", 32, bytes);
    struct tls_proof proof;
    struct reason why = {0};
    assert_refused(guard(KEY_P256, (enum alg)ALG_COUNT, bytes, len, &proof, &why), OUTCOME_SHAPE,
                   why, "no such algorithm or key type");
    assert_refused(guard((enum key_type)KEY_TYPE_COUNT, ALG_ES256, bytes, len, &proof, &why),
                   OUTCOME_SHAPE, why, "no such algorithm or key type");
    struct tls_key key = {.type = KEY_P256, .spki_sha256 = digest};
    assert_refused(tls_guard_transcript(&key, (enum alg)ALG_COUNT, span_of(bytes, len), bytes, &len,
                                        &proof, &why),
                   OUTCOME_SHAPE, why, "no such algorithm or key type");
}

static void refused(const void *data, size_t len, const char *reason)
{
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        for (unsigned int type = 0; type < KEY_TYPE_COUNT; type++) {
            struct tls_proof proof;
            struct reason why = {0};
            if (tls_alg_fits_key((enum alg)i, (enum key_type)type, TLS_1_3)) {
                assert_refused(guard((enum key_type)type, (enum alg)i, data, len, &proof, &why),
                               OUTCOME_SHAPE, why, reason);
            }
        }
    }
}

/* What other protocols have signed by a key. */
static void test_other_protocols(void **state)
{
    (void)state;
    uint8_t bytes[200];
    refused(NULL, 0, neither);
    memset(bytes, 0x5A, sizeof bytes);
    refused(bytes, 32, neither);
    refused(bytes, 48, neither);
    refused(bytes, 64, neither);
    refused(bytes, 130, neither);
    refused(bytes, 146, neither);
    refused("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19,
            neither);
    refused("eyJhbGciOiJQUzI1NiJ9.e30", 24, neither);
    refused("0\x3E\x02\x01\x00", 5, neither);
    refused("\xFE\0\0\x20", 4, neither);
    memset(bytes, ' ', 64);
    refused(bytes, 64, neither);
    refused(bytes, 130, neither);
    /* DTLS 1.2: message_seq and fragment_offset stand before the body */
    refused("\x01\0\0\x02\0\0\0\0\0\0\0\x02\xFE\xFD", 14, "ClientHello: a length does not fit");
    refused("\x01", 1, "the message that should be ClientHello does not fit");
    refused("\x01\0\0\0", 4, "ClientHello: a length does not fit");
}

/* Bytes are not even looked at beyond what a provider keeps. */
static void test_length(void **state)
{
    (void)state;
    static const char long_one[] = "longer than 256 KB: no handshake is";
    static uint8_t bytes[TLS_INPUT_MAX + 1] = {1, 0, 0, 0};
    uint8_t content[TLS_CONTENT_MAX];
    size_t len = 0;
    struct tls_proof proof;
    struct reason why = {0};
    struct tls_key key = {.type = KEY_P256, .spki_sha256 = digest};
    for (size_t more = 0; more <= 1; more++) {
        struct span input = span_of(bytes, TLS_INPUT_MAX + more);
        const char *reason = more == 0 ? "ClientHello: a length does not fit" : long_one;
        assert_refused(tls_guard_check(&key, ALG_ES256, input, &proof, &why), OUTCOME_SHAPE, why,
                       reason);
        assert_int_equal(proof.version, TLS_1_2);
        assert_refused(tls_guard_transcript(&key, ALG_ES256, input, content, &len, &proof, &why),
                       OUTCOME_SHAPE, why, reason);
        assert_int_equal(proof.version, TLS_1_3);
    }
    bytes[0] = ' ';
    assert_refused(tls_guard_check(&key, ALG_ES256, span_of(bytes, sizeof bytes), &proof, &why),
                   OUTCOME_SHAPE, why, neither);
    bytes[0] = 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents),        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_operations),      cmocka_unit_test(test_numbers_from_a_frame),
        cmocka_unit_test(test_other_protocols), cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
