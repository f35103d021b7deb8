/* SPDX-License-Identifier: Apache-2.0
 * Texts as custodians bring them. */
#include "base/pem.h"
#include "certificate_stand.h"

static void crlf_and_a_lone_certificate_are_fine(void **state)
{
    struct stand *stand = *state;
    BUFFER_CLEANUP struct buffer lines = BUFFER_INIT(10000);
    put_issued(&lines, &of_leaf, stand->leaf, stand->middle);
    for (size_t i = 0; i < lines.len; i++) {
        if (lines.data[i] == '\n') {
            buffer_put_u8(&stand->text, '\r');
        }
        buffer_put_u8(&stand->text, lines.data[i]);
    }
    assert_done(read_as(stand, PURPOSE_TRANSPORT), stand->why);
    assert_true(span_equal(buffer_span(&stand->pem), buffer_span(&lines)));
}

static void what_is_no_chain_is_refused(void **state)
{
    struct stand *stand = *state;
    expect_refused(stand, "there is no certificate in PEM in the file");
    buffer_put_text(&stand->text, "no certificate\n");
    expect_refused(stand, "there is no certificate in PEM in the file");
    buffer_put_text(&stand->text, "-----BEGIN CERTIFICATE-----\nAAAA\n");
    expect_refused(stand, "a PEM block behind certificate 0 is broken");
    buffer_put_text(&stand->text, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect_refused(stand, "certificate 1 is not DER of a certificate");
    put_leaf(stand, &of_leaf);
    buffer_put_text(&stand->text, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    expect_refused(stand, "a private key is in the file");
    put_leaf(stand, &of_leaf);
    buffer_put_text(&stand->text, "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
    expect_refused(stand, "a PEM block other than CERTIFICATE");
    for (size_t i = 0; i <= CERTIFICATES_MAX; i++) {
        put_leaf(stand, &of_leaf);
    }
    expect_refused(stand, "more than 16 certificates");
    while (stand->text.len <= CERTIFICATES_TEXT_MAX) {
        buffer_put_text(&stand->text, "a comment\n");
    }
    expect_refused(stand, "the file is longer than 65536 bytes");
}

static void trailing_bytes_in_a_block_are_refused(void **state)
{
    struct stand *stand = *state;
    X509 *certificate = certificate_issue(&of_leaf, stand->leaf, stand->middle);
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    BUFFER_CLEANUP struct buffer longer = BUFFER_INIT(4096);
    buffer_put(&longer, der, (size_t)len);
    buffer_put_u8(&longer, 0);
    pem_put(&stand->text, "CERTIFICATE", buffer_span(&longer));
    OPENSSL_free(der);
    X509_free(certificate);
    expect_refused(stand, "certificate 1 is not DER of a certificate");
}

static void damage_is_survived(void **state)
{
    struct stand *stand = *state;
    X509 *certificate = certificate_issue(&of_leaf, stand->leaf, stand->middle);
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    for (int i = 0; i < len; i++) {
        buffer_reset(&stand->text);
        der[i] ^= 0x21;
        pem_put(&stand->text, "CERTIFICATE", span_of(der, (size_t)len));
        der[i] ^= 0x21;
        (void)read_as(stand, PURPOSE_TRANSPORT); /* an own certificate is not verified alone */
    }
    OPENSSL_free(der);
    X509_free(certificate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(crlf_and_a_lone_certificate_are_fine),
        TEST(what_is_no_chain_is_refused),
        TEST(trailing_bytes_in_a_block_are_refused),
        TEST(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
