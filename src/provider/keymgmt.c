/* SPDX-License-Identifier: Apache-2.0
 * Public halves are given out freely; the private half is never there to be given. */
#include "provider/keymgmt.h"

#include "base/attributes.h"
#include "provider/error.h"
#include "provider/key.h"
#include "provider/param.h"
#include "provider/scheme.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <string.h>

static const char *const types[KIND_COUNT] = {
    [KIND_RSA] = "RSA", [KIND_RSA_PSS] = "RSA-PSS", [KIND_EC] = "EC", [KIND_ED25519] = "ED25519"};

const char *keymgmt_type(enum key_kind kind)
{
    return types[kind];
}

static void *rsa_new(void *provider)
{
    return key_empty(provider, KIND_RSA);
}

static void *rsa_pss_new(void *provider)
{
    return key_empty(provider, KIND_RSA_PSS);
}

static void *ec_new(void *provider)
{
    return key_empty(provider, KIND_EC);
}

static void *ed25519_new(void *provider)
{
    return key_empty(provider, KIND_ED25519);
}

static void keymgmt_free(void *key)
{
    key_drop(key);
}

/* The reference is a pointer to a pointer, and what loads takes it over (provider-object(7)). */
static void *keymgmt_load(const void *reference, size_t size)
{
    struct key *key;
    union {
        const void *in;
        void *out;
    } cast = {.in = reference};
    if (size != sizeof(key)) {
        return NULL;
    }
    memcpy(&key, reference, sizeof(key));
    memset(cast.out, 0, sizeof(key));
    return key;
}

static void *keymgmt_dup(const void *key, int selection)
{
    union {
        const void *in;
        void *out;
    } cast = {.in = key};
    (void)selection;
    return key_hold(cast.out);
}

static int keymgmt_has(const void *data, int selection)
{
    const struct key *key = data;
    return key != NULL && (!key->is_empty || (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0);
}

static bool same_key(const struct spki *a, const struct spki *b)
{
    return a->kind == b->kind && a->group == b->group && span_equal(a->n, b->n) &&
           span_equal(a->e, b->e) && span_equal(a->point, b->point);
}

static int keymgmt_match(const void *data1, const void *data2, int selection)
{
    const struct key *a = data1;
    const struct key *b = data2;
    if (a->is_empty || b->is_empty) {
        return 0;
    }
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0) {
        return a->spki.kind == b->spki.kind && a->spki.group == b->spki.group;
    }
    return same_key(&a->spki, &b->spki);
}

/* Sizes and strength, for keys of every kind. */
static bool get_measures(const struct spki *spki, OSSL_PARAM *params)
{
    return param_set_int(params, OSSL_PKEY_PARAM_BITS, spki->bits) &&
           param_set_int(params, OSSL_PKEY_PARAM_SECURITY_BITS, spki->security_bits) &&
           param_set_int(params, OSSL_PKEY_PARAM_MAX_SIZE, spki->max_size);
}

static bool get_rsa(const struct spki *spki, OSSL_PARAM *params)
{
    return param_set_number(params, OSSL_PKEY_PARAM_RSA_N, spki->n) &&
           param_set_number(params, OSSL_PKEY_PARAM_RSA_E, spki->e) &&
           param_set_text(
               params, OSSL_PKEY_PARAM_DEFAULT_DIGEST,
               scheme_md_name(spki->mandatory == MD_NONE ? MD_SHA256 : spki->mandatory)) &&
           (spki->mandatory == MD_NONE || param_set_text(params, OSSL_PKEY_PARAM_MANDATORY_DIGEST,
                                                         scheme_md_name(spki->mandatory)));
}

