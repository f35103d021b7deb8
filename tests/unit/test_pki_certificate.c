/* SPDX-License-Identifier: Apache-2.0
 * Chains as custodians bring them: what is taken, and each reason for which one is not. */
#include "pki/certificate.h"

#include "base/clock.h"
#include "base/pem.h"
#include "certificate_support.h"

#include <openssl/params.h>

struct stand {
    EVP_PKEY *root, *middle, *leaf, *rsa;
    struct buffer spki; /* of the leaf */
    struct buffer text, pem;
    struct certificate_facts facts;
    struct reason why;
};

static const struct issue of_root = {
    .subject = "Root", .issuer = "Root", .constraints = "critical,CA:TRUE"};
static const struct issue of_middle = {
    .subject = "Middle", .issuer = "Root", .constraints = "critical,CA:TRUE"};
static const struct issue of_leaf = {.subject = "M\xc3\xbcller, Bank", .issuer = "Middle"};

static void put_spki(struct buffer *out, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    assert_true(len > 0);
    buffer_put(out, der, (size_t)len);
    OPENSSL_free(der);
}

static int setup(void **state)
{
    static struct stand stand;
    stand = (struct stand){
        .root = EVP_EC_gen("P-256"),
        .middle = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
        .leaf = EVP_EC_gen("P-256"),
        .rsa = EVP_RSA_gen(2048),
        .spki = BUFFER_INIT(1024),
        .text = BUFFER_INIT(200000),
        .pem = BUFFER_INIT(CERTIFICATES_TEXT_MAX),
    };
    put_spki(&stand.spki, stand.leaf);
    *state = &stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;
    EVP_PKEY_free(stand->root);
    EVP_PKEY_free(stand->middle);
    EVP_PKEY_free(stand->leaf);
    EVP_PKEY_free(stand->rsa);
    buffer_fini(&stand->spki);
    buffer_fini(&stand->text);
    buffer_fini(&stand->pem);
    return 0;
}

static enum outcome read_as(struct stand *stand, enum purpose purpose)
{
    const struct certificate_owner owner = {.purpose = purpose, .spki = buffer_span(&stand->spki)};
    buffer_reset(&stand->pem);
    return certificate_chain_read(buffer_span(&stand->text), &owner, clock_wall_s(), &stand->pem,
                                  &stand->facts, &stand->why);
}

static void expect_refused(struct stand *stand, const char *fragment)
{
    assert_refused(read_as(stand, PURPOSE_TRANSPORT), OUTCOME_RULE, stand->why, fragment);
    buffer_reset(&stand->text);
}

static void put_leaf(struct stand *stand, const struct issue *issue)
{
    put_issued(&stand->text, issue, stand->leaf, stand->middle);
}

