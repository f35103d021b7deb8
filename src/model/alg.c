/* SPDX-License-Identifier: Apache-2.0
 * Algorithms and key types, as rows. */
#include "model/alg.h"

#include <assert.h>

struct alg_row {
    const char *name;
    enum alg_family family;
    size_t digest_len;
};

static const struct alg_row algs[] = {
    [ALG_RS256] = {"RS256", FAMILY_RSA_PKCS1, 32}, [ALG_RS384] = {"RS384", FAMILY_RSA_PKCS1, 48},
    [ALG_RS512] = {"RS512", FAMILY_RSA_PKCS1, 64}, [ALG_PS256] = {"PS256", FAMILY_RSA_PSS, 32},
    [ALG_PS384] = {"PS384", FAMILY_RSA_PSS, 48},   [ALG_PS512] = {"PS512", FAMILY_RSA_PSS, 64},
    [ALG_ES256] = {"ES256", FAMILY_ECDSA, 32},     [ALG_ES384] = {"ES384", FAMILY_ECDSA, 48},
    [ALG_ES512] = {"ES512", FAMILY_ECDSA, 64},     [ALG_ED25519] = {"Ed25519", FAMILY_EDDSA, 0},
};
static_assert(COUNT_OF(algs) == ALG_COUNT, "a row for every algorithm");

struct key_row {
    const char *name;
    unsigned int bits;
    size_t signature_len;
};

static const struct key_row keys[] = {
    [KEY_RSA_2048] = {"rsa-2048", 2048, 256}, [KEY_RSA_3072] = {"rsa-3072", 3072, 384},
    [KEY_RSA_4096] = {"rsa-4096", 4096, 512}, [KEY_P256] = {"p-256", 256, 64},
    [KEY_P384] = {"p-384", 384, 96},          [KEY_P521] = {"p-521", 521, 132},
    [KEY_ED25519] = {"ed25519", 255, 64},
};
static_assert(COUNT_OF(keys) == KEY_TYPE_COUNT, "a row for every key type");

const char *alg_name(enum alg alg)
{
    return algs[alg].name;
}

bool alg_from_name(struct span name, enum alg *out)
{
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        if (span_is_text(name, algs[i].name)) {
            *out = (enum alg)i;
            return true;
        }
    }
    return false;
}

enum alg_family alg_family(enum alg alg)
{
    return algs[alg].family;
}

size_t alg_digest_len(enum alg alg)
{
    return algs[alg].digest_len;
}

/* RFC 7518 §3.4: the ECDSA algorithms bind one curve each. */
static bool ecdsa_curve_fits(enum alg alg, enum key_type type)
{
    return (alg == ALG_ES256 && type == KEY_P256) || (alg == ALG_ES384 && type == KEY_P384) ||
           (alg == ALG_ES512 && type == KEY_P521);
}

bool alg_fits_key(enum alg alg, enum key_type type)
{
    switch (algs[alg].family) {
    case FAMILY_RSA_PKCS1:
    case FAMILY_RSA_PSS:
        return type == KEY_RSA_2048 || type == KEY_RSA_3072 || type == KEY_RSA_4096;
    case FAMILY_ECDSA:
        return ecdsa_curve_fits(alg, type);
    case FAMILY_EDDSA:
        return type == KEY_ED25519;
    }
    return false;
}

bool alg_is_known(unsigned int number)
{
    return number < ALG_COUNT;
}

void alg_put_set(struct buffer *out, uint32_t set)
{
    const char *separator = "";
    buffer_put_text(out, "[");
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        if ((set & 1U << i) != 0) {
            buffer_put_format(out, "%s\"%s\"", separator, alg_name((enum alg)i));
            separator = ",";
        }
    }
    buffer_put_text(out, "]");
}

enum alg alg_first(uint32_t set)
{
    unsigned int i = 0;
    while (i + 1 < ALG_COUNT && (set & 1U << i) == 0) {
        i++;
    }
    return (set & 1U << i) != 0 ? (enum alg)i : ALG_RS256;
}

bool alg_only_one(uint32_t set, enum alg *out)
{
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        if (set == 1U << i) {
            *out = (enum alg)i;
            return true;
        }
    }
    return false;
}

const char *key_type_name(enum key_type type)
{
    return keys[type].name;
}

unsigned int key_type_bits(enum key_type type)
{
    return keys[type].bits;
}

size_t key_type_signature_len(enum key_type type)
{
    return keys[type].signature_len;
}

bool key_type_is_known(unsigned int number)
{
    return number < KEY_TYPE_COUNT;
}
