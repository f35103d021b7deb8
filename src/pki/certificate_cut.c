/* SPDX-License-Identifier: Apache-2.0
 * A certificate's parts, cut out of its DER (RFC 5280 §4.1), each read by OpenSSL. */
#include "base/der.h"
#include "pki/certificate_parts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

enum { ISSUER_ID = 0x81, SUBJECT_ID = 0x82, EXTENSIONS = 0xA3 };

/* Each with its tag and length. */
struct cut {
    struct span serial;
    struct span issuer;
    struct span validity;
    struct span subject;
    struct span extensions; /* none: empty */
};

/* OpenSSL's objects; owned. */
struct read {
    ASN1_INTEGER *serial;
    X509_NAME *issuer;
    X509_VAL *validity;
    X509_NAME *subject;
    X509_EXTENSIONS *extensions;
};

static void skip_if_next(struct reader *reader, uint8_t tag)
{
    if (der_is_next(reader, tag)) {
        (void)der_take(reader, tag);
    }
}

static bool cut_tbs(struct span bytes, struct cut *out)
{
    struct reader tbs = reader_of(bytes);
    skip_if_next(&tbs, DER_CONTEXT_0);
    out->serial = der_take_whole(&tbs, DER_INTEGER);
    (void)der_take(&tbs, DER_SEQUENCE); /* signature */
    out->issuer = der_take_whole(&tbs, DER_SEQUENCE);
    out->validity = der_take_whole(&tbs, DER_SEQUENCE);
    out->subject = der_take_whole(&tbs, DER_SEQUENCE);
    (void)der_take(&tbs, DER_SEQUENCE); /* subjectPublicKeyInfo */
    skip_if_next(&tbs, ISSUER_ID);
    skip_if_next(&tbs, SUBJECT_ID);
    if (der_is_next(&tbs, EXTENSIONS)) {
        struct reader outer = reader_of(der_take(&tbs, EXTENSIONS));
        out->extensions = der_take_whole(&outer, DER_SEQUENCE);
        return reader_done(&tbs) && reader_done(&outer);
    }
    return reader_done(&tbs);
}

static bool cut(struct span der, struct cut *out)
{
    struct reader outer = reader_of(der);
    struct reader certificate = reader_of(der_take(&outer, DER_SEQUENCE));
    struct span tbs = der_take(&certificate, DER_SEQUENCE);
    (void)der_take(&certificate, DER_SEQUENCE); /* signatureAlgorithm */
    (void)der_take(&certificate, DER_BIT_STRING);
    *out = (struct cut){.serial = {NULL, 0}};
    return reader_done(&outer) && reader_done(&certificate) && cut_tbs(tbs, out);
}

/* Whether OpenSSL read the part to its end. */
#define READ(out, type, part)                                                                      \
    (((out) = d2i_##type(NULL, &(const unsigned char *){(part).data}, (long)(part).len)) != NULL)

static bool read_parts(const struct cut *parts, struct read *out)
{
    return READ(out->serial, ASN1_INTEGER, parts->serial) &&
           READ(out->issuer, X509_NAME, parts->issuer) &&
           READ(out->validity, X509_VAL, parts->validity) &&
           READ(out->subject, X509_NAME, parts->subject) &&
           (parts->extensions.len == 0 ||
            READ(out->extensions, X509_EXTENSIONS, parts->extensions));
}

static void read_fini(struct read *read)
{
    ASN1_INTEGER_free(read->serial);
    X509_NAME_free(read->issuer);
    X509_VAL_free(read->validity);
    X509_NAME_free(read->subject);
    sk_X509_EXTENSION_pop_free(read->extensions, X509_EXTENSION_free);
    ERR_clear_error();
}

bool certificate_cut_facts(struct span der, struct certificate_facts *facts)
{
    struct cut parts;
    CLEANUP(read_fini) struct read read = {.serial = NULL};
    if (!cut(der, &parts) || !read_parts(&parts, &read)) {
        return false;
    }
    const struct certificate_pieces pieces = {
        .subject = read.subject,
        .issuer = read.issuer,
        .serial = read.serial,
        .not_before = read.validity->notBefore,
        .not_after = read.validity->notAfter,
        .extensions = read.extensions,
    };
    return certificate_state_facts(&pieces, facts);
}

bool certificate_cut_validity(struct span der, int64_t *not_before, int64_t *not_after)
{
    struct cut parts;
    CLEANUP(read_fini) struct read read = {.serial = NULL};
    return cut(der, &parts) && READ(read.validity, X509_VAL, parts.validity) &&
           certificate_seconds(read.validity->notBefore, not_before) &&
           certificate_seconds(read.validity->notAfter, not_after);
}
