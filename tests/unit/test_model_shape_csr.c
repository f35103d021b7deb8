/* SPDX-License-Identifier: Apache-2.0
 * The shape of a certificate request, with OpenSSL as the one that writes them. */
#include "model/shape_csr.h"

#include "check.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

struct made {
    unsigned char *info; /* CertificationRequestInfo */
    int info_len;
    unsigned char *spki;
    int spki_len;
    unsigned char *whole; /* CertificationRequest */
    int whole_len;
};

static void add_extension(X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    X509_EXTENSION *one = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "clientAuth");
    assert_true(sk_X509_EXTENSION_push(list, one) > 0);
    assert_int_equal(X509_REQ_add_extensions(request, list), 1);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

static void make(struct made *out, EVP_PKEY *pkey, bool with_subject, bool with_extension)
{
    X509_REQ *request = X509_REQ_new();
    assert_int_equal(X509_REQ_set_version(request, X509_REQ_VERSION_1), 1);
    if (with_subject) {
        X509_NAME *name = X509_REQ_get_subject_name(request);
        X509_NAME_add_entry_by_txt(name, "C", MBSTRING_UTF8, (const unsigned char *)"MY", -1, -1,
                                   0);
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"A b", -1, -1,
                                   0);
        /* A second value in the same set. */
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"x", -1, -1,
                                   -1);
    }
    assert_int_equal(X509_REQ_set_pubkey(request, pkey), 1);
    if (with_extension) {
        add_extension(request);
    }
    *out = (struct made){0};
    assert_true(X509_REQ_sign(request, pkey, EVP_sha256()) > 0);
    out->info_len = i2d_re_X509_REQ_tbs(request, &out->info);
    out->whole_len = i2d_X509_REQ(request, &out->whole);
    out->spki_len = i2d_PUBKEY(pkey, &out->spki);
    assert_true(out->info_len > 0 && out->spki_len > 0 && out->whole_len > 0);
    X509_REQ_free(request);
}

static void unmake(struct made *made)
{
    OPENSSL_free(made->info);
    OPENSSL_free(made->spki);
    OPENSSL_free(made->whole);
}

static void what_openssl_writes_is_one(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_RSA_gen(2048)};
    for (size_t i = 0; i < 2 * 4; i++) {
        struct made made;
        make(&made, keys[i / 4], (i & 1) != 0, (i & 2) != 0);
        struct span spki;
        struct reason why = {0};
        assert_done(shape_csr_check(span_of(made.info, (size_t)made.info_len), &spki, &why), why);
        assert_true(span_equal(spki, span_of(made.spki, (size_t)made.spki_len)));
        unmake(&made);
    }
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

/* SPKI stands for 30 03 01 02 03: it is not looked into. */
#define SPKI "30 03 01 02 03"
static const struct {
    const char *hex;
    const char *fragment; /* NULL: good */
} rows[] = {
    {"30 0c 02 01 00 30 00 " SPKI " a0 00", NULL},
    {"", "not one SEQUENCE in DER to the last byte"},
    {"30", "not one SEQUENCE"},
    {"30 80 02 01 00 30 00 " SPKI " a0 00 00 00", "not one SEQUENCE"},
    {"30 81 0c 02 01 00 30 00 " SPKI " a0 00", "not one SEQUENCE"},
    {"30 82 00 0c 02 01 00 30 00 " SPKI " a0 00", "not one SEQUENCE"},
    {"30 83 00 00 0c 02 01 00 30 00 " SPKI " a0 00", "not one SEQUENCE"},
    {"30 0d 02 01 00 30 00 " SPKI " a0 00", "not one SEQUENCE"},
    {"30 0c 02 01 00 30 00 " SPKI " a0 00 00", "not one SEQUENCE"},
    {"31 0c 02 01 00 30 00 " SPKI " a0 00", "not one SEQUENCE"},
    {"30 0c 02 01 01 30 00 " SPKI " a0 00", "its version is not 0"},
    {"30 0d 02 02 00 00 30 00 " SPKI " a0 00", "its version is not 0"},
    {"30 0b 02 00 30 00 " SPKI " a0 00", "its version is not 0"},
    {"30 00", "its version is not 0"},
    {"30 0c 02 01 00 31 00 " SPKI " a0 00", "no Name behind the version"},
    {"30 0e 02 01 00 30 02 31 00 " SPKI " a0 00", "no Name"},                /* an empty set */
    {"30 10 02 01 00 30 04 31 02 30 00 " SPKI " a0 00", "no Name"},          /* no type */
    {"30 13 02 01 00 30 07 31 05 30 03 06 01 55 " SPKI " a0 00", "no Name"}, /* no value */
    {"30 15 02 01 00 30 09 31 07 30 05 06 01 55 0c 00 " SPKI " a0 00", NULL},
    {"30 17 02 01 00 30 0b 31 09 30 07 06 01 55 0c 00 0c 00 " SPKI " a0 00", "no Name"},
    {"30 14 02 01 00 30 08 31 06 30 04 06 00 0c 00 " SPKI " a0 00", "no Name"},
    {"30 0f 02 01 00 30 03 30 01 00 " SPKI " a0 00", "no Name"}, /* as in a certificate */
    {"30 05 02 01 00 30 00", "no SubjectPublicKeyInfo"},
    {"30 09 02 01 00 30 00 30 00 a0 00", "no SubjectPublicKeyInfo"},
    {"30 0a 02 01 00 30 00 " SPKI, "not exactly [0] attributes"},
    {"30 0c 02 01 00 30 00 " SPKI " a1 00", "not exactly [0] attributes"},
    {"30 0e 02 01 00 30 00 " SPKI " a0 00 a0 00", "not exactly [0] attributes"},
    {"30 0e 02 01 00 30 00 " SPKI " a0 02 05 00", "an attribute besides"},
    {"30 11 02 01 00 30 00 " SPKI " a0 05 30 03 06 01 55", "an attribute besides"},
    {"30 13 02 01 00 30 00 " SPKI " a0 07 30 05 06 01 55 31 00", "an attribute besides"},
};

