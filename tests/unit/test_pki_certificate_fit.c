/* SPDX-License-Identifier: Apache-2.0
 * Certificates that are good now and for their key, and those that are not. The types of a PSP's
 * are in test_pki_certificate_facts.c. */
#include "base/pem.h"
#include "certificate_stand.h"

static void validity_is_now(void **state)
{
    struct stand *stand = *state;
    struct issue issue = of_leaf;
    issue.from_s = 600;
    put_leaf(stand, &issue);
    expect_refused(stand, "certificate 1 is not valid before 2");
    issue.from_s = -7200;
    issue.to_s = -600;
    put_leaf(stand, &issue);
    expect_refused(stand, "certificate 1 expired at 2");
    issue = of_middle;
    issue.to_s = -600;
    put_leaf(stand, &of_leaf);
    put_issued(&stand->text, &issue, stand->middle, stand->root);
    expect_refused(stand, "certificate 2 expired at 2");
}

static void usages_must_allow_it(void **state)
{
    static const struct {
        const char *key_usage;
        const char *extended;
        const char *transport; /* the reason, NULL: taken */
        const char *seal;      /* and an audit key's */
    } rows[] = {
        {"digitalSignature", "clientAuth", NULL, NULL},
        {"digitalSignature", "serverAuth,clientAuth", NULL, NULL},
        {NULL, "anyExtendedKeyUsage", NULL, NULL},
        {NULL, "serverAuth", "its extendedKeyUsage does not hold clientAuth", NULL},
        {NULL, "emailProtection", "its extendedKeyUsage does not hold clientAuth", NULL},
        {"keyEncipherment", NULL, "its keyUsage does not allow signatures",
         "its keyUsage does not allow signatures"},
        {"nonRepudiation", NULL, "its keyUsage does not allow signatures", NULL},
    };
    struct stand *stand = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct issue issue = of_leaf;
        issue.key_usage = rows[i].key_usage;
        issue.extended_key_usage = rows[i].extended;
        put_leaf(stand, &issue);
        const char *const reasons[] = {rows[i].seal, rows[i].transport, rows[i].seal};
        const enum purpose purposes[] = {PURPOSE_SEAL, PURPOSE_TRANSPORT, PURPOSE_AUDIT};
        for (size_t p = 0; p < COUNT_OF(purposes); p++) {
            enum outcome outcome = read_as(stand, purposes[p]);
            if (reasons[p] == NULL) {
                assert_done(outcome, stand->why);
                assert_int_equal((stand->facts.warnings & 1U << CERTIFICATE_FOR_TLS) != 0,
                                 purposes[p] != PURPOSE_TRANSPORT && rows[i].extended != NULL &&
                                     strstr(rows[i].extended, "Auth") != NULL);
            } else {
                assert_refused(outcome, OUTCOME_RULE, stand->why, reasons[p]);
            }
        }
        buffer_reset(&stand->text);
    }
}

static void times_must_be_times(void **state)
{
    struct stand *stand = *state;
    unsigned char *der = NULL;
    X509 *certificate = certificate_issue(&of_leaf, stand->leaf, stand->middle);
    int len = i2d_X509(certificate, &der);
    uint8_t *time = memmem(der, (size_t)len, "\x17\x0d", 2); /* UTCTime */
    assert_non_null(time);
    assert_int_equal(time[14], 'Z');
    time[14] = 'X';
    pem_put(&stand->text, "CERTIFICATE", span_of(der, (size_t)len));
    expect_refused(stand, "certificate 1 has no time that can be read");
    OPENSSL_free(der);
    X509_free(certificate);
}

static void extensions_must_be_readable(void **state)
{
    struct stand *stand = *state;
    X509 *certificate = certificate_issue(&of_leaf, stand->leaf, stand->middle);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(octets, (const unsigned char *)"?", 1), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_key_usage, 1, octets);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    assert_true(X509_sign(certificate, stand->middle, NULL) > 0);
    certificate_put_pem(&stand->text, certificate);
    X509_free(certificate);
    expect_refused(stand, "certificate 1 has an extension that cannot be read");
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(validity_is_now),
        TEST(times_must_be_times),
        TEST(usages_must_allow_it),
        TEST(extensions_must_be_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
