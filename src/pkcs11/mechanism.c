/* SPDX-License-Identifier: Apache-2.0
 * The table of mechanisms, and what of it the token has. */
#include "pkcs11/mechanism.h"

#include <assert.h>
#include <string.h>

#define NO_MECHANISM CK_UNAVAILABLE_INFORMATION

/* DER of DigestInfo up to the digest (RFC 8017 §9.2, note 1). */
static const uint8_t info_sha256[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
static const uint8_t info_sha384[] = {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30};
static const uint8_t info_sha512[] = {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40};

#define INFO(bytes)                                                                                \
    {                                                                                              \
        bytes, sizeof bytes                                                                        \
    }
#define NO_INFO                                                                                    \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

static const struct mechanism rows[] = {
    [ALG_RS256] = {CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, CKM_SHA256, 0, INFO(info_sha256)},
    [ALG_RS384] = {CKM_RSA_PKCS, CKM_SHA384_RSA_PKCS, CKM_SHA384, 0, INFO(info_sha384)},
    [ALG_RS512] = {CKM_RSA_PKCS, CKM_SHA512_RSA_PKCS, CKM_SHA512, 0, INFO(info_sha512)},
    [ALG_PS256] = {CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, NO_INFO},
    [ALG_PS384] = {CKM_RSA_PKCS_PSS, CKM_SHA384_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384, NO_INFO},
    [ALG_PS512] = {CKM_RSA_PKCS_PSS, CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512, NO_INFO},
    [ALG_ES256] = {CKM_ECDSA, CKM_ECDSA_SHA256, CKM_SHA256, 0, NO_INFO},
    [ALG_ES384] = {CKM_ECDSA, CKM_ECDSA_SHA384, CKM_SHA384, 0, NO_INFO},
    [ALG_ES512] = {CKM_ECDSA, CKM_ECDSA_SHA512, CKM_SHA512, 0, NO_INFO},
    /* Pure Ed25519 takes the message (RFC 8032 §5.1.6): the token always hashes. */
    [ALG_ED25519] = {NO_MECHANISM, CKM_EDDSA, 0, 0, NO_INFO},
};
static_assert(COUNT_OF(rows) == ALG_COUNT, "a row for every algorithm");

const struct mechanism *mechanism_of(enum alg alg)
{
    return &rows[alg];
}

const char *mechanism_name(CK_MECHANISM_TYPE type)
{
    static const struct {
        CK_MECHANISM_TYPE type;
        const char *name;
    } names[] = {
        {CKM_RSA_PKCS, "CKM_RSA_PKCS"},
        {CKM_SHA256_RSA_PKCS, "CKM_SHA256_RSA_PKCS"},
        {CKM_SHA384_RSA_PKCS, "CKM_SHA384_RSA_PKCS"},
        {CKM_SHA512_RSA_PKCS, "CKM_SHA512_RSA_PKCS"},
        {CKM_RSA_PKCS_PSS, "CKM_RSA_PKCS_PSS"},
        {CKM_SHA256_RSA_PKCS_PSS, "CKM_SHA256_RSA_PKCS_PSS"},
        {CKM_SHA384_RSA_PKCS_PSS, "CKM_SHA384_RSA_PKCS_PSS"},
        {CKM_SHA512_RSA_PKCS_PSS, "CKM_SHA512_RSA_PKCS_PSS"},
        {CKM_ECDSA, "CKM_ECDSA"},
        {CKM_ECDSA_SHA256, "CKM_ECDSA_SHA256"},
        {CKM_ECDSA_SHA384, "CKM_ECDSA_SHA384"},
        {CKM_ECDSA_SHA512, "CKM_ECDSA_SHA512"},
        {CKM_EDDSA, "CKM_EDDSA"},
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (names[i].type == type) {
            return names[i].name;
        }
    }
    return NULL;
}

CK_RSA_PKCS_PSS_PARAMS mechanism_pss(enum alg alg)
{
    return (CK_RSA_PKCS_PSS_PARAMS){
        .hashAlg = rows[alg].hash,
        .mgf = rows[alg].mgf,
        .sLen = alg_digest_len(alg),
    };
}

static bool token_signs(const struct module *module, CK_SLOT_ID slot, CK_MECHANISM_TYPE type)
{
    if (type == NO_MECHANISM) {
        return false;
    }
    CK_MECHANISM_INFO info;
    memset(&info, 0, sizeof info);
    return module->calls->C_GetMechanismInfo(slot, type, &info) == CKR_OK &&
           (info.flags & CKF_SIGN) != 0;
}

void mechanism_probe(const struct module *module, CK_SLOT_ID slot, enum mechanism_choice choice,
                     struct mechanisms *out)
{
    *out = (struct mechanisms){0};
    for (unsigned int alg = 0; alg < ALG_COUNT; alg++) {
        out->raw_there |= token_signs(module, slot, rows[alg].raw) ? 1U << alg : 0;
        out->hashed_there |= token_signs(module, slot, rows[alg].hashed) ? 1U << alg : 0;
    }
    const uint32_t always_hashed = 1U << ALG_ED25519;
    uint32_t raw = choice == MECHANISM_TOKEN_HASH ? 0 : out->raw_there;
    uint32_t hashed =
        choice == MECHANISM_PREHASH ? out->hashed_there & always_hashed : out->hashed_there;
    out->prehash = raw;
    out->token_hash = hashed & ~raw;
}

bool mechanism_lacks_raw(const struct mechanisms *mechanisms, enum alg_family family)
{
    uint32_t lacking = mechanisms->hashed_there & ~mechanisms->raw_there;
    for (unsigned int alg = 0; alg < ALG_COUNT; alg++) {
        if ((lacking & 1U << alg) != 0 && alg_family((enum alg)alg) == family) {
            return true;
        }
    }
    return false;
}

size_t mechanism_allowed(const struct mechanisms *mechanisms, uint32_t algs,
                         CK_MECHANISM_TYPE out[2 * ALG_COUNT])
{
    size_t n = 0;
    for (unsigned int alg = 0; alg < ALG_COUNT; alg++) {
        uint32_t bit = 1U << alg;
        if ((algs & bit) == 0) {
            continue;
        }
        /* The raw mechanism of an RSA or EC family is the same for its three hashes. */
        bool raw_listed = false;
        for (size_t i = 0; i < n; i++) {
            raw_listed = raw_listed || out[i] == rows[alg].raw;
        }
        if ((mechanisms->raw_there & bit) != 0 && !raw_listed) {
            out[n++] = rows[alg].raw;
        }
        if ((mechanisms->hashed_there & bit) != 0) {
            out[n++] = rows[alg].hashed;
        }
    }
    return n;
}
