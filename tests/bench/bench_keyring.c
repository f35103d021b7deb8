/* SPDX-License-Identifier: Apache-2.0
 * Fills a keyring up with keys that have lived: each with a history and a chain of two
 * certificates, most of them retired, every tenth published. Half are P-256, half RSA-2048.
 * They are public keys only; no token holds their private halves, and nothing signs with them. */
#include "base/clock.h"
#include "keyring/keyring.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PRIMES = 40, /* of which each pair makes one RSA modulus */
    PRIME_BITS = 1024,
    PUBLISHED_EVERY = 20,
    DAY_S = 86400,
    SPKI_ROOM = 1024,
};

struct options {
    const char *keyring;
    const char *ec_role;
    const char *rsa_role;
    const char *token;
    size_t keys;
};

struct maker {
    BIGNUM *primes[PRIMES];
    size_t left; /* the pair that comes next */
    size_t right;
    EVP_PKEY *issuer_key;
    X509 *issuer;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_keyring: %s\n", what);
    exit(EXIT_FAILURE);
}

/* Stops when OpenSSL or memory fails: there is nothing to clean up in a program that ends. */
static void must(bool good, const char *what)
{
    if (!good) {
        die(what);
    }
}

static X509 *certify(const struct maker *maker, EVP_PKEY *key, const char *name)
{
    X509 *certificate = X509_new();
    must(certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1, "X509_new");
    X509_NAME *subject = X509_get_subject_name(certificate);
    must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                    -1, 0) == 1,
         "a name");
    const X509 *issuer = maker->issuer == NULL ? certificate : maker->issuer;
    uint64_t serial = 0;
    must(RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
             ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1 &&
             X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
             X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) != NULL &&
             X509_gmtime_adj(X509_getm_notAfter(certificate), 365L * DAY_S) != NULL &&
             X509_set_pubkey(certificate, key) == 1 &&
             X509_sign(certificate, maker->issuer_key, EVP_sha256()) > 0,
         "a certificate");
    return certificate;
}

static void prepare(struct maker *maker, size_t keys)
{
    BN_CTX *ctx = BN_CTX_new();
    for (size_t i = 0; i < PRIMES; i++) {
        maker->primes[i] = BN_new();
        must(maker->primes[i] != NULL &&
                 BN_generate_prime_ex2(maker->primes[i], PRIME_BITS, 0, NULL, NULL, NULL, ctx) == 1,
             "a prime");
    }
    BN_CTX_free(ctx);
    must(keys / 2 <= PRIMES * (PRIMES - 1) / 2, "so many keys need more primes");
    maker->right = 1;
    maker->issuer_key = EVP_EC_gen("P-256");
    must(maker->issuer_key != NULL, "a key");
    maker->issuer = certify(maker, maker->issuer_key, "bench CA");
}

/* A real modulus without the minutes that hundreds of key pairs take. */
static EVP_PKEY *next_rsa(struct maker *maker)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new();
    BIGNUM *e = BN_new();
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    must(BN_mul(n, maker->primes[maker->left], maker->primes[maker->right], ctx) == 1 &&
             BN_set_word(e, RSA_F4) == 1 &&
             OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
             OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1,
         "a modulus");
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    must(params != NULL && EVP_PKEY_fromdata_init(from) == 1 &&
             EVP_PKEY_fromdata(from, &key, EVP_PKEY_PUBLIC_KEY, params) == 1,
         "an RSA key");
    if (++maker->right == PRIMES) {
        maker->left++;
        maker->right = maker->left + 1;
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(from);
    BN_free(e);
    BN_free(n);
    BN_CTX_free(ctx);
    return key;
}

/* What the keyring keeps: base64 in lines of 64, its own certificate first. */
static char *chain_of(const struct maker *maker, EVP_PKEY *key, const char *name)
{
    BIO *out = BIO_new(BIO_s_mem());
    X509 *leaf = certify(maker, key, name);
    char *text = NULL;
    must(out != NULL && PEM_write_bio_X509(out, leaf) == 1 &&
             PEM_write_bio_X509(out, maker->issuer) == 1,
         "PEM");
    long len = BIO_get_mem_data(out, &text);
    char *copy = strndup(text, (size_t)len);
    must(copy != NULL, "out of memory");
    X509_free(leaf);
    BIO_free(out);
    return copy;
}

