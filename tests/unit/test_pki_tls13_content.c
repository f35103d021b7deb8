/* SPDX-License-Identifier: Apache-2.0
 * What TLS 1.3 signs in a CertificateVerify: the example of RFC 8446 §4.4.3, and what is none. */
#include "pki/tls13_content.h"

#include "check.h"

static void test_example(void **state)
{
    (void)state;
    static const char example[] =
        "                                                                "
        "TLS 1.3, server CertificateVerify\0"
        "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
        "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01";
    uint8_t hash[48];
    uint8_t content[TLS_CONTENT_MAX];
    memset(hash, 1, sizeof hash);
    assert_int_equal(tls13_content_write(TLS13_SERVER, span_of(hash, 32), content), 130);
    assert_memory_equal(content, example, 130);
    assert_string_equal(tls13_content_fault(span_of(content, 130)),
                        "a TLS 1.3 server's CertificateVerify: this key signs as a client alone");
    assert_int_equal(tls13_content_write(TLS13_CLIENT, span_of(hash, 48), content), 146);
    assert_null(tls13_content_fault(span_of(content, 146)));
    assert_null(tls13_content_fault(span_of(content, 130)));
    assert_string_equal(tls13_content_fault(span_of(content, 145)),
                        "a TLS 1.3 CertificateVerify content has 130 or 146 bytes");
    assert_string_equal(
        tls13_content_fault(span_of(content + 1, 145)),
        "neither a TLS 1.3 client's CertificateVerify content nor a TLS 1.2 handshake");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_example)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
