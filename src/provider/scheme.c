/* SPDX-License-Identifier: Apache-2.0
 * Digest names and scheme names. */
#include "provider/scheme.h"

#include <stddef.h>
#include <strings.h>

static const struct {
    const char *name;
    enum md md;
} md_names[] = {
    {"", MD_NONE},           {"UNDEF", MD_NONE},
    {"SHA2-256", MD_SHA256}, {"SHA256", MD_SHA256},
    {"SHA-256", MD_SHA256},  {"2.16.840.1.101.3.4.2.1", MD_SHA256},
    {"SHA2-384", MD_SHA384}, {"SHA384", MD_SHA384},
    {"SHA-384", MD_SHA384},  {"2.16.840.1.101.3.4.2.2", MD_SHA384},
    {"SHA2-512", MD_SHA512}, {"SHA512", MD_SHA512},
    {"SHA-512", MD_SHA512},  {"2.16.840.1.101.3.4.2.3", MD_SHA512},
};

bool scheme_md_from_name(const char *name, enum md *out)
{
    for (size_t i = 0; i < COUNT_OF(md_names); i++) {
        if (strcasecmp(name == NULL ? "" : name, md_names[i].name) == 0) {
            *out = md_names[i].md;
            return true;
        }
    }
    return false;
}

const char *scheme_md_name(enum md md)
{
    static const char *const names[] = {
        [MD_NONE] = "", [MD_SHA256] = "SHA256", [MD_SHA384] = "SHA384", [MD_SHA512] = "SHA512"};
    return names[md];
}

int scheme_md_size(enum md md)
{
    static const int sizes[] = {
        [MD_NONE] = 0, [MD_SHA256] = 32, [MD_SHA384] = 48, [MD_SHA512] = 64};
    return sizes[md];
}

const char *scheme_name(enum key_kind kind, enum md md, bool pss)
{
    static const char *const pkcs1[] = {NULL, "rsa_pkcs1_sha256", "rsa_pkcs1_sha384",
                                        "rsa_pkcs1_sha512"};
    static const char *const rsae[] = {NULL, "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384",
                                       "rsa_pss_rsae_sha512"};
    static const char *const pss_key[] = {NULL, "rsa_pss_pss_sha256", "rsa_pss_pss_sha384",
                                          "rsa_pss_pss_sha512"};
    static const char *const ecdsa[] = {NULL, "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384",
                                        "ecdsa_secp521r1_sha512"};
    switch (kind) {
    case KIND_RSA:
        return pss ? rsae[md] : pkcs1[md];
    case KIND_RSA_PSS:
        return pss ? pss_key[md] : NULL;
    case KIND_EC:
        return ecdsa[md];
    case KIND_ED25519:
        return md == MD_NONE ? "ed25519" : NULL;
    }
    return NULL;
}