static void a_whole_chain_is_read_and_spelled_plainly(void **state)
{
    struct stand *stand = *state;
    buffer_put_text(&stand->text, "Bag Attributes\r\n  friendlyName: bank\r\n");
    put_leaf(stand, &of_leaf);
    buffer_put_text(&stand->text, "subject=CN = Middle\n");
    put_issued(&stand->text, &of_middle, stand->middle, stand->root);
    put_issued(&stand->text, &of_root, stand->root, stand->root);
    put_issued(&stand->text, &of_root, stand->root, stand->root); /* twice is no harm */
    assert_done(read_as(stand, PURPOSE_TRANSPORT), stand->why);
    assert_string_equal(stand->facts.subject, "CN=M\\C3\\BCller\\, Bank");
    assert_string_equal(stand->facts.issuer, "CN=Middle");
    assert_string_equal(stand->facts.serial, "4711");
    assert_in_range(stand->facts.not_after - stand->facts.not_before, 7190, 7210);
    struct span rest = buffer_span(&stand->pem);
    assert_int_equal(stand->facts.warnings, 1U << CERTIFICATE_ROOT_DROPPED |
                                                1U << CERTIFICATE_NO_QC_STATEMENTS |
                                                1U << CERTIFICATE_EXPIRES_SOON);
    for (size_t i = 0; i < 2; i++) { /* a root is nobody's business but the peer's own */
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(4096);
        assert_true(pem_take(&rest, "CERTIFICATE", &der));
    }
    assert_int_equal(rest.len, 0);

    struct certificate_facts again;
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    assert_true(certificate_facts(buffer_span(&stand->pem), &again));
    assert_int_equal(again.warnings, 1U << CERTIFICATE_NO_QC_STATEMENTS);
    again.warnings = stand->facts.warnings;
    assert_memory_equal(&again, &stand->facts, sizeof again);
    assert_true(certificate_put_spki(buffer_span(&stand->pem), &spki));
    assert_true(span_equal(buffer_span(&spki), buffer_span(&stand->spki)));
    assert_false(certificate_facts(span_of_text("x"), &again));
    assert_false(certificate_put_spki(span_of_text("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                                   "-----END CERTIFICATE-----\n"),
                                      &spki));
}

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

static void any_order_is_put_right(void **state)
{
    static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct stand *stand = *state;
    struct buffer blocks[] = {BUFFER_INIT(9999), BUFFER_INIT(9999), BUFFER_INIT(9999)};
    put_issued(&blocks[0], &of_leaf, stand->leaf, stand->middle);
    put_issued(&blocks[1], &of_middle, stand->middle, stand->root);
    put_issued(&blocks[2], &of_root, stand->root, stand->root);
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        buffer_reset(&stand->text);
        for (size_t n = 0; n < 3; n++) {
            buffer_put_span(&stand->text, buffer_span(&blocks[orders[i][n]]));
        }
        assert_done(read_as(stand, PURPOSE_TRANSPORT), stand->why);
        struct span pem = buffer_span(&stand->pem);
        assert_true(span_equal(span_part(pem, 0, blocks[0].len), buffer_span(&blocks[0])));
        assert_true(span_equal(span_part(pem, blocks[0].len, pem.len), buffer_span(&blocks[1])));
        assert_int_equal((stand->facts.warnings & 1U << CERTIFICATE_REORDERED) != 0, i != 0);
        assert_true((stand->facts.warnings & 1U << CERTIFICATE_ROOT_DROPPED) != 0);
    }
    for (size_t n = 0; n < 3; n++) {
        buffer_fini(&blocks[n]);
    }
}

static void what_does_not_belong_is_refused_by_name(void **state)
{
    struct stand *stand = *state;
    put_issued(&stand->text, &of_middle, stand->middle, stand->root);
    expect_refused(stand, "certificate 1 is for another public key than this one");
    put_issued(&stand->text, &of_middle, stand->middle, stand->root);
    put_issued(&stand->text, &of_root, stand->root, stand->root);
    expect_refused(stand, "none of the 2 certificates is for the public key of this key");
    put_leaf(stand, &of_leaf);
    put_issued(&stand->text, &of_root, stand->root, stand->root);
    expect_refused(stand, "certificate 2 (CN=Root) does not belong to the chain");
    put_leaf(stand, &of_leaf);
    put_issued(&stand->text, &of_middle, stand->middle, stand->root);
    put_issued(&stand->text, &of_middle, stand->middle, stand->root);
    expect_refused(stand, "certificate 3 (CN=Middle) does not belong to the chain");
    put_leaf(stand, &of_leaf);
    put_leaf(stand, &of_leaf);
    expect_refused(stand, "certificates 1 and 2 are both for this key");
    /* The right name over another key. */
    put_leaf(stand, &of_leaf);
    put_issued(&stand->text, &of_middle, stand->rsa, stand->root);
    expect_refused(stand, "certificate 1 is not signed by the key of certificate 2");
}

