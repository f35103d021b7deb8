/* SPDX-License-Identifier: Apache-2.0
 * Certificates that come with a key, by OpenSSL. */
#include "pki/certificate.h"

#include "base/pem.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

struct chain {
    X509 *certificates[CERTIFICATES_MAX]; /* owned */
    size_t n;
};

static void chain_fini(struct chain *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        X509_free(chain->certificates[i]);
    }
    ERR_clear_error(); /* the thread's queue must not grow with what people bring */
}

/* The whole block, or nothing. */
static X509 *certificate_of(struct span der)
{
    const unsigned char *at = der.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
    if (certificate != NULL && at != der.data + der.len) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

static enum outcome add_block(struct chain *chain, const char *name, struct span der,
                              struct reason *why)
{
    if (strstr(name, "PRIVATE KEY") != NULL) {
        return refuse(why, OUTCOME_RULE,
                      "a private key is in the file: only certificates belong "
                      "there, and a key never leaves its token");
    }
    if (strcmp(name, PEM_STRING_X509) != 0) {
        return refuse(why, OUTCOME_RULE, "a PEM block other than CERTIFICATE is in the file");
    }
    if (chain->n == CERTIFICATES_MAX) {
        return refuse(why, OUTCOME_RULE, "more than %d certificates", CERTIFICATES_MAX);
    }
    X509 *certificate = certificate_of(der);
    if (certificate == NULL) {
        return refuse(why, OUTCOME_RULE, "certificate %zu is not DER of a certificate",
                      chain->n + 1);
    }
    chain->certificates[chain->n++] = certificate;
    return OUTCOME_OK;
}

static enum outcome read_blocks(BIO *bio, struct chain *chain, struct reason *why)
{
    for (;;) {
        char *name = NULL;
        char *header = NULL;
        unsigned char *der = NULL;
        long len = 0;
        if (PEM_read_bio(bio, &name, &header, &der, &len) != 1) {
            bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            if (is_end && chain->n > 0) {
                return OUTCOME_OK;
            }
            return is_end ? refuse(why, OUTCOME_RULE, "there is no certificate in PEM in the file")
                          : refuse(why, OUTCOME_RULE,
                                   "a PEM block behind certificate %zu is broken", chain->n);
        }
        enum outcome outcome = add_block(chain, name, span_of(der, (size_t)len), why);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
}

static enum outcome read_text(struct span text, struct chain *chain, struct reason *why)
{
    if (text.len > CERTIFICATES_TEXT_MAX) {
        return refuse(why, OUTCOME_RULE, "the file is longer than %d bytes", CERTIFICATES_TEXT_MAX);
    }
    /* Of no bytes at all OpenSSL makes no BIO. */
    BIO *bio = BIO_new_mem_buf(text.len == 0 ? (const void *)"" : text.data, (int)text.len);
    if (bio == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    ERR_clear_error();
    enum outcome outcome = read_blocks(bio, chain, why);
    BIO_free(bio);
    return outcome;
}

static bool seconds_of(const ASN1_TIME *time, int64_t *out)
{
    struct tm utc = {0};
    if (ASN1_TIME_to_tm(time, &utc) != 1) {
        return false;
    }
    *out = timegm(&utc);
    return true;
}

static void text_of_time(int64_t seconds, char out[32])
{
    time_t when = (time_t)seconds;
    struct tm utc = {0};
    (void)gmtime_r(&when, &utc);
    (void)strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static enum outcome check_validity(const X509 *certificate, size_t number, int64_t now,
                                   struct reason *why)
{
    int64_t from = 0;
    int64_t to = 0;
    char text[32];
    if (!seconds_of(X509_get0_notBefore(certificate), &from) ||
        !seconds_of(X509_get0_notAfter(certificate), &to)) {
        return refuse(why, OUTCOME_RULE, "certificate %zu has no time that can be read", number);
    }
    if (now < from) {
        text_of_time(from, text);
        return refuse(why, OUTCOME_RULE, "certificate %zu is not valid before %s", number, text);
    }
    if (now > to) {
        text_of_time(to, text);
        return refuse(why, OUTCOME_RULE, "certificate %zu expired at %s", number, text);
    }
    return OUTCOME_OK;
}

static enum outcome check_order(const struct chain *chain, struct reason *why)
{
    for (size_t i = 0; i + 1 < chain->n; i++) {
        X509 *below = chain->certificates[i];
        X509 *above = chain->certificates[i + 1];
        if (X509_NAME_cmp(X509_get_issuer_name(below), X509_get_subject_name(above)) != 0) {
            return refuse(
                why, OUTCOME_RULE,
                "certificate %zu names another issuer than certificate %zu: the key's own "
                "comes first, each is followed by its issuer",
                i + 1, i + 2);
        }
        if (X509_verify(below, X509_get0_pubkey(above)) != 1) {
            return refuse(why, OUTCOME_RULE,
                          "certificate %zu is not signed by the key of certificate %zu", i + 1,
                          i + 2);
        }
    }
    return OUTCOME_OK;
}

static bool same_number(const EVP_PKEY *a, const EVP_PKEY *b, const char *name)
{
    BIGNUM *left = NULL;
    BIGNUM *right = NULL;
    bool same = EVP_PKEY_get_bn_param(a, name, &left) == 1 &&
                EVP_PKEY_get_bn_param(b, name, &right) == 1 && BN_cmp(left, right) == 0;
    BN_free(left);
    BN_free(right);
    return same;
}

/* id-RSASSA-PSS over the same modulus and exponent. */
static bool is_pss_of(X509 *leaf, struct span spki)
{
    const unsigned char *at = spki.data;
    EVP_PKEY *own = d2i_PUBKEY(NULL, &at, (long)spki.len);
    const EVP_PKEY *theirs = X509_get0_pubkey(leaf);
    bool same = own != NULL && theirs != NULL && EVP_PKEY_is_a(own, "RSA") &&
                EVP_PKEY_is_a(theirs, "RSA-PSS") &&
                same_number(own, theirs, OSSL_PKEY_PARAM_RSA_N) &&
                same_number(own, theirs, OSSL_PKEY_PARAM_RSA_E);
    EVP_PKEY_free(own);
    return same;
}

static bool put_spki(X509 *certificate, struct buffer *spki)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (len > 0) {
        buffer_put(spki, der, (size_t)len);
    }
    OPENSSL_free(der);
    return len > 0 && buffer_ok(spki);
}

static bool is_for(X509 *leaf, const struct certificate_owner *key)
{
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(CERTIFICATES_TEXT_MAX);
    return put_spki(leaf, &spki) &&
           (span_equal(buffer_span(&spki), key->spki) ||
            (key->purpose == PURPOSE_TRANSPORT && is_pss_of(leaf, key->spki)));
}

static enum outcome check_leaf(X509 *leaf, const struct certificate_owner *key, struct reason *why)
{
    if (!is_for(leaf, key)) {
        return refuse(why, OUTCOME_RULE,
                      "certificate 1 is for another public key than this one; was its request made "
                      "with `qsealctl key csr`?");
    }
    /* Both give all bits when there is no such extension. */
    uint32_t flags = X509_get_extension_flags(leaf);
    if ((flags & EXFLAG_INVALID) != 0) {
        return refuse(why, OUTCOME_RULE, "certificate 1 has an extension that cannot be read");
    }
    if ((X509_get_key_usage(leaf) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0 ||
        (key->purpose == PURPOSE_TRANSPORT &&
         (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)) {
        return refuse(why, OUTCOME_RULE, "certificate 1: its keyUsage does not allow signatures");
    }
    if (key->purpose == PURPOSE_TRANSPORT &&
        (X509_get_extended_key_usage(leaf) & (XKU_SSL_CLIENT | XKU_ANYEKU)) == 0) {
        return refuse(why, OUTCOME_RULE,
                      "certificate 1: its extendedKeyUsage does not hold clientAuth, so that no "
                      "server will take it");
    }
    return OUTCOME_OK;
}

static void put_name(const X509_NAME *name, char out[CERTIFICATE_NAME_SIZE])
{
    out[0] = '\0';
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
        int len = BIO_read(bio, out, CERTIFICATE_NAME_SIZE - 1);
        out[len < 0 ? 0 : len] = '\0';
    }
    BIO_free(bio);
}

static bool state_facts(const X509 *certificate, struct certificate_facts *facts)
{
    *facts = (struct certificate_facts){0};
    put_name(X509_get_subject_name(certificate), facts->subject);
    put_name(X509_get_issuer_name(certificate), facts->issuer);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *serial = number == NULL ? NULL : BN_bn2hex(number);
    (void)snprintf(facts->serial, sizeof facts->serial, "%s", serial == NULL ? "" : serial);
    OPENSSL_free(serial);
    BN_free(number);
    return seconds_of(X509_get0_notBefore(certificate), &facts->not_before) &&
           seconds_of(X509_get0_notAfter(certificate), &facts->not_after);
}

static enum outcome put_chain(const struct chain *chain, struct buffer *pem, struct reason *why)
{
    for (size_t i = 0; i < chain->n; i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(chain->certificates[i], &der);
        if (len <= 0) {
            return refuse(why, OUTCOME_INTERNAL, "out of memory");
        }
        pem_put(pem, PEM_STRING_X509, span_of(der, (size_t)len));
        OPENSSL_free(der);
    }
    return buffer_ok(pem) ? OUTCOME_OK
                          : refuse(why, OUTCOME_RULE, "the certificates are longer than %d bytes",
                                   CERTIFICATES_TEXT_MAX);
}

static enum outcome check_chain(const struct chain *chain, const struct certificate_owner *key,
                                int64_t now, struct reason *why)
{
    enum outcome outcome = check_leaf(chain->certificates[0], key, why);
    for (size_t i = 0; outcome == OUTCOME_OK && i < chain->n; i++) {
        outcome = check_validity(chain->certificates[i], i + 1, now, why);
    }
    return outcome == OUTCOME_OK ? check_order(chain, why) : outcome;
}

enum outcome certificate_chain_read(struct span text, const struct certificate_owner *key,
                                    int64_t now, struct buffer *pem,
                                    struct certificate_facts *facts, struct reason *why)
{
    CLEANUP(chain_fini) struct chain chain = {.n = 0};
    enum outcome outcome = read_text(text, &chain, why);
    if (outcome == OUTCOME_OK) {
        outcome = check_chain(&chain, key, now, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = put_chain(&chain, pem, why);
    }
    if (outcome == OUTCOME_OK && !state_facts(chain.certificates[0], facts)) {
        outcome = refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    return outcome;
}

/* Borrows nothing; the first certificate, owned by the caller, or NULL. */
static X509 *first_of(struct span pem)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(CERTIFICATES_TEXT_MAX);
    if (!pem_take(&pem, PEM_STRING_X509, &der)) {
        return NULL;
    }
    X509 *certificate = certificate_of(buffer_span(&der));
    ERR_clear_error();
    return certificate;
}

bool certificate_facts(struct span pem, struct certificate_facts *facts)
{
    X509 *certificate = first_of(pem);
    bool good = certificate != NULL && state_facts(certificate, facts);
    X509_free(certificate);
    return good;
}

bool certificate_put_spki(struct span pem, struct buffer *spki)
{
    X509 *certificate = first_of(pem);
    bool good = certificate != NULL && put_spki(certificate, spki);
    X509_free(certificate);
    return good;
}
