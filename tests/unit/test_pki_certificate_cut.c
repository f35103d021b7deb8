/* SPDX-License-Identifier: Apache-2.0
 * Facts out of a certificate's parts, beside those that OpenSSL has of the whole. */
#include "certificate_support.h"
#include "pki/certificate_parts.h"
#include "pki/psd2.h"

#include <openssl/err.h>

#include <string.h>

enum { DER_MAX = 8192, DAY_S = 86400 };

static const struct issue issues[] = {
    {.subject = "tpp", .issuer = "ca"},
    {.subject = "tpp", .issuer = "ca", .from_s = -20L * 365 * DAY_S, .to_s = 40L * 365 * DAY_S},
    {.subject = "B\xc3\xbc"
                "cher, \"Ltd\" + Co",
     .issuer = "an issuer of another name",
     .key_usage = "critical,digitalSignature,nonRepudiation",
     .extended_key_usage = "clientAuth",
     .constraints = "critical,CA:FALSE"},
    {.subject = "tpp", .issuer = "ca", .critical_oid = "1.2.3.4"},
};

static void add_statements(X509 *certificate)
{
    const struct qc_statements qc = {.type = QC_TYPE_ESEAL,
                                     .has_psd2 = true,
                                     .roles = 1U << PSD2_AI,
                                     .nca_name = "Financial Conduct Authority",
                                     .nca_id = "GB-FCA"};
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(QC_STATEMENTS_MAX);
    qc_statements_put(&der, &qc);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(octets, der.data, (int)der.len), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_qcStatements, 0, octets);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
}

static void put_certificate(struct buffer *out, const struct issue *issue, bool with_statements)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_issue(issue, key, key);
    if (with_statements) {
        assert_int_equal(X509_NAME_add_entry_by_NID(
                             X509_get_subject_name(certificate), NID_organizationIdentifier,
                             MBSTRING_UTF8, (const unsigned char *)"PSDGB-FCA-123456", -1, -1, 0),
                         1);
        add_statements(certificate);
        assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    }
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    assert_true(len > 0);
    buffer_put(out, der, (size_t)len);
    OPENSSL_free(der);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static bool whole_facts(struct span der, struct certificate_facts *facts)
{
    X509 *certificate = certificate_of(der);
    ERR_clear_error();
    if (certificate == NULL) {
        return false;
    }
    const struct certificate_pieces pieces = certificate_pieces_of(certificate);
    bool good = certificate_state_facts(&pieces, facts);
    X509_free(certificate);
    return good;
}

/* Whether the parts can be read. What both can read, they read alike. */
static bool expect_agreement(struct span der)
{
    struct certificate_facts parts;
    struct certificate_facts whole;
    int64_t from = 0;
    int64_t until = 0;
    bool good = certificate_cut_facts(der, &parts);
    if (good) {
        assert_true(certificate_cut_validity(der, &from, &until));
        assert_int_equal(from, parts.not_before);
        assert_int_equal(until, parts.not_after);
    }
    if (good && whole_facts(der, &whole)) {
        assert_string_equal(parts.subject, whole.subject);
        assert_string_equal(parts.issuer, whole.issuer);
        assert_string_equal(parts.serial, whole.serial);
        assert_int_equal(parts.not_before, whole.not_before);
        assert_int_equal(parts.not_after, whole.not_after);
        assert_string_equal(parts.organization_identifier, whole.organization_identifier);
        assert_int_equal(parts.has_qc_statements, whole.has_qc_statements);
        assert_int_equal(parts.warnings, whole.warnings);
        assert_int_equal(parts.qc.roles, whole.qc.roles);
        assert_string_equal(parts.qc.nca_id, whole.qc.nca_id);
        assert_ptr_equal(parts.qc_fault, whole.qc_fault);
    }
    assert_int_equal(ERR_peek_error(), 0);
    return good;
}

static void parts_say_what_the_whole_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(issues) * 2; i++) {
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(DER_MAX);
        struct certificate_facts facts;
        put_certificate(&der, &issues[i / 2], i % 2 == 1);
        assert_true(expect_agreement(buffer_span(&der)));
        assert_true(whole_facts(buffer_span(&der), &facts));
        assert_int_equal(facts.has_qc_statements, i % 2 == 1);
        assert_string_equal(facts.serial, "4711");
        for (size_t at = 0; at < der.len; at++) {
            der.data[at] ^= (uint8_t)(1U << at % 8);
            (void)expect_agreement(buffer_span(&der));
            der.data[at] ^= (uint8_t)(1U << at % 8);
            assert_false(expect_agreement(span_part(buffer_span(&der), 0, at)));
        }
        buffer_put_u8(&der, 0);
        assert_false(expect_agreement(buffer_span(&der)));
    }
}

/* What is not DER is read as a whole: a length in two bytes where one is enough,
 * in the outer signature algorithm. */
static void what_is_no_der_is_read_as_a_whole(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(DER_MAX);
    BUFFER_CLEANUP struct buffer ber = BUFFER_INIT(DER_MAX);
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(2 * DER_MAX);
    put_certificate(&der, &issues[0], true);
    static const uint8_t algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce};
    size_t at = der.len;
    while (memcmp(der.data + --at, algorithm, sizeof algorithm) != 0) {
        assert_true(at > 4);
    }
    assert_true(der.data[1] == 0x82 && der.data[3] < 0xff);
    buffer_put(&ber, der.data, at + 1);
    buffer_put_u8(&ber, 0x81);
    buffer_put_span(&ber, span_part(buffer_span(&der), at + 1, der.len));
    ber.data[3]++;
    struct certificate_facts facts;
    int64_t from = 0;
    int64_t until = 0;
    assert_false(certificate_cut_facts(buffer_span(&ber), &facts));
    assert_false(certificate_cut_validity(buffer_span(&ber), &from, &until));
    X509 *certificate = certificate_of(buffer_span(&ber));
    assert_non_null(certificate);
    X509_free(certificate);
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio(bio, PEM_STRING_X509, "", ber.data, (long)ber.len) > 0);
    long len = BIO_get_mem_data(bio, &text);
    buffer_put(&pem, text, (size_t)len);
    BIO_free(bio);
    assert_true(certificate_facts(buffer_span(&pem), &facts));
    assert_string_equal(facts.organization_identifier, "PSDGB-FCA-123456");
    assert_true(certificate_validity(buffer_span(&pem), &from, &until));
    assert_int_equal(from, facts.not_before);
    assert_int_equal(until, facts.not_after);
    assert_false(certificate_validity(span_of_text("nothing"), &from, &until));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_say_what_the_whole_says),
        cmocka_unit_test(what_is_no_der_is_read_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
