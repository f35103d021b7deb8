/* SPDX-License-Identifier: Apache-2.0
 * Certificate, CertificateRequest, CertificateStatus, CertificateVerify, in both versions. */
#include "model/tls_credentials.h"

#include "check.h"
#include "tls_bodies.h"

#define FIT "a length does not fit"

static const char *read_certificate_12(struct span body)
{
    struct tls_certificate certificate;
    return tls_read_certificate(body, TLS_1_2, &certificate);
}

static const char *read_certificate_13(struct span body)
{
    struct tls_certificate certificate;
    return tls_read_certificate(body, TLS_1_3, &certificate);
}

static const struct body_row certificates_12[] = {
    {BODY("\0\0\0"), NULL},
    {BODY("\0\0\x04\0\0\x01x"), NULL},
    {BODY("\0\0\x09\0\0\x01x\0\0\x02yz"), NULL},
    {BODY(""), FIT},
    {BODY("\0\0"), FIT},
    {BODY("\0\0\0x"), FIT},
    {BODY("\0\0\x03\0\0\0"), FIT}, /* an empty certificate */
    {BODY("\0\0\x04\0\0\x02x"), FIT},
    {BODY("\0\0\x05\0\0\x01xy"), FIT},
    {BODY("\0\0\x05\0\0\x01x"), FIT},
};

static const struct body_row certificates_13[] = {
    {BODY("\0\0\0\0"), NULL},
    {BODY("\x01"
          "c\0\0\0"),
     NULL},
    {BODY("\0\0\0\x06\0\0\x01x\0\0"), NULL},
    {BODY("\0\0\0\x0A\0\0\x01x\0\x04\0\x05\0\0"), NULL},
    {BODY(""), FIT},
    {BODY("\0\0\0\x04\0\0\x01x"), FIT}, /* no extensions */
    {BODY("\0\0\0\x05\0\0\0\0\0"), FIT},
    {BODY("\0\0\0\x06\0\0\x01x\0\x01"), FIT},
    {BODY("\0\0\0\x06\0\0\x01x\0\0y"), FIT},
    {BODY("\0\0\0\x07\0\0\x01x\0\x01\0"), "an extension's length does not fit"},
    {BODY("\0\0\0\x0E\0\0\x01x\0\x08\0\x05\0\0\0\x05\0\0"), "an extension comes twice"},
};

static void test_certificates(void **state)
{
    (void)state;
    bodies_check(read_certificate_12, certificates_12, COUNT_OF(certificates_12));
    bodies_check(read_certificate_13, certificates_13, COUNT_OF(certificates_13));
}

