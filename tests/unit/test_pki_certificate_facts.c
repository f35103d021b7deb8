/* SPDX-License-Identifier: Apache-2.0
 * Certificates of payment service providers: what is read of them, what is warned of, and which do
 * not fit a key's purpose. */
#include "pki/certificate.h"

#include "base/clock.h"
#include "certificate_support.h"

/* What a test certificate says beyond struct issue. */
struct wanted {
    struct qc_statements qc;
    const char *organization;
    const char *key_usage;
    const char *extended_key_usage;
    bool is_critical;
    bool is_twice;
    bool has_no_statements;
    const char *from; /* these bytes of the statements … */
    const char *to;   /* … are changed into these, as long */
    const char *raw;  /* the whole extension instead, in hexadecimal */
    long to_s;
};

/* What QcCompliance is in DER, as an issuer writes it. */
static const uint8_t compliance[] = {0x30, 0x08, 0x06, 0x06, 0x04, 0x00, 0x8e, 0x46, 0x01, 0x01};
static const uint8_t sscd[] = {0x30, 0x08, 0x06, 0x06, 0x04, 0x00, 0x8e, 0x46, 0x01, 0x04};

static void put_statements(struct buffer *out, const struct wanted *wanted)
{
    BUFFER_CLEANUP struct buffer own = BUFFER_INIT(QC_STATEMENTS_MAX);
    BUFFER_CLEANUP struct buffer all = BUFFER_INIT(QC_STATEMENTS_MAX);
    qc_statements_put(&own, &wanted->qc);
    assert_true(buffer_ok(&own) && own.len < 0x80 + 2);
    if (wanted->qc.has_compliance) {
        buffer_put(&all, compliance, sizeof compliance);
    }
    if (wanted->qc.has_sscd) {
        buffer_put(&all, sscd, sizeof sscd);
    }
    buffer_put_span(&all, span_part(buffer_span(&own), 2, own.len));
    assert_true(all.len < 0x100);
    buffer_put_u8(out, 0x30);
    if (all.len >= 0x80) {
        buffer_put_u8(out, 0x81);
    }
    buffer_put_u8(out, (uint8_t)all.len);
    buffer_put_span(out, buffer_span(&all));
    if (wanted->from != NULL) {
        uint8_t *at = memmem(out->data, out->len, wanted->from, strlen(wanted->from));
        assert_non_null(at);
        memcpy(at, wanted->to, strlen(wanted->to));
    }
}

static void add_statements(X509 *certificate, const struct wanted *wanted)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(QC_STATEMENTS_MAX);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    if (wanted->raw != NULL) {
        long len = 0;
        unsigned char *bytes = OPENSSL_hexstr2buf(wanted->raw, &len);
        buffer_put(&der, bytes, (size_t)len);
        OPENSSL_free(bytes);
    } else {
        put_statements(&der, wanted);
    }
    assert_int_equal(ASN1_OCTET_STRING_set(octets, der.data, (int)der.len), 1);
    X509_EXTENSION *extension =
        X509_EXTENSION_create_by_NID(NULL, NID_qcStatements, wanted->is_critical ? 1 : 0, octets);
    for (int i = 0; i <= (wanted->is_twice ? 1 : 0); i++) {
        assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    }
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
}

static enum outcome read_made(const struct wanted *wanted, enum purpose purpose,
                              struct certificate_facts *facts, struct reason *why)
{
    const struct issue issue = {.subject = "Bank",
                                .issuer = "Issuer",
                                .key_usage = wanted->key_usage,
                                .extended_key_usage = wanted->extended_key_usage,
                                .to_s = wanted->to_s == 0 ? 365L * 86400 : wanted->to_s};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_issue(&issue, key, key);
    if (wanted->organization != NULL) {
        assert_int_equal(X509_NAME_add_entry_by_txt(
                             X509_get_subject_name(certificate), "organizationIdentifier",
                             MBSTRING_UTF8, (const unsigned char *)wanted->organization, -1, -1, 0),
                         1);
    }
    if (!wanted->has_no_statements) {
        add_statements(certificate, wanted);
    }
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(16384);
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(16384);
    certificate_put_pem(&text, certificate);
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    const struct certificate_owner owner = {.purpose = purpose, .spki = span_of(der, (size_t)len)};
    enum outcome outcome =
        certificate_chain_read(buffer_span(&text), &owner, clock_wall_s(), &pem, facts, why);
    OPENSSL_free(der);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return outcome;
}

