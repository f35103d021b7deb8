/* SPDX-License-Identifier: Apache-2.0
 * Tokens made of OpenSSL keys. One lock around everything: tests are not in a hurry. */
#include "token_double.h"

#include "token/remote.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYS_MAX = 16 };

struct token {
    const char *name;
};

struct double_key {
    uint8_t key_id[KEY_ID_LEN];
    enum key_type type;
    EVP_PKEY *pair;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct token_double *known;
static size_t n_known;
static struct double_key keys[KEYS_MAX];
static size_t n_keys;

void token_double_set(struct token_double *doubles, size_t n)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_keys; i++) {
        EVP_PKEY_free(keys[i].pair);
    }
    n_keys = 0;
    known = doubles;
    n_known = n;
    pthread_mutex_unlock(&lock);
}

struct token *token_remote_new(const char *name, const char *socket_path)
{
    (void)socket_path;
    struct token *token = calloc(1, sizeof *token);
    if (token != NULL) {
        token->name = name;
    }
    return token;
}

void token_remote_free(struct token *token)
{
    free(token);
}

static struct token_double *double_of(const struct token *token)
{
    for (size_t i = 0; i < n_known; i++) {
        if (strcmp(known[i].name, token->name) == 0) {
            return &known[i];
        }
    }
    return NULL;
}

static enum outcome behaviour(const struct token_double *token, struct reason *why)
{
    if (token == NULL) {
        return refuse(why, OUTCOME_UNAVAILABLE, "no such double");
    }
    return token->outcome == OUTCOME_OK
               ? OUTCOME_OK
               : refuse(why, token->outcome, "the double %s was told to fail", token->name);
}

/* ECDSA comes out of OpenSSL as DER and goes out of a token as r||s. */
static bool raw_from_der(const unsigned char *der, size_t len, size_t half, struct buffer *out)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    uint8_t *at = pair == NULL ? NULL : buffer_extend(out, 2 * half);
    bool good = at != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), at, (int)half) == (int)half &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), at + half, (int)half) == (int)half;
    ECDSA_SIG_free(pair);
    return good;
}

static const char *digest_of(enum alg alg)
{
    switch (alg_digest_len(alg)) {
    case 32:
        return "SHA256";
    case 48:
        return "SHA384";
    case 64:
        return "SHA512";
    default:
        return NULL;
    }
}

static bool sign_with(const struct double_key *key, enum alg alg, struct span input,
                      struct buffer *out)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;
    bool good =
        EVP_DigestSignInit_ex(context, &pkey, digest_of(alg), NULL, NULL, key->pair, NULL) == 1;
    if (good && alg_family(alg) == FAMILY_RSA_PSS) {
        good = EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    good = good && EVP_DigestSign(context, signature, &len, input.data, input.len) == 1;
    EVP_MD_CTX_free(context);
    if (!good) {
        return false;
    }
    if (alg_family(alg) == FAMILY_ECDSA) {
        return raw_from_der(signature, len, key_type_signature_len(key->type) / 2, out);
    }
    buffer_put(out, signature, len);
    return buffer_ok(out);
}

static enum outcome sign_locked(struct token *token, const struct token_sign_request *request,
                                struct buffer *signature, struct reason *why)
{
    struct token_double *self = double_of(token);
    if (self != NULL) {
        self->asked++;
    }
    enum outcome outcome = behaviour(self, why);
    if (outcome == OUTCOME_OK && self->signs != OUTCOME_OK) {
        outcome = refuse(why, self->signs, "the double %s was told not to sign", self->name);
    }
    if (outcome != OUTCOME_OK) {
        if (self != NULL && self->goes_down) {
            self->state = TOKEN_DOWN;
        }
        return outcome;
    }
    for (size_t i = 0; i < n_keys; i++) {
        if (memcmp(keys[i].key_id, request->key_id, KEY_ID_LEN) != 0) {
            continue;
        }
        if (!sign_with(&keys[i], request->alg, request->input, signature)) {
            return refuse(why, OUTCOME_INTERNAL, "the double cannot sign");
        }
        signature->data[0] ^= self->flip_a_bit ? 1 : 0;
        return OUTCOME_OK;
    }
    return refuse(why, OUTCOME_NO_KEY, "the double has no such key");
}

/* The lock is not held meanwhile. */
static void hang(const struct token *token)
{
    pthread_mutex_lock(&lock);
    struct token_double *self = double_of(token);
    pthread_mutex_unlock(&lock);
    if (self != NULL) {
        atomic_fetch_add(&self->held, 1);
        while (atomic_load(&self->hangs)) {
            (void)poll(NULL, 0, 1);
        }
        atomic_fetch_sub(&self->held, 1);
    }
}

enum outcome token_sign(struct token *token, const struct token_sign_request *request,
                        struct deadline deadline, struct buffer *signature, struct reason *why)
{
    (void)deadline;
    hang(token);
    pthread_mutex_lock(&lock);
    enum outcome outcome = sign_locked(token, request, signature, why);
    pthread_mutex_unlock(&lock);
    return outcome;
}

