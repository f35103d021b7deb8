/* SPDX-License-Identifier: Apache-2.0
 * A server's certificates against those that a rule trusts. */
#include "pki/peer_issuer.h"

#include "base/buffer.h"
#include "base/file.h"
#include "model/tls_credentials.h"
#include "pki/certificate_key.h"
#include "pki/certificate_limits.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <string.h>

/* Level 2 is 112 bits: no SHA-1, no RSA under 2048 bits; libcrypto's own default is none. */
enum { ISSUER_FILE_MAX = 1024 * 1024, SECURITY_LEVEL = 2 };

/* Without one, libcrypto asks at the terminal. */
static int no_passphrase(char *out, int size, int writes, void *context)
{
    (void)out, (void)size, (void)writes, (void)context;
    return -1;
}

/* Until there is no further block; false when one cannot be read, *n is then how many could. */
static bool add_certificates(X509_STORE *store, BIO *pem, size_t *n)
{
    bool good = true;
    X509 *certificate;
    for (*n = 0; good && (certificate = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL)) != NULL;
         *n += good ? 1 : 0) {
        good = X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
    }
    unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    return good && ERR_GET_LIB(error) == ERR_LIB_PEM &&
           ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static enum outcome read_issuers(const char *path, struct span pem, X509_STORE *store,
                                 struct reason *why)
{
    if (pem.len == 0) { /* BIO_new_mem_buf() takes no NULL */
        return refuse(why, OUTCOME_RULE, "peers: %.200s holds no certificate", path);
    }
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (bio == NULL) {
        ERR_clear_error();
        return refuse(why, OUTCOME_INTERNAL, "no memory");
    }
    size_t n;
    bool good = add_certificates(store, bio, &n);
    BIO_free(bio);
    if (!good) {
        return refuse(why, OUTCOME_RULE, "peers: %.200s: certificate %zu cannot be read", path,
                      n + 1);
    }
    return n > 0 ? OUTCOME_OK
                 : refuse(why, OUTCOME_RULE, "peers: %.200s holds no certificate", path);
}

enum outcome peer_issuer_load(const char *path, X509_STORE **out, struct reason *why)
{
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(ISSUER_FILE_MAX);
    *out = NULL;
    if (file_read(path, &pem) != 0) {
        return refuse(why, OUTCOME_RULE, "peers: %.200s cannot be read: %s", path, strerror(errno));
    }
    *out = X509_STORE_new();
    if (*out == NULL || X509_STORE_set_purpose(*out, X509_PURPOSE_SSL_SERVER) != 1 ||
        X509_STORE_set_flags(*out, X509_V_FLAG_PARTIAL_CHAIN) != 1) {
        ERR_clear_error();
        return refuse(why, OUTCOME_INTERNAL, "no memory");
    }
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_get0_param(*out), SECURITY_LEVEL);
    return read_issuers(path, buffer_span(&pem), *out, why);
}

static bool push(STACK_OF(X509) * chain, struct span der)
{
    const unsigned char *at = der.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
    bool good =
        certificate != NULL && at == der.data + der.len && sk_X509_push(chain, certificate) > 0;
    if (!good) {
        X509_free(certificate);
    }
    return good;
}

/* All of them are looked over before libcrypto reads the first. */
static const char *limits_fault(const struct tls_proof *proof)
{
    struct certificate_tally tally = {0};
    struct reader reader = reader_of(proof->peer_chain);
    const char *fault = NULL;
    struct span der;
    while (fault == NULL && tls_chain_next(&reader, proof->version, &der)) {
        fault = certificate_limits_fault(&tally, der);
    }
    return fault;
}

/* Whether OpenSSL sees the key that was proven. */
static bool is_proven(const struct tls_proof *proof, const X509 *leaf)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
    bool good = len > 0 && EVP_Digest(spki, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1 &&
                memcmp(digest, proof->peer_spki_sha256, SHA256_LEN) == 0;
    OPENSSL_free(spki);
    return good;
}

const char *peer_issuer_read_chain(const struct tls_proof *proof, STACK_OF(X509) * *out)
{
    *out = NULL;
    const char *fault = limits_fault(proof);
    if (fault != NULL) {
        return fault;
    }
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct reader reader = reader_of(proof->peer_chain);
    struct span der;
    bool good = chain != NULL;
    while (good && tls_chain_next(&reader, proof->version, &der)) {
        good = push(chain, der);
    }
    good = good && reader_done(&reader) && sk_X509_num(chain) > 0 &&
           is_proven(proof, sk_X509_value(chain, 0));
    ERR_clear_error();
    if (!good) {
        sk_X509_pop_free(chain, X509_free);
        return "its certificates cannot be read";
    }
    *out = chain;
    return NULL;
}

const char *peer_issuer_fault(X509_STORE *store, STACK_OF(X509) * chain)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    const char *fault = "its certificate does not verify";
    if (ctx != NULL && X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain) == 1) {
        fault = X509_verify_cert(ctx) == 1
                    ? NULL
                    : X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return fault;
}
