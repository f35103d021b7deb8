/* SPDX-License-Identifier: Apache-2.0
 * Certificate requests, read by OpenSSL's library and by its program. */
#include "pki/request.h"

#include "certificate_support.h"
#include "model/shape_csr.h"
#include "openssl_program.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static enum outcome put_plain(struct buffer *info, const char *subject, struct span spki,
                              struct reason *why)
{
    const struct request_wish wish = {.values = {[REQUEST_SUBJECT] = subject}};
    return request_put_info(info, &wish, spki, why);
}

static const char *digest_of(enum alg alg)
{
    static const char *const names[] = {"SHA256", "SHA384", "SHA512"};
    return alg == ALG_ED25519 ? NULL : names[alg_digest_len(alg) / 16 - 2];
}

/* As X.509 has it. */
static void sign(EVP_PKEY *key, enum alg alg, struct span info, struct buffer *out)
{
    unsigned char signature[512];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;
    assert_int_equal(EVP_DigestSignInit_ex(context, &pkey, digest_of(alg), NULL, NULL, key, NULL),
                     1);
    if (alg_family(alg) == FAMILY_RSA_PSS) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_DIGEST), 1);
    }
    assert_int_equal(EVP_DigestSign(context, signature, &len, info.data, info.len), 1);
    buffer_put(out, signature, len);
    EVP_MD_CTX_free(context);
}

/* Its exit code is 0 either way in OpenSSL 3.0. */
static bool program_agrees(struct buffer *pem)
{
    static const char *const words[] = {"-verify", "-noout", NULL};
    char text[4096];
    openssl_req(pem, words, text, sizeof text);
    return strstr(text, "verify OK") != NULL;
}

static void expect_good(EVP_PKEY *key, enum alg alg)
{
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(512);
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(65536);
    struct reason why = {0};
    struct span found;
    put_spki(&spki, key);
    assert_done(put_plain(&info, "/C=MY/CN=x", buffer_span(&spki), &why), why);
    assert_done(shape_csr_check(buffer_span(&info), &found, &why), why);
    assert_true(span_equal(found, buffer_span(&spki)));
    sign(key, alg, buffer_span(&info), &signature);
    request_put_pem(&pem, buffer_span(&info), alg, buffer_span(&signature));
    assert_true(buffer_ok(&pem));
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    assert_non_null(request);
    assert_int_equal(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
    /* Written by OpenSSL it is the same. */
    unsigned char *der = NULL;
    assert_true(i2d_re_X509_REQ_tbs(request, &der) == (int)info.len);
    assert_memory_equal(der, info.data, info.len);
    OPENSSL_free(der);
    X509_REQ_free(request);
    BIO_free(bio);
    assert_true(program_agrees(&pem));
    signature.data[signature.len / 2] ^= 1;
    buffer_reset(&pem);
    request_put_pem(&pem, buffer_span(&info), alg, buffer_span(&signature));
    assert_false(program_agrees(&pem));
}

static void openssl_agrees_for_every_algorithm(void **state)
{
    (void)state;
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    EVP_PKEY *p256 = EVP_EC_gen("P-256");
    EVP_PKEY *p384 = EVP_EC_gen("P-384");
    EVP_PKEY *p521 = EVP_EC_gen("P-521");
    EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    for (unsigned int alg = ALG_RS256; alg <= ALG_PS512; alg++) {
        expect_good(rsa, (enum alg)alg);
    }
    expect_good(p256, ALG_ES256);
    expect_good(p384, ALG_ES384);
    expect_good(p521, ALG_ES512);
    expect_good(ed25519, ALG_ED25519);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p256);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(p521);
    EVP_PKEY_free(ed25519);
}

static void subjects_are_read_as_openssl_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *subject;
        const char *text; /* RFC 4514, the other way round */
    } rows[] = {
        {"/CN=a", "CN=a"},
        {"/C=MY/O=A Bank/organizationIdentifier=PSDMY-BNM-123/CN=a.b",
         "CN=a.b,organizationIdentifier=PSDMY-BNM-123,O=A Bank,C=MY"},
        {"/2.5.4.97=VATX-1/CN=x=y", "CN=x=y,organizationIdentifier=VATX-1"},
        {"/O=A\\/B \\\\ \\=C+D/CN=m\xc3\xbc", "CN=m\\C3\\BC,O=A/B \\\\ =C\\+D"},
    };
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    put_spki(&spki, key);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
        struct reason why = {0};
        assert_done(put_plain(&info, rows[i].subject, buffer_span(&spki), &why), why);
        const unsigned char *at = info.data;
        /* The name stands behind SEQUENCE, its length, and the version. */
        at += info.data[1] > 0x80 ? 3 : 2;
        at += 3;
        X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)(info.data + info.len - at));
        assert_non_null(name);
        BIO *bio = BIO_new(BIO_s_mem());
        (void)X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
        char text[256] = "";
        (void)BIO_read(bio, text, sizeof text - 1);
        assert_string_equal(text, rows[i].text);
        BIO_free(bio);
        X509_NAME_free(name);
    }
    EVP_PKEY_free(key);
}

static void subjects_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const form = "it is written like /C=MY/O=Bank/CN=name";
    static const char *const unknown = "has a name that is not known, or a value that it does not";
    char long_subject[3000];
    memset(long_subject, 'a', sizeof long_subject - 1);
    long_subject[sizeof long_subject - 1] = '\0';
    const struct {
        const char *subject;
        const char *fragment;
    } rows[] = {
        {"", form},
        {"/", form},
        {"CN=a", form},
        {"/CN=a/", form},
        {"//CN=a", "part 1 is not NAME=VALUE"},
        {"/CN", "part 1 is not NAME=VALUE"},
        {"/=a", "part 1 is not NAME=VALUE"},
        {"/CN=a/O=", "part 2 is not NAME=VALUE"},
        {"/CN=a/NOSUCH=b", unknown},
        {"/C=MYS", unknown},
        {"/CN=\xff", unknown},
        {"/CN=12345678901234567890123456789012345678901234567890123456789012345", unknown},
        {long_subject, "longer than 2047 bytes"},
    };
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    put_spki(&spki, key);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
        struct reason why = {0};
        assert_refused(put_plain(&info, rows[i].subject, buffer_span(&spki), &why), OUTCOME_RULE,
                       why, rows[i].fragment);
    }
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
    assert_refused(put_plain(&info, "/CN=a", span_of_text("x"), &why), OUTCOME_INTERNAL, why,
                   "the public key cannot be put into a request");
    BUFFER_CLEANUP struct buffer small = BUFFER_INIT(10);
    assert_refused(put_plain(&small, "/CN=a", buffer_span(&spki), &why), OUTCOME_INTERNAL, why,
                   "no room");
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_agrees_for_every_algorithm),
        cmocka_unit_test(subjects_are_read_as_openssl_reads_them),
        cmocka_unit_test(subjects_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
