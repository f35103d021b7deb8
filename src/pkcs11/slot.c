/* SPDX-License-Identifier: Apache-2.0
 * Slots and tokens. */
#include "pkcs11/slot.h"

#include "pkcs11/rv.h"

#include <string.h>

enum { SLOTS_MAX = 256 };

static void fill(struct slot *slot, CK_SLOT_ID id, const CK_TOKEN_INFO *token)
{
    slot->id = id;
    slot->flags = token->flags;
    slot->info = *token;
    module_text(token->label, sizeof token->label, slot->label, sizeof slot->label);
    module_text(token->serialNumber, sizeof token->serialNumber, slot->serial, sizeof slot->serial);
    module_text(token->model, sizeof token->model, slot->model, sizeof slot->model);
}

static bool token_of(const struct module *module, CK_SLOT_ID id, CK_TOKEN_INFO *token)
{
    memset(token, 0, sizeof *token);
    return module->calls->C_GetTokenInfo(id, token) == CKR_OK &&
           (token->flags & CKF_TOKEN_INITIALIZED) != 0;
}

enum outcome slot_find(const struct module *module, const struct uri *uri, struct slot *out,
                       struct reason *why)
{
    CK_SLOT_ID ids[SLOTS_MAX];
    CK_ULONG n = SLOTS_MAX;
    /* The size question first: some modules look for new tokens only then (PKCS#11 2.40 §5.5). */
    CK_ULONG ignored = 0;
    (void)module->calls->C_GetSlotList(CK_TRUE, NULL, &ignored);
    CK_RV rv = module->calls->C_GetSlotList(CK_TRUE, ids, &n);
    if (rv != CKR_OK) {
        return rv_refuse(rv, "C_GetSlotList", why);
    }
    if (n > SLOTS_MAX) {
        return refuse(why, OUTCOME_TOKEN_UNAVAILABLE,
                      "C_GetSlotList: the module says %lu slots where there was room for %d", n,
                      SLOTS_MAX);
    }
    unsigned int found = 0;
    for (CK_ULONG i = 0; i < n; i++) {
        CK_TOKEN_INFO token;
        if (!token_of(module, ids[i], &token) || !uri_matches(uri, &token)) {
            continue;
        }
        struct slot slot;
        fill(&slot, ids[i], &token);
        if (found++ > 0) {
            return refuse(why, OUTCOME_RULE,
                          "uri: two tokens fit, with serial %s and serial %s: add serial= to it",
                          out->serial, slot.serial);
        }
        *out = slot;
    }
    return found == 1
               ? OUTCOME_OK
               : refuse(why, OUTCOME_TOKEN_UNAVAILABLE,
                        "the module shows no token that fits the uri (%lu slots with one)", n);
}

bool slot_refresh(const struct module *module, struct slot *slot)
{
    CK_TOKEN_INFO token;
    if (!token_of(module, slot->id, &token)) {
        return false;
    }
    fill(slot, slot->id, &token);
    return true;
}