static struct wanted good_seal(void)
{
    return (struct wanted){
        .qc = {.type = QC_TYPE_ESEAL,
               .has_compliance = true,
               .has_sscd = true,
               .has_psd2 = true,
               .roles = 1U << PSD2_PI | 1U << PSD2_AI,
               .nca_name = "Bank of x",
               .nca_id = "FI-FINFSA"},
        .organization = "PSDFI-FINFSA-1234567-8",
        .key_usage = "critical,nonRepudiation",
    };
}

static void a_qualified_seal_is_read_whole(void **state)
{
    (void)state;
    const struct wanted wanted = good_seal();
    struct certificate_facts facts;
    struct reason why = {0};
    assert_done(read_made(&wanted, PURPOSE_SEAL, &facts, &why), why);
    assert_int_equal(facts.warnings, 0);
    assert_true(facts.has_qc_statements && facts.qc.has_compliance && facts.qc.has_sscd);
    assert_int_equal(facts.qc.type, QC_TYPE_ESEAL);
    assert_int_equal(facts.qc.roles, wanted.qc.roles);
    assert_string_equal(facts.qc.nca_name, "Bank of x");
    assert_string_equal(facts.organization_identifier, "PSDFI-FINFSA-1234567-8");
    assert_string_equal(facts.organization.country, "FI");
    assert_string_equal(facts.organization.nca, "FINFSA");
    assert_string_equal(facts.organization.id, "1234567-8");
    assert_string_equal(facts.subject, "organizationIdentifier=PSDFI-FINFSA-1234567-8,CN=Bank");
}

static void expect_warnings(const struct wanted *wanted, unsigned int warnings)
{
    struct certificate_facts facts;
    struct reason why = {0};
    assert_done(read_made(wanted, PURPOSE_SEAL, &facts, &why), why);
    assert_int_equal(facts.warnings, warnings);
}

static void what_is_odd_is_warned_of(void **state)
{
    (void)state;
    struct wanted wanted = good_seal();
    wanted.is_critical = true;
    expect_warnings(&wanted, 1U << CERTIFICATE_QC_CRITICAL);
    wanted = good_seal();
    wanted.to_s = 29L * 86400;
    expect_warnings(&wanted, 1U << CERTIFICATE_EXPIRES_SOON);
    wanted = good_seal();
    wanted.qc.type = QC_TYPE_NONE;
    expect_warnings(&wanted, 1U << CERTIFICATE_NO_QC_TYPE);
    wanted.qc.type = QC_TYPE_ESIGN;
    expect_warnings(&wanted, 1U << CERTIFICATE_FOR_A_PERSON);
    wanted = good_seal();
    wanted.qc.has_compliance = false;
    expect_warnings(&wanted, 1U << CERTIFICATE_NOT_COMPLIANT);
    wanted = good_seal();
    wanted.qc.has_psd2 = false;
    expect_warnings(&wanted, 1U << CERTIFICATE_NO_PSD2);
    wanted.organization = "VATFI-123";
    expect_warnings(&wanted, 0);
    wanted.organization = "1234567-8";
    expect_warnings(&wanted, 1U << CERTIFICATE_ORGANIZATION_FORM);
    wanted = good_seal();
    wanted.has_no_statements = true;
    expect_warnings(&wanted, 1U << CERTIFICATE_NO_QC_STATEMENTS);
    for (unsigned int i = 0; i < CERTIFICATE_WARNINGS; i++) {
        assert_true(strlen(certificate_warning_text((enum certificate_warning)i)) > 20);
    }
}