/* Made by the key itself: for a test bed it is all there is. */
static void a_self_signed_own_certificate_stays(void **state)
{
    struct stand *stand = *state;
    const struct issue issue = {.subject = "Self", .issuer = "Self"};
    put_issued(&stand->text, &issue, stand->leaf, stand->leaf);
    assert_done(read_as(stand, PURPOSE_TRANSPORT), stand->why);
    assert_true(span_equal(buffer_span(&stand->pem), buffer_span(&stand->text)));
    assert_int_equal(stand->facts.warnings & 1U << CERTIFICATE_ROOT_DROPPED, 0);
}

static void usages_must_allow_it(void **state)
{
    static const struct {
        const char *key_usage;
        const char *extended;
        const char *transport; /* the reason, NULL: taken */
        const char *seal;
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
        const char *const reasons[] = {rows[i].seal, rows[i].transport};
        const enum purpose purposes[] = {PURPOSE_SEAL, PURPOSE_TRANSPORT};
        for (size_t p = 0; p < COUNT_OF(purposes); p++) {
            enum outcome outcome = read_as(stand, purposes[p]);
            if (reasons[p] == NULL) {
                assert_done(outcome, stand->why);
                assert_int_equal((stand->facts.warnings & 1U << CERTIFICATE_FOR_TLS) != 0,
                                 purposes[p] == PURPOSE_SEAL && rows[i].extended != NULL &&
                                     strstr(rows[i].extended, "Auth") != NULL);
            } else {
                assert_refused(outcome, OUTCOME_RULE, stand->why, reasons[p]);
            }
        }
        buffer_reset(&stand->text);
    }
}

/* RFC 4055 §1.2: the certificate limits the same key to PSS. */
static EVP_PKEY *pss_of(EVP_PKEY *rsa)
{
    OSSL_PARAM *numbers = NULL;
    EVP_PKEY *pss = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    assert_int_equal(EVP_PKEY_todata(rsa, EVP_PKEY_PUBLIC_KEY, &numbers), 1);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &pss, EVP_PKEY_PUBLIC_KEY, numbers), 1);
    OSSL_PARAM_free(numbers);
    EVP_PKEY_CTX_free(context);
    return pss;
}

static void a_pss_certificate_fits_a_transport_key(void **state)
{
    struct stand *stand = *state;
    EVP_PKEY *other = EVP_RSA_gen(2048);
    buffer_reset(&stand->spki);
    put_spki(&stand->spki, stand->rsa);
    EVP_PKEY *pss = pss_of(stand->rsa);
    put_issued(&stand->text, &of_leaf, pss, stand->middle);
    assert_done(read_as(stand, PURPOSE_TRANSPORT), stand->why);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    assert_true(certificate_put_spki(buffer_span(&stand->pem), &spki));
    assert_false(span_equal(buffer_span(&spki), buffer_span(&stand->spki)));
    assert_refused(read_as(stand, PURPOSE_SEAL), OUTCOME_RULE, stand->why,
                   "for another public key");
    buffer_reset(&stand->text);
    EVP_PKEY *foreign = pss_of(other);
    put_issued(&stand->text, &of_leaf, foreign, stand->middle);
    expect_refused(stand, "for another public key");
    put_issued(&stand->text, &of_leaf, other, stand->middle);
    expect_refused(stand, "for another public key");
    EVP_PKEY_free(pss);
    EVP_PKEY_free(foreign);
    EVP_PKEY_free(other);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_chain_is_read_and_spelled_plainly),
        TEST(crlf_and_a_lone_certificate_are_fine),
        TEST(what_is_no_chain_is_refused),
        TEST(trailing_bytes_in_a_block_are_refused),
        TEST(validity_is_now),
        TEST(any_order_is_put_right),
        TEST(what_does_not_belong_is_refused_by_name),
        TEST(a_self_signed_own_certificate_stays),
        TEST(usages_must_allow_it),
        TEST(a_pss_certificate_fits_a_transport_key),
        TEST(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