static void live(struct key *key, size_t states, struct reason *why)
{
    static const enum key_state life[] = {KEY_GENERATED, KEY_CERTIFIED, KEY_PUBLISHED,
                                          KEY_ACTIVE,    KEY_RETIRING,  KEY_RETIRED};
    for (size_t i = 0; i < states; i++) {
        struct key_change change = {.state = life[i],
                                    .at = key->created + (int64_t)i * DAY_S,
                                    .by = key->created_by,
                                    .reason = "yearly rotation"};
        must(key_note(key, &change, why) == OUTCOME_OK, why->detail);
    }
}

static struct key next_key(struct maker *maker, const struct options *options, size_t index)
{
    bool is_rsa = index % 2 == 1;
    struct reason why = {0};
    struct key key = {.purpose = PURPOSE_SEAL,
                      .algs = is_rsa ? 1U << ALG_RS256 | 1U << ALG_PS256 : 1U << ALG_ES256,
                      .created = clock_wall_s() - 400 * (int64_t)DAY_S,
                      .created_by = 1000};
    EVP_PKEY *pkey = is_rsa ? next_rsa(maker) : EVP_EC_gen("P-256");
    unsigned char *der = NULL;
    int len = pkey == NULL ? -1 : i2d_PUBKEY(pkey, &der);
    must(len > 0, "a public key");
    must(public_key_from_spki(span_of(der, (size_t)len), &key.public_key, &why) == OUTCOME_OK,
         why.detail);
    (void)snprintf(key.role, sizeof key.role, "%s", is_rsa ? options->rsa_role : options->ec_role);
    (void)snprintf(key.token, sizeof key.token, "%s", options->token);
    must(RAND_bytes(key.key_id, sizeof key.key_id) == 1, "a CKA_ID");
    key.chain_pem = chain_of(maker, pkey, key.role);
    live(&key, index % PUBLISHED_EVERY < 2 ? 3 : 6, &why);
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
    return key;
}

static void usage(void)
{
    (void)fputs("usage: bench_keyring --keyring FILE --keys N --ec-role NAME --rsa-role NAME "
                "--token NAME\n",
                stderr);
    exit(2);
}

static struct options parse(int argc, char **argv)
{
    static const struct option known[] = {{"keyring", 1, NULL, 'k'}, {"keys", 1, NULL, 'n'},
                                          {"ec-role", 1, NULL, 'e'}, {"rsa-role", 1, NULL, 'r'},
                                          {"token", 1, NULL, 't'},   {0}};
    struct options options = {0};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'k':
            options.keyring = optarg;
            break;
        case 'n':
            options.keys = strtoul(optarg, NULL, 10);
            break;
        case 'e':
            options.ec_role = optarg;
            break;
        case 'r':
            options.rsa_role = optarg;
            break;
        case 't':
            options.token = optarg;
            break;
        default:
            usage();
        }
    }
    if (options.keyring == NULL || options.ec_role == NULL || options.rsa_role == NULL ||
        options.token == NULL || options.keys == 0) {
        usage();
    }
    return options;
}

static void put_last(struct keyring *keyring, size_t n)
{
    struct key *old = calloc(n + 1, sizeof *old);
    must(old != NULL, "out of memory");
    memcpy(old, keyring->keys, n * sizeof *old);
    memmove(keyring->keys, keyring->keys + n, (keyring->n_keys - n) * sizeof *old);
    memcpy(keyring->keys + keyring->n_keys - n, old, n * sizeof *old);
    free(old);
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);
    struct maker maker = {0};
    struct reason why = {0};
    struct keyring *keyring = NULL;
    prepare(&maker, options.keys);
    must(keyring_load(options.keyring, &keyring, &why) == OUTCOME_OK, why.detail);
    uint64_t generation = keyring->generation + 1;
    size_t n_old = keyring->n_keys;
    for (size_t i = 0; keyring->n_keys < options.keys; i++) {
        struct key key = next_key(&maker, &options, i);
        struct keyring *next = NULL;
        must(keyring_add(keyring, &key, &next, &why) == OUTCOME_OK, why.detail);
        keyring_free(keyring);
        keyring = next;
    }
    put_last(keyring, n_old);
    keyring->generation = generation;
    must(keyring_save(keyring, options.keyring, &why) == OUTCOME_OK, why.detail);
    keyring_free(keyring);
    return EXIT_SUCCESS;
}
