/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring/reference.h"

#include "base/pem.h"
#include "keyring_support.h"

#include <openssl/asn1.h>
#include <openssl/asn1t.h>
#include <openssl/pem.h>

/* A foreign reader of the same text: OpenSSL's PEM and ASN.1. */
typedef struct reference_text {
    ASN1_UTF8STRING *format;
    ASN1_UTF8STRING *role;
    ASN1_UTF8STRING *socket;
    ASN1_UTF8STRING *thumbprint;
    X509_PUBKEY *spki;
} REFERENCE_TEXT;

/* OpenSSL's own macros define more functions than are used here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
ASN1_SEQUENCE(REFERENCE_TEXT) =
    {
        ASN1_SIMPLE(REFERENCE_TEXT, format, ASN1_UTF8STRING),
        ASN1_SIMPLE(REFERENCE_TEXT, role, ASN1_UTF8STRING),
        ASN1_SIMPLE(REFERENCE_TEXT, socket, ASN1_UTF8STRING),
        ASN1_SIMPLE(REFERENCE_TEXT, thumbprint, ASN1_UTF8STRING),
        ASN1_SIMPLE(REFERENCE_TEXT, spki, X509_PUBKEY),
} static_ASN1_SEQUENCE_END(REFERENCE_TEXT)
#pragma GCC diagnostic pop

        static void assert_text(const ASN1_UTF8STRING *got, const char *want)
{
    assert_true(
        span_is_text(span_of(ASN1_STRING_get0_data(got), (size_t)ASN1_STRING_length(got)), want));
}

static void read_by_openssl(enum key_type type)
{
    static const char socket[] = "/run/qseal/qseal.sock";
    struct public_key *key = new_public_key(type);
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(4096);
    reference_put_pem(&text, "transport", socket, key, public_key_spki(key));
    assert_true(buffer_ok(&text));
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    char *name = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    assert_int_equal(PEM_read_bio(bio, &name, &header, &der, &len), 1);
    assert_string_equal(name, "QSEAL KEY REFERENCE");
    assert_string_equal(header, "");
    const unsigned char *at = der;
    REFERENCE_TEXT *read =
        (REFERENCE_TEXT *)ASN1_item_d2i(NULL, &at, len, ASN1_ITEM_rptr(REFERENCE_TEXT));
    assert_non_null(read);
    assert_ptr_equal(at, der + len);
    assert_text(read->format, "qseal-key-reference-1");
    assert_text(read->role, "transport");
    assert_text(read->socket, socket);
    assert_text(read->thumbprint, public_key_thumbprint(key));
    EVP_PKEY *pkey = X509_PUBKEY_get0(read->spki);
    unsigned char *spki = NULL;
    int spki_len = i2d_PUBKEY(pkey, &spki);
    assert_true(span_equal(span_of(spki, (size_t)spki_len), public_key_spki(key)));
    /* Written again it is the same: minimal DER. */
    unsigned char *again = NULL;
    int again_len = ASN1_item_i2d((ASN1_VALUE *)read, &again, ASN1_ITEM_rptr(REFERENCE_TEXT));
    assert_true(span_equal(span_of(again, (size_t)again_len), span_of(der, (size_t)len)));
    OPENSSL_free(again);
    OPENSSL_free(spki);
    ASN1_item_free((ASN1_VALUE *)read, ASN1_ITEM_rptr(REFERENCE_TEXT));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
    public_key_free(key);
}

static void openssl_reads_what_the_contract_says(void **state)
{
    (void)state;
    static const enum key_type types[] = {KEY_RSA_2048, KEY_RSA_4096, KEY_P256, KEY_P384,
                                          KEY_ED25519};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        read_by_openssl(types[i]);
    }
}

/* The heads of all three forms of a length: below 128, below 256, and more. */
static void lengths_are_minimal(void **state)
{
    (void)state;
    struct public_key *key = new_public_key(KEY_ED25519);
    for (size_t len = 1; len <= 300; len++) {
        char socket[301];
        memset(socket, 'a', len);
        socket[len] = '\0';
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(4096);
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(4096);
        reference_put_pem(&text, "r", socket, key, public_key_spki(key));
        struct span block = buffer_span(&text);
        assert_true(pem_take(&block, "QSEAL KEY REFERENCE", &der));
        assert_int_equal(block.len, 0);
        const unsigned char *at = der.data;
        REFERENCE_TEXT *read = (REFERENCE_TEXT *)ASN1_item_d2i(NULL, &at, (long)der.len,
                                                               ASN1_ITEM_rptr(REFERENCE_TEXT));
        assert_non_null(read);
        unsigned char *again = NULL;
        int again_len = ASN1_item_i2d((ASN1_VALUE *)read, &again, ASN1_ITEM_rptr(REFERENCE_TEXT));
        assert_true(span_equal(span_of(again, (size_t)again_len), buffer_span(&der)));
        OPENSSL_free(again);
        ASN1_item_free((ASN1_VALUE *)read, ASN1_ITEM_rptr(REFERENCE_TEXT));
    }
    public_key_free(key);
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    struct public_key *key = new_public_key(KEY_P256);
    char socket[3000];
    memset(socket, 'a', sizeof socket - 1);
    socket[sizeof socket - 1] = '\0';
    BUFFER_CLEANUP struct buffer large = BUFFER_INIT(10000);
    reference_put_pem(&large, "r", socket, key, public_key_spki(key));
    assert_false(buffer_ok(&large));
    BUFFER_CLEANUP struct buffer small = BUFFER_INIT(100);
    reference_put_pem(&small, "r", "/s", key, public_key_spki(key));
    assert_false(buffer_ok(&small));
    public_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_reads_what_the_contract_says),
        cmocka_unit_test(lengths_are_minimal),
        cmocka_unit_test(what_does_not_fit_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