static bool get_ec(const struct spki *spki, OSSL_PARAM *params)
{
    size_t field = (spki->point.len - 1) / 2;
    return param_set_text(params, OSSL_PKEY_PARAM_GROUP_NAME, spki->group) &&
           param_set_text(params, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") &&
           param_set_int(params, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, 0) &&
           param_set_bytes(params, OSSL_PKEY_PARAM_PUB_KEY, spki->point) &&
           param_set_bytes(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, spki->point) &&
           param_set_number(params, OSSL_PKEY_PARAM_EC_PUB_X, span_part(spki->point, 1, field)) &&
           param_set_number(params, OSSL_PKEY_PARAM_EC_PUB_Y,
                            span_part(spki->point, 1 + field, field)) &&
           param_set_text(params, OSSL_PKEY_PARAM_DEFAULT_DIGEST, "SHA256");
}

static bool get_ed25519(const struct spki *spki, OSSL_PARAM *params)
{
    return param_set_bytes(params, OSSL_PKEY_PARAM_PUB_KEY, spki->point) &&
           param_set_bytes(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, spki->point) &&
           param_set_text(params, OSSL_PKEY_PARAM_MANDATORY_DIGEST, "");
}

static int keymgmt_get_params(void *data, OSSL_PARAM *params)
{
    const struct key *key = data;
    if (key->is_empty || !get_measures(&key->spki, params)) {
        return 0;
    }
    switch (key->spki.kind) {
    case KIND_RSA:
    case KIND_RSA_PSS:
        return get_rsa(&key->spki, params);
    case KIND_EC:
        return get_ec(&key->spki, params);
    case KIND_ED25519:
        return get_ed25519(&key->spki, params);
    }
    return 0;
}

#define MEASURES                                                                                   \
    PARAM_KIND(OSSL_PKEY_PARAM_BITS, OSSL_PARAM_INTEGER),                                          \
        PARAM_KIND(OSSL_PKEY_PARAM_SECURITY_BITS, OSSL_PARAM_INTEGER),                             \
        PARAM_KIND(OSSL_PKEY_PARAM_MAX_SIZE, OSSL_PARAM_INTEGER),                                  \
        PARAM_KIND(OSSL_PKEY_PARAM_DEFAULT_DIGEST, OSSL_PARAM_UTF8_STRING),                        \
        PARAM_KIND(OSSL_PKEY_PARAM_MANDATORY_DIGEST, OSSL_PARAM_UTF8_STRING)
#define RSA_PUBLIC                                                                                 \
    PARAM_KIND(OSSL_PKEY_PARAM_RSA_N, OSSL_PARAM_UNSIGNED_INTEGER),                                \
        PARAM_KIND(OSSL_PKEY_PARAM_RSA_E, OSSL_PARAM_UNSIGNED_INTEGER)
#define EC_PUBLIC                                                                                  \
    PARAM_KIND(OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PARAM_UTF8_STRING),                                \
        PARAM_KIND(OSSL_PKEY_PARAM_PUB_KEY, OSSL_PARAM_OCTET_STRING)

static const OSSL_PARAM *rsa_gettable(void *provider)
{
    static const OSSL_PARAM list[] = {MEASURES, RSA_PUBLIC, PARAM_LAST};
    (void)provider;
    return list;
}

static const OSSL_PARAM *ec_gettable(void *provider)
{
    static const OSSL_PARAM list[] = {
        MEASURES,
        EC_PUBLIC,
        PARAM_KIND(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, OSSL_PARAM_UTF8_STRING),
        PARAM_KIND(OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, OSSL_PARAM_INTEGER),
        PARAM_KIND(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, OSSL_PARAM_OCTET_STRING),
        PARAM_KIND(OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PARAM_UNSIGNED_INTEGER),
        PARAM_KIND(OSSL_PKEY_PARAM_EC_PUB_Y, OSSL_PARAM_UNSIGNED_INTEGER),
        PARAM_LAST};
    (void)provider;
    return list;
}

static const OSSL_PARAM *ed25519_gettable(void *provider)
{
    static const OSSL_PARAM list[] = {
        MEASURES, PARAM_KIND(OSSL_PKEY_PARAM_PUB_KEY, OSSL_PARAM_OCTET_STRING),
        PARAM_KIND(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, OSSL_PARAM_OCTET_STRING), PARAM_LAST};
    (void)provider;
    return list;
}

/* A list without the private half, though it was asked for, would make libcrypto sign with the
 * default provider and half a key. */
static int keymgmt_export(void *data, int selection, OSSL_CALLBACK *callback, void *argument)
{
    const struct key *key = data;
    uint8_t n[2048];
    uint8_t e[2048];
    OSSL_PARAM list[3] = {param_end(), param_end(), param_end()};
    if (key == NULL || key->is_empty) {
        return 0;
    }
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
        error_raise(key->provider, REASON_PRIVATE, "the key of role %s cannot be exported",
                    key->role);
        return 0;
    }
    const struct spki *spki = &key->spki;
    if (spki->kind == KIND_RSA || spki->kind == KIND_RSA_PSS) {
        list[0] = (OSSL_PARAM){OSSL_PKEY_PARAM_RSA_N, OSSL_PARAM_UNSIGNED_INTEGER, n, spki->n.len,
                               PARAM_UNMODIFIED};
        list[1] = (OSSL_PARAM){OSSL_PKEY_PARAM_RSA_E, OSSL_PARAM_UNSIGNED_INTEGER, e, spki->e.len,
                               PARAM_UNMODIFIED};
        if (spki->n.len > sizeof(n) || spki->e.len > sizeof(e) || !get_rsa(spki, list)) {
            return 0;
        }
    } else {
        list[0] = param_of_bytes(OSSL_PKEY_PARAM_PUB_KEY, spki->point.data, spki->point.len);
        if (spki->kind == KIND_EC) {
            list[1] = param_of_text(OSSL_PKEY_PARAM_GROUP_NAME, spki->group);
        }
    }
    return callback(list, argument);
}

