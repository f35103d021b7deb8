/* SPDX-License-Identifier: Apache-2.0
 * provider-decoder(7) for key references. */
#include "provider/decoder.h"

#include "provider/error.h"
#include "provider/keymgmt.h"
#include "provider/param.h"
#include "provider/pem.h"

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <stdlib.h>
#include <string.h>

#define STRUCTURE "qseal-key-reference"

enum { DECLINED = 1, FAILED = 0 };

struct decoder {
    const struct provider *provider;
    enum key_kind kind;
};

static void *new_of(void *provider, enum key_kind kind)
{
    struct decoder *decoder = malloc(sizeof(*decoder));
    if (decoder != NULL) {
        *decoder = (struct decoder){.provider = provider, .kind = kind};
    }
    return decoder;
}

static void *pem_new(void *provider)
{
    return new_of(provider, KIND_RSA);
}

static void *rsa_new(void *provider)
{
    return new_of(provider, KIND_RSA);
}

static void *rsa_pss_new(void *provider)
{
    return new_of(provider, KIND_RSA_PSS);
}

static void *ec_new(void *provider)
{
    return new_of(provider, KIND_EC);
}

static void *ed25519_new(void *provider)
{
    return new_of(provider, KIND_ED25519);
}

static void decoder_free(void *context)
{
    free(context);
}

static int refuse(const struct decoder *decoder, const char *why)
{
    error_raise(decoder->provider, REASON_REFERENCE, "key reference: %s", why);
    return FAILED;
}

static int give_der(const struct pem *pem, OSSL_CALLBACK *callback, void *argument)
{
    int type = OSSL_OBJECT_PKEY;
    const OSSL_PARAM list[] = {
        param_of_int(OSSL_OBJECT_PARAM_TYPE, &type),
        param_of_text(OSSL_OBJECT_PARAM_DATA_STRUCTURE, STRUCTURE),
        param_of_bytes(OSSL_OBJECT_PARAM_DATA, pem->der, pem->der_len),
        param_end(),
    };
    return callback(list, argument);
}

/* Reads lines until a block of ours is complete. The first block decides: libcrypto comes again for
 * the next one. */
static int pem_decode(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *callback,
                      void *argument, OSSL_PASSPHRASE_CALLBACK *passphrase,
                      void *passphrase_argument)
{
    enum { MOST_LINES = 4096 };
    const struct decoder *decoder = context;
    struct pem pem = {.der = NULL};
    enum pem_step step = PEM_MORE;
    char line[256];
    (void)selection;
    (void)passphrase;
    (void)passphrase_argument;
    for (int i = 0; step == PEM_MORE && i < MOST_LINES; i++) {
        int len = decoder->provider->bio_gets(in, line, sizeof(line));
        if (len <= 0 || (size_t)len >= sizeof(line) || memchr(line, '\0', (size_t)len) != NULL) {
            break;
        }
        step = pem_line(&pem, PEM_REFERENCE, span_of(line, (size_t)len));
    }
    int result = DECLINED;
    if (step == PEM_BROKEN || pem.is_inside) {
        result = refuse(decoder, "its PEM block is damaged");
    } else if (step == PEM_DONE) {
        result = give_der(&pem, callback, argument);
    }
    pem_reset(&pem);
    return result;
}

/* Reads to the end, NULL when it is empty or larger than a reference can be. */
static uint8_t *read_all(const struct provider *provider, OSSL_CORE_BIO *in, size_t *len)
{
    uint8_t *data = malloc(PEM_MAX_DER + 1);
    size_t got = 0;
    *len = 0;
    while (data != NULL && *len <= PEM_MAX_DER &&
           provider->bio_read(in, data + *len, PEM_MAX_DER + 1 - *len, &got) == 1 && got > 0) {
        *len += got;
    }
    if (*len == 0 || *len > PEM_MAX_DER) {
        free(data);
        return NULL;
    }
    return data;
}