static void odd_psd2_statements_are_warned_of(void **state)
{
    (void)state;
    struct wanted wanted = good_seal();
    wanted.from = "PSP_PI";
    wanted.to = "PSP_IC";
    expect_warnings(&wanted, 1U << CERTIFICATE_ROLE_DISAGREES);
    wanted.from = "\x81\x98\x27\x01\x02";
    wanted.to = "\x81\x98\x27\x01\x09";
    expect_warnings(&wanted, 1U << CERTIFICATE_ROLE_UNKNOWN);
    wanted.from = "FI-FINFSA";
    wanted.to = "SE-FINFSA";
    expect_warnings(&wanted, 1U << CERTIFICATE_NCA_DISAGREES);
    wanted.to = "FI/FINFSA";
    expect_warnings(&wanted, 1U << CERTIFICATE_NCA_FORM | 1U << CERTIFICATE_NCA_DISAGREES);
    wanted = good_seal();
    wanted.organization = "PSDGB-FCA-123456";
    wanted.raw = "306c3013060604008e4601063009060704008e460106023055060604008198270230"
                 "4b302430220607040081982701020c065053505f50490607040081982701030c0650"
                 "53505f41490c1b46696e616e6369616c20436f6e6475637420417574686f72697479"
                 "0c0647422d464341";
    expect_warnings(&wanted, 1U << CERTIFICATE_ROLES_FLATTENED | 1U << CERTIFICATE_NOT_COMPLIANT);
}

static void expect_refused(const struct wanted *wanted, enum purpose purpose, const char *fragment)
{
    struct certificate_facts facts;
    struct reason why = {0};
    assert_refused(read_made(wanted, purpose, &facts, &why), OUTCOME_RULE, why, fragment);
}

static void a_certificate_for_another_purpose_is_refused(void **state)
{
    (void)state;
    struct certificate_facts facts;
    struct reason why = {0};
    struct wanted wanted = good_seal();
    wanted.qc.type = QC_TYPE_WEB;
    expect_refused(&wanted, PURPOSE_SEAL,
                   "certificate 1: its QcType is web, and this key seals: a QWAC belongs to a "
                   "transport key");
    expect_refused(&wanted, PURPOSE_AUDIT,
                   "certificate 1: its QcType is web, and this is an audit key: a QWAC belongs to "
                   "a transport key");
    wanted.key_usage = "critical,keyEncipherment";
    expect_refused(&wanted, PURPOSE_SEAL, "neither digitalSignature nor nonRepudiation");
    expect_refused(&wanted, PURPOSE_AUDIT, "neither digitalSignature nor nonRepudiation");
    wanted.key_usage = "critical,digitalSignature";
    wanted.extended_key_usage = "clientAuth,serverAuth";
    assert_done(read_made(&wanted, PURPOSE_TRANSPORT, &facts, &why), why);
    assert_int_equal(facts.warnings, 0);
    wanted.extended_key_usage = "serverAuth";
    expect_refused(&wanted, PURPOSE_TRANSPORT, "its extendedKeyUsage does not hold clientAuth");
    wanted.extended_key_usage = NULL;
    wanted.qc.type = QC_TYPE_ESEAL;
    expect_refused(&wanted, PURPOSE_TRANSPORT, "its QcType is eseal, and this is a transport key");
    assert_done(read_made(&wanted, PURPOSE_AUDIT, &facts, &why), why);
    wanted.key_usage = "critical,nonRepudiation";
    expect_refused(&wanted, PURPOSE_TRANSPORT, "no digitalSignature");
}

static void statements_that_cannot_be_taken_are_refused(void **state)
{
    (void)state;
    struct wanted wanted = good_seal();
    wanted.is_twice = true;
    expect_refused(&wanted, PURPOSE_SEAL,
                   "qcStatements cannot be taken: the extension stands there twice");
    wanted = good_seal();
    wanted.raw = "302a3013060604008e4601063009060704008e460106023013060604008e46010630"
                 "09060704008e46010603";
    expect_refused(&wanted, PURPOSE_SEAL, "QcType stands there twice");
    wanted.raw = "301e301c060604008e4601063012060704008e46010602060704008e46010603";
    expect_refused(&wanted, PURPOSE_SEAL, "QcType names more than one type");
    wanted = good_seal();
    wanted.from = "\x8e\x46\x01\x06\x02";
    wanted.to = "\x8e\x46\x01\x06\x07";
    expect_refused(&wanted, PURPOSE_SEAL, "QcType is none of esign, eseal and web");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_qualified_seal_is_read_whole),
        cmocka_unit_test(what_is_odd_is_warned_of),
        cmocka_unit_test(odd_psd2_statements_are_warned_of),
        cmocka_unit_test(a_certificate_for_another_purpose_is_refused),
        cmocka_unit_test(statements_that_cannot_be_taken_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