static const OSSL_PARAM *rsa_export_types(int selection)
{
    static const OSSL_PARAM list[] = {RSA_PUBLIC, PARAM_LAST};
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 ? list : NULL;
}

static const OSSL_PARAM *ec_export_types(int selection)
{
    static const OSSL_PARAM list[] = {EC_PUBLIC, PARAM_LAST};
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 ? list : NULL;
}

static const OSSL_PARAM *ed25519_export_types(int selection)
{
    static const OSSL_PARAM list[] = {PARAM_KIND(OSSL_PKEY_PARAM_PUB_KEY, OSSL_PARAM_OCTET_STRING),
                                      PARAM_LAST};
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 ? list : NULL;
}

static const char *rsa_operation(int operation)
{
    (void)operation;
    return "RSA";
}

static const char *ec_operation(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

static const char *ed25519_operation(int operation)
{
    (void)operation;
    return "ED25519";
}

#define FUNCTION(id, function)                                                                     \
    {                                                                                              \
        (id), (void (*)(void))(function)                                                           \
    }
#define KEYMGMT(prefix, operation)                                                                 \
    {                                                                                              \
        FUNCTION(OSSL_FUNC_KEYMGMT_NEW, prefix##_new),                                             \
            FUNCTION(OSSL_FUNC_KEYMGMT_FREE, keymgmt_free),                                        \
            FUNCTION(OSSL_FUNC_KEYMGMT_LOAD, keymgmt_load),                                        \
            FUNCTION(OSSL_FUNC_KEYMGMT_DUP, keymgmt_dup),                                          \
            FUNCTION(OSSL_FUNC_KEYMGMT_HAS, keymgmt_has),                                          \
            FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, keymgmt_match),                                      \
            FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, keymgmt_get_params),                            \
            FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, operation##_gettable),                     \
            FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, keymgmt_export),                                    \
            FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, operation##_export_types),                    \
            FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation##_operation),               \
        {                                                                                          \
            0, NULL                                                                                \
        }                                                                                          \
    }

static const OSSL_DISPATCH rsa[] = KEYMGMT(rsa, rsa);
static const OSSL_DISPATCH rsa_pss[] = KEYMGMT(rsa_pss, rsa);
static const OSSL_DISPATCH ec[] = KEYMGMT(ec, ec);
static const OSSL_DISPATCH ed25519[] = KEYMGMT(ed25519, ed25519);

/* libssl knows certificates by the long names. */
const OSSL_ALGORITHM *keymgmt_algorithms(void)
{
    static const OSSL_ALGORITHM list[] = {
        {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=qseal", rsa, "delegated RSA key"},
        {"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "provider=qseal", rsa_pss,
         "delegated RSA-PSS key"},
        {"EC:id-ecPublicKey:1.2.840.10045.2.1", "provider=qseal", ec, "delegated EC key"},
        {"ED25519:1.3.101.112", "provider=qseal", ed25519, "delegated Ed25519 key"},
        {NULL, NULL, NULL, NULL}};
    return list;
}
