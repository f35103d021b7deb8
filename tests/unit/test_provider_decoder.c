/* SPDX-License-Identifier: Apache-2.0
 * Key references as files: around what they may stand, and what damage does to them. */
#include "provider_rig.h"

#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

static struct rig *rig;
static OSSL_LIB_CTX *context;

static int setup(void **state)
{
    (void)state;
    rig = rig_open();
    context = rig_context(rig, NULL, "", NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    OSSL_LIB_CTX_free(context);
    rig_close(rig);
    return 0;
}

static char *certificate_text(void)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_X509(bio, rig->certificates[RIG_P256]), 1);
    long len = BIO_get_mem_data(bio, &text);
    char *out = calloc(1, (size_t)len + 1);
    assert_non_null(out);
    memcpy(out, text, (size_t)len);
    BIO_free(bio);
    return out;
}

static void expect_key(const char *before, const char *one, const char *between, const char *other)
{
    char text[16384];
    assert_true((size_t)snprintf(text, sizeof(text), "%s%s%s%s", before, one, between, other) <
                sizeof(text));
    EVP_PKEY *key = rig_load(context, text);
    if (key == NULL) {
        fail_msg("not loaded: %s", text);
    }
    assert_int_equal(EVP_PKEY_eq(key, rig->keys[RIG_P256]), 1);
    assert_int_equal(ERR_peek_error(), 0);
    EVP_PKEY_free(key);
}

static char *with_crlf(const char *text)
{
    char *out = calloc(2, strlen(text) + 1);
    for (char *at = out; *text != '\0'; text++) {
        if (*text == '\n') {
            *at++ = '\r';
        }
        *at++ = *text;
    }
    return out;
}

static void references_stand_anywhere(void **state)
{
    (void)state;
    char *certificate = certificate_text();
    char *pem = rig_reference(rig, RIG_P256, rig->socket);
    char *crlf = with_crlf(pem);
    expect_key("", pem, "", "");
    expect_key("", pem, "", certificate);
    expect_key("", certificate, "", pem);
    expect_key("# for the bank\n\n", pem, "\n", certificate);
    expect_key("", certificate, "# and the key\n", pem);
    expect_key("", crlf, "", "");
    expect_key("", certificate, "", crlf);
    free(crlf);
    free(pem);
    free(certificate);
}

static void expect_refused(const char *pem, const char *why)
{
    ERR_clear_error();
    assert_null(rig_load(context, pem));
    if (!rig_saw_error("key reference is damaged", why)) {
        fail_msg("not refused with \"%s\": %s", why, pem);
    }
}

static void broken_pem_is_refused(void **state)
{
    (void)state;
    static const char damaged[] = "its PEM block is damaged";
    char *pem = rig_reference(rig, RIG_P256, rig->socket);
    char *copy = strdup(pem);
    copy[60] = '*';
    expect_refused(copy, damaged);
    copy[60] = '=';
    expect_refused(copy, damaged);
    (void)snprintf(copy, strlen(pem), "%s", pem);
    copy[strlen(pem) / 2] = '\0';
    expect_refused(copy, damaged);
    expect_refused("-----BEGIN QSEAL KEY REFERENCE-----\n-----END QSEAL KEY REFERENCE-----\n",
                   damaged);
    expect_refused("-----BEGIN QSEAL KEY REFERENCE-----\nMAA\n-----END QSEAL KEY REFERENCE-----\n",
                   damaged);
    free(copy);
    free(pem);
}

static void strange_sockets_are_refused(void **state)
{
    (void)state;
    char socket[120];
    memset(socket, '/', sizeof(socket));
    socket[108] = '\0';
    char *pem = rig_reference(rig, RIG_P256, socket);
    expect_refused(pem, "the socket's path is not absolute, or too long");
    free(pem);
    pem = rig_reference(rig, RIG_P256, "s");
    expect_refused(pem, "the socket's path is not absolute, or too long");
    free(pem);
    pem = rig_reference(rig, RIG_P256, "/a b");
    expect_refused(pem, "the socket's path is not absolute, or too long");
    free(pem);
    socket[107] = '\0';
    pem = rig_reference(rig, RIG_P256, socket);
    EVP_PKEY *key = rig_load(context, pem);
    assert_non_null(key);
    EVP_PKEY_free(key);
    free(pem);
}

