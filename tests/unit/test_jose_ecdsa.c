/* SPDX-License-Identifier: Apache-2.0
 * r||s to DER: as OpenSSL writes it, and nothing that is no signature. */
#include "jose/ecdsa.h"

#include "check.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>

#include <string.h>

static const struct {
    enum key_type type;
    size_t half;
} curves[] = {{KEY_P256, 32}, {KEY_P384, 48}, {KEY_P521, 66}};

/* Numbers with and without a leading one-bit, short ones, and the longest of all. */
static void it_is_what_openssl_writes(void **state)
{
    (void)state;
    static const uint8_t firsts[] = {0x00, 0x01, 0x7f, 0x80, 0xfe};
    for (size_t c = 0; c < COUNT_OF(curves); c++) {
        for (size_t i = 0; i < COUNT_OF(firsts) * COUNT_OF(firsts); i++) {
            uint8_t raw[2 * ECDSA_COORDINATE_MAX];
            uint8_t der[ECDSA_DER_MAX];
            size_t half = curves[c].half;
            memset(raw, 0x5a, sizeof raw);
            raw[0] = firsts[i % COUNT_OF(firsts)];
            raw[half] = firsts[i / COUNT_OF(firsts)];
            if (curves[c].type == KEY_P521) { /* of the first byte only one bit is used */
                raw[0] = raw[half] = 0;
                raw[1] = firsts[i % COUNT_OF(firsts)];
                raw[half + 1] = firsts[i / COUNT_OF(firsts)];
            }
            ECDSA_SIG *pair = ECDSA_SIG_new();
            unsigned char *want = NULL;
            assert_int_equal(ECDSA_SIG_set0(pair, BN_bin2bn(raw, (int)half, NULL),
                                            BN_bin2bn(raw + half, (int)half, NULL)),
                             1);
            int want_len = i2d_ECDSA_SIG(pair, &want);
            size_t len = ecdsa_to_der(curves[c].type, span_of(raw, 2 * half), der);
            assert_int_equal(len, want_len);
            assert_memory_equal(der, want, len);
            OPENSSL_free(want);
            ECDSA_SIG_free(pair);
        }
    }
}

static void what_is_no_signature_is_not_written(void **state)
{
    (void)state;
    uint8_t der[ECDSA_DER_MAX];
    uint8_t raw[2 * ECDSA_COORDINATE_MAX + 1];
    for (size_t c = 0; c < COUNT_OF(curves); c++) {
        size_t half = curves[c].half;
        memset(raw, 0, sizeof raw);
        raw[half - 1] = raw[2 * half - 1] = 1;
        assert_int_equal(ecdsa_to_der(curves[c].type, span_of(raw, 2 * half), der), 8);
        assert_int_equal(ecdsa_to_der(curves[c].type, span_of(raw, 2 * half - 1), der), 0);
        assert_int_equal(ecdsa_to_der(curves[c].type, span_of(raw, 2 * half + 1), der), 0);
        raw[half - 1] = 0; /* r = 0 */
        assert_int_equal(ecdsa_to_der(curves[c].type, span_of(raw, 2 * half), der), 0);
        memset(raw, 0xff, half); /* r over the order */
        assert_int_equal(ecdsa_to_der(curves[c].type, span_of(raw, 2 * half), der), 0);
    }
    assert_int_equal(ecdsa_to_der(KEY_ED25519, span_of(raw, 64), der), 0);
    assert_int_equal(ecdsa_to_der(KEY_RSA_2048, span_of(raw, 0), der), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_openssl_writes),
        cmocka_unit_test(what_is_no_signature_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