/* What stands in [0]; lengths are written by the test: "<" opens an element of the tag before it,
 * ">" closes it. */
#define REQUEST "06 09 2a 86 48 86 f7 0d 01 09 0e"
#define USAGE "06 03 55 1d 0f"
static const struct {
    const char *text;
    const char *fragment; /* NULL: good */
} attributes[] = {
    {"30 < " REQUEST " 31 < 30 < 30 < " USAGE " 04 < 03 01 > > > > >", NULL},
    {"30 < " REQUEST " 31 < 30 < 30 < " USAGE " 01 01 ff 04 < 03 01 > > > > >", NULL},
    {"30 < " REQUEST " 31 < 30 < 30 < 06 08 2b 06 01 05 05 07 01 03 04 < 30 > > > > >", NULL},
    {"30 < " REQUEST " 31 < 30 < 30 < 06 03 55 1d 25 04 < 30 > > 30 < 06 03 55 1d 11 04 < 30 > > > "
     "> >",
     NULL},
    {"30 < " REQUEST " 31 < 30 < 30 < 06 03 55 1d 13 01 01 ff 04 < 30 > > > > >",
     "an extension that no profile asks for"}, /* basicConstraints */
    {"30 < " REQUEST " 31 < 30 < 30 < " USAGE " 04 < 03 > > 30 < " USAGE " 04 < 03 > > > > >",
     "or one twice"},
    {"30 < " REQUEST " 31 < 30 < 30 < " USAGE " 01 01 00 04 < 03 > > > > >",
     "an extension is not DER"},
    {"30 < " REQUEST " 31 < 30 < 30 < " USAGE " 01 01 01 04 < 03 > > > > >",
     "an extension is not DER"},
    {"30 < " REQUEST " 31 < 30 < 30 < " USAGE " 04 < > > > > >", "an extension is not DER"},
    {"30 < " REQUEST " 31 < 30 < 30 < " USAGE " 04 < 03 > 05 00 > > > >",
     "an extension is not DER"},
    {"30 < " REQUEST " 31 < 30 < 30 < 04 < 03 > > > > >", "an extension is not DER"},
    {"30 < " REQUEST " 31 < 30 < 31 < > > > >", "an extension is not DER"},
    {"30 < " REQUEST " 31 < 30 < > > >", "extensionRequest is not one list"},
    {"30 < " REQUEST " 31 < > >", "extensionRequest is not one list"},
    {"30 < " REQUEST " 31 < 30 < 30 < " USAGE " 04 < 03 > > > 30 < > > >",
     "extensionRequest is not one list"},
    {"30 < " REQUEST " 30 < 30 < 30 < " USAGE " 04 < 03 > > > > >",
     "extensionRequest is not one list"},
    {"30 < " REQUEST " 31 < 30 < 30 < " USAGE " 04 < 03 > > > > 05 00 >",
     "extensionRequest is not one list"},
    {"30 < " REQUEST " 31 < 30 < 30 < " USAGE " 04 < 03 > > > > > 30 < " REQUEST
     " 31 < 30 < 30 < " USAGE " 04 < 03 > > > > >",
     "an attribute besides one extensionRequest"},
    /* challengePassword: it would be signed, and read by whoever sees the request. */
    {"30 < 06 09 2a 86 48 86 f7 0d 01 09 07 31 < 0c < 61 > > >",
     "an attribute besides one extensionRequest"},
};

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t len = 0;
    char *end = NULL;
    for (; *hex != '\0'; hex = *end == ' ' ? end + 1 : end) {
        out[len++] = (uint8_t)strtoul(hex, &end, 16);
    }
    return len;
}