static void test_chain(void **state)
{
    (void)state;
    static const struct {
        enum tls_version version;
        const char *body;
        size_t len;
        size_t context;
    } rows[] = {
        {TLS_1_2, BODY("\0\0\x09\0\0\x01x\0\0\x02yz"), 0},
        {TLS_1_3,
         BODY("\x01"
              "c\0\0\x11\0\0\x01x\0\0\0\0\x02yz\0\x04\0\x05\0\0"),
         1},
        {TLS_1_3, BODY("\0\0\0\x0D\0\0\x01x\0\0\0\0\x02yz\0\0"), 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tls_certificate out;
        struct span body = span_of(rows[i].body, rows[i].len);
        assert_null(tls_read_certificate(body, rows[i].version, &out));
        assert_int_equal(out.context.len, rows[i].context);
        assert_true(span_is_text(out.first, "x"));
        struct reader chain = reader_of(out.chain);
        struct span der;
        assert_true(tls_chain_next(&chain, rows[i].version, &der));
        assert_true(span_is_text(der, "x"));
        assert_true(tls_chain_next(&chain, rows[i].version, &der));
        assert_true(span_is_text(der, "yz"));
        assert_false(tls_chain_next(&chain, rows[i].version, &der));
        assert_true(reader_done(&chain));
    }
    struct reader broken = reader_of(span_of("\0\0\x02x", 4));
    struct span der;
    assert_false(tls_chain_next(&broken, TLS_1_2, &der));
    assert_false(reader_done(&broken));
}

static void test_long_chain(void **state)
{
    (void)state;
    for (size_t n = TLS_CHAIN_MAX; n <= TLS_CHAIN_MAX + 1; n++) {
        BUFFER_CLEANUP struct buffer body = BUFFER_INIT(256);
        buffer_put_u8(&body, 0);
        buffer_put_u16(&body, (uint16_t)(n * 4));
        for (size_t i = 0; i < n; i++) {
            buffer_put(&body, "\0\0\x01x", 4);
        }
        const char *fault = read_certificate_12(buffer_span(&body));
        assert_string_equal(fault != NULL ? fault : "",
                            n == TLS_CHAIN_MAX ? "" : "more certificates than are taken");
    }
}

static const char *read_request_12(struct span body)
{
    struct tls_certificate_request request;
    return tls_read_certificate_request(body, TLS_1_2, &request);
}

static const char *read_request_13(struct span body)
{
    struct tls_certificate_request request;
    return tls_read_certificate_request(body, TLS_1_3, &request);
}

static const struct body_row requests_12[] = {
    {BODY("\x01\x40\0\x02\x04\x03\0\0"), NULL},
    {BODY("\x02\x01\x40\0\x04\x04\x03\x08\x07\0\x07\0\x02\x30\0\0\x01x"), NULL},
    {BODY(""), FIT},
    {BODY("\0\0\x02\x04\x03\0\0"), FIT}, /* no type */
    {BODY("\x01\x40\0\0\0\0"), FIT},     /* no scheme */
    {BODY("\x01\x40\0\x03\x04\x03\x08\0\0"), FIT},
    {BODY("\x01\x40\0\x02\x04\x03"), FIT},
    {BODY("\x01\x40\0\x02\x04\x03\0\0x"), FIT},
    {BODY("\x01\x40\0\x02\x04\x03\0\x02\0\0"), FIT}, /* an empty name */
    {BODY("\x01\x40\0\x02\x04\x03\0\x03\0\x02x"), FIT},
};

static const struct body_row requests_13[] = {
    {BODY("\0\0\x08\0\x0D\0\x04\0\x02\x04\x03"), NULL},
    {BODY("\x01"
          "c\0\x0C\0\x0D\0\x04\0\x02\x04\x03\0\x05\0\0"),
     NULL},
    {BODY(""), FIT},
    {BODY("\0\0\0"), FIT},
    {BODY("\0\0\x08\0\x0D\0\x04\0\x02\x04\x03x"), FIT},
    {BODY("\0\0\x04\0\x05\0\0"), "no signature_algorithms"},
    {BODY("\0\0\x03\0\x05\0"), "an extension's length does not fit"},
    {BODY("\0\0\x06\0\x0D\0\x02\0\0"), "signature_algorithms: its length does not fit"},
    {BODY("\0\0\x08\0\x05\0\0\0\x05\0\0"), "an extension comes twice"},
};

static void test_requests(void **state)
{
    (void)state;
    bodies_check(read_request_12, requests_12, COUNT_OF(requests_12));
    bodies_check(read_request_13, requests_13, COUNT_OF(requests_13));
    struct tls_certificate_request request;
    const struct body_row *row = &requests_13[1];
    assert_null(tls_read_certificate_request(span_of(row->bytes, row->len), TLS_1_3, &request));
    assert_true(span_is_text(request.context, "c"));
    assert_true(span_equal(request.schemes, span_of("\x04\x03", 2)));
}

static const struct body_row statuses[] = {
    {BODY("\x01\0\0\x01x"), NULL},
    {BODY("\x01\0\0\0"), FIT},
    {BODY("\x01\0\0\x02x"), FIT},
    {BODY("\x01\0\0\x01xy"), FIT},
    {BODY(""), FIT},
    {BODY("\x02\0\0\x01x"), "not an OCSP response"},
};

static const char *read_verify(struct span body)
{
    struct tls_signed proof;
    return tls_read_certificate_verify(body, &proof);
}

static const struct body_row verifies[] = {
    {BODY("\x04\x03\0\x01x"), NULL}, {BODY(""), FIT},
    {BODY("\x04\x03"), FIT},         {BODY("\x04\x03\0\0"), FIT},
    {BODY("\x04\x03\0\x02x"), FIT},  {BODY("\x04\x03\0\x01xy"), FIT},
};

static void test_small_ones(void **state)
{
    (void)state;
    bodies_check(tls_certificate_status_fault, statuses, COUNT_OF(statuses));
    bodies_check(read_verify, verifies, COUNT_OF(verifies));
    struct tls_signed proof;
    assert_null(tls_read_certificate_verify(span_of("\x04\x03\0\x01x", 5), &proof));
    assert_int_equal(proof.scheme, 0x0403);
    assert_true(span_is_text(proof.signature, "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificates), cmocka_unit_test(test_chain),
        cmocka_unit_test(test_long_chain),   cmocka_unit_test(test_requests),
        cmocka_unit_test(test_small_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