/* A key from damaged bytes is either not there, or signs as the one it was made from, or does not
 * sign. */
static void damage_is_seen(void **state)
{
    (void)state;
    static const unsigned char flips[] = {0x01, 0x80};
    static const enum rig_key kinds[] = {RIG_P256, RIG_ED25519};
    for (size_t k = 0; k < 2; k++) {
        size_t len;
        unsigned int loaded = 0;
        unsigned char *der = rig_reference_der(rig, kinds[k], rig->socket, &len);
        for (size_t i = 0; i < len * sizeof(flips); i++) {
            der[i / sizeof(flips)] ^= flips[i % sizeof(flips)];
            char *pem = rig_pem(der, len);
            EVP_PKEY *key = rig_load(context, pem);
            if (key != NULL) {
                loaded++;
                assert_int_equal(EVP_PKEY_eq(key, rig->keys[kinds[k]]), 1);
                assert_false(rig_shake(rig, context, kinds[k], key,
                                       &(struct rig_shake){.version = TLS1_3_VERSION}));
            }
            ERR_clear_error();
            EVP_PKEY_free(key);
            free(pem);
            der[i / sizeof(flips)] ^= flips[i % sizeof(flips)];
        }
        /* other roles and other sockets are well formed, and nothing else is */
        assert_in_range(loaded, 1,
                        (strlen(rig_role(kinds[k])) + strlen(rig->socket)) * sizeof(flips));
        free(der);
    }
}

static void cut_and_longer_references_are_refused(void **state)
{
    (void)state;
    size_t len;
    unsigned char *der = rig_reference_der(rig, RIG_RSA, rig->socket, &len);
    for (size_t part = 40; part < len; part += 7) {
        char *pem = rig_pem(der, part);
        assert_null(rig_load(context, pem));
        ERR_clear_error();
        free(pem);
    }
    der = realloc(der, len + 1);
    der[len] = 0;
    char *pem = rig_pem(der, len + 1);
    expect_refused(pem, "it is not minimal DER");
    free(pem);
    free(der);
}

static void other_files_are_declined_in_silence(void **state)
{
    (void)state;
    static const char *const files[] = {
        "", "\n", "no PEM at all\n", "-----BEGIN X-----\nAAAA\n-----END X-----\n",
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        unsigned long code;
        assert_null(rig_load(context, files[i]));
        while ((code = ERR_get_error()) != 0) {
            const char *library = ERR_lib_error_string(code);
            assert_true(library == NULL || strstr(library, "qseal") == NULL);
            assert_true(ERR_GET_LIB(code) < ERR_LIB_USER);
        }
    }
}

static void der_is_read_as_well(void **state)
{
    (void)state;
    size_t len;
    EVP_PKEY *key = NULL;
    unsigned char *der = rig_reference_der(rig, RIG_RSA, rig->socket, &len);
    const unsigned char *at = der;
    size_t left = len;
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
        &key, "DER", "qseal-key-reference", NULL, EVP_PKEY_KEYPAIR, context, NULL);
    assert_int_equal(OSSL_DECODER_from_data(decoder, &at, &left), 1);
    assert_int_equal(EVP_PKEY_eq(key, rig->keys[RIG_RSA]), 1);
    OSSL_DECODER_CTX_free(decoder);
    EVP_PKEY_free(key);
    free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_stand_anywhere),
        cmocka_unit_test(broken_pem_is_refused),
        cmocka_unit_test(strange_sockets_are_refused),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(cut_and_longer_references_are_refused),
        cmocka_unit_test(other_files_are_declined_in_silence),
        cmocka_unit_test(der_is_read_as_well),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