static void each_rule_has_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t bytes[64];
        struct span input = span_of(bytes, from_hex(rows[i].hex, bytes));
        struct span spki;
        struct reason why = {0};
        enum outcome outcome = shape_csr_check(input, &spki, &why);
        if (rows[i].fragment == NULL) {
            assert_done(outcome, why);
            assert_int_equal(spki.len, 5);
        } else {
            assert_refused(outcome, OUTCOME_SHAPE, why, rows[i].fragment);
        }
    }
}

/* Reads `text` up to its ">" or end; returns how many bytes it made. */
static size_t build(const char **text, uint8_t *out)
{
    size_t len = 0;
    while (**text != '\0' && **text != '>') {
        if (**text == ' ') {
            (*text)++;
        } else if (**text == '<') {
            (*text)++;
            size_t inside = build(text, out + len + 1);
            assert_int_equal(**text, '>');
            (*text)++;
            assert_true(inside < 0x80);
            out[len] = (uint8_t)inside;
            len += 1 + inside;
        } else {
            char *end = NULL;
            out[len++] = (uint8_t)strtoul(*text, &end, 16);
            *text = end;
        }
    }
    return len;
}

static void attributes_are_one_request_for_known_extensions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(attributes); i++) {
        uint8_t bytes[200];
        char text[1024];
        const char *at = text;
        struct span spki;
        struct reason why = {0};
        (void)snprintf(text, sizeof text, "30 < 02 01 00 30 00 " SPKI " a0 < %s > >",
                       attributes[i].text);
        struct span input = span_of(bytes, build(&at, bytes));
        enum outcome outcome = shape_csr_check(input, &spki, &why);
        if (attributes[i].fragment == NULL) {
            assert_done(outcome, why);
        } else {
            assert_refused(outcome, OUTCOME_SHAPE, why, attributes[i].fragment);
        }
    }
}

static void other_signed_things_are_none(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    struct made made;
    struct span spki;
    struct reason why = {0};
    make(&made, key, true, false);
    assert_refused(shape_csr_check(span_of(made.whole, (size_t)made.whole_len), &spki, &why),
                   OUTCOME_SHAPE, why, "its version is not 0");
    assert_refused(shape_csr_check(span_of(made.spki, (size_t)made.spki_len), &spki, &why),
                   OUTCOME_SHAPE, why, "its version is not 0");
    unmake(&made);
    X509 *certificate = X509_new();
    assert_int_equal(X509_set_version(certificate, X509_VERSION_1), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 60);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    unsigned char *tbs = NULL;
    int len = i2d_re_X509_tbs(certificate, &tbs);
    assert_true(len > 0);
    /* Version 1 and serial 0: as near as a certificate comes. */
    assert_refused(shape_csr_check(span_of(tbs, (size_t)len), &spki, &why), OUTCOME_SHAPE, why,
                   "no Name behind the version");
    OPENSSL_free(tbs);
    X509_free(certificate);
    EVP_PKEY_free(key);
    assert_refused(shape_csr_check(span_of_text("eyJhbGciOiJFUzI1NiJ9.e30"), &spki, &why),
                   OUTCOME_SHAPE, why, "not one SEQUENCE");
    uint8_t tls[130];
    memset(tls, ' ', sizeof tls);
    assert_refused(shape_csr_check(span_of(tls, sizeof tls), &spki, &why), OUTCOME_SHAPE, why,
                   "not one SEQUENCE");
}

/* Every prefix, and every byte changed: no crash, and never an SPKI outside the input. */
static void damage_is_survived(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    struct made made;
    make(&made, key, true, true);
    size_t len = (size_t)made.info_len;
    struct span spki;
    struct reason why = {0};
    for (size_t i = 0; i < len; i++) {
        uint8_t *copy = malloc(i == 0 ? 1 : i);
        memcpy(copy, made.info, i);
        assert_int_equal(shape_csr_check(span_of(copy, i), &spki, &why), OUTCOME_SHAPE);
        free(copy);
        for (unsigned int change = 1; change < 256; change++) {
            made.info[i] ^= (uint8_t)change;
            if (shape_csr_check(span_of(made.info, len), &spki, &why) == OUTCOME_OK) {
                assert_true(spki.data > made.info && spki.data + spki.len < made.info + len);
            }
            made.info[i] ^= (uint8_t)change;
        }
    }
    unmake(&made);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_openssl_writes_is_one),
        cmocka_unit_test(each_rule_has_its_reason),
        cmocka_unit_test(attributes_are_one_request_for_known_extensions),
        cmocka_unit_test(other_signed_things_are_none),
        cmocka_unit_test(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
