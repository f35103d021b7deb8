/* SPDX-License-Identifier: Apache-2.0
 * Signing with a session and a handle. */
#include "pkcs11/sign.h"

#include <string.h>

enum { INPUT_MAX = 32 + DIGEST_MAX };

/* Orders here are whole bytes long, but for P-521's, which is longer than any digest. */
static size_t usable_len(enum key_type type, enum alg alg)
{
    size_t digest = alg_digest_len(alg);
    size_t order = key_type_signature_len(type) / 2;
    return alg_family(alg) == FAMILY_ECDSA && digest > order ? order : digest;
}

CK_RV sign_message(struct session *session, struct digest_context *digest,
                   const struct sign_plan *plan, struct span message, uint8_t out[SIGN_ROOM],
                   CK_ULONG *len)
{
    const struct mechanism *row = mechanism_of(plan->alg);
    uint8_t hashed[INPUT_MAX];
    if (plan->prehash) {
        if (row->digest_info.len > 0) {
            memcpy(hashed, row->digest_info.data, row->digest_info.len);
        }
        if (!digest_message(digest, plan->alg, message, hashed + row->digest_info.len)) {
            return CKR_HOST_MEMORY;
        }
        message = span_of(hashed, row->digest_info.len + usable_len(plan->type, plan->alg));
    }
    CK_RSA_PKCS_PSS_PARAMS pss = mechanism_pss(plan->alg);
    CK_MECHANISM mechanism = {.mechanism = plan->prehash ? row->raw : row->hashed};
    if (alg_family(plan->alg) == FAMILY_RSA_PSS) {
        mechanism.pParameter = &pss;
        mechanism.ulParameterLen = sizeof pss;
    }
    CK_RV rv = session->calls->C_SignInit(session->handle, &mechanism, plan->private_key);
    if (rv != CKR_OK) {
        return rv;
    }
    *len = SIGN_ROOM;
    /* Older PKCS#11 headers take the data without const. */
    return session->calls->C_Sign(session->handle, (CK_BYTE_PTR)(uintptr_t)message.data,
                                  message.len, out, len);
}