int decoder_give(struct key *key, OSSL_CALLBACK *callback, void *argument)
{
    int type = OSSL_OBJECT_PKEY;
    const OSSL_PARAM list[] = {
        param_of_int(OSSL_OBJECT_PARAM_TYPE, &type),
        param_of_text(OSSL_OBJECT_PARAM_DATA_TYPE, keymgmt_type(key->spki.kind)),
        param_of_bytes(OSSL_OBJECT_PARAM_REFERENCE, (void *)&key, sizeof(key)),
        param_end(),
    };
    int taken = callback(list, argument);
    key_drop(key);
    return taken;
}

static int decode_reference(const struct decoder *decoder, struct span der, OSSL_CALLBACK *callback,
                            void *argument)
{
    const char *why;
    if (!key_is_reference(der)) {
        return DECLINED;
    }
    if (decoder->provider->complaint[0] != '\0') {
        error_raise(decoder->provider, REASON_SETTING, "%s", decoder->provider->complaint);
        return FAILED;
    }
    struct key *key = key_from_reference(decoder->provider, der, &why);
    if (key == NULL) {
        return refuse(decoder, why);
    }
    if (key->spki.kind != decoder->kind) {
        key_drop(key);
        return DECLINED;
    }
    return decoder_give(key, callback, argument);
}

static int der_decode(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *callback,
                      void *argument, OSSL_PASSPHRASE_CALLBACK *passphrase,
                      void *passphrase_argument)
{
    const struct decoder *decoder = context;
    size_t len;
    (void)selection;
    (void)passphrase;
    (void)passphrase_argument;
    uint8_t *data = read_all(decoder->provider, in, &len);
    if (data == NULL) {
        return DECLINED;
    }
    int result = decode_reference(decoder, span_of(data, len), callback, argument);
    free(data);
    return result;
}

/* Nobody looks for a public key in a key reference. */
static int der_does_selection(void *provider, int selection)
{
    (void)provider;
    return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

#define FUNCTION(id, function)                                                                     \
    {                                                                                              \
        (id), (void (*)(void))(function)                                                           \
    }
#define DECODER(name)                                                                              \
    {                                                                                              \
        FUNCTION(OSSL_FUNC_DECODER_NEWCTX, name##_new),                                            \
            FUNCTION(OSSL_FUNC_DECODER_FREECTX, decoder_free),                                     \
            FUNCTION(OSSL_FUNC_DECODER_DOES_SELECTION, der_does_selection),                        \
            FUNCTION(OSSL_FUNC_DECODER_DECODE, der_decode),                                        \
        {                                                                                          \
            0, NULL                                                                                \
        }                                                                                          \
    }

static const OSSL_DISPATCH pem_functions[] = {FUNCTION(OSSL_FUNC_DECODER_NEWCTX, pem_new),
                                              FUNCTION(OSSL_FUNC_DECODER_FREECTX, decoder_free),
                                              FUNCTION(OSSL_FUNC_DECODER_DECODE, pem_decode),
                                              {0, NULL}};
static const OSSL_DISPATCH rsa[] = DECODER(rsa);
static const OSSL_DISPATCH rsa_pss[] = DECODER(rsa_pss);
static const OSSL_DISPATCH ec[] = DECODER(ec);
static const OSSL_DISPATCH ed25519[] = DECODER(ed25519);

#define FROM_DER "provider=qseal,input=der,structure=" STRUCTURE

const OSSL_ALGORITHM *decoder_algorithms(void)
{
    static const OSSL_ALGORITHM list[] = {
        {"DER", "provider=qseal,input=pem", pem_functions, "key reference, PEM to DER"},
        {"RSA:rsaEncryption:1.2.840.113549.1.1.1", FROM_DER, rsa, "key reference of an RSA key"},
        {"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", FROM_DER, rsa_pss,
         "key reference of an RSA-PSS key"},
        {"EC:id-ecPublicKey:1.2.840.10045.2.1", FROM_DER, ec, "key reference of an EC key"},
        {"ED25519:1.3.101.112", FROM_DER, ed25519, "key reference of an Ed25519 key"},
        {NULL, NULL, NULL, NULL}};
    return list;
}
