/* SPDX-License-Identifier: Apache-2.0
 * Certificates out of a text that people bring, by OpenSSL. */
#include "pki/certificate_parts.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <string.h>

void certificate_chain_fini(struct chain *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        X509_free(chain->links[i].certificate);
    }
    ERR_clear_error(); /* the thread's queue must not grow with what people bring */
}

X509 *certificate_of(struct span der)
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
    chain->links[chain->n] = (struct link){.certificate = certificate, .number = chain->n + 1};
    chain->n++;
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

enum outcome certificate_chain_parse(struct span text, struct chain *chain, struct reason *why)
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
