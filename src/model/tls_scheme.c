/* SPDX-License-Identifier: Apache-2.0
 * TLS SignatureSchemes: one table. */
#include "model/tls_scheme.h"

#include <assert.h>

static const struct row {
    const char *name;
    uint16_t code;
    enum alg alg;
} rows[] = {
    [TLS_RSA_PKCS1_SHA256] = {"rsa_pkcs1_sha256", 0x0401, ALG_RS256},
    [TLS_RSA_PKCS1_SHA384] = {"rsa_pkcs1_sha384", 0x0501, ALG_RS384},
    [TLS_RSA_PKCS1_SHA512] = {"rsa_pkcs1_sha512", 0x0601, ALG_RS512},
    [TLS_ECDSA_SECP256R1_SHA256] = {"ecdsa_secp256r1_sha256", 0x0403, ALG_ES256},
    [TLS_ECDSA_SECP384R1_SHA384] = {"ecdsa_secp384r1_sha384", 0x0503, ALG_ES384},
    [TLS_ECDSA_SECP521R1_SHA512] = {"ecdsa_secp521r1_sha512", 0x0603, ALG_ES512},
    [TLS_RSA_PSS_RSAE_SHA256] = {"rsa_pss_rsae_sha256", 0x0804, ALG_PS256},
    [TLS_RSA_PSS_RSAE_SHA384] = {"rsa_pss_rsae_sha384", 0x0805, ALG_PS384},
    [TLS_RSA_PSS_RSAE_SHA512] = {"rsa_pss_rsae_sha512", 0x0806, ALG_PS512},
    [TLS_ED25519] = {"ed25519", 0x0807, ALG_ED25519},
    [TLS_RSA_PSS_PSS_SHA256] = {"rsa_pss_pss_sha256", 0x0809, ALG_PS256},
    [TLS_RSA_PSS_PSS_SHA384] = {"rsa_pss_pss_sha384", 0x080a, ALG_PS384},
    [TLS_RSA_PSS_PSS_SHA512] = {"rsa_pss_pss_sha512", 0x080b, ALG_PS512},
};
static_assert(COUNT_OF(rows) == TLS_SCHEME_COUNT, "a row for every scheme");

const char *tls_scheme_name(enum tls_scheme scheme)
{
    return rows[scheme].name;
}

bool tls_scheme_from_name(struct span name, enum tls_scheme *out)
{
    for (unsigned int i = 0; i < TLS_SCHEME_COUNT; i++) {
        if (span_is_text(name, rows[i].name)) {
            *out = (enum tls_scheme)i;
            return true;
        }
    }
    return false;
}

uint16_t tls_scheme_code(enum tls_scheme scheme)
{
    return rows[scheme].code;
}

bool tls_scheme_from_code(uint16_t code, enum tls_scheme *out)
{
    for (unsigned int i = 0; i < TLS_SCHEME_COUNT; i++) {
        if (rows[i].code == code) {
            *out = (enum tls_scheme)i;
            return true;
        }
    }
    return false;
}

enum alg tls_scheme_alg(enum tls_scheme scheme)
{
    return rows[scheme].alg;
}

bool tls_scheme_is_pss_key(enum tls_scheme scheme)
{
    return scheme >= TLS_RSA_PSS_PSS_SHA256;
}

static bool is_curve(enum key_type type)
{
    return type == KEY_P256 || type == KEY_P384 || type == KEY_P521;
}

bool tls_alg_fits_key(enum alg alg, enum key_type type, enum tls_version version)
{
    if (version == TLS_1_2 && alg_family(alg) == FAMILY_ECDSA) {
        return is_curve(type);
    }
    if (version == TLS_1_3 && alg_family(alg) == FAMILY_RSA_PKCS1) {
        return false;
    }
    return alg_fits_key(alg, type);
}