static EVP_PKEY *make_pair(enum key_type type)
{
    switch (type) {
    case KEY_RSA_2048:
    case KEY_RSA_3072:
    case KEY_RSA_4096:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)key_type_bits(type));
    case KEY_P256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case KEY_P384:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    case KEY_P521:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
    case KEY_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    return NULL;
}

static enum outcome generate_locked(struct token *token,
                                    const struct token_generate_request *request,
                                    struct buffer *spki, struct reason *why)
{
    enum outcome outcome = behaviour(double_of(token), why);
    EVP_PKEY *pair = outcome == OUTCOME_OK && n_keys < KEYS_MAX ? make_pair(request->type) : NULL;
    unsigned char *der = NULL;
    int len = pair == NULL ? -1 : i2d_PUBKEY(pair, &der);
    if (len <= 0) {
        EVP_PKEY_free(pair);
        return outcome == OUTCOME_OK
                   ? refuse(why, OUTCOME_INTERNAL, "the double makes no more keys")
                   : outcome;
    }
    buffer_put(spki, der, (size_t)len);
    OPENSSL_free(der);
    keys[n_keys] = (struct double_key){.type = request->type, .pair = pair};
    memcpy(keys[n_keys++].key_id, request->key_id, KEY_ID_LEN);
    return OUTCOME_OK;
}

enum outcome token_generate(struct token *token, const struct token_generate_request *request,
                            struct deadline deadline, struct buffer *spki, struct reason *why)
{
    (void)deadline;
    pthread_mutex_lock(&lock);
    enum outcome outcome = generate_locked(token, request, spki, why);
    pthread_mutex_unlock(&lock);
    return outcome;
}

static enum outcome destroy_locked(struct token *token, const struct token_destroy_request *request,
                                   struct reason *why)
{
    enum outcome outcome = behaviour(double_of(token), why);
    for (size_t i = 0; outcome == OUTCOME_OK && i < n_keys; i++) {
        if (memcmp(keys[i].key_id, request->key_id, KEY_ID_LEN) == 0) {
            EVP_PKEY_free(keys[i].pair);
            keys[i] = keys[--n_keys];
            return OUTCOME_OK;
        }
    }
    return outcome == OUTCOME_OK ? refuse(why, OUTCOME_NO_KEY, "the double has no such key")
                                 : outcome;
}

enum outcome token_destroy(struct token *token, const struct token_destroy_request *request,
                           struct deadline deadline, struct reason *why)
{
    (void)deadline;
    hang(token);
    pthread_mutex_lock(&lock);
    enum outcome outcome = destroy_locked(token, request, why);
    pthread_mutex_unlock(&lock);
    return outcome;
}

enum outcome token_show(struct token *token, const struct token_show_request *request,
                        struct deadline deadline, struct token_key *out, struct reason *why)
{
    (void)request;
    pthread_mutex_lock(&lock);
    const struct token_double *self = double_of(token);
    enum outcome outcome = behaviour(self, why);
    bool late = outcome == OUTCOME_OK && self->shows_late;
    while (late && !deadline_passed(deadline)) {
        pthread_mutex_unlock(&lock);
        (void)poll(NULL, 0, 1);
        pthread_mutex_lock(&lock);
    }
    if (deadline_passed(deadline)) {
        outcome = refuse(why, OUTCOME_DEADLINE, "the double was asked for too long");
    }
    if (outcome == OUTCOME_OK) {
        *out = self->shows;
    }
    pthread_mutex_unlock(&lock);
    return outcome;
}

enum outcome token_status(struct token *token, struct deadline deadline, struct token_status *out,
                          struct reason *why)
{
    (void)deadline;
    pthread_mutex_lock(&lock);
    const struct token_double *self = double_of(token);
    bool answers = self != NULL && self->state != TOKEN_DOWN;
    *out = answers ? self->says : (struct token_status){.state = TOKEN_DOWN};
    out->state = answers ? self->state : TOKEN_DOWN;
    pthread_mutex_unlock(&lock);
    return answers ? OUTCOME_OK : refuse(why, OUTCOME_UNAVAILABLE, "the double does not answer");
}

enum outcome token_unlock(struct token *token, int pin, struct deadline deadline,
                          struct reason *why)
{
    (void)deadline;
    pthread_mutex_lock(&lock);
    struct token_double *self = double_of(token);
    if (self != NULL) {
        self->unlocks++;
    }
    enum outcome outcome = behaviour(self, why);
    if (outcome == OUTCOME_OK && self->wants_pin && pin < 0) {
        outcome = refuse(why, OUTCOME_PIN, "the double's PIN is typed");
    }
    if (self != NULL && pin >= 0) {
        memset(self->typed, 0, sizeof self->typed);
        (void)!read(pin, self->typed, sizeof self->typed - 1);
    }
    pthread_mutex_unlock(&lock);
    return outcome;
}
