/* SPDX-License-Identifier: Apache-2.0
 * Certificates for tests, issued on the spot. */
#ifndef QSEAL_TESTS_UNIT_CERTIFICATE_SUPPORT_H
#define QSEAL_TESTS_UNIT_CERTIFICATE_SUPPORT_H

#include "base/buffer.h"
#include "check.h"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* What a test certificate says. Zeros are a certificate valid now for an hour. */
struct issue {
    const char *subject; /* CN */
    const char *issuer;  /* CN */
    long from_s;         /* notBefore from now; 0: an hour ago */
    long to_s;           /* notAfter from now; 0: in an hour */
    const char *key_usage;
    const char *extended_key_usage;
    const char *constraints; /* basicConstraints */
    const EVP_MD *digest; /* NULL: what its issuer's kind takes, SHA-256 where there is a choice */
    const char *critical_oid; /* a critical extension of nobody's */
};

static inline void name_set(X509_NAME *name, const char *text)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)text, -1, -1, 0),
                     1);
}

static inline void add_text_extension(X509 *certificate, int nid, const char *value)
{
    if (value != NULL) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
        assert_non_null(extension);
        assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
        X509_EXTENSION_free(extension);
    }
}

static inline void add_unknown_extension(X509 *certificate, const char *oid)
{
    if (oid == NULL) {
        return;
    }
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05", 2), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

/* Signed by `by` with the hash its kind takes. */
static inline X509 *certificate_issue(const struct issue *issue, EVP_PKEY *key, EVP_PKEY *by)
{
    X509 *certificate = X509_new();
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0x4711), 1);
    name_set(X509_get_subject_name(certificate), issue->subject);
    name_set(X509_get_issuer_name(certificate), issue->issuer);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate),
                                    issue->from_s == 0 ? -3600 : issue->from_s));
    assert_non_null(
        X509_gmtime_adj(X509_getm_notAfter(certificate), issue->to_s == 0 ? 3600 : issue->to_s));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    add_text_extension(certificate, NID_key_usage, issue->key_usage);
    add_text_extension(certificate, NID_ext_key_usage, issue->extended_key_usage);
    add_text_extension(certificate, NID_basic_constraints, issue->constraints);
    add_unknown_extension(certificate, issue->critical_oid);
    const EVP_MD *usual = EVP_PKEY_is_a(by, "ED25519") ? NULL : EVP_sha256();
    const EVP_MD *digest = issue->digest == NULL ? usual : issue->digest;
    assert_true(X509_sign(certificate, by, digest) > 0);
    return certificate;
}

static inline void certificate_put_pem(struct buffer *out, X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
    long len = BIO_get_mem_data(bio, &text);
    buffer_put(out, text, (size_t)len);
    assert_true(buffer_ok(out));
    BIO_free(bio);
}

static inline void put_issued(struct buffer *out, const struct issue *issue, EVP_PKEY *key,
                              EVP_PKEY *by)
{
    X509 *certificate = certificate_issue(issue, key, by);
    certificate_put_pem(out, certificate);
    X509_free(certificate);
}

static inline void put_spki(struct buffer *out, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    assert_true(len > 0);
    buffer_put(out, der, (size_t)len);
    OPENSSL_free(der);
}

/* RFC 4055 §1.2: the certificate limits the same key to PSS. */
static inline EVP_PKEY *pss_of(EVP_PKEY *rsa)
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

#endif
