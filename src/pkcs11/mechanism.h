/* SPDX-License-Identifier: Apache-2.0
 * Which PKCS#11 mechanism makes which JOSE signature. Probed once per process. Hashing in the host
 * and signing with the raw mechanism is one code path for all tokens and sends little to the
 * device; tokens that forbid the raw mechanisms (FIPS) hash by themselves. */
#ifndef QSEAL_PKCS11_MECHANISM_H
#define QSEAL_PKCS11_MECHANISM_H

#include "model/alg.h"
#include "pkcs11/module.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mechanism_choice { MECHANISM_AUTO, MECHANISM_PREHASH, MECHANISM_TOKEN_HASH };

/* Bit (1 << enum alg). The first two are disjoint: what is done. The others: what the token could.
 */
struct mechanisms {
    uint32_t prehash;
    uint32_t token_hash;
    uint32_t raw_there;
    uint32_t hashed_there;
};

struct mechanism {
    CK_MECHANISM_TYPE raw;    /* over a digest; CK_UNAVAILABLE_INFORMATION: there is none */
    CK_MECHANISM_TYPE hashed; /* over the message */
    CK_MECHANISM_TYPE hash;   /* PSS parameter hashAlg */
    CK_RSA_PKCS_MGF_TYPE mgf; /* PSS parameter mgf, 0 for others */
    struct span digest_info; /* what stands before the digest under CKM_RSA_PKCS (RFC 8017 §9.2) */
};

const struct mechanism *mechanism_of(enum alg alg);
/* "CKM_ECDSA"; NULL for one that is not in the table. */
const char *mechanism_name(CK_MECHANISM_TYPE type);
/* The PSS parameters, always all of them: sLen = hLen (RFC 7518 §3.5), MGF1 with the same hash. */
CK_RSA_PKCS_PSS_PARAMS mechanism_pss(enum alg alg);

void mechanism_probe(const struct module *module, CK_SLOT_ID slot, enum mechanism_choice choice,
                     struct mechanisms *out);
/* Whether the token signs some algorithm of the family over the message only, not over a digest. */
bool mechanism_lacks_raw(const struct mechanisms *mechanisms, enum alg_family family) MUST_USE;
/* For CKA_ALLOWED_MECHANISMS: every mechanism the token has for these algorithms. Returns how many.
 */
size_t mechanism_allowed(const struct mechanisms *mechanisms, uint32_t algs,
                         CK_MECHANISM_TYPE out[2 * ALG_COUNT]);

#endif
